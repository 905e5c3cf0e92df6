//! What stops a run by itself, what proves it, and what it waits for or begins from.

use std::collections::BTreeSet;

use holdfast_domain::fact::Fact;
use holdfast_domain::playbook::AbortCondition;
use holdfast_domain::{
    CallId, CauseReach, Command, DifferenceKind, Layer, Record, Reply, Request, RunCallState,
    RunState, RunStop, Rung, Service,
};
use holdfast_engine::Control;
use serde_json::{Value, json};

use crate::causes;
use crate::runs_floor::{Floor, humans_book, name, sam, stage, switch_book};
use crate::runs_line::takes;
use crate::script::{BRIDGE, service, started};

/// One stage over all calls, held for half a minute, with this abort condition.
fn guarded(abort: impl Into<Value>) -> holdfast_domain::Playbook {
    let abort: Value = abort.into();
    switch_book(json!({"stages": [stage("all", 30, 60)], "abort": [abort]}))
}

/// The abort condition that stopped the run.
fn aborted_by(floor: &Floor) -> Option<AbortCondition> {
    match floor.state() {
        RunState::RollingBack { why }
        | RunState::RolledBack { why }
        | RunState::Aborted { why } => match why {
            RunStop::Abort { condition, .. } => Some(condition),
            other => panic!("stopped by something else: {other:?}"),
        },
        _ => None,
    }
}

/// The caller asks, and the model refuses.
fn fails(floor: &mut Floor, call: &str, by: &'static str) {
    floor.script.caller_says(call, "are you there?");
    floor.script.llm_starts(call, by);
    floor.script.error(call, Layer::Llm, by, "http_503");
}

#[test]
fn outcomes_that_nobody_knows_stop_a_run() {
    let stopped = |calls_over: u32| {
        let abort = json!({"when": "outcomes_unknown", "calls_over": calls_over});
        let mut floor = Floor::new(4, guarded(abort));
        floor.is_mute = true;
        floor.begin("switch");
        assert_eq!(floor.changes().len(), 4, "all are under way");
        floor.script.control(Control::Restarted);
        floor.script.wait(400);
        assert!(
            floor
                .calls("r")
                .iter()
                .all(|c| c.state == RunCallState::Unknown)
        );
        aborted_by(&floor)
    };
    assert_eq!(stopped(4), None, "four are not over four");
    assert_eq!(
        stopped(3),
        Some(AbortCondition::OutcomesUnknown { calls_over: 3 })
    );
}

#[test]
fn calls_that_were_well_and_fail_now_stop_a_run_and_those_that_failed_before_do_not() {
    let mut floor = Floor::new(
        4,
        guarded(json!({"when": "newly_failing", "calls_over": 1})),
    );
    fails(&mut floor, "c00", "primary-llm");
    floor.begin("switch");
    floor.pass(1_500);
    assert_eq!(floor.touched().len(), 4);
    // It failed before, and goes on.
    fails(&mut floor, "c00", "backup-llm");
    fails(&mut floor, "c01", "backup-llm");
    floor.pass(500);
    for call in ["c00", "c01"] {
        assert_eq!(
            floor.script.state(call, Layer::Llm),
            holdfast_domain::LayerState::Failed,
            "{call}"
        );
    }
    assert_eq!(aborted_by(&floor), None, "one is not over one");
    fails(&mut floor, "c02", "backup-llm");
    floor.pass(500);
    let condition = AbortCondition::NewlyFailing { calls_over: 1 };
    assert_eq!(aborted_by(&floor), Some(condition));
}

#[test]
fn touched_calls_that_end_abruptly_stop_a_run() {
    let ends = |calls_min: u32, is_abrupt: bool| {
        let abort = json!({"when": "ended_abruptly", "percent_over": 20, "calls_min": calls_min});
        let mut floor = Floor::new(4, guarded(abort));
        floor.begin("switch");
        floor.pass(1_500);
        if is_abrupt {
            fails(&mut floor, "c01", "backup-llm");
        }
        floor.script.end("c01");
        floor.pass(500);
        aborted_by(&floor)
    };
    assert_eq!(ends(4, false), None, "the caller was done");
    assert_eq!(ends(5, true), None, "too few are judged");
    let condition = AbortCondition::EndedAbruptly {
        percent_over: 20,
        calls_min: 4,
    };
    assert_eq!(ends(4, true), Some(condition), "one of four");
}

#[test]
fn callers_who_wait_too_long_for_a_human_stop_a_run_and_nobody_loses_their_place() {
    let mut book = humans_book("in_flight");
    book.abort = vec![AbortCondition::HumanWait { wait_s_over: 5 }];
    let mut floor = Floor::new(3, book);
    for n in 0..3 {
        floor.script.agent_starts(&name(n));
    }
    floor.begin("humans");
    floor.pass(3_000);
    for n in 0..3 {
        floor.script.agent_stops(&name(n));
    }
    // Nobody is there: once they can be spoken to, all are told that they will be called back.
    floor.pass(1_800);
    assert_eq!(aborted_by(&floor), None);
    let told = floor.calls("r");
    let is_told = |state: &RunCallState| *state == RunCallState::Queued { callback: true };
    assert!(told.iter().all(|call| is_told(&call.state)), "{told:?}");
    floor.pass(1_600);
    let condition = AbortCondition::HumanWait { wait_s_over: 5 };
    assert_eq!(
        aborted_by(&floor),
        Some(condition),
        "they wait since the run began"
    );
}

