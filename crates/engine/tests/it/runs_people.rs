//! Who must agree to a run, what is looked at again when it begins, and that a refusal is recorded.

use holdfast_domain::{
    CallId, DifferenceKind, Playbook, Reply, Request, RunEventKind, RunId, RunPreview, RunRefusal,
    RunState, RunStop,
};
use holdfast_engine::{AnswerState, Control, Person};
use serde_json::json;

use crate::runs_floor::{Floor, commander, eve, name, refusal, sam, stage, switch_book};
use crate::script::{BRIDGE, agent};

fn two_person() -> Playbook {
    switch_book(json!({
        "approval": {"class": "two_person", "expires_s": 30,
                     "break_glass": {"reason_chars_min": 10, "review_within_h": 24}}
    }))
}

/// A run that waits for its second person.
fn asked() -> (Floor, RunPreview) {
    let mut floor = Floor::new(6, two_person());
    let preview = floor.preview("r", "switch");
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    assert!(matches!(floor.state(), RunState::AwaitingApproval { .. }));
    (floor, preview)
}

/// The refusal is the newest thing in the run's story, and nothing was sent.
fn is_recorded(floor: &Floor, refused: &RunRefusal, by: &str) {
    let run = floor.run("r");
    let last = run.timeline.last().expect("it has a story");
    assert_eq!(last.by, by);
    let RunEventKind::Refused { refusal } = &last.kind else {
        panic!("the refusal is not recorded: {last:?}");
    };
    assert_eq!(refusal, refused);
    assert!(floor.script.sent_ids().is_empty(), "a refused run acts");
}

#[test]
fn a_second_person_agrees_and_the_run_begins() {
    let (mut floor, preview) = asked();
    floor.pass(5_000);
    assert!(floor.script.sent_ids().is_empty(), "nobody has agreed");
    assert_eq!(floor.approve(&eve(), &preview), Reply::Done);
    floor.pass(8_000);
    let run = floor.run("r");
    assert_eq!(run.state, RunState::Completed);
    assert_eq!(
        (run.requested_by.as_str(), run.approvals[0].by.as_str()),
        ("sam", "eve")
    );
}

#[test]
fn the_requester_does_not_approve() {
    let (mut floor, preview) = asked();
    let refused = refusal(floor.approve(&sam(), &preview));
    assert_eq!(refused, RunRefusal::ApproverIsRequester);
    is_recorded(&floor, &refused, "sam");
}

#[test]
fn two_consoles_of_one_name_are_one_person() {
    for name in ["sam", " Sam"] {
        let (mut floor, preview) = asked();
        let refused = refusal(floor.approve(&commander(name, 9), &preview));
        assert_eq!(refused, RunRefusal::SameIdentity);
        is_recorded(&floor, &refused, name);
    }
}

#[test]
fn an_approval_that_comes_too_late_is_void() {
    let (mut floor, preview) = asked();
    floor.pass(29_000);
    assert!(matches!(floor.state(), RunState::AwaitingApproval { .. }));
    floor.pass(1_500);
    assert_eq!(floor.state(), RunState::Expired);
    let refused = refusal(floor.approve(&eve(), &preview));
    assert_eq!(refused, RunRefusal::Expired);
    is_recorded(&floor, &refused, "eve");
}

#[test]
fn parameters_that_changed_make_an_approval_void() {
    // The playbook was changed after the second person had it on screen.
    let (mut floor, preview) = asked();
    let mut book = two_person();
    book.version = 2;
    floor.library(vec![book]);
    let refused = refusal(floor.approve(&eve(), &preview));
    assert_eq!(refused, RunRefusal::ParametersChanged);
    is_recorded(&floor, &refused, "eve");
    // Another set is asked for under the same run.
    let (mut floor, preview) = asked();
    floor.script.end("c00");
    let anew = floor.preview("r", "switch");
    assert_ne!(anew.fingerprint, preview.fingerprint);
    let refused = refusal(floor.approve(&eve(), &preview));
    assert_eq!(refused, RunRefusal::ParametersChanged);
    is_recorded(&floor, &refused, "eve");
    assert_eq!(floor.start(&sam(), &anew, None), Reply::Done);
    let refused = refusal(floor.approve(&eve(), &preview));
    assert_eq!(
        refused,
        RunRefusal::ParametersChanged,
        "what eve saw is not what is asked"
    );
    is_recorded(&floor, &refused, "eve");
    assert_eq!(floor.approve(&eve(), &anew), Reply::Done);
}

