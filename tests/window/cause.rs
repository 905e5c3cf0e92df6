//! Calls that fail together are one row with what they share, and one act reaches them all.

use serde_json::json;

use crate::sight::{LIMIT, ask, click, go, id, open, start_fault};

#[test]
fn calls_that_fail_together_are_one_row_and_one_act_mends_them() {
    let window = open(60);
    start_fault(&window, "llm_503", "Vendor A", "eu-west");
    go(&window, "now");
    let cause = "[data-testid=cause][data-layer=llm][data-cause-state=active]";
    window.find(cause, LIMIT).unwrap();
    // On this platform one vendor serves the LLM of that region, so the region says it all.
    window
        .find(&format!("{cause}[data-traits*='region=eu-west']"), LIMIT)
        .unwrap();
    let others = ask(
        &window,
        "return [...document.querySelectorAll('[data-testid=cause]')]
            .map((row) => row.dataset.layer).filter((layer) => layer !== 'llm');",
        &[],
    );
    assert_eq!(others, json!([]), "no other layer is blamed");

    click(&window, &format!("{cause} [data-action=switchModel]"));
    window.find(&id("sheet-sentence"), LIMIT).unwrap();
    click(&window, &id("confirm"));
    window
        .find("[data-testid=progress] [data-command-state=proven]", LIMIT)
        .unwrap();
}
