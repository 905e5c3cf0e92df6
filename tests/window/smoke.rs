//! The window opens by itself and shows live calls.

use std::time::Duration;

use holdfast_tests::place;
use holdfast_tests::window::Opening;

const LIMIT: Duration = Duration::from_mins(1);

#[test]
fn the_window_opens_and_shows_live_calls() {
    let app = place::binary("holdfast").unwrap();
    let window = Opening::of(app)
        .argument("--port")
        .argument("0")
        .open()
        .unwrap();
    assert!(window.title().unwrap().contains("Holdfast"));
    window.find("[role=row][data-call]", LIMIT).unwrap();
}
