//! A supervisor sees which call fails in which layer, switches the model, and sees the proof.

use serde_json::json;

use crate::sight::{LIMIT, ask, click, go, id, open, open_call, read, start_fault, youngest};

#[test]
fn a_failing_call_is_seen_by_its_layer_and_a_switch_is_proven() {
    let window = open(40);
    let live: u32 = read(&window, "[data-testid=status-live] b")
        .parse()
        .unwrap();
    assert!(
        (20..=60).contains(&live),
        "{live} live calls of 40 that were asked for"
    );

    start_fault(&window, "llm_503", "Vendor A", "eu-west");
    go(&window, "now");
    window
        .find(
            "[role=row][data-call] [data-layer=llm][data-state=failed]",
            LIMIT,
        )
        .unwrap();
    // The fault is in the LLM of one vendor and one region, so no other layer may turn failed.
    let wrong = ask(
        &window,
        "return [...document.querySelectorAll('[role=row] [data-state=failed]')]
            .map((cell) => cell.dataset.layer).filter((layer) => layer && layer !== 'llm');",
        &[],
    );
    assert_eq!(wrong, json!([]));

    let call = youngest(
        &window,
        "row.querySelector('[data-layer=llm][data-state=failed]')",
    );
    let row = format!("[role=row][data-call='{call}']");
    open_call(&window, &call);
    let evidence = window
        .find_saying("[data-testid=evidence] li", "503", LIMIT)
        .unwrap();
    let evidence = window.text(&evidence).unwrap();
    assert!(evidence.contains("LLM"), "{evidence}");
    window
        .find_saying("[data-active=true]", "primary", LIMIT)
        .unwrap();
    let origin = ask(
        &window,
        "return [...document.querySelectorAll('[data-testid=detail] [data-active=true]')]
            .map((service) => service.title + ' ' + service.textContent).join('\\n');",
        &[],
    );
    let origin = origin.as_str().unwrap();
    assert!(
        origin.contains("Vendor A") && origin.contains("eu-west"),
        "the right call: its LLM is the one that was broken: {origin}"
    );

    click(&window, "[data-testid=detail] [data-action=switchModel]");
    window
        .find_saying(&id("sheet-sentence"), "1", LIMIT)
        .unwrap();
    click(&window, &id("confirm"));
    let proven = format!("[data-testid=progress] [data-call='{call}'] [data-command-state=proven]");
    window.find(&proven, LIMIT).unwrap();
    window
        .find(&format!("{row} [data-rung=retry]"), LIMIT)
        .unwrap();
}