#[test]
fn a_right_that_was_revoked_counts_no_more() {
    let (mut floor, preview) = asked();
    let eve = Person {
        can_act_on_all: false,
        ..eve()
    };
    let refused = refusal(floor.approve(&eve, &preview));
    assert_eq!(
        refused,
        RunRefusal::RightRevoked {
            who: "eve".to_owned()
        }
    );
    is_recorded(&floor, &refused, "eve");
    // The requester's own right is gone when the second person agrees.
    let (mut floor, preview) = asked();
    let sam = Person {
        can_act_on_all: false,
        ..sam()
    };
    let run = RunId::new("r");
    floor.script.ask(&sam, Request::ShowRun { run });
    let refused = refusal(floor.approve(&commander("eve", 7), &preview));
    assert_eq!(
        refused,
        RunRefusal::RightRevoked {
            who: "sam".to_owned()
        }
    );
    is_recorded(&floor, &refused, "eve");
}

#[test]
fn an_agent_neither_previews_nor_starts_nor_stops() {
    let mut floor = Floor::new(2, switch_book(json!({})));
    let preview = floor.preview("r", "switch");
    let ben = agent("ben");
    let run = || preview.run.clone();
    let asked = [
        Request::PreviewRun {
            run: RunId::new("x"),
            playbook: "switch".into_id(),
            cause: None,
        },
        Request::StartRun {
            run: run(),
            fingerprint: preview.fingerprint.clone(),
            reason: None,
        },
        Request::StopRun {
            run: run(),
            reason: String::new(),
        },
        Request::RollBackRun {
            run: run(),
            reason: String::new(),
        },
        Request::ShowRun { run: run() },
        Request::ReviewRun {
            run: run(),
            note: String::new(),
        },
        Request::AnswerRun {
            run: run(),
            yes: true,
        },
        Request::Lever {
            on: true,
            reason: String::new(),
        },
    ];
    for request in asked {
        let reply = floor.script.ask(&ben, request.clone());
        assert!(matches!(reply, Reply::Refused { .. }), "{request:?}");
    }
    assert!(floor.script.sent_ids().is_empty());
}

trait IntoId {
    fn into_id(self) -> holdfast_domain::PlaybookId;
}

impl IntoId for &str {
    fn into_id(self) -> holdfast_domain::PlaybookId {
        holdfast_domain::PlaybookId::new(self)
    }
}

#[test]
fn who_declines_ends_it() {
    let (mut floor, preview) = asked();
    let request = Request::DeclineRun {
        run: preview.run.clone(),
        fingerprint: preview.fingerprint.clone(),
        reason: "wait for the vendor".to_owned(),
    };
    assert_eq!(floor.script.ask(&eve(), request), Reply::Done);
    assert!(matches!(floor.state(), RunState::Declined { .. }));
    assert_eq!(
        refusal(floor.approve(&eve(), &preview)),
        RunRefusal::WrongState
    );
}

#[test]
fn one_person_goes_on_alone_with_a_reason_and_owes_a_review() {
    let mut floor = Floor::new(3, two_person());
    let preview = floor.preview("r", "switch");
    let refused = refusal(floor.start(&sam(), &preview, Some("short")));
    assert_eq!(refused, RunRefusal::ReasonTooShort { chars_min: 10 });
    is_recorded(&floor, &refused, "sam");
    let reason = "nobody else is here and callers wait";
    assert_eq!(floor.start(&sam(), &preview, Some(reason)), Reply::Done);
    floor.pass(8_000);
    let run = floor.run("r");
    assert_eq!(run.state, RunState::Completed);
    assert_eq!(run.break_glass.as_deref(), Some(reason));
    let review = |run: &str| Request::ReviewRun {
        run: RunId::new(run),
        note: "fine".to_owned(),
    };
    let own = floor.script.ask(&commander("sam", 9), review("r"));
    assert_eq!(refusal(own), RunRefusal::ApproverIsRequester);
    assert_eq!(floor.script.ask(&eve(), review("r")), Reply::Done);
    assert_eq!(
        floor.run("r").review.expect("owed").by.as_deref(),
        Some("eve")
    );
}

