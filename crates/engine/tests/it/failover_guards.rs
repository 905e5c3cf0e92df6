//! Guards of a step and of the way back that only bite in one situation each.

use holdfast_domain::fact::{CallUpdated, Fact};
use holdfast_domain::playbook::Parity;
use holdfast_domain::{ActVerb, Layer, LayerState, Protected, Request, Rung};
use serde_json::json;

use crate::failover::{
    CALLS, arm, armed_script, asked, does_not_help, fails, helps, last, moved, orders, playbook,
    probe, storm, switches, told, was_told, with_ladder,
};
use crate::script::{BRIDGE, Script, agent, service, started, switch, switched_to};

#[test]
fn every_kind_of_parity_that_the_policy_asks_for_is_held() {
    for (name, lacking) in [
        ("prompt", Parity::Prompt),
        ("tools", Parity::Tools),
        ("voice", Parity::Voice),
        ("language", Parity::Language),
        ("recording", Parity::Recording),
        ("consent", Parity::Consent),
        ("disclosure", Parity::Disclosure),
    ] {
        let mut script = Script::new();
        arm(
            &mut script,
            playbook(|policy| policy["parity"] = json!([name])),
        );
        with_ladder(&mut script, |services| services[1].lacks = vec![lacking]);
        fails(&mut script, "c");
        assert_eq!(
            switches(&script),
            [("c".to_owned(), "backup-llm".to_owned())],
            "{name}"
        );
    }
}

#[test]
fn a_service_that_fails_for_other_calls_is_no_target() {
    let mut script =
        crate::failover_moments::a_dead_vendor(Layer::Llm, "primary-llm", "backup-llm");
    let mut told_of = started();
    for service in &mut told_of.services {
        if service.name == "primary-llm" {
            service.provider = "Vendor B".into();
        }
    }
    // Its backup is with the vendor that is dead.
    script.fact("c", Fact::CallStarted(Box::new(told_of)));
    script.caller_sounds("c", 300);
    script.llm_starts("c", "primary-llm");
    fails(&mut script, "c");
    assert!(
        script
            .next("c")
            .contains("backup-llm fails for other calls"),
        "{}",
        script.next("c")
    );
    assert!(switches(&script).iter().all(|(call, _)| call != "c"));
}

#[test]
fn what_did_not_help_is_not_tried_again_on_the_same_rung() {
    let mut script = Script::new();
    let rung = json!({"rung": "backup", "deadline_ms": 2_500, "announcement": "switch"});
    arm(
        &mut script,
        playbook(|policy| policy["rungs"] = json!([rung, rung])),
    );
    let mut told_of = started();
    let other = service(Layer::Llm, "other-llm", Rung::Backup, false);
    told_of.services.push(other);
    script.fact("c", Fact::CallStarted(Box::new(told_of)));
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    fails(&mut script, "c");
    let first = last(&script);
    does_not_help(&mut script, &first);
    let to: Vec<String> = switches(&script).into_iter().map(|(_, to)| to).collect();
    assert_eq!(to, ["backup-llm", "other-llm"]);
}

#[test]
fn a_call_for_which_a_human_is_asked_is_not_given_a_second_handoff() {
    let mut script = armed_script();
    script.human("abe");
    with_ladder(&mut script, |services| {
        services[1].usable = false;
        services[2].usable = false;
    });
    script.act(ActVerb::RouteToHumans, crate::script::calls(&["c"]));
    assert_eq!(script.handoffs().len(), 1);
    fails(&mut script, "c");
    assert!(was_told(&script, "a human is asked for already"));
    assert_eq!(script.handoffs().len(), 1);
    assert_eq!(orders(&script), []);
}

#[test]
fn a_call_that_a_human_takes_is_left_to_them() {
    let mut script = armed_script();
    script.human("abe");
    asked(&mut script, "c");
    script.act(ActVerb::RouteToHumans, crate::script::calls(&["c"]));
    let handoff = script.handoff().id;
    script.ask(
        &agent("abe"),
        Request::SeeHandoff {
            handoff: handoff.clone(),
        },
    );
    script.ask(&agent("abe"), Request::AcceptHandoff { handoff });
    fails(&mut script, "c");
    assert_eq!(switches(&script), []);
    // The transfer itself is an order; once it is over the human's yes still stands.
    let transfer = script.sent_ids().pop().expect("the call is transferred");
    does_not_help(&mut script, &transfer);
    assert!(told(&script).len() <= 3, "{:?}", told(&script));
}

