//! Commands from intent to proof, and every way in which they do not get there.

use holdfast_domain::fact::{Fact, SwitchCause};
use holdfast_domain::{
    ActId, ActVerb, ActiveFault, AiState, AnomalyKind, CommandId, CommandState, FailureKind,
    FaultScope, Layer, LayerState, NeedLevel, ReadBack, RejectionKind, Reply, Request, Rung,
    SourceId, Target,
};
use holdfast_engine::{AnswerState, Control, Effect, Entry};

use crate::script::{BRIDGE, Script, calls, started, supervisor, switch, switched_to};

/// A call whose model fails while the caller waits.
fn failing_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(4_000);
    script
}

fn kind(state: &CommandState) -> Option<FailureKind> {
    match state {
        CommandState::Failed { kind, .. } => Some(*kind),
        _ => None,
    }
}

fn snapshot_with(script: &mut Script, active: &str) {
    script.fact(
        "*",
        Fact::StreamSnapshot {
            calls: vec!["c".into()],
        },
    );
    let mut told = started();
    told.resumed = true;
    for service in &mut told.services {
        if service.layer == Layer::Llm {
            service.active = service.name == active;
        }
    }
    script.fact("c", Fact::CallStarted(Box::new(told)));
    script.fact("*", Fact::StreamCaughtUp);
}

#[test]
fn a_switch_is_proven_by_the_next_good_turn() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    let record = script.command(&id);
    assert_eq!(record.expect_active.as_deref(), Some("primary-llm"));
    assert_eq!(
        record.command,
        holdfast_domain::Command::SwitchModel {
            layer: Layer::Llm,
            to: "backup-llm".to_owned(),
            retry_turn: true,
            announcement: None,
        }
    );
    script.answer(&id, AnswerState::Accepted);
    assert_eq!(script.command_state(&id), CommandState::Accepted);
    script.answer(&id, switched_to("backup-llm", true));
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
    assert_eq!(script.layer("c", Layer::Llm).service, "backup-llm");
    assert_eq!(
        script.layer("c", Layer::Llm).state,
        LayerState::Failed,
        "applied is no proof"
    );
    assert_eq!(
        script.next("c"),
        "switch to backup-llm is applied; the next turn proves it or fails it"
    );
    script.agent_answers("c", "backup-llm", 400);
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(script.summary("c").failed_turns, 0);
}

#[test]
fn a_refused_switch_leaves_the_former_service_in_place_whatever_the_other_tried() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Accepted);
    script.llm_starts("c", "backup-llm");
    script.error("c", Layer::Llm, "backup-llm", "http_401");
    let refused = AnswerState::Rejected(RejectionKind::TargetUnusable, "it cannot log in".into());
    script.answer(&id, refused);
    assert_eq!(script.layer("c", Layer::Llm).service, "primary-llm");
    assert_eq!(script.summary("c").rung, Rung::Primary);
}

#[test]
fn a_failover_of_the_platform_during_a_switch_that_is_refused_stays() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.llm_starts("c", "backup-llm");
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Failover);
    let refused = AnswerState::Rejected(RejectionKind::ExpectationFailed, "it moved".into());
    script.answer(&id, refused);
    assert_eq!(script.layer("c", Layer::Llm).service, "backup-llm");
}

#[test]
fn a_service_that_works_for_our_order_is_no_failover_without_a_word() {
    let mut script = failing_call();
    let before = script.why("c", Layer::Llm);
    let id = script.act_on(switch(None), "c");
    script.llm_starts("c", "backup-llm");
    assert_eq!(script.layer("c", Layer::Llm).service, "backup-llm");
    assert_eq!(script.why("c", Layer::Llm), before);
    script.answer(&id, switched_to("backup-llm", true));
    script.llm_starts("c", "primary-llm");
    assert!(
        script
            .why("c", Layer::Llm)
            .contains("was replaced by primary-llm, no error was told"),
        "nobody ordered that: {}",
        script.why("c", Layer::Llm)
    );
}

