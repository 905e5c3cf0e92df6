//! The ledger of recoveries: every moment by hand, who decided, and what is in no distribution.

use holdfast_domain::fact::Fact;
use holdfast_domain::{
    ActiveFault, Decider, FaultClass, HandoffId, Layer, Ledger, LedgerRow, Recovery, Reply,
    Request, SignalKind, Timestamp,
};
use holdfast_engine::{AnswerState, Control, Effect, Shown};

use crate::failover::playbook;
use crate::script::{Script, agent, supervisor, switch, switched_to};

/// The moments of a recovery, in milliseconds since the caller was affected: onset, detected,
/// decided, accepted, audio, shown.
fn moments(recovery: &Recovery) -> [Option<i64>; 6] {
    let since = |at: Option<Timestamp>| at.map(|at| at.since(recovery.affected_at));
    [
        since(recovery.onset_at),
        since(Some(recovery.detected_at)),
        since(recovery.decided_at),
        since(recovery.accepted_at),
        since(Some(recovery.audio_at)),
        since(recovery.shown_at),
    ]
}

fn only(ledger: &Ledger) -> (&Recovery, &LedgerRow) {
    assert_eq!(ledger.recoveries.len(), 1, "{:?}", ledger.recoveries);
    assert_eq!(ledger.rows.len(), 1, "{:?}", ledger.rows);
    (&ledger.recoveries[0], &ledger.rows[0])
}

/// The caller asked; the model begins 200 ms later and refuses 300 ms after that.
fn refused(script: &mut Script, call: &str) {
    script.caller_says(call, "are you there?");
    script.wait(200);
    script.llm_starts(call, "primary-llm");
    script.wait(300);
    script.error(call, Layer::Llm, "primary-llm", "connection_refused");
}

/// A fault of the model is injected now.
fn inject(script: &mut Script) {
    let since = script.now();
    script.fact(
        "*",
        Fact::DrillFaultsChanged {
            active: vec![ActiveFault {
                id: "f-1".to_owned(),
                fault: "llm_503".to_owned(),
                layer: Layer::Llm,
                scope: "all".to_owned(),
                since,
            }],
        },
    );
}

/// The hub tells that consoles were sent everything that was recovered.
fn show(script: &mut Script) {
    let told = script.effects.iter().filter_map(|effect| match effect {
        Effect::Show(Shown::Recovered(id)) => Some(*id),
        _ => None,
    });
    let recoveries = told.collect();
    script.control(Control::Shown { recoveries });
}

const REFUSED: FaultClass = FaultClass {
    layer: Layer::Llm,
    signal: SignalKind::ServiceError,
};

#[test]
fn a_person_helps_and_every_moment_is_known() {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    inject(&mut script);
    script.wait(2_000);
    refused(&mut script, "c");
    // The caller spoke for a second and is affected since: 3 s after the fault began. Seen 500 ms
    // later.
    script.wait(1_500);
    let id = script.act_on(switch(Some("backup-llm")), "c");
    script.wait(100);
    script.answer(&id, AnswerState::Accepted);
    script.wait(250);
    script.answer(&id, switched_to("backup-llm", true));
    script.agent_answers("c", "backup-llm", 400);
    // The agent spoke for a second meanwhile.
    script.wait(30);
    show(&mut script);
    let ledger = script.engine.ledger();
    let (recovery, row) = only(&ledger);
    assert_eq!(
        moments(recovery),
        [-3_000, 500, 2_000, 2_100, 2_750, 3_780].map(Some)
    );
    assert_eq!(
        (recovery.decider, recovery.class),
        (Decider::Person, REFUSED)
    );
    assert_eq!((recovery.decisions, row.recovered, row.lost), (1, 1, 0));
    // Sketches are right to 2 %.
    for (spread, ms) in [
        (row.onset, 3_000),
        (row.detect, 500),
        (row.decide, 1_500),
        (row.accept, 100),
        (row.recover, 650),
        (row.show, 1_030),
        (row.total, 2_750),
    ] {
        assert_eq!(spread.n, 1);
        for quantile in [spread.p50_ms, spread.p95_ms] {
            let found = quantile.expect("it was measured");
            assert!((found - ms).abs() * 50 <= ms, "{found} and not {ms}");
        }
    }
}

#[test]
fn policies_and_persons_and_nobody_are_told_apart() {
    let mut script = Script::new();
    script.control(Control::Playbooks {
        playbooks: vec![playbook(|_| {})],
        armed: true,
    });
    // By a policy.
    script.call("a");
    refused(&mut script, "a");
    let id = script.sent_ids().pop().expect("the policy acts");
    script.answer(&id, AnswerState::Accepted);
    script.answer(&id, switched_to("backup-llm", true));
    script.agent_answers("a", "backup-llm", 300);
    // By nobody: the next turn is simply well.
    script.control(Control::Playbooks {
        playbooks: Vec::new(),
        armed: false,
    });
    script.call("b");
    refused(&mut script, "b");
    script.wait(700);
    script.good_turn("b");
    script.good_turn("b");
    let ledger = script.engine.ledger();
    let told: Vec<_> = ledger
        .rows
        .iter()
        .map(|row| (row.decider, row.recovered, row.total.n, row.decide.n))
        .collect();
    assert_eq!(
        told,
        [(Decider::Policy, 1, 1, 1), (Decider::Nobody, 1, 1, 0)],
        "{:?}",
        ledger.rows
    );
    let alone = &ledger.recoveries[0];
    assert_eq!(
        (alone.decisions, alone.decided_at, alone.accepted_at),
        (0, None, None)
    );
    assert_eq!(ledger.recoveries[1].decider, Decider::Policy);
    assert_eq!(ledger.recoveries[1].onset_at, None, "nobody knows");
}

