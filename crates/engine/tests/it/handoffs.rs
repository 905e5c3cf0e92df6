//! Calls go to humans, and none is lost on the way.

use holdfast_domain::fact::Fact;
use holdfast_domain::{
    ActVerb, CallPhase, Capability, Command, CommandState, FailureKind, HandoffFailure,
    HandoffReason, HandoffState, HumanState, ReadBack, RefusalCode, Reply, Request,
};
use holdfast_engine::{AnswerState, Control, Effect, Entry};

use crate::script::{BRIDGE, Script, agent, calls, handoff_id, started};

fn routed() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script.act(ActVerb::RouteToHumans, calls(&["c"]));
    script
}

fn offered_to(script: &Script) -> String {
    match script.handoff().state {
        HandoffState::Offered { agent, .. } => agent.to_string(),
        other => panic!("nobody is asked: {other:?}"),
    }
}

fn steps(script: &Script) -> Vec<String> {
    script
        .handoff()
        .steps
        .into_iter()
        .map(|step| step.text)
        .collect()
}

fn see(script: &mut Script, name: &str) -> Reply {
    let handoff = script.handoff().id;
    script.ask(&agent(name), Request::SeeHandoff { handoff })
}

fn accept(script: &mut Script, name: &str) -> Reply {
    let handoff = script.handoff().id;
    script.ask(&agent(name), Request::AcceptHandoff { handoff })
}

fn decline(script: &mut Script, name: &str) -> Reply {
    let handoff = script.handoff().id;
    let reason = "wrong skill".to_owned();
    script.ask(&agent(name), Request::DeclineHandoff { handoff, reason })
}

fn bridged() -> AnswerState {
    AnswerState::Applied(ReadBack {
        bridged: Some(true),
        to: Some("ana".to_owned()),
        ..ReadBack::default()
    })
}

fn completed(script: &mut Script) {
    let handoff_id = Some(script.handoff().id.to_string().into());
    let to = "ana".into();
    script.fact("c", Fact::HandoffCompleted { handoff_id, to });
}

#[test]
fn a_call_goes_from_request_to_confirmation() {
    let mut script = Script::new();
    script.human("ana");
    script.call("c");
    script.good_turn("c");
    script.act(ActVerb::RouteToHumans, calls(&["c"]));
    assert_eq!(offered_to(&script), "ana");
    assert_eq!(script.human_state("ana"), HumanState::Offered);
    assert_eq!(script.summary("c").handoff, Some(handoff_id("act-1.1")));
    assert_eq!(see(&mut script, "ana"), Reply::Done);
    assert!(matches!(script.handoff().state, HandoffState::Seen { .. }));
    assert_eq!(accept(&mut script, "ana"), Reply::Done);
    assert!(matches!(
        script.handoff().state,
        HandoffState::Accepted { .. }
    ));
    assert_eq!(script.human_state("ana"), HumanState::OnCall);
    let transfer = script.handoff().transfer.expect("it is sent");
    let record = script.command(&transfer);
    let Command::Transfer {
        to,
        announcement,
        key,
        ..
    } = record.command
    else {
        panic!("a transfer");
    };
    assert_eq!((to.as_str(), key.as_str()), ("ana", "act-1.1"));
    assert!(
        announcement
            .expect("the caller hears it")
            .starts_with("Un momento")
    );
    script.answer(&transfer, bridged());
    assert!(matches!(
        script.handoff().state,
        HandoffState::Bridged { .. }
    ));
    assert_eq!(script.summary("c").phase, CallPhase::Human);
    assert!(matches!(
        script.command_state(&transfer),
        CommandState::Applied { .. }
    ));
    completed(&mut script);
    assert!(matches!(
        script.handoff().state,
        HandoffState::Confirmed { .. }
    ));
    assert!(matches!(
        script.command_state(&transfer),
        CommandState::Proven { .. }
    ));
    assert_eq!(
        steps(&script),
        [
            "sam sends the call to a human",
            "offered to ana",
            "ana has the card on screen",
            "ana takes the call",
            "the platform connected ana",
            "ana is on the call, the platform confirms"
        ]
    );
    script.end("c");
    assert_eq!(script.human_state("ana"), HumanState::Free);
}