#[test]
fn a_precondition_that_failed_meanwhile_is_named_and_nothing_is_done() {
    let mut floor = Floor::new(
        4,
        switch_book(json!({
            "preconditions": [{"check": "humans_free", "min": 1}]
        })),
    );
    floor.script.human("ana");
    let preview = floor.preview("r", "switch");
    assert!(preview.would_fire);
    let state = holdfast_domain::HumanState::Away;
    floor
        .script
        .ask(&agent("ana"), Request::SetHumanState { state });
    let refused = refusal(floor.start(&sam(), &preview, None));
    let RunRefusal::PreconditionsFailed { failed } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(failed.len(), 1);
    is_recorded(&floor, &refused, "sam");
    let state = holdfast_domain::HumanState::Free;
    floor
        .script
        .ask(&agent("ana"), Request::SetHumanState { state });
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
}

#[test]
fn a_second_run_over_the_same_calls_is_refused() {
    let mut floor = Floor::new(
        4,
        switch_book(json!({
            "stages": [stage("one_call", 60, 90), stage("all", 1, 60)]
        })),
    );
    floor.begin("switch");
    let other = floor.preview("r2", "switch");
    let refused = refusal(floor.start(&eve(), &other, None));
    assert_eq!(
        refused,
        RunRefusal::ScopeHeld {
            run: RunId::new("r")
        }
    );
    assert_eq!(floor.stop(&sam(), ""), Reply::Done);
    floor.pass(1_000);
    let other = floor.preview("r3", "switch");
    assert_eq!(floor.start(&eve(), &other, None), Reply::Done);
}

#[test]
fn what_nothing_may_hold_up_takes_the_calls_of_another_run_over() {
    let mut floor = Floor::new(
        4,
        switch_book(json!({
            "stages": [stage("one_call", 60, 90), stage("all", 1, 60)]
        })),
    );
    floor.begin("switch");
    let stop = switch_book(json!({
        "id": "stop",
        "approval": {"class": "break_glass", "reason_chars_min": 5, "review_within_h": 1},
        "steps": [{"id": "stop", "action": {"type": "pause_ai", "announcement": "said"}}],
        "stages": [stage("all", 0, 60)],
        "rollback": {"undo": [{"step": "stop"}]}
    }));
    floor.pass(1_000);
    floor.library(vec![stop]);
    let preview = floor.preview("r2", "stop");
    let refused = refusal(floor.start(&eve(), &preview, None));
    assert_eq!(
        refused,
        RunRefusal::ReasonTooShort { chars_min: 5 },
        "a reason is always owed"
    );
    assert_eq!(
        floor.start(&eve(), &preview, Some("it insults")),
        Reply::Done
    );
    let RunState::Stopped {
        why: RunStop::Superseded { run },
    } = floor.state()
    else {
        panic!("{:?}", floor.state());
    };
    assert_eq!(run, RunId::new("r2"));
    floor.pass(3_000);
    assert_eq!(floor.run("r2").state, RunState::Completed);
}

#[test]
fn nobody_begins_while_a_bridge_or_the_hub_cannot_be_heard() {
    let mut floor = Floor::new(2, switch_book(json!({})));
    let preview = floor.preview("r", "switch");
    floor.script.disconnect(BRIDGE);
    let refused = refusal(floor.start(&sam(), &preview, None));
    assert!(
        matches!(&refused, RunRefusal::FeedStale { source: Some(_) }),
        "{refused:?}"
    );
    is_recorded(&floor, &refused, "sam");
    floor.script.connect(BRIDGE, "epoch-1");
    floor.script.blind(holdfast_domain::BlindReason::OwnLag);
    let refused = refusal(floor.start(&sam(), &preview, None));
    assert_eq!(refused, RunRefusal::FeedStale { source: None });
    floor.script.control(Control::Sees);
    let refused = refusal(floor.start(&sam(), &preview, None));
    assert!(
        matches!(&refused, RunRefusal::FeedStale { source: Some(_) }),
        "not heard since: {refused:?}"
    );
    floor.script.heard();
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
}

