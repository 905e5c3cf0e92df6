//! Runs over populations by chance: the set that was previewed is the set that is changed, or the
//! run stops, and each difference is explained.

use std::collections::BTreeSet;

use holdfast_domain::fact::Fact;
use holdfast_domain::{CallId, Layer, Protected, RunState};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use crate::runs_floor::{Floor, name, sam, stage, switch_book};

/// What can happen to a call at any time.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Ends,
    Pays,
    PaysNoMore,
    LosesItsBackup,
    TakenByHuman,
    Speaks,
    SpeaksNoMore,
    Begins,
    Breaks,
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        3 => Just(Chance::Ends),
        2 => Just(Chance::Pays),
        3 => Just(Chance::PaysNoMore),
        1 => Just(Chance::LosesItsBackup),
        1 => Just(Chance::TakenByHuman),
        2 => Just(Chance::Speaks),
        3 => Just(Chance::SpeaksNoMore),
        2 => Just(Chance::Begins),
        1 => Just(Chance::Breaks),
    ]
}

fn happens(floor: &mut Floor, gone: &mut BTreeSet<String>, n: usize, what: Chance, extra: usize) {
    let call = name(n);
    if matches!(what, Chance::Begins) {
        return floor.script.call(&format!("x{extra:03}"));
    }
    if gone.contains(&call) {
        return;
    }
    match what {
        Chance::Ends => {
            gone.insert(call.clone());
            floor.script.end(&call);
        }
        Chance::Pays => floor.protect(&call, Some(Protected::Payment)),
        Chance::PaysNoMore => floor.protect(&call, None),
        Chance::LosesItsBackup => floor.script.layer_fact(
            &call,
            Some(Layer::Llm),
            Fact::ServiceAvailabilityChanged {
                service: "backup-llm".into(),
                available: false,
                reason: None,
            },
        ),
        Chance::TakenByHuman => floor.script.fact(
            &call,
            Fact::HandoffCompleted {
                handoff_id: None,
                to: "ana".into(),
            },
        ),
        Chance::Speaks => floor.script.agent_starts(&call),
        Chance::SpeaksNoMore => floor.script.agent_stops(&call),
        Chance::Breaks => {
            floor.broken.insert(call);
        }
        Chance::Begins => {}
    }
}

fn ended(state: &RunState) -> &'static str {
    match state {
        RunState::Completed => "completed",
        RunState::Stopped { .. } => "stopped",
        RunState::RolledBack { .. } => "rolled back",
        RunState::Aborted { .. } => "aborted",
        RunState::Expired => "expired",
        _ => "open",
    }
}

/// What holds for every run, whatever happened.
fn check(floor: &Floor, previewed: &BTreeSet<CallId>) {
    let touched = floor.touched();
    assert!(
        touched.is_subset(previewed),
        "a call was changed that was not previewed"
    );
    let run = floor.run("r");
    let mut explained = BTreeSet::new();
    for difference in &run.differences {
        explained.insert(difference.call.clone());
    }
    if run.state.is_final() {
        for call in previewed {
            assert!(
                touched.contains(call) || explained.contains(call),
                "{call} was neither changed nor explained; {:?}",
                run.state
            );
        }
    }
    if run.state == RunState::Completed {
        let broken = run.differences.iter().find(|d| d.kind.breaks_the_preview());
        assert!(broken.is_none(), "it did not stop at {broken:?}");
    }
}