#[test]
fn a_persons_switch_has_its_time_for_the_proof() {
    let mut script = armed_script();
    with_ladder(&mut script, |_| {});
    let id = script.act_on(switch(Some("retry-llm")), "c");
    script.answer(&id, switched_to("retry-llm", true));
    script.llm_starts("c", "retry-llm");
    script.error("c", Layer::Llm, "retry-llm", "http_503");
    assert_eq!(orders(&script), [], "{:?}", told(&script));
}

#[test]
fn nothing_is_ordered_from_a_bridge_that_is_not_heard() {
    let mut script = moved();
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.mute(BRIDGE);
    script.wait(45_000);
    assert_eq!(switches(&script).len(), 1, "{:?}", told(&script));
}

// === the way back ===

/// A call that could go back at the next look: its dwell is over and its primary is well.
fn may_return() -> Script {
    let mut script = moved();
    script.wait(25_000);
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script
}

fn goes_back(script: &mut Script) -> bool {
    script.wait(6_000);
    // Something happens on the call, so that it is looked at.
    script.update("c", CallUpdated::default());
    script.wait(6_000);
    switches(script)
        .pop()
        .is_some_and(|(_, to)| to == "primary-llm")
}

#[test]
fn a_call_goes_back_when_nothing_is_against_it() {
    assert!(goes_back(&mut may_return()));
}

#[test]
fn a_call_does_not_go_back_to_what_cannot_serve() {
    let mut script = may_return();
    let unusable = Fact::ServiceAvailabilityChanged {
        service: "primary-llm".into(),
        available: false,
        reason: None,
    };
    script.layer_fact("c", Some(Layer::Llm), unusable);
    assert!(!goes_back(&mut script));
}

#[test]
fn a_call_does_not_go_back_during_a_payment() {
    let mut script = may_return();
    script.update(
        "c",
        CallUpdated {
            protected: Some(Some(Protected::Payment)),
            ..CallUpdated::default()
        },
    );
    assert!(!goes_back(&mut script));
}

#[test]
fn a_call_does_not_go_back_in_the_middle_of_a_turn() {
    let mut script = moved();
    script.wait(28_500);
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.caller_says("c", "and my order?");
    script.llm_starts("c", "backup-llm");
    script.wait(1_000);
    script.update("c", CallUpdated::default());
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(switches(&script).len(), 1, "the answer is on its way");
}

#[test]
fn a_failed_probe_begins_the_count_anew() {
    let mut script = moved();
    script.wait(25_000);
    for _ in 0..2 {
        probe(&mut script, "*");
    }
    // It fails for a call that is still on it.
    script.call("d");
    script.error("d", Layer::Llm, "primary-llm", "http_503");
    script.end("d");
    probe(&mut script, "*");
    assert!(!goes_back(&mut script), "{:?}", told(&script));
    for _ in 0..2 {
        probe(&mut script, "*");
    }
    assert!(goes_back(&mut script));
}

#[test]
fn the_way_back_counts_against_the_budget() {
    let mut script = Script::new();
    arm(
        &mut script,
        playbook(|policy| policy["budget"]["per_minute"] = json!(1)),
    );
    asked(&mut script, "c");
    fails(&mut script, "c");
    helps(&mut script, "c", "backup-llm");
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.wait(40_000);
    assert_eq!(switches(&script).len(), 1);
    assert!(was_told(&script, "not back on primary-llm yet: the budget"));
    script.update("c", CallUpdated::default());
    script.wait(25_000);
    assert_eq!(switches(&script).len(), 2, "the minute is over");
}

#[test]
fn a_call_that_went_back_once_and_failed_again_stays_where_it_is() {
    let mut script = may_return();
    assert!(goes_back(&mut script));
    script.answer(&last(&script), switched_to("primary-llm", false));
    script.good_turn("c");
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    fails(&mut script, "c");
    helps(&mut script, "c", "backup-llm");
    for _ in 0..9 {
        probe(&mut script, "*");
    }
    script.wait(31_000);
    script.good_turn_by("c", "backup-llm");
    assert!(!goes_back(&mut script), "{:?}", told(&script));
}

#[test]
fn another_call_tries_when_the_one_that_tried_is_over() {
    let mut script = armed_script();
    storm(&mut script, &CALLS[..4]);
    for order in orders(&script) {
        does_not_help(&mut script, &order.id);
    }
    storm(&mut script, &CALLS[4..6]);
    let before = switches(&script).len();
    script.wait(21_000);
    let (tries, _) = switches(&script).pop().unwrap();
    assert_eq!(switches(&script).len(), before + 1);
    script.end(&tries);
    script.wait(1_500);
    assert_eq!(switches(&script).len(), before + 2, "{:?}", told(&script));
}
