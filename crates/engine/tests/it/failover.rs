//! The ladder that is climbed without a person: when, how far, and what holds it back.

use holdfast_domain::fact::{Fact, LatencyMetric};
use holdfast_domain::playbook::Parity;
use holdfast_domain::{
    Command, CommandId, CommandRecord, CommandState, HandoffReason, Layer, LayerState, Playbook,
    Request, Rung,
};
use holdfast_engine::{AnswerState, Config, Control, Effect, Entry};
use serde_json::{Value, json};

use crate::script::{BRIDGE, Script, capabilities, service, started, supervisor, switched_to};

/// A playbook with one armed policy for the language model.
pub(crate) fn playbook(change: impl FnOnce(&mut Value)) -> Playbook {
    let mut playbook = json!({
        "id": "model-down", "version": 1, "title": "Model down", "purpose": "p", "owner": "o",
        "layer": "llm", "ttl_s": 900, "languages": ["en", "es"],
        "selector": {
            "scope": {"by": "cause", "dimensions": ["provider"]}, "reach": "exposed",
            "phases": ["ai"], "protected": "last",
        },
        "approval": {"class": "none"}, "preconditions": [], "steps": [], "stages": [],
        "abort": [], "rollback": {"undo": []}, "messages": {},
        "announcements": {
            "switch": {"en": "One moment.", "es": "Un momento."},
            "human": {"en": "Wait {wait_minutes}.", "es": "Espere {wait_minutes}."},
        },
        "armed": [{
            "layer": "llm", "state": "failed", "parity": ["tools", "language"],
            "rungs": [
                {"rung": "retry", "deadline_ms": 1_500, "announcement": "switch"},
                {"rung": "backup", "deadline_ms": 2_500, "announcement": "switch"},
                {"rung": "human", "deadline_ms": 20_000, "announcement": "human"},
            ],
            "return": {"good_probes": 3, "dwell_s": 30},
            "budget": {"per_minute": 1_000, "live_percent": 100},
            "breaker": {"failed_percent": 50, "attempts_min": 4, "open_s": 20},
        }],
    });
    change(&mut playbook["armed"][0]);
    serde_json::from_value(playbook).expect("it has the form of a playbook")
}

pub(crate) fn arm(script: &mut Script, playbook: Playbook) {
    script.control(Control::Playbooks {
        playbooks: vec![playbook],
        armed: true,
    });
}

/// A call in the middle of an answer that it waits for; nothing fails yet.
pub(crate) fn asked(script: &mut Script, call: &str) {
    script.call(call);
    asks(script, call);
}

pub(crate) fn asks(script: &mut Script, call: &str) {
    script.caller_says(call, "are you there?");
    script.llm_starts(call, "primary-llm");
}

pub(crate) fn fails(script: &mut Script, call: &str) {
    script.error(call, Layer::Llm, "primary-llm", "connection_refused");
}

pub(crate) fn armed_script() -> Script {
    let mut script = Script::new();
    arm(&mut script, playbook(|_| {}));
    script
}

/// What policies have sent, oldest first.
pub(crate) fn orders(script: &Script) -> Vec<CommandRecord> {
    let sent = script.effects.iter().filter_map(|effect| match effect {
        Effect::Send { command, .. } if command.actor == "policy model-down" => Some(command),
        _ => None,
    });
    sent.map(|command| (**command).clone()).collect()
}

pub(crate) fn switches(script: &Script) -> Vec<(String, String)> {
    let to = |order: &CommandRecord| match &order.command {
        Command::SwitchModel { to, .. } => Some(to.clone()),
        _ => None,
    };
    orders(script)
        .iter()
        .filter_map(|order| Some((order.call.as_ref()?.to_string(), to(order)?)))
        .collect()
}

pub(crate) fn last(script: &Script) -> CommandId {
    orders(script).pop().expect("something was ordered").id
}

/// Everything that policies said of themselves.
pub(crate) fn told(script: &Script) -> Vec<String> {
    let told = script.effects.iter().filter_map(|effect| match effect {
        Effect::Append(Entry::Ladder { text, .. }) => Some(text.clone()),
        _ => None,
    });
    told.collect()
}

