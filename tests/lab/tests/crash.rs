//! A short campaign with a fixed seed; `cargo xtask crash` is the long one.

use holdfast_lab::crash::{Plan, campaign};

#[test]
fn a_hub_that_is_killed_in_the_middle_of_runs_loses_and_doubles_nothing() {
    let plan = Plan {
        kills: 5,
        seed: 5,
        calls: 12,
    };
    let report = campaign(plan, |_| {}).unwrap();
    assert!(report.faults.is_empty(), "{:#?}", report.faults);
    assert_eq!(report.kills.values().sum::<u32>(), 5);
    assert!(report.mid_run > 0, "{report:#?}");
    assert!(report.effects > 0, "{report:#?}");
    assert_eq!(
        report.unknown_listed, report.unknown_resolved,
        "what was unknown has an outcome"
    );
}
