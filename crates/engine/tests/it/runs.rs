//! Runs of playbooks: stages, proof, aborts, rollbacks, and what the platform is asked to do.

use std::collections::BTreeSet;

use holdfast_domain::fact::{EndedBy, Fact};
use holdfast_domain::{
    CallId, Command, CommandRecord, CommandState, Layer, Protected, Record, Reply, Request,
    RunCallState, RunRefusal, RunState, RunStop,
};
use holdfast_engine::{Control, Effect, Entry, Person};
use serde_json::json;

use crate::runs_floor::{Floor, commander, eve, name, refusal, sam, stage, switch_book};

#[test]
fn a_run_goes_through_its_stages_and_is_proven() {
    let mut floor = Floor::new(20, switch_book(json!({})));
    let preview = floor.preview("r", "switch");
    assert_eq!(
        (preview.n_calls, preview.stages.clone()),
        (20, vec![1, 5, 20])
    );
    assert_eq!(preview.becomes, [("backup-llm".to_owned(), 20)]);
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(900);
    assert_eq!(floor.touched().len(), 1, "the canary");
    floor.pass(700);
    assert_eq!(floor.touched().len(), 5);
    floor.pass(6_000);
    assert_eq!(floor.touched().len(), 20);
    let run = floor.run("r");
    assert_eq!(run.state, RunState::Completed);
    assert_eq!((run.tally.applied, run.differences_total), (20, 0));
    let stages: Vec<u32> = run.stages.iter().map(|stage| stage.n_calls).collect();
    assert_eq!(stages, [1, 4, 15]);
    assert!(run.stages.iter().all(|stage| stage.proven_at.is_some()));
    for n in 0..20 {
        assert_eq!(floor.active(&name(n)), "backup-llm");
    }
}

#[test]
fn the_caller_hears_of_a_switch_in_the_same_command_and_in_their_language() {
    let mut floor = Floor::new(1, switch_book(json!({})));
    floor.begin("switch");
    floor.pass(1_000);
    let sent: Vec<Command> = commands(&floor);
    let [
        Command::SwitchModel {
            to, announcement, ..
        },
    ] = &sent[..]
    else {
        panic!("one command for the call: {sent:?}");
    };
    assert_eq!(to, "backup-llm");
    assert_eq!(announcement.as_deref(), Some("Un momento."));
}

/// What was sent, in order.
fn commands(floor: &Floor) -> Vec<Command> {
    let sent = floor
        .script
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { command, .. } => Some(command.command.clone()),
            _ => None,
        });
    sent.collect()
}

/// The AI is paused, and the caller hears why before.
fn pause_book() -> holdfast_domain::Playbook {
    switch_book(json!({
        "steps": [{"id": "stop", "action": {"type": "pause_ai", "announcement": "said"}}],
        "rollback": {"undo": [{"step": "stop"}]}
    }))
}

#[test]
fn the_caller_hears_of_a_pause_before_it() {
    let mut floor = Floor::new(1, pause_book());
    floor.begin("switch");
    let said = Command::Announce {
        text: "Un momento.".to_owned(),
        language: "es-MX".to_owned(),
    };
    assert_eq!(commands(&floor), std::slice::from_ref(&said), "not before");
    floor.pass(1_000);
    assert_eq!(commands(&floor), [said, Command::PauseAi]);
}

#[test]
fn a_sentence_that_nobody_hears_holds_the_pause_up_for_seconds_only() {
    let mut floor = Floor::new(1, pause_book());
    floor.is_mute = true;
    floor.begin("switch");
    floor.pass(2_500);
    assert!(floor.changes().is_empty());
    floor.pass(1_000);
    assert_eq!(floor.changes().len(), 1);
}

#[test]
fn a_stage_that_is_not_proven_stops_the_run_and_only_its_calls_go_back() {
    let mut floor = Floor::new(20, switch_book(json!({})));
    let preview = floor.begin("switch");
    floor.pass(500);
    let canary = floor.touched();
    // The second stage is made worse: its switches do not take.
    floor.broken = preview
        .calls
        .iter()
        .skip(1)
        .map(|c| c.call.to_string())
        .collect();
    floor.pass(70_000);
    let touched = floor.touched();
    assert_eq!(touched.len(), 5, "stage three never began");
    let run = floor.run("r");
    let RunState::RolledBack {
        why: RunStop::NotProven { stage: 1, .. },
    } = &run.state
    else {
        panic!("not rolled back: {:?}", run.state);
    };
    let back: Vec<CommandRecord> = floor
        .changes()
        .into_iter()
        .filter(|r| matches!(&r.command, Command::SwitchModel { to, .. } if to == "primary-llm"))
        .collect();
    let went_back: BTreeSet<CallId> = back.iter().filter_map(|r| r.call.clone()).collect();
    assert_eq!(
        went_back, canary,
        "only what was really changed is changed back"
    );
    assert_eq!(run.tally.undone, 1);
    for n in 0..20 {
        assert_eq!(floor.active(&name(n)), "primary-llm");
    }
}