pub(crate) fn was_told(script: &Script, words: &str) -> bool {
    told(script).iter().any(|text| text.contains(words))
}

/// The newest order is carried out, and the next turn is well.
pub(crate) fn helps(script: &mut Script, call: &str, service: &'static str) {
    let id = last(script);
    script.answer(&id, AnswerState::Accepted);
    script.answer(&id, switched_to(service, true));
    script.agent_answers(call, service, 300);
    assert!(
        matches!(script.command_state(&id), CommandState::Proven { .. }),
        "{:?}",
        script.command_state(&id)
    );
}

pub(crate) fn probe(script: &mut Script, subject: &str) {
    script.layer_fact(
        subject,
        Some(Layer::Llm),
        Fact::ServiceLatency {
            service: "primary-llm".into(),
            metric: LatencyMetric::Ttft,
            ms: 200.0,
            probe: true,
        },
    );
}

#[test]
fn nothing_is_done_by_itself_unless_the_operator_armed_it() {
    let mut script = Script::new();
    script.control(Control::Playbooks {
        playbooks: vec![playbook(|_| {})],
        armed: false,
    });
    asked(&mut script, "c");
    fails(&mut script, "c");
    script.wait(10_000);
    assert_eq!(orders(&script), []);
    assert_eq!(told(&script), [""; 0]);
}

#[test]
fn a_failed_model_is_replaced_at_once_with_a_word_to_the_caller() {
    let mut script = armed_script();
    asked(&mut script, "c");
    let before = script.now();
    fails(&mut script, "c");
    let order = orders(&script).pop().expect("it is ordered with the error");
    assert_eq!(order.issued_at, before);
    assert_eq!(order.expect_active.as_deref(), Some("primary-llm"));
    assert_eq!(
        order.command,
        Command::SwitchModel {
            layer: Layer::Llm,
            to: "backup-llm".to_owned(),
            retry_turn: true,
            announcement: Some("Un momento.".to_owned()),
        }
    );
    helps(&mut script, "c", "backup-llm");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert!(was_told(&script, "backup-llm serves, proven"));
    assert_eq!(orders(&script).len(), 1);
}

#[test]
fn a_queue_of_its_own_goes_before_the_policy_for_all() {
    let mut script = Script::new();
    let mut both = playbook(|policy| policy["rungs"] = json!([]));
    let of_queue = playbook(|policy| policy["queues"] = json!(["billing"]));
    both.armed.extend(of_queue.armed);
    arm(&mut script, both);
    asked(&mut script, "c");
    fails(&mut script, "c");
    assert_eq!(switches(&script).len(), 1);
}

#[test]
fn a_policy_of_another_queue_leaves_the_call_alone() {
    let mut script = Script::new();
    arm(
        &mut script,
        playbook(|policy| policy["queues"] = json!(["sales"])),
    );
    asked(&mut script, "c");
    fails(&mut script, "c");
    assert_eq!(orders(&script), []);
}

/// A call with another place for the same model, and a backup.
pub(crate) fn with_ladder(
    script: &mut Script,
    change: impl FnOnce(&mut [holdfast_domain::Service]),
) {
    let mut told = started();
    told.services = vec![
        service(Layer::Llm, "primary-llm", Rung::Primary, true),
        service(Layer::Llm, "retry-llm", Rung::Retry, false),
        service(Layer::Llm, "backup-llm", Rung::Backup, false),
    ];
    change(&mut told.services);
    script.fact("c", Fact::CallStarted(Box::new(told)));
    asks(script, "c");
}

#[test]
fn rungs_are_taken_in_order_and_each_has_its_time() {
    let mut script = armed_script();
    with_ladder(&mut script, |_| {});
    fails(&mut script, "c");
    script.answer(&last(&script), switched_to("retry-llm", true));
    script.wait(1_400);
    assert_eq!(switches(&script).len(), 1, "it still has time");
    script.wait(200);
    let to: Vec<String> = switches(&script).into_iter().map(|(_, to)| to).collect();
    assert_eq!(to, ["retry-llm", "backup-llm"]);
    assert!(was_told(&script, "retry-llm did not help: no good turn"));
    helps(&mut script, "c", "backup-llm");
}