#[test]
fn the_callers_silence_goes_on_while_the_turn_is_tried_again() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.wait(1_100);
    assert_eq!(
        script.need("c").level,
        NeedLevel::Warn,
        "silent for over 5 s"
    );
    assert_eq!(
        script.summary("c").failed_turns,
        0,
        "the new try has its own time"
    );
    script.agent_answers("c", "backup-llm", 100);
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
}

#[test]
fn a_caller_who_asks_right_after_a_switch_does_not_disprove_it() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.wait(300);
    script.caller_says("c", "hello?");
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
    script.agent_answers("c", "backup-llm", 400);
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
}

#[test]
fn applied_and_failing_again_is_not_proven() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.error("c", Layer::Llm, "backup-llm", "http_503");
    script.wait(5_100);
    let state = script.command_state(&id);
    assert_eq!(kind(&state), Some(FailureKind::NotProven));
    let CommandState::Failed { message, .. } = state else {
        panic!("it failed");
    };
    assert_eq!(
        message,
        "applied, and the next turn failed too; switch to primary-llm or route to humans"
    );
}

#[test]
fn an_answer_in_spite_of_an_error_leaves_the_proof_to_the_next_turn() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.error("c", Layer::Llm, "backup-llm", "http_503");
    script.agent_answers("c", "backup-llm", 100);
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
    script.good_turn_by("c", "backup-llm");
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
}

#[test]
fn an_answer_of_another_service_proves_nothing() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.switched("c", "backup-llm", "primary-llm", SwitchCause::Recovery);
    script.agent_answers("c", "primary-llm", 100);
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::NotProven)
    );
}

#[test]
fn an_announcement_is_no_answer_and_proves_no_switch() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.agent_starts("c");
    script.wait(500);
    script.agent_stops("c");
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
}

#[test]
fn the_new_services_answer_can_be_heard_before_its_switch_is_told() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Accepted);
    script.wait(100);
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Manual);
    script.wait(100);
    script.agent_answers("c", "backup-llm", 300);
    script.answer(&id, switched_to("backup-llm", true));
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
}

#[test]
fn a_read_back_of_something_else_is_not_applied() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("primary-llm", false));
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::NotApplied)
    );
    assert_eq!(script.layer("c", Layer::Llm).service, "primary-llm");
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Applied(ReadBack::default()));
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::NotApplied)
    );
}

#[test]
fn refusals_and_failures_end_a_command_with_a_next_step() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(
        &id,
        AnswerState::Rejected(RejectionKind::ExpectationFailed, "it moved.".to_owned()),
    );
    let CommandState::Rejected { kind, message } = script.command_state(&id) else {
        panic!("it was rejected");
    };
    assert_eq!(kind, RejectionKind::ExpectationFailed);
    assert_eq!(
        message,
        "it moved; nothing changed: look at what serves the call now, then decide again"
    );
    let id = script.act_on(switch(None), "c");
    script.answer(
        &id,
        AnswerState::Failed(FailureKind::PlatformError, String::new()),
    );
    assert_eq!(
        script.command_state(&id),
        CommandState::Failed {
            kind: FailureKind::PlatformError,
            message: "look at the call, then act again or route to humans".to_owned()
        }
    );
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Expired);
    assert_eq!(script.command_state(&id), CommandState::Expired);
}

#[test]
fn late_and_repeated_answers_change_nothing() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    for _ in 0..2 {
        script.answer(&id, AnswerState::Accepted);
    }
    for _ in 0..2 {
        script.answer(&id, switched_to("backup-llm", true));
    }
    script.answer(&id, AnswerState::Accepted);
    script.agent_answers("c", "backup-llm", 100);
    script.answer(
        &id,
        AnswerState::Failed(FailureKind::PlatformError, "late".to_owned()),
    );
    let names: Vec<String> = script
        .command(&id)
        .progress
        .iter()
        .map(|progress| {
            let state = format!("{:?}", progress.state);
            state.split(' ').next().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(names, ["Requested", "Accepted", "Applied", "Proven"]);
}

#[test]
fn a_late_read_back_is_still_true() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.wait(13_000);
    assert_eq!(script.command_state(&id), CommandState::Expired);
    script.answer(&id, switched_to("backup-llm", true));
    assert_eq!(script.command_state(&id), CommandState::Expired);
    assert_eq!(script.layer("c", Layer::Llm).service, "backup-llm");
}