#[test]
fn the_confirmation_can_come_before_the_answer() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    completed(&mut script);
    assert!(matches!(
        script.handoff().state,
        HandoffState::Confirmed { .. }
    ));
    let transfer = script.handoff().transfer.expect("it was sent");
    script.answer(&transfer, bridged());
    assert!(matches!(
        script.command_state(&transfer),
        CommandState::Proven { .. }
    ));
    assert!(matches!(
        script.handoff().state,
        HandoffState::Confirmed { .. }
    ));
}

#[test]
fn with_nobody_free_it_waits_and_says_so() {
    let mut script = routed();
    assert_eq!(script.handoff().state, HandoffState::Requested);
    assert_eq!(
        steps(&script),
        [
            "sam sends the call to a human",
            "nobody is free: waits for the next free human"
        ]
    );
    assert_eq!(
        script.need("c").reason,
        "the caller waits for a human: nobody is free"
    );
    assert_eq!(script.next("c"), "waits for the next free human");
    script.wait(100_000);
    assert_eq!(script.handoff().state, HandoffState::Requested);
    script.human("ana");
    assert_eq!(offered_to(&script), "ana");
}

#[test]
fn the_longest_free_human_is_asked_first_and_the_absent_never() {
    let mut script = Script::new();
    for name in ["zoe", "ana", "bob"] {
        script.human(name);
        script.wait(1_000);
    }
    script.control(Control::Presence {
        name: "zoe".to_owned(),
        present: false,
    });
    script.call("c");
    script.good_turn("c");
    script.act(ActVerb::RouteToHumans, calls(&["c"]));
    assert_eq!(offered_to(&script), "ana");
}

#[test]
fn a_decline_and_no_answer_go_to_the_next_human() {
    let mut script = routed();
    script.human("ana");
    script.human("bob");
    assert_eq!(decline(&mut script, "ana"), Reply::Done);
    assert_eq!(offered_to(&script), "bob");
    assert_eq!(script.human_state("ana"), HumanState::Free);
    script.wait(20_100);
    assert_eq!(
        script.handoff().state,
        HandoffState::Requested,
        "ana is not asked at once"
    );
    assert_eq!(script.handoff().refused_by.len(), 2);
    let told = steps(&script);
    assert!(told.contains(&"ana declined: wrong skill".to_owned()));
    assert!(told.contains(&"bob did not answer".to_owned()));
    // Nobody else is there: after a pause they are asked again.
    script.wait(15_000);
    assert!(matches!(
        script.handoff().state,
        HandoffState::Offered { .. }
    ));
}

#[test]
fn one_who_refused_is_not_asked_while_another_is_only_busy() {
    let mut script = Script::new();
    script.human("bob");
    script.call("d");
    script.act(ActVerb::RouteToHumans, calls(&["d"]));
    script.ask(
        &agent("bob"),
        Request::AcceptHandoff {
            handoff: handoff_id("act-1.1"),
        },
    );
    script.fact(
        "d",
        Fact::HandoffCompleted {
            handoff_id: None,
            to: "bob".into(),
        },
    );
    script.human("ana");
    script.call("c");
    script.act(ActVerb::RouteToHumans, calls(&["c"]));
    assert_eq!(decline(&mut script, "ana"), Reply::Done);
    script.wait(60_000);
    assert_eq!(
        script.handoff().state,
        HandoffState::Requested,
        "bob will be free some time"
    );
}

#[test]
fn only_who_is_asked_can_answer() {
    let mut script = routed();
    script.human("ana");
    script.human("bob");
    for reply in [
        see(&mut script, "bob"),
        accept(&mut script, "bob"),
        decline(&mut script, "bob"),
    ] {
        assert!(
            matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Conflict)
        );
    }
    let handoff = handoff_id("never");
    let reply = script.ask(&agent("ana"), Request::SeeHandoff { handoff });
    assert!(matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::NotFound));
    let handoff = script.handoff().id;
    let reply = script.ask(
        &crate::script::supervisor(),
        Request::AcceptHandoff { handoff },
    );
    assert!(matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Forbidden));
    assert_eq!(offered_to(&script), "ana");
}

