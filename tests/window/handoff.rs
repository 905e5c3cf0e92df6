//! A call is routed to a human, whose desk shows the card before the call is theirs.

use holdfast_tests::patience::until;

use crate::sight::{LIMIT, click, go, id, open, open_call, read, youngest};

#[test]
fn a_routed_call_reaches_the_agent_with_its_card() {
    let window = open(40);
    let call = youngest(&window, "row.textContent.includes('Caller')");
    open_call(&window, &call);
    let asked = read(
        &window,
        "[data-testid=detail] [data-testid=transcript] [data-role=caller]",
    );
    // The card of the open call fills while the caller speaks: something was collected by now.
    let collected = read(&window, "[data-testid=detail] [data-slot]");
    let collected = collected.split_whitespace().next().unwrap_or_default();
    assert!(!collected.is_empty());
    click(&window, "[data-testid=detail] [data-action=routeToHumans]");
    window
        .find_saying(&id("sheet-sentence"), "1", LIMIT)
        .unwrap();
    click(&window, &id("confirm"));

    go(&window, "agent");
    click(&window, &id("set-free"));
    let offer = format!("[data-testid=offer][data-call='{call}']");
    until("the offer", LIMIT, || {
        if let [found, ..] = &window.all(&offer)?[..] {
            return Ok(Some(found.clone()));
        }
        // A caller who asked for a human by themselves may come first; somebody else takes them.
        if !window.all(&id("offer"))?.is_empty() {
            click(&window, &id("decline"));
            click(&window, &id("decline-reason"));
        }
        Ok(None)
    })
    .unwrap();
    let card = read(&window, &offer);
    assert!(card.contains("Why you"), "{card}");
    assert!(!asked.trim().is_empty());
    let turns = read(&window, &format!("{offer} [data-testid=transcript]"));
    assert!(
        !turns.trim().is_empty(),
        "the last turns are on the card: {card}"
    );
    assert!(card.contains(collected), "{collected} on {card}");
    let intent = read(&window, &format!("{offer} [data-testid=card-intent]"));
    assert!(!intent.contains("missing"), "{intent}");

    click(&window, &id("accept"));
    window
        .find(&format!("[data-testid=taken][data-call='{call}']"), LIMIT)
        .unwrap();
    window
        .find("[data-testid=handoff-state][data-state=confirmed]", LIMIT)
        .unwrap();
    go(&window, "acts");
    let told = format!("[data-testid=handoff][data-call='{call}'][data-state=confirmed]");
    window.find(&told, LIMIT).unwrap();
}