#[test]
fn an_unanswered_command_runs_out_and_an_unfinished_one_times_out() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.wait(11_900);
    assert_eq!(script.command_state(&id), CommandState::Requested);
    script.wait(200);
    assert_eq!(script.command_state(&id), CommandState::Expired);
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Accepted);
    script.wait(45_100);
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::TimedOut)
    );
}

#[test]
fn answers_to_unknown_commands_and_from_other_bridges_are_anomalies() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.connect("//bridges/test/2", "epoch-1");
    script.answer_from("//bridges/test/2", &id, switched_to("backup-llm", true));
    script.answer(&CommandId::new("never-sent"), AnswerState::Accepted);
    assert_eq!(script.anomalies(AnomalyKind::UnknownCommand), 2);
    assert_eq!(script.command_state(&id), CommandState::Requested);
    assert_eq!(script.layer("c", Layer::Llm).service, "primary-llm");
}

#[test]
fn what_was_applied_is_not_refused_afterwards() {
    let refusals = [
        AnswerState::Rejected(RejectionKind::TargetUnusable, "no".to_owned()),
        AnswerState::Expired,
    ];
    for refusal in refusals {
        let mut script = failing_call();
        let id = script.act_on(switch(None), "c");
        script.answer(&id, switched_to("backup-llm", true));
        script.answer(&id, refusal);
        assert!(matches!(
            script.command_state(&id),
            CommandState::Applied { .. }
        ));
        assert_eq!(script.anomalies(AnomalyKind::Impossible), 1);
    }
}

#[test]
fn the_same_process_gets_its_unanswered_commands_again() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.disconnect(BRIDGE);
    script.wait(13_000);
    assert_eq!(
        script.command_state(&id),
        CommandState::Unknown,
        "it may have arrived, and the answer was lost"
    );
    script.connect(BRIDGE, "epoch-1");
    assert_eq!(script.sent(&id), 2);
    script.answer(&id, switched_to("backup-llm", true));
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
    script.disconnect(BRIDGE);
    script.connect(BRIDGE, "epoch-1");
    assert_eq!(script.sent(&id), 2, "what is applied is not sent again");
}

#[test]
fn a_new_process_is_never_told_blindly_and_what_is_so_decides() {
    for (active, is_applied) in [("backup-llm", true), ("primary-llm", false)] {
        let mut script = failing_call();
        let id = script.act_on(switch(None), "c");
        script.disconnect(BRIDGE);
        script.connect(BRIDGE, "epoch-2");
        assert_eq!(script.command_state(&id), CommandState::Unknown);
        snapshot_with(&mut script, active);
        assert_eq!(script.sent(&id), 1);
        let state = script.command_state(&id);
        if is_applied {
            assert!(matches!(state, CommandState::Applied { .. }), "{state:?}");
        } else {
            assert_eq!(kind(&state), Some(FailureKind::NotApplied));
        }
    }
}

#[test]
fn what_a_snapshot_cannot_show_is_said_to_be_unknowable() {
    let mut script = failing_call();
    let text = "One moment please".to_owned();
    let id = script.act_on(ActVerb::Announce { text }, "c");
    script.disconnect(BRIDGE);
    script.connect(BRIDGE, "epoch-2");
    snapshot_with(&mut script, "primary-llm");
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::PlatformError)
    );
}

#[test]
fn after_a_restart_of_the_hub_nothing_is_known_and_nothing_repeated() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.control(Control::Restarted);
    assert_eq!(script.command_state(&id), CommandState::Unknown);
    assert_eq!(script.sent(&id), 1);
    script.connect(BRIDGE, "epoch-1");
    assert_eq!(script.sent(&id), 2, "the same id, so one effect");
    script.answer(&id, AnswerState::Accepted);
    script.answer(&id, switched_to("backup-llm", false));
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
}

#[test]
fn a_call_that_ends_ends_its_commands() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.end("c");
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::CallEnded)
    );
}

