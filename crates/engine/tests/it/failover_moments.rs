//! The moments at which the ladder may be climbed, and what it does at the others.

use holdfast_domain::fact::{CallUpdated, Fact, Speaker};
use holdfast_domain::{BlindReason, Command, HandoffReason, Layer, LayerState, Protected, Rung};
use holdfast_engine::{AnswerState, Control};
use serde_json::json;

use crate::failover::{
    CALLS, arm, armed_script, asked, fails, helps, orders, playbook, probe, switches, told,
    was_told, with_ladder,
};
use crate::script::{Script, service, started, switched_to};

const CALLER: Speaker = Speaker::Caller;

fn is_protected(script: &mut Script, call: &str, moment: Option<Protected>) {
    let protected = Some(moment);
    let updated = CallUpdated {
        protected,
        ..CallUpdated::default()
    };
    script.update(call, updated);
}

fn caller_begins(script: &mut Script, call: &str) {
    script.fact(call, Fact::SpeechStarted { actor: CALLER });
}

fn caller_stops(script: &mut Script, call: &str) {
    script.fact(call, Fact::SpeechStopped { actor: CALLER });
}

#[test]
fn a_payment_a_write_and_a_sentence_are_waited_for_and_the_step_is_taken_as_they_end() {
    type Moment = fn(&mut Script, bool);
    let moments: [(Moment, &str); 3] = [
        (
            |script, on| is_protected(script, "c", on.then_some(Protected::Payment)),
            "the caller is in a payment",
        ),
        (
            |script, on| {
                if on {
                    script.tool_starts("c", "t1", true);
                } else {
                    script.tool_completes("c", "t1");
                }
            },
            "a tool writes",
        ),
        (
            |script, on| {
                if on {
                    script.agent_starts("c");
                } else {
                    script.agent_stops("c");
                }
            },
            "the agent speaks",
        ),
    ];
    for (moment, words) in moments {
        let mut script = armed_script();
        asked(&mut script, "c");
        moment(&mut script, true);
        fails(&mut script, "c");
        script.wait(600);
        assert_eq!(orders(&script), [], "{words}");
        // The row says why.
        assert_eq!(script.next("c"), format!("not switched yet: {words}"));
        let over = script.now();
        moment(&mut script, false);
        let order = orders(&script).pop().expect("it is ordered as it ends");
        assert_eq!(order.issued_at, over, "{words}");
        assert!(!script.next("c").contains("not switched"), "{words}");
    }
}

#[test]
fn an_identity_check_holds_nothing_back() {
    let mut script = armed_script();
    asked(&mut script, "c");
    is_protected(&mut script, "c", Some(Protected::Identity));
    fails(&mut script, "c");
    assert_eq!(switches(&script).len(), 1, "{:?}", told(&script));
}

#[test]
fn a_caller_who_speaks_hears_nothing_of_it_and_is_answered_by_the_next_service() {
    let mut script = armed_script();
    asked(&mut script, "c");
    caller_begins(&mut script, "c");
    fails(&mut script, "c");
    let order = orders(&script).pop().expect("it is ordered at once");
    assert_eq!(
        order.command,
        Command::SwitchModel {
            layer: Layer::Llm,
            to: "backup-llm".to_owned(),
            retry_turn: false,
            announcement: None,
        }
    );
    script.answer(&order.id, AnswerState::Accepted);
    script.answer(&order.id, switched_to("backup-llm", false));
    script.wait(500);
    caller_stops(&mut script, "c");
    assert_eq!(
        orders(&script).len(),
        1,
        "nothing is said afterwards either"
    );
    script.agent_answers("c", "backup-llm", 300);
    assert!(was_told(&script, "backup-llm serves, proven"));
}

#[test]
fn a_service_that_listens_is_left_until_the_caller_has_spoken() {
    let mut script = Script::new();
    let mut of_asr = playbook(|policy| policy["layer"] = json!("asr"));
    of_asr.layer = Layer::Asr;
    arm(&mut script, of_asr);
    let mut told_of = started();
    let backup = service(Layer::Asr, "backup-asr", Rung::Backup, false);
    told_of.services.push(backup);
    script.fact("c", Fact::CallStarted(Box::new(told_of)));
    caller_begins(&mut script, "c");
    script.error("c", Layer::Asr, "primary-asr", "http_503");
    script.wait(500);
    assert_eq!(orders(&script), []);
    assert_eq!(script.next("c"), "not switched yet: the caller speaks");
    caller_stops(&mut script, "c");
    assert_eq!(
        switches(&script),
        [("c".to_owned(), "backup-asr".to_owned())]
    );
}

