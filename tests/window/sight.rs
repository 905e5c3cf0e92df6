//! What the tests look for in the window, in the words of `ui/src/lib/testids.ts`.

use std::time::Duration;

use holdfast_tests::patience::until;
use holdfast_tests::place;
use holdfast_tests::window::{Opening, Window, key};
use serde_json::{Value, json};

/// How long something that takes a second or two may take on a slow and busy machine.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// The app with its own hub and `calls` simulated calls, once the board shows some.
pub(crate) fn open(calls: u32) -> Window {
    let app = place::binary("holdfast").unwrap();
    let window = Opening::of(app)
        .argument("--port=0")
        .argument(format!("--calls={calls}"))
        .argument("--seed=7")
        .open()
        .unwrap();
    window.find("[role=row][data-call]", LIMIT).unwrap();
    window
}

/// The selector of a test id.
pub(crate) fn id(name: &str) -> String {
    format!("[data-testid={name}]")
}

/// Clicks what a selector names, once it is there. Rows are recycled and panes come and go, so an
/// element can be gone between being found and being clicked; then it is looked for again.
pub(crate) fn click(window: &Window, css: &str) {
    until(&format!("{css:?} to be clicked"), LIMIT, || {
        let found = window.all(css)?.into_iter().next();
        Ok(found.and_then(|element| window.click(&element).ok()))
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", window.said()));
}

/// Goes to a view by the navigation.
pub(crate) fn go(window: &Window, view: &str) {
    click(window, &format!("[data-view={view}]"));
}

/// The text of what a selector names, once it is there.
pub(crate) fn read(window: &Window, css: &str) -> String {
    window.find(css, LIMIT).unwrap(); // says what the window shows when there is none
    until(&format!("{css:?} to be read"), LIMIT, || {
        let found = window.all(css)?.into_iter().next();
        Ok(found.and_then(|element| window.text(&element).ok()))
    })
    .unwrap()
}

/// Starts a simulated fault for one vendor in one region, as a commander does on the platform's
/// page.
pub(crate) fn start_fault(window: &Window, fault: &str, vendor: &str, region: &str) {
    go(window, "platform");
    click(
        window,
        &format!("[data-testid=start-fault][data-fault={fault}]"),
    );
    window.find(&id("sheet"), LIMIT).unwrap();
    let fields = window.all("[data-testid=sheet] input[type=text]").unwrap();
    window.type_into(&fields[0], vendor).unwrap();
    window.type_into(&fields[1], region).unwrap();
    click(window, "[data-testid=sheet] h2"); // leaves the field, which takes what was written
    // It can be confirmed once the hub has said whom it touches.
    click(window, "[data-testid=confirm][aria-disabled=false]");
    window
        .find(
            &format!("[data-testid=stop-fault][data-fault={fault}]"),
            LIMIT,
        )
        .unwrap();
    click(window, &id("cancel"));
}

/// What a script returns.
pub(crate) fn ask(window: &Window, script: &str, arguments: &[&str]) -> Value {
    let arguments: Vec<Value> = arguments.iter().map(|argument| json!(argument)).collect();
    window.run(script, &arguments).unwrap()
}

/// The youngest call on the board that `fits` (a script's condition on `row`), is served by the AI
/// and not in a payment or an identity check.
pub(crate) fn youngest(window: &Window, fits: &str) -> String {
    let script = format!(
        "return [...document.querySelectorAll('[role=row][data-call][data-phase=ai]')]
            .filter((row) => !row.querySelector('.tag') && ({fits}))
            .map((row) => row.dataset.call).sort().at(-1) ?? null;"
    );
    until(&format!("a call that fits {fits}"), LIMIT, || {
        Ok(ask(window, &script, &[]).as_str().map(str::to_owned))
    })
    .unwrap()
}

/// Opens a call's detail, as a supervisor who looks for it by its id.
pub(crate) fn open_call(window: &Window, call: &str) {
    let filter = window.find(&id("filter-text"), LIMIT).unwrap();
    window.type_into(&filter, call).unwrap();
    click(
        window,
        &format!("[role=row][data-call='{call}'] [role=gridcell]:nth-child(3)"),
    );
    window.press([key::ENTER]).unwrap();
    window
        .find(&format!("[data-testid=detail][data-call='{call}']"), LIMIT)
        .unwrap();
}