#[test]
fn a_step_that_fails_at_once_is_not_waited_for() {
    let mut script = armed_script();
    with_ladder(&mut script, |_| {});
    fails(&mut script, "c");
    script.answer(&last(&script), switched_to("retry-llm", true));
    script.error("c", Layer::Llm, "retry-llm", "http_503");
    assert_eq!(switches(&script).len(), 2);
    // Old news of the first service is no news of the last.
    fails(&mut script, "c");
    assert_eq!(switches(&script).len(), 2);
}

#[test]
fn the_announcement_takes_nothing_from_the_time_of_the_proof() {
    let mut script = armed_script();
    with_ladder(&mut script, |_| {});
    fails(&mut script, "c");
    script.answer(&last(&script), switched_to("retry-llm", true));
    script.agent_starts("c");
    script.wait(3_000);
    script.agent_stops("c");
    script.wait(1_400);
    assert_eq!(switches(&script).len(), 1);
    script.wait(200);
    assert_eq!(switches(&script).len(), 2);
}

#[test]
fn a_rung_that_cannot_serve_or_is_no_equal_is_left_out() {
    type Change = fn(&mut holdfast_domain::Service);
    let changes: [(Change, &str); 2] = [
        (|retry| retry.usable = false, "backup-llm"),
        (|retry| retry.lacks = vec![Parity::Tools], "backup-llm"),
    ];
    for (change, wanted) in changes {
        let mut script = armed_script();
        with_ladder(&mut script, |services| change(&mut services[1]));
        fails(&mut script, "c");
        assert_eq!(switches(&script), [("c".to_owned(), wanted.to_owned())]);
    }
    let mut script = armed_script();
    // What the policy does not ask for may differ.
    with_ladder(&mut script, |services| {
        services[1].lacks = vec![Parity::Voice];
    });
    fails(&mut script, "c");
    assert_eq!(switches(&script)[0].1, "retry-llm");
}

#[test]
fn what_cannot_be_done_is_told_with_every_reason() {
    let mut script = armed_script();
    with_ladder(&mut script, |services| {
        services[1].usable = false;
        services[2].lacks = vec![Parity::Language];
    });
    fails(&mut script, "c");
    assert_eq!(
        told(&script),
        [
            "not switched: retry-llm cannot serve, backup-llm lacks the same language, no human is \
             there; route to humans"
        ]
    );
    assert!(script.next("c").contains("retry-llm cannot serve"));
    script.wait(5_000);
    assert_eq!(told(&script).len(), 1, "it is told once");
}

#[test]
fn a_rung_above_the_one_on_which_the_call_stands_is_no_step() {
    let mut script = armed_script();
    with_ladder(&mut script, |services| {
        services[0].active = false;
        services[2].active = true;
    });
    script.llm_starts("c", "backup-llm");
    script.error("c", Layer::Llm, "backup-llm", "http_503");
    assert_eq!(switches(&script), []);
    assert!(
        was_told(&script, "no human is there"),
        "{:?}",
        told(&script)
    );
}

#[test]
fn the_last_rung_asks_for_a_human_and_tells_the_caller() {
    let mut script = armed_script();
    script.human("abe");
    with_ladder(&mut script, |services| {
        services[1].usable = false;
        services[2].usable = false;
    });
    fails(&mut script, "c");
    let order = orders(&script).pop().expect("the caller is told");
    assert_eq!(
        order.command,
        Command::Announce {
            text: "Espere 1.".to_owned(),
            language: "es-MX".to_owned()
        }
    );
    let handoff = script.handoff();
    assert_eq!(handoff.reason, HandoffReason::LadderEnded);
    assert_eq!(handoff.requested_by, "policy model-down");
    assert_eq!(script.handoffs().len(), 1);
}