#[test]
fn a_person_is_not_called_while_the_caller_speaks() {
    let mut script = armed_script();
    script.human("abe");
    with_ladder(&mut script, |services| {
        services[1].usable = false;
        services[2].usable = false;
    });
    caller_begins(&mut script, "c");
    fails(&mut script, "c");
    assert_eq!(script.handoffs().len(), 0);
    assert!(was_told(&script, "not switched yet: the caller speaks"));
    caller_stops(&mut script, "c");
    assert_eq!(script.handoff().reason, HandoffReason::LadderEnded);
}

#[test]
fn a_step_that_waits_long_says_so_and_is_not_given_up() {
    let mut script = armed_script();
    asked(&mut script, "c");
    is_protected(&mut script, "c", Some(Protected::Payment));
    fails(&mut script, "c");
    let goes_on = |script: &mut Script, ms| {
        for _ in 0..3 {
            script.wait(ms);
            is_protected(script, "c", Some(Protected::Payment));
        }
    };
    goes_on(&mut script, 19_500);
    assert!(!was_told(&script, "for a minute now"));
    script.wait(2_000);
    assert_eq!(
        script.next("c"),
        "not switched yet: the caller is in a payment, for a minute now; look at the call"
    );
    goes_on(&mut script, 20_000);
    assert_eq!(
        told(&script).len(),
        2,
        "each is told once: {:?}",
        told(&script)
    );
    assert_eq!(orders(&script), []);
    is_protected(&mut script, "c", None);
    assert_eq!(switches(&script).len(), 1);
}

#[test]
fn what_is_well_again_is_left_alone() {
    let mut script = armed_script();
    asked(&mut script, "c");
    is_protected(&mut script, "c", Some(Protected::Payment));
    fails(&mut script, "c");
    script.agent_answers("c", "primary-llm", 100);
    script.good_turn("c");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    is_protected(&mut script, "c", None);
    script.wait(5_000);
    assert_eq!(orders(&script), []);
}

#[test]
fn a_hub_that_sees_again_takes_the_step_without_news_of_the_call() {
    let mut script = armed_script();
    asked(&mut script, "c");
    script.blind(BlindReason::OwnLag);
    fails(&mut script, "c");
    script.wait(2_000);
    assert_eq!(orders(&script), []);
    assert!(was_told(&script, "the hub itself cannot see"));
    script.control(Control::Sees);
    script.wait(1_000);
    assert_eq!(switches(&script).len(), 1);
}

/// A call whose backup failed during a payment and was well again before its end.
fn held_while_off() -> Script {
    let mut script = armed_script();
    asked(&mut script, "c");
    fails(&mut script, "c");
    helps(&mut script, "c", "backup-llm");
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "backup-llm");
    is_protected(&mut script, "c", Some(Protected::Payment));
    script.error("c", Layer::Llm, "backup-llm", "http_503");
    assert!(was_told(&script, "not switched yet"), "{:?}", told(&script));
    script.agent_answers("c", "backup-llm", 100);
    script.good_turn_by("c", "backup-llm");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    is_protected(&mut script, "c", None);
    script
}

#[test]
fn a_step_that_was_held_and_not_needed_leaves_the_way_back_open() {
    let mut script = held_while_off();
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.wait(40_000);
    assert_eq!(switches(&script).pop().unwrap().1, "primary-llm");
}

#[test]
fn a_call_counts_as_off_its_primary_while_its_next_step_is_held() {
    let mut script = held_while_off();
    arm(
        &mut script,
        playbook(|policy| policy["budget"]["live_percent"] = json!(50)),
    );
    asked(&mut script, "d");
    fails(&mut script, "d");
    let before = switches(&script).len();
    script.wait(1_500);
    assert_eq!(switches(&script).len(), before, "{:?}", told(&script));
    assert!(was_told(&script, "1 of 2 live calls are off their primary"));
}