#[test]
fn calls_that_do_worse_than_the_untouched_stop_the_run_before_its_next_stage() {
    let mut floor = Floor::new(
        20,
        switch_book(json!({
            "stages": [
                {"reach": "one_call", "hold_s": 1,
                 "verify": {"probe": "read_back", "percent_min": 100, "within_s": 60}},
                {"reach": {"percent": 25}, "hold_s": 60,
                 "verify": {"probe": "read_back", "percent_min": 90, "within_s": 90}},
                {"reach": "all", "hold_s": 1,
                 "verify": {"probe": "read_back", "percent_min": 90, "within_s": 60}}],
            "abort": [{"when": "worse_than_untouched", "measure": "failed_turns",
                       "points_over": 10, "calls_min": 3}]
        })),
    );
    let preview = floor.begin("switch");
    floor.pass(3_000);
    assert_eq!(floor.touched().len(), 5);
    let order: Vec<String> = preview.calls.iter().map(|c| c.call.to_string()).collect();
    for call in &order[5..9] {
        floor.script.good_turn(call);
    }
    assert!(
        matches!(floor.state(), RunState::Holding { stage: 1 }),
        "{:?}",
        floor.state()
    );
    for call in &order[..3] {
        floor.script.caller_says(call, "are you there");
    }
    floor.pass(6_000);
    floor.pass(3_000);
    let run = floor.run("r");
    let RunState::RolledBack {
        why: RunStop::Abort { found, .. },
    } = &run.state
    else {
        panic!("not aborted: {:?} {:?}", run.state, run.comparison);
    };
    assert!(found.contains("touched"), "{found}");
    let touched: BTreeSet<String> = floor.touched().iter().map(ToString::to_string).collect();
    assert_eq!(
        touched,
        order[..5].iter().cloned().collect(),
        "only sticky calls"
    );
    assert_eq!(run.tally.undone, 5);
}

#[test]
fn too_many_failed_commands_abort_a_run() {
    let book = |commands_min: u32| {
        switch_book(json!({
            "stages": [stage("all", 30, 60)],
            "abort": [{"when": "commands_failed", "percent_over": 10,
                       "commands_min": commands_min}]
        }))
    };
    let outcome = |commands_min| {
        let mut floor = Floor::new(10, book(commands_min));
        floor.broken = (0..3).map(name).collect();
        floor.begin("switch");
        floor.pass(3_000);
        floor.state()
    };
    assert!(
        matches!(outcome(11), RunState::Holding { .. }),
        "too few to judge"
    );
    let RunState::RolledBack {
        why: RunStop::Abort { .. },
    } = outcome(10)
    else {
        panic!("three of ten are over a tenth");
    };
}

#[test]
fn a_call_is_touched_once_whatever_the_stage() {
    let mut floor = Floor::new(12, switch_book(json!({})));
    floor.begin("switch");
    floor.pass(10_000);
    let changes = floor.changes();
    assert_eq!(changes.len(), 12, "one switch for each call");
}

#[test]
fn a_protected_call_is_touched_last_and_only_when_its_moment_is_over() {
    let mut floor = Floor::new(6, switch_book(json!({})));
    floor.protect("c03", Some(Protected::Payment));
    let preview = floor.preview("r", "switch");
    assert_eq!(preview.protected, 1);
    let last = preview.calls.last().expect("six calls");
    assert_eq!((last.call.as_str(), last.protected), ("c03", true));
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(20_000);
    assert!(!floor.touched().contains("c03"), "the caller pays");
    assert_eq!(floor.touched().len(), 5);
    assert!(matches!(floor.state(), RunState::Running { stage: 2 }));
    floor.protect("c03", None);
    floor.pass(4_000);
    assert!(floor.touched().contains("c03"));
    assert_eq!(floor.state(), RunState::Completed);
}

#[test]
fn a_protected_call_is_left_alone_where_the_playbook_says_so() {
    let mut floor = Floor::new(
        4,
        switch_book(json!({
            "selector": {"scope": {"by": "all"}, "reach": "exposed", "phases": ["ai"],
                         "rungs": [], "protected": "exclude"}
        })),
    );
    floor.protect("c01", Some(Protected::Identity));
    let preview = floor.begin("switch");
    assert_eq!((preview.n_calls, preview.excluded.len()), (3, 1));
    floor.protect("c02", Some(Protected::Payment));
    floor.pass(10_000);
    let touched = floor.touched();
    assert!(!touched.contains("c01"));
    floor.protect("c01", None);
    floor.protect("c02", None);
    floor.pass(10_000);
    assert_eq!(floor.touched(), touched, "nothing is added afterwards");
}