#[test]
fn the_set_that_is_changed_is_the_set_that_was_previewed() {
    // A fixed seed: the same populations every time.
    let config = Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let steps = prop::collection::vec((0..24_usize, chance(), 0..1_500_i64), 0..40);
    let ends = std::cell::RefCell::new(BTreeSet::new());
    runner
        .run(
            &(1..24_usize, steps, 0..40_usize),
            |(n_calls, steps, start)| {
                let mut floor = Floor::new(
                    n_calls,
                    switch_book(json!({
                        "stages": [stage("one_call", 1, 20), stage(json!({"percent": 25}), 1, 20),
                                   stage("all", 1, 20)],
                        "ttl_s": 60
                    })),
                );
                let mut gone = BTreeSet::new();
                let preview = floor.preview("r", "switch");
                let previewed: BTreeSet<CallId> =
                    preview.calls.iter().map(|c| c.call.clone()).collect();
                let mut is_begun = false;
                for (n, (call, what, ms)) in steps.iter().enumerate() {
                    if n == start && !is_begun {
                        is_begun = true;
                        floor.start(&sam(), &preview, None);
                    }
                    happens(&mut floor, &mut gone, call % n_calls, *what, n);
                    floor.pass(*ms);
                }
                if !is_begun {
                    floor.start(&sam(), &preview, None);
                }
                floor.pass(70_000);
                check(&floor, &previewed);
                let state = floor.state();
                prop_assert!(
                    state.is_final()
                        || matches!(
                            state,
                            RunState::Previewed { .. } | RunState::RollingBack { .. }
                        ),
                    "{state:?}"
                );
                ends.borrow_mut().insert(ended(&state));
                Ok(())
            },
        )
        .expect("it holds for every population");
    assert!(ends.borrow().len() >= 3, "the populations are all alike");
}

#[test]
fn nobody_who_pays_or_is_heard_is_touched() {
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let who = prop::collection::vec((any::<bool>(), any::<bool>()), 1..20);
    runner
        .run(&who, |who| {
            let mut floor = Floor::new(who.len(), switch_book(json!({})));
            let preview = floor.preview("r", "switch");
            let mut kept = BTreeSet::new();
            for (n, (pays, speaks)) in who.iter().enumerate() {
                if *pays {
                    floor.protect(&name(n), Some(Protected::Payment));
                }
                if *speaks {
                    floor.script.agent_starts(&name(n));
                }
                if *pays || *speaks {
                    kept.insert(CallId::new(name(n)));
                }
            }
            floor.start(&sam(), &preview, None);
            floor.pass(10_000);
            prop_assert!(floor.touched().is_disjoint(&kept));
            Ok(())
        })
        .expect("it holds for every population");
}

fn runner(seed: u8, cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(config, rng)
}

#[test]
fn a_second_stage_that_is_worse_ends_before_the_third_and_only_its_calls_go_back() {
    let sizes = (8..40_usize, 10..60_u8);
    runner(11, 24)
        .run(&sizes, |(n_calls, percent)| {
            let stages = json!([
                stage("one_call", 1, 20),
                stage(json!({"percent": percent}), 1, 20),
                stage("all", 1, 20)
            ]);
            let mut floor = Floor::new(n_calls, switch_book(json!({"stages": stages})));
            let preview = floor.preview("r", "switch");
            let order: Vec<CallId> = preview.calls.iter().map(|c| c.call.clone()).collect();
            floor.broken = order.iter().skip(1).map(ToString::to_string).collect();
            floor.start(&sam(), &preview, None);
            floor.pass(40_000);
            let second = (n_calls * usize::from(percent)).div_ceil(100);
            let touched: BTreeSet<CallId> = order.iter().take(second.max(1)).cloned().collect();
            prop_assert_eq!(floor.touched(), touched);
            let state = floor.state();
            if second > 1 {
                let is_back = matches!(state, RunState::RolledBack { .. });
                prop_assert!(is_back, "{:?}", state);
            }
            // The canary was changed, and is as it was; nobody else ever was.
            for call in order {
                prop_assert_eq!(floor.active(call.as_str()), "primary-llm");
            }
            Ok(())
        })
        .expect("it holds for every population");
}

#[test]
fn after_the_lever_nothing_more_is_sent() {
    let moments = (2..24_usize, 0..6_000_i64, any::<bool>());
    runner(13, 48)
        .run(&moments, |(n_calls, ms, is_rolling)| {
            let mut floor = Floor::new(n_calls, switch_book(json!({})));
            floor.begin("switch");
            floor.pass(ms);
            if is_rolling {
                floor.undo();
            }
            floor.lever(true);
            let sent = floor.script.sent_ids().len();
            floor.pass(10_000);
            prop_assert_eq!(floor.script.sent_ids().len(), sent);
            let state = floor.state();
            prop_assert!(state.is_final(), "{:?}", state);
            Ok(())
        })
        .expect("it holds for every population");
}