#[test]
fn an_offer_that_ended_cannot_be_taken_any_more() {
    let mut script = routed();
    script.human("ana");
    script.wait(20_100);
    let reply = accept(&mut script, "ana");
    assert!(matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Conflict));
}

#[test]
fn nobody_takes_a_call_while_its_bridge_is_not_heard() {
    let mut script = routed();
    script.human("ana");
    script.mute(BRIDGE);
    script.wait(4_000);
    let reply = accept(&mut script, "ana");
    assert!(matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Stale));
}

#[test]
fn a_transfer_that_fails_goes_to_the_next_and_ends_after_three() {
    let mut script = routed();
    for (n, name) in ["ana", "bob", "cai"].into_iter().enumerate() {
        script.human(name);
        assert_eq!(offered_to(&script), name);
        accept(&mut script, name);
        let transfer = script.handoff().transfer.expect("it was sent");
        assert_eq!(transfer.as_str(), format!("act-1.1.t{}", n + 1));
        script.answer(
            &transfer,
            AnswerState::Failed(FailureKind::PlatformError, "sip 503".to_owned()),
        );
        assert_eq!(script.human_state(name), HumanState::Free);
    }
    let HandoffState::Failed { kind, message } = script.handoff().state else {
        panic!("it failed: {:?}", script.handoff().state);
    };
    assert_eq!(kind, HandoffFailure::TrunkFailed);
    assert_eq!(
        message,
        "the platform could not connect; mend the call with another act, or send it to a human \
         again"
    );
    assert_eq!(script.summary("c").handoff, None);
    // And it can be sent again.
    script.act(ActVerb::RouteToHumans, calls(&["c"]));
    assert_eq!(script.handoffs().len(), 2);
}

#[test]
fn the_platform_can_say_why_a_transfer_failed() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    script.fact(
        "c",
        Fact::HandoffFailed {
            handoff_id: None,
            reason: "busy".into(),
        },
    );
    assert_eq!(script.handoff().state, HandoffState::Requested);
    assert!(steps(&script).contains(&"the line was busy; the next human is asked".to_owned()));
    script.human("bob");
    accept(&mut script, "bob");
    script.fact(
        "c",
        Fact::HandoffFailed {
            handoff_id: None,
            reason: "caller_left".into(),
        },
    );
    assert!(matches!(
        script.handoff().state,
        HandoffState::Failed {
            kind: HandoffFailure::CallerLeft,
            ..
        }
    ));
}

#[test]
fn a_caller_who_leaves_ends_the_handoff_with_a_next_step() {
    let mut script = routed();
    script.human("ana");
    script.end("c");
    let HandoffState::Failed { kind, message } = script.handoff().state else {
        panic!("it failed");
    };
    assert_eq!(kind, HandoffFailure::CallerLeft);
    assert!(message.contains("calling the customer back"));
    assert_eq!(script.human_state("ana"), HumanState::Free);
}

#[test]
fn the_caller_and_the_ai_can_ask_for_a_human() {
    for (told, reason, by) in [
        ("caller asked", HandoffReason::CallerAsked, "caller"),
        ("out of scope", HandoffReason::AiAsked, "ai"),
    ] {
        let mut script = Script::new();
        script.human("ana");
        script.call("c");
        for _ in 0..2 {
            script.fact(
                "c",
                Fact::HandoffRequested {
                    to: "billing".into(),
                    reason: told.into(),
                },
            );
        }
        assert_eq!(script.handoffs().len(), 1, "asking twice is one handoff");
        let handoff = script.handoff();
        assert_eq!(
            (handoff.reason, handoff.requested_by.as_str()),
            (reason, by)
        );
        assert_eq!(offered_to(&script), "ana");
    }
}