#[test]
fn a_payment_that_begins_between_the_sentence_and_the_pause_holds_the_pause_up() {
    let mut floor = Floor::new(1, pause_book());
    floor.begin("switch");
    floor.protect("c00", Some(Protected::Payment));
    floor.pass(5_000);
    assert!(floor.touched().is_empty());
    floor.protect("c00", None);
    floor.pass(1_000);
    assert_eq!(floor.touched().len(), 1);
}

#[test]
fn nobody_is_cut_short() {
    let mut floor = Floor::new(1, switch_book(json!({})));
    floor.script.agent_starts("c00");
    floor.begin("switch");
    floor.pass(2_000);
    assert!(floor.script.sent_ids().is_empty());
    floor.script.agent_stops("c00");
    floor.pass(1_000);
    assert_eq!(floor.touched().len(), 1);
}

#[test]
fn a_tool_that_writes_is_not_disturbed() {
    let mut floor = Floor::new(1, switch_book(json!({})));
    floor.script.tool_starts("c00", "t1", true);
    floor.begin("switch");
    floor.pass(2_000);
    assert!(floor.script.sent_ids().is_empty());
    floor.script.tool_completes("c00", "t1");
    floor.pass(1_000);
    assert_eq!(floor.touched().len(), 1);
}

#[test]
fn the_time_to_live_ends_a_run_and_nothing_more_is_done() {
    let mut floor = Floor::new(
        8,
        switch_book(json!({
            "ttl_s": 20, "stages": [stage("one_call", 60, 90), stage("all", 1, 9)]
        })),
    );
    floor.begin("switch");
    floor.pass(19_000);
    assert!(matches!(floor.state(), RunState::Holding { stage: 0 }));
    floor.pass(2_000);
    assert_eq!(floor.state(), RunState::Expired);
    floor.pass(120_000);
    assert_eq!(floor.touched().len(), 1);
    let left = RunCallState::Left {
        why: holdfast_domain::DifferenceKind::RunEnded,
    };
    let calls = floor.calls("r");
    assert_eq!(calls.iter().filter(|call| call.state == left).count(), 7);
}

#[test]
fn the_lever_stops_everything_at_once_and_no_run_begins() {
    let mut floor = Floor::new(20, switch_book(json!({})));
    let preview = floor.begin("switch");
    floor.pass(1_500);
    let touched = floor.touched();
    assert!(touched.len() < 20);
    assert_eq!(floor.lever(true), Reply::Done);
    let RunState::Stopped {
        why: RunStop::Lever { by },
    } = floor.state()
    else {
        panic!("it goes on: {:?}", floor.state());
    };
    assert_eq!(by, "sam");
    floor.pass(1_000);
    let soon = floor.script.sent_ids().len();
    floor.pass(20_000);
    assert_eq!(
        floor.script.sent_ids().len(),
        soon,
        "nothing is sent any more"
    );
    assert_eq!(floor.touched(), touched);
    let again = floor.preview("r2", "switch");
    let refused = refusal(floor.start(&sam(), &again, None));
    assert_eq!(
        refused,
        RunRefusal::LeverPulled {
            by: "sam".to_owned()
        }
    );
    assert_eq!(
        refusal(floor.undo()),
        RunRefusal::LeverPulled {
            by: "sam".to_owned()
        }
    );
    assert_eq!(floor.lever(false), Reply::Done);
    let again = floor.preview("r3", "switch");
    assert_ne!(
        again.fingerprint, preview.fingerprint,
        "what was touched is no more to do"
    );
    assert_eq!(floor.start(&sam(), &again, None), Reply::Done);
    let lever = floor
        .script
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Append(Entry::Record(Record::Lever { .. }))));
    assert_eq!(lever.count(), 2, "pulled and put back are written down");
}

#[test]
fn whoever_may_act_may_pull_the_lever_and_only_a_commander_puts_it_back() {
    let mut floor = Floor::new(1, switch_book(json!({})));
    let single = Person {
        can_act_on_all: false,
        ..commander("ana", 4)
    };
    let lever = |on| Request::Lever {
        on,
        reason: String::new(),
    };
    assert_eq!(floor.script.ask(&single, lever(true)), Reply::Done);
    assert!(floor.script.engine.lever_is_pulled());
    assert!(matches!(
        floor.script.ask(&single, lever(false)),
        Reply::Refused { .. }
    ));
    assert!(floor.script.engine.lever_is_pulled());
    assert_eq!(floor.script.ask(&eve(), lever(false)), Reply::Done);
    assert!(!floor.script.engine.lever_is_pulled());
}