#[test]
fn a_second_switch_supersedes_one_that_no_turn_proved() {
    let mut script = failing_call();
    let first = script.act_on(switch(None), "c");
    script.answer(&first, switched_to("backup-llm", true));
    let second = script.act_on(switch(Some("primary-llm")), "c");
    script.answer(&second, switched_to("primary-llm", true));
    assert_eq!(
        kind(&script.command_state(&first)),
        Some(FailureKind::NotProven)
    );
    assert!(matches!(
        script.command_state(&second),
        CommandState::Applied { .. }
    ));
}

#[test]
fn commands_whose_effect_is_their_read_back_are_proven_by_it() {
    let off = ReadBack {
        enabled: Some(vec!["pay".to_owned()]),
        disabled: Some(vec!["track_order".to_owned()]),
        ..ReadBack::default()
    };
    let paused = ReadBack {
        ai: Some(AiState::Paused),
        ..ReadBack::default()
    };
    let spoken = ReadBack {
        spoken: Some(true),
        ..ReadBack::default()
    };
    let tools = vec!["track_order".to_owned()];
    let text = "One moment please".to_owned();
    for (verb, read_back) in [
        (ActVerb::DisableTools { tools }, off),
        (ActVerb::PauseAi, paused),
        (ActVerb::Announce { text }, spoken),
    ] {
        let mut script = failing_call();
        let id = script.act_on(verb.clone(), "c");
        script.answer(&id, AnswerState::Applied(read_back));
        assert!(
            matches!(script.command_state(&id), CommandState::Proven { .. }),
            "{verb:?}"
        );
        // And without the read-back none of them is.
        let mut script = failing_call();
        let id = script.act_on(verb.clone(), "c");
        script.answer(&id, AnswerState::Applied(ReadBack::default()));
        assert_eq!(
            kind(&script.command_state(&id)),
            Some(FailureKind::NotApplied),
            "{verb:?}"
        );
    }
}

#[test]
fn what_was_read_back_is_shown() {
    let mut script = failing_call();
    let id = script.act_on(ActVerb::PauseAi, "c");
    script.answer(
        &id,
        AnswerState::Applied(ReadBack {
            ai: Some(AiState::Paused),
            ..ReadBack::default()
        }),
    );
    assert_eq!(script.summary("c").ai, AiState::Paused);
    let id = script.act_on(ActVerb::DisableTools { tools: Vec::new() }, "c");
    script.answer(
        &id,
        AnswerState::Applied(ReadBack {
            enabled: Some(Vec::new()),
            disabled: Some(vec!["pay".to_owned()]),
            ..ReadBack::default()
        }),
    );
    assert_eq!(script.detail("c").tools_disabled, ["pay"]);
}

#[test]
fn faults_are_injected_into_a_platform_and_shown_there() {
    let mut script = Script::new();
    let target = Target::Platform {
        source: SourceId::new(BRIDGE),
    };
    let verb = ActVerb::StartFault {
        fault: "llm_503".to_owned(),
        scope: FaultScope::default(),
    };
    let id = script.act(verb, target.clone()).remove(0);
    assert_eq!(script.command(&id).call, None);
    let fault = ActiveFault {
        id: "f1".to_owned(),
        fault: "llm_503".to_owned(),
        layer: Layer::Llm,
        scope: "all calls".to_owned(),
        since: script.now(),
    };
    let faults = |faults: Vec<ActiveFault>| {
        AnswerState::Applied(ReadBack {
            faults: Some(faults),
            ..ReadBack::default()
        })
    };
    script.answer(&id, faults(vec![fault.clone()]));
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
    assert_eq!(
        script.engine.bridges()[0].faults,
        std::slice::from_ref(&fault)
    );
    let id = script
        .act(ActVerb::StopFault { id: None }, target)
        .remove(0);
    script.answer(&id, faults(vec![fault]));
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::NotApplied)
    );
}

#[test]
fn the_same_act_twice_is_one_act() {
    let mut script = failing_call();
    let act = holdfast_domain::Act {
        id: ActId::new("twice"),
        verb: switch(None),
        target: calls(&["c"]),
    };
    let first = script.ask(&supervisor(), Request::Act { act: act.clone() });
    let again = script.ask(&supervisor(), Request::Act { act });
    assert_eq!(first, again);
    let Reply::Acting { commands, .. } = first else {
        panic!("it was done");
    };
    assert_eq!(commands, [CommandId::new("twice.1")]);
    assert_eq!(script.sent(&commands[0]), 1);
}