#[test]
fn a_bridge_that_falls_silent_stops_a_run() {
    let mut floor = Floor::new(
        3,
        guarded(json!({"when": "feed_stale", "age_ms_over": 1_500})),
    );
    floor.begin("switch");
    floor.pass(1_500);
    assert_eq!(floor.touched().len(), 3);
    floor.script.mute(BRIDGE);
    floor.pass(1_200);
    assert_eq!(aborted_by(&floor), None);
    floor.pass(800);
    let condition = AbortCondition::FeedStale { age_ms_over: 1_500 };
    assert_eq!(aborted_by(&floor), Some(condition));
}

#[test]
fn a_region_is_left_by_every_call_that_has_another_and_gone_back_to() {
    let book = switch_book(json!({
        "steps": [{"id": "move", "action": {
            "type": "switch_region", "layers": ["llm", "tts"], "to": "other",
            "announcement": "said", "retry_turn": false, "parity": []}}],
        "stages": [stage("all", 30, 60)],
        "rollback": {"undo": [{"step": "move"}]}
    }));
    let mut floor = Floor::new(0, book);
    let there = |layer, name: &str| Service {
        region: "us-east".to_owned(),
        ..service(layer, name, Rung::Retry, false)
    };
    for (call, others) in [
        (
            "a",
            vec![there(Layer::Llm, "llm-us"), there(Layer::Tts, "tts-us")],
        ),
        // Its speech has no other region: it is left alone, whole.
        ("b", vec![there(Layer::Llm, "llm-us")]),
    ] {
        let mut told = started();
        told.services.extend(others);
        floor.script.fact(call, Fact::CallStarted(Box::new(told)));
    }
    let preview = floor.preview("r", "switch");
    assert_eq!(
        (preview.n_calls, preview.excluded.len()),
        (1, 1),
        "{preview:?}"
    );
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(3_000);
    let to = |floor: &Floor| -> Vec<(String, String)> {
        let changes = floor.changes().into_iter();
        changes
            .filter_map(|record| match record.command {
                Command::SwitchModel { to, .. } => Some((record.call?.to_string(), to)),
                _ => None,
            })
            .collect()
    };
    let moved = [("a", "llm-us"), ("a", "tts-us")];
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(call, to)| ((*call).to_owned(), (*to).to_owned()))
            .collect()
    };
    assert_eq!(to(&floor), named(&moved));
    floor.undo();
    floor.pass(3_000);
    assert!(
        matches!(floor.state(), RunState::RolledBack { .. }),
        "{:?}",
        floor.state()
    );
    let back: BTreeSet<_> = to(&floor)[2..].iter().cloned().collect();
    let expected = named(&[("a", "primary-llm"), ("a", "primary-tts")]);
    assert_eq!(back, expected.into_iter().collect());
}

fn waiting_book() -> holdfast_domain::Playbook {
    switch_book(json!({
        "steps": [
            {"id": "wait", "action": {
                "type": "wait_until", "until": {"check": "humans_free", "min": 1},
                "timeout_s": 20}},
            {"id": "switch", "action": {
                "type": "switch_model", "layer": "llm", "to": "next", "announcement": "said",
                "retry_turn": false, "parity": []}}],
        "stages": [stage("all", 0, 60)]
    }))
}

#[test]
fn a_run_waits_until_a_check_holds_and_no_longer_than_it_may() {
    let mut floor = Floor::new(2, waiting_book());
    floor.begin("switch");
    floor.pass(5_000);
    assert!(
        matches!(floor.state(), RunState::WaitingUntil { .. }),
        "{:?}",
        floor.state()
    );
    assert_eq!(floor.changes().len(), 0, "nothing before it holds");
    floor.script.human("ana");
    floor.pass(3_000);
    assert_eq!(
        (floor.state(), floor.changes().len()),
        (RunState::Completed, 2)
    );

    let mut floor = Floor::new(2, waiting_book());
    floor.begin("switch");
    floor.pass(19_500);
    assert!(floor.state().is_acting());
    floor.pass(1_000);
    assert!(
        matches!(&floor.state(), RunState::Aborted { why: RunStop::StepTimedOut { step } }
            if step.as_str() == "wait"),
        "{:?}",
        floor.state()
    );
    floor.script.human("ana");
    floor.pass(3_000);
    assert_eq!(floor.changes().len(), 0);
}