#[test]
fn a_platform_that_transfers_by_itself_is_only_watched() {
    let mut script = Script::new();
    script.human("ana");
    let mut told = started();
    told.capabilities = Some(vec![Capability {
        name: "transfer".to_owned(),
        available: false,
        reason: Some("the bot has its own telephony".to_owned()),
        faults: Vec::new(),
    }]);
    script.fact("c", Fact::CallStarted(Box::new(told)));
    script.fact(
        "c",
        Fact::HandoffRequested {
            to: "billing".into(),
            reason: "ai".into(),
        },
    );
    assert_eq!(script.handoff().state, HandoffState::Requested);
    assert_eq!(script.human_state("ana"), HumanState::Free);
    completed(&mut script);
    assert!(matches!(
        script.handoff().state,
        HandoffState::Confirmed { .. }
    ));
}

#[test]
fn a_human_who_goes_away_passes_the_offer_on() {
    let mut script = routed();
    script.human("ana");
    script.human("bob");
    let state = HumanState::Away;
    script.ask(&agent("ana"), Request::SetHumanState { state });
    assert_eq!(offered_to(&script), "bob");
    assert_eq!(script.human_state("ana"), HumanState::Away);
}

#[test]
fn away_during_a_call_holds_after_it() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    completed(&mut script);
    let state = HumanState::Away;
    script.ask(&agent("ana"), Request::SetHumanState { state });
    assert_eq!(script.human_state("ana"), HumanState::OnCall);
    script.end("c");
    assert_eq!(script.human_state("ana"), HumanState::Away);
}

#[test]
fn states_that_follow_from_what_happens_cannot_be_chosen() {
    let mut script = Script::new();
    script.human("ana");
    for state in [HumanState::Offered, HumanState::OnCall] {
        let reply = script.ask(&agent("ana"), Request::SetHumanState { state });
        assert!(
            matches!(reply, Reply::Refused { refusal } if refusal.code == RefusalCode::Invalid)
        );
    }
}

#[test]
fn an_offer_is_void_when_somebody_else_has_the_call() {
    let mut script = routed();
    script.human("bob");
    assert_eq!(offered_to(&script), "bob");
    script.fact(
        "c",
        Fact::HandoffCompleted {
            handoff_id: None,
            to: "desk-7".into(),
        },
    );
    let HandoffState::Confirmed { agent } = script.handoff().state else {
        panic!("it is confirmed");
    };
    assert_eq!(agent.as_str(), "desk-7");
    assert_eq!(script.human_state("bob"), HumanState::Free);
}

#[test]
fn every_change_of_a_handoff_is_written_down() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    let written: Vec<HandoffState> = script
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Append(Entry::Record(holdfast_domain::Record::Handoff { handoff })) => {
                Some(handoff.state.clone())
            }
            _ => None,
        })
        .collect();
    assert!(matches!(
        written.as_slice(),
        [
            HandoffState::Requested,
            HandoffState::Requested,
            HandoffState::Offered { .. },
            HandoffState::Accepted { .. },
        ]
    ));
}

#[test]
fn after_a_restart_nobody_is_asked_who_is_not_seen() {
    let mut script = routed();
    script.human("ana");
    script.wait(1_000);
    script.control(Control::Restarted);
    assert_eq!(offered_to(&script), "ana", "the offer stands for its time");
    script.wait(20_000);
    assert_eq!(script.handoff().state, HandoffState::Requested);
    script.human("ana");
    script.wait(16_000);
    assert_eq!(offered_to(&script), "ana");
}

#[test]
fn a_late_answer_of_an_earlier_transfer_moves_nothing() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    let first = script.handoff().transfer.expect("it was sent");
    let busy = Fact::HandoffFailed {
        handoff_id: None,
        reason: "busy".into(),
    };
    script.fact("c", busy);
    script.human("bob");
    accept(&mut script, "bob");
    script.answer(
        &first,
        AnswerState::Failed(FailureKind::PlatformError, "late".to_owned()),
    );
    assert!(matches!(
        script.handoff().state,
        HandoffState::Accepted { agent } if agent.as_str() == "bob"
    ));
}

#[test]
fn a_key_always_fits() {
    let mut script = Script::new();
    script.human("ana");
    script.call("c");
    // The event's id becomes the handoff's, and an event's id may be long.
    script.event_prefix = "long-".repeat(40);
    script.fact(
        "c",
        Fact::HandoffRequested {
            to: "billing".into(),
            reason: "caller".into(),
        },
    );
    accept(&mut script, "ana");
    let transfer = script.handoff().transfer.expect("it is sent");
    let Command::Transfer { key, .. } = script.command(&transfer).command else {
        panic!("a transfer");
    };
    assert_eq!(key.len(), 18, "{key}");
}