#[test]
fn what_happened_between_preview_and_start_is_explained_and_new_calls_are_left_alone() {
    let mut floor = Floor::new(5, switch_book(json!({})));
    let preview = floor.preview("r", "switch");
    floor.script.end("c00");
    floor.script.call("new");
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(8_000);
    let run = floor.run("r");
    assert_eq!(run.state, RunState::Completed);
    let named: Vec<(CallId, DifferenceKind)> = run
        .differences
        .into_iter()
        .map(|d| (d.call, d.kind))
        .collect();
    assert_eq!(
        named,
        [
            (CallId::new(name(0)), DifferenceKind::Ended),
            (CallId::new("new"), DifferenceKind::NewlyMatching),
        ]
    );
    assert!(!floor.touched().contains("new"));
    assert_eq!(floor.touched().len(), 4);
}

#[test]
fn a_question_is_answered_by_a_commander_and_no_ends_the_run() {
    let book = || {
        switch_book(json!({
            "steps": [
                {"id": "off", "action": {"type": "pause_ai", "announcement": "said"}},
                {"id": "ask", "action": {"type": "ask", "question": "Go on?", "timeout_s": 60}},
                {"id": "on", "action": {"type": "resume_ai"}}],
            "stages": [stage("all", 0, 60)],
            "rollback": {"undo": [{"step": "off"}, {"step": "on"}]}
        }))
    };
    let answer = |yes| Request::AnswerRun {
        run: RunId::new("r"),
        yes,
    };
    for yes in [true, false] {
        let mut floor = Floor::new(2, book());
        floor.begin("switch");
        floor.pass(3_000);
        assert!(
            matches!(floor.state(), RunState::AwaitingAnswer { .. }),
            "{:?}",
            floor.state()
        );
        assert_eq!(
            floor.changes().len(),
            2,
            "nothing goes on without an answer"
        );
        assert_eq!(floor.script.ask(&eve(), answer(yes)), Reply::Done);
        floor.pass(3_000);
        if yes {
            assert_eq!(
                (floor.state(), floor.changes().len()),
                (RunState::Completed, 4)
            );
        } else {
            assert!(matches!(floor.state(), RunState::Stopped { .. }));
            assert_eq!(floor.changes().len(), 2);
        }
    }
    let mut floor = Floor::new(2, book());
    floor.begin("switch");
    floor.pass(70_000);
    assert!(matches!(
        floor.state(),
        RunState::Stopped {
            why: RunStop::StepTimedOut { .. }
        }
    ));
}

#[test]
fn messages_wait_for_a_person_who_sends_them() {
    let mut floor = Floor::new(
        2,
        switch_book(json!({
            "steps": [
                {"id": "tell", "action": {"type": "notify", "audiences": ["front_line"]}},
                {"id": "switch", "action": {"type": "switch_model", "layer": "llm", "to": "next",
                 "announcement": "said", "retry_turn": true, "parity": []}}]
        })),
    );
    floor.begin("switch");
    floor.pass(6_000);
    let run = floor.run("r");
    assert_eq!(run.messages.len(), 1);
    assert_eq!(run.messages[0].text, "Model vendor down: 0 moved.");
    assert_eq!(run.state, RunState::Completed);
}

#[test]
fn an_answer_that_refuses_the_command_is_told_with_its_kind() {
    let mut floor = Floor::new(1, switch_book(json!({})));
    floor.begin("switch");
    floor.is_mute = true;
    floor.script.wait(4_000);
    let id = floor.changes()[0].id.clone();
    let kind = holdfast_domain::RejectionKind::TargetUnusable;
    floor
        .script
        .answer(&id, AnswerState::Rejected(kind, "no".to_owned()));
    floor.script.wait(400);
    let state = floor.calls("r")[0].state.clone();
    assert!(
        matches!(state, holdfast_domain::RunCallState::Rejected { kind: of, .. } if of == kind),
        "{state:?}"
    );
}