#[test]
fn a_persons_order_goes_first() {
    let mut script = armed_script();
    asked(&mut script, "c");
    let id = script.act_on(crate::script::switch(None), "c");
    fails(&mut script, "c");
    assert_eq!(orders(&script), []);
    script.answer(&id, switched_to("backup-llm", true));
    assert_eq!(orders(&script), [], "it waits for the proof");
}

#[test]
fn a_bridge_that_cannot_switch_is_not_asked_to() {
    let mut script = armed_script();
    let mut told_of = started();
    let mut can = capabilities();
    can.retain(|capability| capability.name != "switch_model");
    told_of.capabilities = Some(can);
    script.fact("c", Fact::CallStarted(Box::new(told_of)));
    asks(&mut script, "c");
    fails(&mut script, "c");
    assert_eq!(orders(&script), []);
    assert!(was_told(&script, "this platform cannot switch"));
}

/// A call that was moved to its backup and is well there.
pub(crate) fn moved() -> Script {
    let mut script = armed_script();
    asked(&mut script, "c");
    fails(&mut script, "c");
    helps(&mut script, "c", "backup-llm");
    script
}

#[test]
fn a_call_goes_back_after_its_dwell_and_good_probes() {
    let mut script = moved();
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.wait(20_000);
    assert_eq!(switches(&script).len(), 1, "the dwell is not over");
    script.wait(15_000);
    let (_, to) = switches(&script).pop().expect("it goes back");
    assert_eq!((switches(&script).len(), to.as_str()), (2, "primary-llm"));
    script.answer(&last(&script), switched_to("primary-llm", false));
    script.good_turn("c");
    assert!(was_told(&script, "back on its primary, proven"));
    assert_eq!(
        script.anomalies(holdfast_domain::AnomalyKind::UnknownCall),
        0
    );
}

#[test]
fn without_good_probes_in_a_row_a_call_stays_where_it_is() {
    let mut script = moved();
    for _ in 0..2 {
        probe(&mut script, "c");
    }
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    probe(&mut script, "c");
    script.wait(60_000);
    assert_eq!(switches(&script).len(), 1);
    for _ in 0..2 {
        probe(&mut script, "c");
    }
    script.wait(10_000);
    assert_eq!(switches(&script).len(), 2);
}

#[test]
fn good_turns_of_other_calls_are_probes() {
    let mut script = moved();
    script.call("d");
    for _ in 0..3 {
        script.good_turn("d");
    }
    script.wait(40_000);
    assert_eq!(switches(&script).pop().unwrap().1, "primary-llm");
}

#[test]
fn no_call_flips_twice() {
    let mut script = moved();
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.wait(35_000);
    script.answer(&last(&script), switched_to("primary-llm", false));
    script.good_turn("c");
    // The primary flaps: the call is moved away from it once more, and stays.
    asks(&mut script, "c");
    fails(&mut script, "c");
    assert_eq!(switches(&script).len(), 3);
    helps(&mut script, "c", "backup-llm");
    for _ in 0..9 {
        probe(&mut script, "*");
    }
    script.wait(120_000);
    assert_eq!(switches(&script).len(), 3, "{:?}", told(&script));
}

#[test]
fn a_call_goes_back_only_between_turns() {
    let mut script = moved();
    script.wait(29_000);
    script.caller_says("c", "and my order?");
    script.llm_starts("c", "backup-llm");
    for _ in 0..3 {
        probe(&mut script, "*");
    }
    script.wait(1_500);
    assert_eq!(switches(&script).len(), 1, "a turn waits for its answer");
    script.agent_answers("c", "backup-llm", 100);
    script.wait(6_000);
    assert_eq!(switches(&script).len(), 2);
}

/// Calls that all fail at once.
pub(crate) fn storm(script: &mut Script, calls: &[&str]) {
    for call in calls {
        script.call(call);
    }
    for call in calls {
        script.caller_sounds(call, 300);
        script.llm_starts(call, "primary-llm");
        fails(script, call);
    }
}

pub(crate) const CALLS: [&str; 8] = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"];