#[test]
fn a_run_is_undone_by_a_person_and_calls_that_others_moved_stay() {
    let mut floor = Floor::new(4, switch_book(json!({"stages": [stage("all", 60, 90)]})));
    floor.begin("switch");
    floor.pass(2_000);
    assert_eq!(floor.touched().len(), 4);
    floor.script.switched(
        "c02",
        "backup-llm",
        "primary-llm",
        holdfast_domain::fact::SwitchCause::Manual,
    );
    assert_eq!(floor.undo(), Reply::Done);
    floor.pass(2_000);
    assert!(
        matches!(floor.state(), RunState::RolledBack { .. }),
        "{:?}",
        floor.state()
    );
    let back = floor.changes().split_off(4);
    let calls: BTreeSet<String> = back
        .iter()
        .filter_map(|r| r.call.as_ref())
        .map(ToString::to_string)
        .collect();
    assert_eq!(calls, BTreeSet::from([name(0), name(1), name(3)]));
}

#[test]
fn what_passed_the_point_of_no_return_is_not_undone() {
    let mut floor = Floor::new(
        3,
        switch_book(json!({
            "stages": [stage("all", 60, 90)],
            "rollback": {"undo": [{"step": "switch"}], "point_of_no_return": "switch"}
        })),
    );
    floor.begin("switch");
    floor.pass(2_000);
    assert_eq!(refusal(floor.undo()), RunRefusal::PointOfNoReturn);
    floor.pass(2_000);
    assert_eq!(floor.changes().len(), 3);
}

#[test]
fn stopping_leaves_what_was_done_and_explains_the_rest() {
    let mut floor = Floor::new(20, switch_book(json!({})));
    floor.begin("switch");
    floor.pass(2_000);
    let touched = floor.touched();
    assert_eq!(floor.stop(&eve(), "enough"), Reply::Done);
    floor.pass(30_000);
    assert_eq!(floor.touched(), touched);
    let run = floor.run("r");
    assert_eq!(run.differences_total as usize, 20 - touched.len());
    assert!(
        matches!(&run.state, RunState::Stopped { why: RunStop::Person { by, .. } } if by == "eve")
    );
}

#[test]
fn an_outcome_that_got_lost_is_asked_for_and_no_command_is_given_twice() {
    let mut floor = Floor::new(1, switch_book(json!({})));
    floor.begin("switch");
    // The switch left, and the hub dies before its answer.
    let id = floor.changes()[0].id.clone();
    floor.script.control(Control::Restarted);
    assert_eq!(floor.script.command_state(&id), CommandState::Unknown);
    floor.script.wait(400);
    assert_eq!(floor.calls("r")[0].state, RunCallState::Unknown);
    floor.script.connect(crate::script::BRIDGE, "epoch-1");
    floor.pass(5_000);
    assert_eq!(floor.state(), RunState::Completed);
    let ids: BTreeSet<_> = floor.script.sent_ids().into_iter().collect();
    assert_eq!(floor.changes().len(), 1);
    assert!(ids.contains(&id));
}

#[test]
fn a_call_that_ended_is_a_difference_and_holds_nothing_up() {
    let mut floor = Floor::new(6, switch_book(json!({})));
    let preview = floor.begin("switch");
    let last = preview.calls.last().expect("six").call.clone();
    floor.script.fact(
        last.as_str(),
        Fact::CallEnded {
            reason: "hang-up".into(),
            ended_by: EndedBy::Caller,
        },
    );
    floor.pass(10_000);
    let run = floor.run("r");
    assert_eq!(run.state, RunState::Completed);
    assert_eq!(run.differences_total, 1);
    assert_eq!(run.differences[0].call, last);
}

#[test]
fn a_call_that_cannot_be_changed_as_previewed_stops_the_run_and_is_named() {
    let mut floor = Floor::new(8, switch_book(json!({})));
    let preview = floor.begin("switch");
    floor.pass(500);
    let last = preview.calls.last().expect("eight").call.clone();
    floor.script.layer_fact(
        last.as_str(),
        Some(Layer::Llm),
        Fact::ServiceAvailabilityChanged {
            service: "backup-llm".into(),
            available: false,
            reason: None,
        },
    );
    floor.pass(10_000);
    let run = floor.run("r");
    let RunState::Stopped {
        why: RunStop::SetChanged { n_calls: 1 },
    } = run.state
    else {
        panic!("it did not stop: {:?}", run.state);
    };
    let named = run
        .differences
        .iter()
        .find(|d| d.call == last)
        .expect("it is named");
    assert_eq!(named.kind, holdfast_domain::DifferenceKind::NoTarget);
}