/// Calls of three vendors, of which one fails in one region; its cause.
fn outage(changes: impl Into<Value>) -> (Floor, holdfast_domain::CauseGroup) {
    let mut book = json!({
        "selector": {"scope": {"by": "cause", "dimensions": ["provider"]}, "reach": "exposed",
            "phases": ["ai"], "rungs": [], "protected": "last"},
        "preconditions": [{"check": "cause_active"}],
        "stages": [stage("all", 0, 60)]
    });
    let changes: Value = changes.into();
    for (key, value) in changes.as_object().expect("changes are an object") {
        book[key] = value.clone();
    }
    let mut floor = Floor::new(0, switch_book(json!({})));
    floor.script = causes::platform();
    floor.library(vec![switch_book(book)]);
    causes::round(&mut floor.script, |_, _| false);
    causes::round(&mut floor.script, |_, place| {
        place.provider == "Vendor A" && place.region == "eu-west"
    });
    let records = floor.script.engine.records().into_iter();
    let found = records.filter_map(|record| match record {
        Record::Cause { cause } => Some(*cause),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "{found:?}");
    (floor, found[0].clone())
}

#[test]
fn a_run_from_a_cause_touches_the_calls_of_the_cause_and_no_other() {
    let (mut floor, cause) = outage(json!({}));
    let request = Request::PreviewRun {
        run: holdfast_domain::RunId::new("none"),
        playbook: holdfast_domain::PlaybookId::new("switch"),
        cause: None,
    };
    let refused = floor.script.ask(&sam(), request);
    assert!(
        matches!(refused, Reply::Refused { .. }),
        "it needs a cause: {refused:?}"
    );
    let preview = floor.preview_of("r", "switch", Some(cause.id.clone()));
    let previewed: BTreeSet<CallId> = preview.calls.iter().map(|c| c.call.clone()).collect();
    let hit: BTreeSet<CallId> = (0..32)
        .filter(|n| matches!(n % 8, 0 | 4))
        .map(|n| CallId::new(name(n)))
        .collect();
    assert_eq!(previewed, hit);
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(5_000);
    assert_eq!(floor.touched(), hit);
    assert_eq!(floor.run("r").cause, Some(cause.id));
}

#[test]
fn a_call_that_is_well_again_is_left_alone_where_only_failing_ones_are_meant() {
    let (mut floor, cause) = outage(json!({
        "selector": {"scope": {"by": "cause", "dimensions": ["provider"]}, "reach": "failing",
            "phases": ["ai"], "rungs": [], "protected": "last"}
    }));
    assert_eq!(
        serde_json::to_value(CauseReach::Failing).unwrap(),
        "failing"
    );
    let preview = floor.preview_of("r", "switch", Some(cause.id));
    assert_eq!(preview.n_calls, 8, "{preview:?}");
    floor.script.good_turn("c00");
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(5_000);
    let run = floor.run("r");
    let left = run.differences.iter().find(|d| d.call.as_str() == "c00");
    assert_eq!(left.map(|d| d.kind), Some(DifferenceKind::MatchesNoMore));
    assert!(!floor.touched().contains("c00"));
    assert_eq!(floor.touched().len(), 7);
}

fn proven_by_turns() -> holdfast_domain::Playbook {
    switch_book(json!({"stages": [
        {"reach": "all", "hold_s": 0, "verify": {
            "probe": "good_turns", "percent_min": 100, "turns_min": 2, "within_s": 20}}]}))
}

#[test]
fn good_turns_prove_a_stage_and_a_failed_one_does_not() {
    let mut floor = Floor::new(2, proven_by_turns());
    floor.begin("switch");
    floor.pass(1_500);
    floor.script.good_turn_by("c00", "backup-llm");
    floor.pass(500);
    assert_eq!(
        floor.state(),
        RunState::Verifying { stage: 0 },
        "one turn of two"
    );
    floor.script.good_turn_by("c01", "backup-llm");
    floor.pass(500);
    assert_eq!(floor.state(), RunState::Completed);

    let mut floor = Floor::new(2, proven_by_turns());
    floor.begin("switch");
    floor.pass(1_500);
    floor.script.good_turn_by("c00", "backup-llm");
    floor.script.caller_says("c01", "are you there?");
    floor.pass(6_000);
    floor.script.good_turn_by("c00", "backup-llm");
    assert_eq!(
        floor.state(),
        RunState::Verifying { stage: 0 },
        "two of three were good"
    );
    floor.pass(15_000);
    let (RunState::RollingBack { why } | RunState::RolledBack { why }) = floor.state() else {
        panic!("it goes on: {:?}", floor.state());
    };
    assert!(
        matches!(why, RunStop::NotProven { stage: 0, .. }),
        "{why:?}"
    );
}

#[test]
fn a_human_on_the_call_proves_that_it_was_sent_to_one() {
    let mut book = humans_book("in_flight");
    book.stages[0].verify = holdfast_domain::playbook::Verify::HumanOnCall {
        percent_min: 100,
        within_s: 60,
    };
    let mut floor = Floor::new(1, book);
    floor.script.human("ana");
    floor.begin("humans");
    floor.pass(5_000);
    assert!(
        floor.state().is_acting(),
        "an offer is no proof: {:?}",
        floor.state()
    );
    assert_eq!(floor.run("r").stages[0].proven_at, None);
    takes(&mut floor, "ana");
    floor.pass(1_000);
    assert_eq!(floor.state(), RunState::Completed);
}