/// Two vendors; all calls of one of them fail in `layer`, so that a shared cause names it.
pub(crate) fn a_dead_vendor(layer: Layer, primary: &'static str, backup: &'static str) -> Script {
    let mut script = Script::new();
    let mut policy = playbook(|policy| policy["layer"] = json!(layer.as_str()));
    policy.layer = layer;
    arm(&mut script, policy);
    let begin = |script: &mut Script, call: &str, provider: &str| {
        let mut told = started();
        if told.services.iter().all(|service| service.name != backup) {
            told.services
                .push(service(layer, backup, Rung::Backup, false));
        }
        for service in &mut told.services {
            if service.name == primary {
                provider.clone_into(&mut service.provider);
            } else if service.name == backup {
                "Vendor C".clone_into(&mut service.provider);
            }
        }
        script.fact(call, Fact::CallStarted(Box::new(told)));
    };
    let others = ["o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8"];
    for (bad, other) in CALLS.iter().zip(&others) {
        begin(&mut script, bad, "Vendor A");
        begin(&mut script, other, "Vendor B");
    }
    begin(&mut script, "next", "Vendor A");
    caller_begins(&mut script, "next");
    caller_stops(&mut script, "next");
    script.agent_starts("next");
    for call in CALLS {
        script.caller_sounds(call, 300);
        script.llm_starts(call, "primary-llm");
        script.error(call, layer, primary, "connection_refused");
    }
    for other in others {
        script.caller_sounds(other, 300);
        script.llm_starts(other, "primary-llm");
        script.llm_ends(other, 40, 0);
        script.agent_starts(other);
    }
    script.wait(600);
    assert_eq!(switches(&script).len(), CALLS.len(), "{:?}", told(&script));
    script
}

/// The newest order is for the call that has met nothing yet, and nobody hears of it.
fn is_ahead(script: &Script, layer: Layer, to: &str) {
    assert_eq!(
        switches(script).len(),
        CALLS.len() + 1,
        "{:?}",
        told(script)
    );
    let order = orders(script).pop().expect("it is ordered before it fails");
    assert_eq!(
        order.call.as_ref().map(holdfast_domain::CallId::as_str),
        Some("next")
    );
    assert_eq!(
        order.command,
        Command::SwitchModel {
            layer,
            to: to.to_owned(),
            retry_turn: false,
            announcement: None,
        }
    );
}

#[test]
fn a_call_that_uses_what_is_dead_is_moved_as_its_caller_speaks() {
    let mut script = a_dead_vendor(Layer::Llm, "primary-llm", "backup-llm");
    script.agent_stops("next");
    assert_eq!(switches(&script).len(), CALLS.len(), "nobody needs it yet");
    caller_begins(&mut script, "o1");
    caller_begins(&mut script, "next");
    is_ahead(&script, Layer::Llm, "backup-llm");
}

#[test]
fn a_turn_that_fails_before_a_silent_step_is_made_is_tried_again() {
    let mut script = a_dead_vendor(Layer::Llm, "primary-llm", "backup-llm");
    script.agent_stops("next");
    caller_begins(&mut script, "next");
    is_ahead(&script, Layer::Llm, "backup-llm");
    let ahead = orders(&script).pop().unwrap().id;
    script.wait(300);
    caller_stops(&mut script, "next");
    script.llm_starts("next", "primary-llm");
    fails(&mut script, "next");
    let before = orders(&script).len();
    script.answer(&ahead, AnswerState::Accepted);
    script.answer(&ahead, switched_to("backup-llm", false));
    let again: Vec<Command> = orders(&script)
        .drain(before..)
        .map(|order| order.command)
        .collect();
    assert_eq!(again, [Command::RetryTurn]);
}

#[test]
fn a_turn_that_waits_for_its_answer_after_a_silent_step_is_left_alone() {
    let mut script = a_dead_vendor(Layer::Llm, "primary-llm", "backup-llm");
    script.agent_stops("next");
    caller_begins(&mut script, "next");
    let ahead = orders(&script).pop().unwrap().id;
    script.wait(300);
    caller_stops(&mut script, "next");
    let before = orders(&script).len();
    script.answer(&ahead, AnswerState::Accepted);
    script.answer(&ahead, switched_to("backup-llm", false));
    assert_eq!(orders(&script).len(), before, "{:?}", told(&script));
}

#[test]
fn a_dead_service_that_would_listen_is_left_before_the_caller_speaks() {
    let mut script = a_dead_vendor(Layer::Asr, "primary-asr", "backup-asr");
    script.agent_stops("next");
    is_ahead(&script, Layer::Asr, "backup-asr");
}

#[test]
fn nobody_is_moved_ahead_during_a_payment() {
    let mut script = a_dead_vendor(Layer::Llm, "primary-llm", "backup-llm");
    script.agent_stops("next");
    is_protected(&mut script, "next", Some(Protected::Payment));
    caller_begins(&mut script, "next");
    assert_eq!(switches(&script).len(), CALLS.len());
    is_protected(&mut script, "next", None);
    is_ahead(&script, Layer::Llm, "backup-llm");
}