#[test]
fn the_story_of_a_handoff_is_bounded_and_keeps_its_beginning() {
    let mut script = routed();
    script.human("ana");
    script.wait(4_000_000);
    let told = steps(&script);
    assert_eq!(told.len(), 100);
    assert_eq!(told[0], "sam sends the call to a human");
}

#[test]
fn a_name_that_is_away_and_gone_is_forgotten() {
    let mut script = Script::new();
    for present in [true, false, true] {
        script.control(Control::Presence {
            name: "ana".to_owned(),
            present,
        });
        assert_eq!(script.engine.humans().len(), usize::from(present));
        let kept = serde_json::to_string(&script.engine).expect("it serializes");
        assert_eq!(kept.contains("ana"), present);
    }
}

#[test]
fn a_handoff_that_is_over_fails_no_more() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    completed(&mut script);
    script.fact(
        "c",
        Fact::HandoffFailed {
            handoff_id: None,
            reason: "busy".into(),
        },
    );
    assert!(matches!(
        script.handoff().state,
        HandoffState::Confirmed { .. }
    ));
}

#[test]
fn a_transfer_that_comes_true_late_voids_the_other_offer_of_its_human() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    let first = script.handoff();
    let transfer = first.transfer.expect("it was sent");
    script.call("d");
    script.act(ActVerb::RouteToHumans, calls(&["d"]));
    let why = "no word from the trunk".to_owned();
    script.answer(
        &transfer,
        AnswerState::Failed(FailureKind::PlatformError, why),
    );
    let state_of = |script: &Script, call: &str| {
        let of_call = |handoff: &holdfast_domain::Handoff| handoff.call.as_str() == call;
        let found = script.handoffs().into_iter().find(of_call);
        found.expect("it was sent to a human").state
    };
    assert!(matches!(
        state_of(&script, "d"),
        HandoffState::Offered { .. }
    ));
    script.fact(
        "c",
        Fact::HandoffCompleted {
            handoff_id: None,
            to: "ana".into(),
        },
    );
    assert_eq!(state_of(&script, "d"), HandoffState::Requested);
    script.wait(30_000);
    assert_eq!(script.human_state("ana"), HumanState::OnCall);
    assert_eq!(state_of(&script, "d"), HandoffState::Requested);
    script.end("c");
    assert_eq!(script.human_state("ana"), HumanState::Offered);
}

#[test]
fn a_human_whom_another_call_needs_is_not_free_when_one_ends() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    completed(&mut script);
    script.call("d");
    let asked = Fact::HandoffRequested {
        to: "billing".into(),
        reason: "caller".into(),
    };
    script.fact("d", asked);
    let to = Fact::HandoffCompleted {
        handoff_id: None,
        to: "ana".into(),
    };
    script.fact("d", to);
    script.end("c");
    assert_eq!(script.human_state("ana"), HumanState::OnCall);
    script.end("d");
    assert_eq!(script.human_state("ana"), HumanState::Free);
}

#[test]
fn a_human_whose_call_was_told_again_is_on_it_when_the_next_one_ends() {
    let mut script = routed();
    script.human("ana");
    accept(&mut script, "ana");
    completed(&mut script);
    // The bridge knows nothing of the call for a while: its human is free, and asked for another.
    script.fact("*", Fact::StreamSnapshot { calls: Vec::new() });
    script.fact("*", Fact::StreamCaughtUp);
    assert_eq!(script.human_state("ana"), HumanState::Free);
    script.call("d");
    script.act(ActVerb::RouteToHumans, calls(&["d"]));
    assert_eq!(script.human_state("ana"), HumanState::Offered);
    script.call("c");
    script.end("d");
    assert_eq!(script.human_state("ana"), HumanState::OnCall);
    script.end("c");
    assert_eq!(script.human_state("ana"), HumanState::Free);
}