#[test]
fn the_record_is_written_before_the_command_leaves() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    let position = |is: &dyn Fn(&Effect) -> bool| {
        let found = script.effects.iter().position(is);
        found.expect("the effect is there")
    };
    let written = position(&|effect| {
        matches!(effect, Effect::Append(Entry::Record(holdfast_domain::Record::Command { command }))
            if command.id == id)
    });
    let sent =
        position(&|effect| matches!(effect, Effect::Send { command, .. } if command.id == id));
    assert!(written < sent);
}

#[test]
fn closed_records_are_forgotten_after_an_hour() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Expired);
    script.agent_answers("c", "primary-llm", 100);
    assert_eq!(script.engine.records().len(), 1);
    script.wait(3_601_000);
    assert_eq!(script.engine.records().len(), 0);
}

#[test]
fn a_turn_that_failed_and_fails_again_is_one_failed_turn_and_no_proof() {
    let mut script = failing_call();
    script.wait(2_000);
    assert_eq!(script.summary("c").failed_turns, 1);
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.wait(5_100);
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::NotProven)
    );
    assert_eq!(script.summary("c").failed_turns, 1);
}

#[test]
fn a_try_that_never_began_is_not_taken_for_the_work_of_before() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.wait(3_500);
    let id = script.act_on(switch(None), "c");
    script.wait(100);
    script.answer(&id, switched_to("backup-llm", true));
    script.wait(1_500);
    assert!(
        script
            .why("c", Layer::Orchestration)
            .ends_with("nothing asked the LLM")
    );
}

#[test]
fn a_turn_that_goes_well_is_not_tried_again() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.caller_says("c", "one more thing");
    script.llm_starts("c", "primary-llm");
    let id = script.act_on(switch(None), "c");
    assert!(matches!(
        script.command(&id).command,
        holdfast_domain::Command::SwitchModel {
            retry_turn: false,
            announcement: None,
            ..
        }
    ));
}

#[test]
fn an_answer_after_an_older_switch_proves_no_newer_one() {
    // The backup has answered; then a person asks for the primary: that answer is no proof of it.
    let mut script = failing_call();
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Manual);
    script.wait(100);
    script.agent_answers("c", "backup-llm", 300);
    let id = script.act_on(switch(Some("primary-llm")), "c");
    script.answer(&id, switched_to("primary-llm", false));
    assert!(matches!(
        script.command_state(&id),
        CommandState::Applied { .. }
    ));
}

#[test]
fn a_call_remembers_its_last_twenty_commands() {
    let mut script = failing_call();
    for _ in 0..25 {
        let id = script.act_on(switch(None), "c");
        script.answer(&id, AnswerState::Expired);
    }
    let commands = script.detail("c").commands;
    assert_eq!(commands.len(), 20);
    assert_eq!(commands[0].id, CommandId::new("act-25.1"), "newest first");
}

#[test]
fn an_act_is_forgotten_after_an_hour_and_its_commands_with_it() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, AnswerState::Expired);
    script.agent_answers("c", "primary-llm", 100);
    script.wait(3_601_000);
    script.good_turn("c");
    // What is forgotten is forgotten when the next one closes.
    let later = script.act_on(switch(None), "c");
    script.answer(&later, AnswerState::Expired);
    script.answer(&id, AnswerState::Accepted);
    assert_eq!(script.anomalies(AnomalyKind::UnknownCommand), 1);
}

#[test]
fn an_applied_switch_that_is_told_again_has_no_more_time() {
    let mut script = failing_call();
    let id = script.act_on(switch(None), "c");
    script.answer(&id, switched_to("backup-llm", true));
    script.wait(3_000);
    script.answer(&id, switched_to("backup-llm", true));
    script.wait(2_100);
    assert_eq!(
        kind(&script.command_state(&id)),
        Some(FailureKind::NotProven)
    );
}
