//! Calls in flight go to humans as fast as humans can take them, those at most risk first.

use holdfast_domain::HumanState;
use holdfast_domain::fact::CallUpdated;
use holdfast_domain::{Command, HandoffState, Protected, Reply, RunCallState, RunState};

use crate::runs_floor::{Floor, eve, humans_book, sam};
use crate::script::agent;

/// The calls that humans were asked for, in order.
fn asked(floor: &Floor) -> Vec<String> {
    let handoffs = floor.script.handoffs();
    let mut asked: Vec<_> = handoffs
        .iter()
        .map(|h| (h.requested_at, h.call.to_string()))
        .collect();
    asked.sort();
    asked.into_iter().map(|(_, call)| call).collect()
}

fn at_risk(floor: &mut Floor, call: &str) {
    let updated = CallUpdated {
        high_risk: Some(true),
        ..Default::default()
    };
    floor.script.update(call, updated);
}

/// The human takes the call that is offered, and is on it.
pub(crate) fn takes(floor: &mut Floor, name: &str) -> String {
    let handoffs = floor.script.handoffs();
    let offered = handoffs.into_iter().find(|handoff| {
        matches!(&handoff.state, HandoffState::Offered { agent, .. } if agent.as_str() == name)
    });
    let offered = offered.expect("a call is offered");
    let handoff = offered.id.clone();
    let accept = holdfast_domain::Request::AcceptHandoff { handoff };
    assert_eq!(floor.script.ask(&agent(name), accept), Reply::Done);
    floor.serve();
    offered.call.to_string()
}

#[test]
fn only_as_many_calls_are_offered_as_humans_are_free() {
    let mut floor = Floor::new(10, humans_book("in_flight"));
    floor.script.human("ana");
    floor.script.human("ben");
    let preview = floor.preview("r", "humans");
    assert_eq!((preview.humans.free, preview.humans.n_calls), (2, 10));
    assert!(preview.humans.wait_s.is_some());
    assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
    floor.pass(1_000);
    assert_eq!(asked(&floor).len(), 2, "two are free");
    let call = takes(&mut floor, "ana");
    floor.pass(1_000);
    assert_eq!(asked(&floor).len(), 2, "ana talks");
    floor.script.end(&call);
    floor.pass(1_000);
    assert_eq!(asked(&floor).len(), 3, "ana is free again");
}

#[test]
fn those_at_risk_are_first_and_those_that_pay_last() {
    let mut floor = Floor::new(6, humans_book("in_flight"));
    at_risk(&mut floor, "c04");
    floor.protect("c00", Some(Protected::Payment));
    floor.begin("humans");
    floor.pass(500);
    floor.script.human("ana");
    let mut order = Vec::new();
    for _ in 0..5 {
        floor.pass(1_000);
        let call = takes(&mut floor, "ana");
        order.push(call.clone());
        floor.script.end(&call);
    }
    assert_eq!(order[0], "c04");
    assert!(!order.contains(&"c00".to_owned()), "the caller pays");
    floor.protect("c00", None);
    floor.pass(1_000);
    assert_eq!(takes(&mut floor, "ana"), "c00");
}

#[test]
fn whoever_was_not_offered_stays_with_the_ai_when_the_run_stops() {
    let mut floor = Floor::new(5, humans_book("in_flight"));
    floor.script.human("ana");
    floor.begin("humans");
    floor.pass(1_000);
    assert_eq!(floor.stop(&eve(), ""), Reply::Done);
    floor.script.human("ben");
    floor.pass(30_000);
    assert_eq!(asked(&floor).len(), 1);
    let calls = floor.calls("r");
    let left = calls
        .iter()
        .filter(|call| matches!(call.state, RunCallState::Left { .. }));
    assert_eq!(left.count(), 4);
}

#[test]
fn an_offer_that_nobody_took_is_withdrawn_with_the_run() {
    let mut floor = Floor::new(1, humans_book("in_flight"));
    floor.script.human("ana");
    floor.begin("humans");
    floor.pass(500);
    // Ana goes before she answers: the call waits for the next human.
    let state = holdfast_domain::HumanState::Away;
    let away = holdfast_domain::Request::SetHumanState { state };
    floor.script.ask(&agent("ana"), away);
    assert_eq!(floor.script.handoff().state, HandoffState::Requested);
    assert_eq!(floor.stop(&eve(), ""), Reply::Done);
    assert!(floor.script.handoff().state.is_final());
    floor.script.human("ben");
    floor.pass(1_000);
    assert!(floor.script.handoff().state.is_final(), "ben is not asked");
}

#[test]
fn callers_who_wait_are_told_and_those_who_would_wait_too_long_are_offered_a_callback() {
    let mut floor = Floor::new(4, humans_book("in_flight"));
    floor.script.human("ana");
    floor.begin("humans");
    floor.pass(3_000);
    let said: Vec<String> = floor
        .script
        .effects
        .iter()
        .filter_map(|effect| match effect {
            holdfast_engine::Effect::Send { command, .. } => match &command.command {
                Command::Announce { text, .. } => Some(text.clone()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    // One is offered; the next waits six minutes, which is within ten, the others longer.
    assert_eq!(said, ["Espere 6 minutos.", "Le llamamos.", "Le llamamos."]);
    assert_eq!(floor.run("r").callbacks, 2);
}

#[test]
fn new_calls_go_to_humans_only_where_the_playbook_says_so() {
    for (calls, follows) in [("in_flight", false), ("both", true), ("new", true)] {
        let mut floor = Floor::new(2, humans_book(calls));
        let preview = floor.preview("r", "humans");
        assert_eq!(
            preview.n_calls,
            if calls == "new" { 0 } else { 2 },
            "{calls}"
        );
        assert_eq!(floor.start(&sam(), &preview, None), Reply::Done);
        floor.pass(2_000);
        floor.script.call("late");
        for human in ["ana", "ben", "cy"] {
            floor.script.human(human);
        }
        floor.pass(2_000);
        assert_eq!(
            asked(&floor).contains(&"late".to_owned()),
            follows,
            "{calls}"
        );
        assert_eq!(
            asked(&floor).contains(&"c00".to_owned()),
            calls != "new",
            "{calls}"
        );
        for human in ["ana", "ben", "cy"] {
            if floor.script.human_state(human) == HumanState::Offered {
                takes(&mut floor, human);
            }
        }
        floor.pass(1_000);
        // With all in flight taken over it is done; new calls may come until its time is over.
        assert_eq!(floor.state() == RunState::Completed, !follows, "{calls}");
    }
}