#[test]
fn what_did_not_help_counts_towards_the_decision() {
    let mut script = Script::new();
    script.call("c");
    refused(&mut script, "c");
    script.wait(500);
    let first = script.act_on(switch(Some("backup-llm")), "c");
    script.wait(200);
    let why = "it is down too".to_owned();
    let kind = holdfast_domain::FailureKind::PlatformError;
    script.answer(&first, AnswerState::Failed(kind, why));
    assert_eq!(script.engine.ledger().rows[0].open, 1);
    script.wait(800);
    let second = script.act_on(switch(Some("backup-llm")), "c");
    script.answer(&second, AnswerState::Accepted);
    script.answer(&second, switched_to("backup-llm", true));
    script.agent_answers("c", "backup-llm", 400);
    let ledger = script.engine.ledger();
    let (recovery, row) = only(&ledger);
    assert_eq!(recovery.decisions, 2);
    let [_, detected, decided, ..] = moments(recovery);
    assert_eq!((detected, decided), (Some(500), Some(2_000)));
    assert_eq!((row.decide.n, row.open), (1, 0), "one decision helped");
}

#[test]
fn a_human_is_heard_when_the_call_is_bridged() {
    let mut script = Script::new();
    script.human("ana");
    script.call("c");
    refused(&mut script, "c");
    script.wait(500);
    script.ask(
        &supervisor(),
        Request::Act {
            act: holdfast_domain::Act {
                id: holdfast_domain::ActId::new("a-1"),
                verb: holdfast_domain::ActVerb::RouteToHumans,
                target: crate::script::calls(&["c"]),
            },
        },
    );
    let handoff: HandoffId = script.handoff().id;
    script.wait(1_000);
    let seen = handoff.clone();
    script.ask(&agent("ana"), Request::SeeHandoff { handoff: seen });
    let taken = handoff.clone();
    script.ask(&agent("ana"), Request::AcceptHandoff { handoff: taken });
    script.wait(2_000);
    script.fact(
        "c",
        Fact::HandoffCompleted {
            handoff_id: Some(handoff.as_str().to_owned().into()),
            to: "ana".into(),
        },
    );
    let ledger = script.engine.ledger();
    let (recovery, _) = only(&ledger);
    assert_eq!(recovery.decider, Decider::Person);
    assert_eq!(
        moments(recovery)[1..5],
        [500, 1_000, 2_000, 4_000].map(Some)
    );
}

#[test]
fn a_call_that_ended_first_is_lost_and_in_no_distribution() {
    let mut script = Script::new();
    script.call("c");
    refused(&mut script, "c");
    script.wait(500);
    script.end("c");
    let ledger = script.engine.ledger();
    assert!(ledger.recoveries.is_empty());
    let row = &ledger.rows[0];
    assert_eq!((row.decider, row.class), (Decider::Nobody, REFUSED));
    assert_eq!((row.recovered, row.lost, row.total.n), (0, 1, 0));
}

#[test]
fn what_nobody_saw_is_not_measured() {
    let mut script = Script::new();
    script.call("c");
    refused(&mut script, "c");
    assert_eq!(script.engine.ledger().rows[0].open, 1);
    // What a bridge that was away has kept is told later: nothing is missed.
    script.disconnect(crate::script::BRIDGE);
    script.wait(10_000);
    script.connect(crate::script::BRIDGE, "epoch-1");
    assert_eq!(script.engine.ledger().rows[0].open, 1);
    // What it dropped is not.
    script.fact(
        "*",
        Fact::StreamGapDetected {
            from_seq: 10,
            to_seq: 12,
            missing: 3,
        },
    );
    assert_eq!(script.engine.ledger().rows, []);
}

#[test]
fn an_answer_that_is_heard_before_the_switch_is_told_counts_from_when_it_was_heard() {
    let mut script = Script::new();
    script.call("c");
    refused(&mut script, "c");
    let id = script.act_on(switch(Some("backup-llm")), "c");
    script.answer(&id, AnswerState::Accepted);
    script.wait(100);
    script.llm_starts("c", "backup-llm");
    script.wait(100);
    script.llm_ends("c", 40, 0);
    script.agent_starts("c");
    script.wait(400);
    script.answer(&id, switched_to("backup-llm", false));
    let ledger = script.engine.ledger();
    let (recovery, _) = only(&ledger);
    assert_eq!(recovery.decider, Decider::Person);
    assert_eq!(moments(recovery)[4], Some(700));
}

#[test]
fn it_is_bounded_and_an_export_is_for_those_who_act() {
    let mut script = Script::new();
    script.call("c");
    for _ in 0..505 {
        refused(&mut script, "c");
        script.wait(700);
        script.good_turn("c");
        script.good_turn("c");
    }
    let told = script.engine.ledger();
    assert_eq!(told.recoveries.len(), 50);
    assert_eq!(told.recoveries[0].id, 505, "newest first");
    assert_eq!(told.rows[0].recovered, 505);
    match script.ask(&supervisor(), Request::ShowLedger) {
        Reply::Ledger { ledger } => assert_eq!(ledger.recoveries.len(), 500),
        other => panic!("no ledger: {other:?}"),
    }
    let refused = script.ask(&agent("ana"), Request::ShowLedger);
    assert!(matches!(refused, Reply::Refused { .. }), "{refused:?}");
}