#[test]
fn a_storm_is_held_by_the_budget_of_a_minute() {
    let mut script = Script::new();
    arm(
        &mut script,
        playbook(|policy| policy["budget"]["per_minute"] = json!(3)),
    );
    storm(&mut script, &CALLS);
    assert_eq!(switches(&script).len(), 3);
    assert!(was_told(
        &script,
        "not switched: the budget of 3 steps a minute is used up"
    ));
    assert!(script.next("c8").contains("the budget of 3"));
    script.wait(10_000);
    assert_eq!(switches(&script).len(), 3, "the minute is not over");
}

#[test]
fn a_storm_is_held_by_the_share_of_live_calls() {
    let mut script = Script::new();
    arm(
        &mut script,
        playbook(|policy| policy["budget"]["live_percent"] = json!(25)),
    );
    storm(&mut script, &CALLS);
    assert_eq!(switches(&script).len(), 2);
    assert!(was_told(&script, "more than 25 percent may not be"));
    // A call that ends makes room for another.
    script.end("c1");
    script.end("c2");
    script.wait(1_100);
    assert_eq!(switches(&script).len(), 3, "25 percent of six calls is one");
}

pub(crate) fn does_not_help(script: &mut Script, id: &CommandId) {
    let kind = holdfast_domain::RejectionKind::TargetUnusable;
    script.answer(id, AnswerState::Rejected(kind, "it is gone".to_owned()));
}

#[test]
fn the_breaker_opens_tries_with_one_call_and_closes_when_that_helps() {
    let mut script = armed_script();
    storm(&mut script, &CALLS[..4]);
    for order in orders(&script) {
        does_not_help(&mut script, &order.id);
    }
    assert!(was_told(&script, "stops for 20 s"), "{:?}", told(&script));
    let before = switches(&script).len();
    storm(&mut script, &CALLS[4..6]);
    assert_eq!(switches(&script).len(), before, "it is open");
    assert!(was_told(&script, "too many steps of this policy failed"));
    script.wait(21_000);
    assert_eq!(switches(&script).len(), before + 1, "one call tries");
    let (call, _) = switches(&script).pop().unwrap();
    helps(&mut script, &call, "backup-llm");
    script.wait(1_100);
    assert_eq!(switches(&script).len(), before + 2, "it is closed again");
}

#[test]
fn a_trial_that_fails_opens_the_breaker_again() {
    let mut script = armed_script();
    storm(&mut script, &CALLS[..4]);
    for order in orders(&script) {
        does_not_help(&mut script, &order.id);
    }
    storm(&mut script, &CALLS[4..6]);
    let before = switches(&script).len();
    script.wait(21_000);
    assert_eq!(switches(&script).len(), before + 1);
    let trial = last(&script);
    does_not_help(&mut script, &trial);
    script.wait(10_000);
    assert_eq!(switches(&script).len(), before + 1);
    script.wait(12_000);
    assert_eq!(switches(&script).len(), before + 2);
}

#[test]
fn the_red_lever_stops_all_of_it() {
    let mut script = armed_script();
    let lever = |on| Request::Lever {
        on,
        reason: "stop".to_owned(),
    };
    asked(&mut script, "c");
    script.ask(&supervisor(), lever(true));
    fails(&mut script, "c");
    script.wait(10_000);
    assert_eq!(orders(&script), []);
    script.ask(&supervisor(), lever(false));
    asked(&mut script, "d");
    fails(&mut script, "d");
    assert_eq!(orders(&script).len(), 1, "without the lever");
}

#[test]
fn orders_of_policies_survive_a_restart_and_are_not_given_twice() {
    let mut script = Script::with_config(Config::default());
    arm(&mut script, playbook(|_| {}));
    asked(&mut script, "c");
    fails(&mut script, "c");
    let id = last(&script);
    script.control(Control::Restarted);
    script.connect(BRIDGE, "epoch-1");
    assert_eq!(script.sent(&id), 2, "the same order, under the same id");
    script.answer(&id, switched_to("backup-llm", true));
    assert_eq!(switches(&script).len(), 2);
    script.agent_answers("c", "backup-llm", 300);
    assert!(matches!(
        script.command_state(&id),
        CommandState::Proven { .. }
    ));
}
