//! The share of turns with a fault, of what serves many calls.

use holdfast_domain::fact::{Fact, SwitchCause};
use holdfast_domain::{
    ActVerb, CallId, CauseState, Layer, LayerState, NeedLevel, Record, Rung, SignalKind,
};
use holdfast_engine::{Config, Effect, QueueLimits, Shown};

use crate::script::{Script, service, started, switched_to};

/// Calls with vendor A; another one is with vendor B.
const CALLS: [&str; 4] = ["a", "b", "c", "d"];

fn platform() -> Script {
    let mut script = Script::new();
    begin(&mut script);
    script
}

fn begin(script: &mut Script) {
    for call in CALLS {
        script.call(call);
    }
    let mut told = started();
    told.services = vec![
        service(Layer::Asr, "primary-asr", Rung::Primary, true),
        service(Layer::Llm, "primary-llm", Rung::Primary, true),
        service(Layer::Tts, "primary-tts", Rung::Primary, true),
    ];
    "Vendor B".clone_into(&mut told.services[1].provider);
    script.fact("other", Fact::CallStarted(Box::new(told)));
}

/// A turn whose model fails; the next one answers.
fn bad_turn(script: &mut Script, call: &str) {
    script.caller_says(call, "hello?");
    script.llm_starts(call, "primary-llm");
    script.error(call, Layer::Llm, "primary-llm", "http_503");
    script.wait(200);
}

fn kind(script: &Script, call: &str, layer: Layer) -> Option<SignalKind> {
    script.layer(call, layer).evidence.map(|found| found.kind)
}

/// Every second turn of vendor A fails, on two calls in turn, until it is told on the others; how
/// many turns.
fn until_told(script: &mut Script) -> usize {
    for n in 0..20 {
        let (bad, good) = [("a", "c"), ("b", "d")][n / 2 % 2];
        if n % 2 == 0 {
            bad_turn(script, bad);
        } else {
            script.good_turn(good);
        }
        if kind(script, "c", Layer::Llm) == Some(SignalKind::FaultRate) {
            return n + 1;
        }
    }
    panic!("it is never told");
}

#[test]
fn a_calm_call_whose_vendor_fails_every_second_turn_is_on_watch() {
    let mut script = platform();
    script.good_turn("other");
    let turns = until_told(&mut script);
    assert!(turns <= 10, "{turns}");

    // It has not had a turn of its own since it began.
    script.call("new");
    assert_eq!(script.state("new", Layer::Llm), LayerState::Degraded);
    let why = script.why("new", Layer::Llm);
    assert!(
        why.starts_with("the next answer is in danger: every second turn with LLM of Vendor A"),
        "{why}"
    );
    assert!(why.contains("in eu-west fails, 4 of the last"), "{why}");
    let need = script.need("new");
    assert_eq!((need.level, need.reason), (NeedLevel::Watch, why));

    assert_eq!(kind(&script, "other", Layer::Llm), None);
    assert_eq!(kind(&script, "new", Layer::Tts), None);
    assert_eq!(script.need("other").level, NeedLevel::Calm);
}

#[test]
fn a_good_turn_of_one_call_does_not_end_it_and_many_do() {
    let mut script = platform();
    until_told(&mut script);
    script.call("new");
    script.good_turn("new");
    assert_eq!(
        kind(&script, "new", Layer::Llm),
        Some(SignalKind::FaultRate)
    );
    for n in 0..23 {
        script.good_turn(["a", "b", "c", "d", "new"][n % 5]);
    }
    for call in ["c", "d", "new"] {
        assert_eq!(
            script.state(call, Layer::Llm),
            LayerState::Healthy,
            "{call}"
        );
        assert_eq!(script.need(call).level, NeedLevel::Calm, "{call}");
    }
}

#[test]
fn what_is_known_better_is_shown_anew_on_calls_that_are_on_watch() {
    let mut script = platform();
    until_told(&mut script);
    let row = |script: &Script| script.need("c").reason;
    let before = row(&script);
    let of_c = Effect::Show(Shown::Call(CallId::new("c")));
    for n in 0..20 {
        let before_it = script.effects.len();
        if n % 2 == 0 {
            bad_turn(&mut script, ["a", "b"][n / 2 % 2]);
        } else {
            script.good_turn("d");
        }
        if row(&script) != before {
            assert!(script.effects[before_it..].contains(&of_c), "turn {n}");
            return;
        }
    }
    panic!("what is known never becomes better");
}

#[test]
fn one_call_that_fails_again_and_again_puts_no_other_on_watch() {
    let mut script = platform();
    for _ in 0..12 {
        bad_turn(&mut script, "a");
        script.good_turn("a");
    }
    assert_eq!(kind(&script, "b", Layer::Llm), None);
}

#[test]
fn a_call_that_another_service_serves_now_is_off_watch_and_one_that_comes_is_on() {
    let mut script = platform();
    until_told(&mut script);
    script.call("new");
    let mut told = started();
    told.services = vec![
        service(Layer::Llm, "primary-llm", Rung::Primary, false),
        service(Layer::Llm, "backup-llm", Rung::Backup, true),
    ];
    "Vendor B".clone_into(&mut told.services[1].provider);
    script.fact("away", Fact::CallStarted(Box::new(told)));
    assert_eq!(kind(&script, "away", Layer::Llm), None);
    script.good_turn_by("away", "primary-llm");
    // The platform's own failover back to vendor A has its own words; a good turn ends those.
    script.good_turn_by("away", "primary-llm");
    assert_eq!(
        kind(&script, "away", Layer::Llm),
        Some(SignalKind::FaultRate)
    );
    script.good_turn_by("away", "backup-llm");
    script.good_turn_by("away", "backup-llm");
    assert_eq!(script.state("away", Layer::Llm), LayerState::Healthy);
}

#[test]
fn it_covers_no_failure_of_the_calls_own() {
    let mut script = platform();
    until_told(&mut script);
    script.call("new");
    bad_turn(&mut script, "new");
    assert_eq!(
        kind(&script, "new", Layer::Llm),
        Some(SignalKind::ServiceError)
    );
    // It is told again when twice as many turns failed.
    for call in ["a", "b", "a", "b"] {
        bad_turn(&mut script, call);
    }
    assert_eq!(
        kind(&script, "new", Layer::Llm),
        Some(SignalKind::UnansweredTurn)
    );
    assert_eq!(script.state("new", Layer::Llm), LayerState::Failed);
    // The error's turn and the next one: the call itself is well, its vendor is not.
    script.good_turn("new");
    script.good_turn("new");
    assert_eq!(
        kind(&script, "new", Layer::Llm),
        Some(SignalKind::FaultRate)
    );
}

#[test]
fn a_turn_that_goes_well_is_not_tried_again_because_its_vendor_fails_elsewhere() {
    let mut script = platform();
    until_told(&mut script);
    script.call("new");
    script.caller_says("new", "I want to change my order please");
    let switch = crate::script::switch(Some("backup-llm"));
    assert!(matches!(switch, ActVerb::SwitchModel { .. }));
    let command = script.act_on(switch, "new");
    let sent = script.command(&command);
    assert!(
        format!("{:?}", sent.command).contains("retry_turn: false"),
        "{:?}",
        sent.command
    );
    script.answer(&command, switched_to("backup-llm", false));
}

fn states(script: &Script) -> Vec<CauseState> {
    let of_llm = |record| match record {
        Record::Cause { cause } if cause.layer == Layer::Llm => Some(cause.state),
        _ => None,
    };
    let records = script.engine.records();
    records.into_iter().filter_map(of_llm).collect()
}

#[test]
fn calls_that_are_only_on_watch_keep_no_cause_alive() {
    let mut script = platform();
    for call in CALLS {
        bad_turn(&mut script, call);
    }
    script.wait(600);
    assert_eq!(states(&script), [CauseState::Active]);
    // Five calls, so that none says the same in each of its turns.
    for _ in 0..3 {
        for call in ["a", "b", "c", "d", "other"] {
            script.good_turn(call);
        }
    }
    for call in CALLS {
        assert_eq!(kind(&script, call, Layer::Llm), Some(SignalKind::FaultRate));
    }
    assert_eq!(states(&script), [CauseState::Closed]);
}

#[test]
fn a_tool_that_fails_half_of_the_time_is_told_to_those_that_use_it() {
    let mut script = platform();
    for n in 0..8 {
        let call = CALLS[n % CALLS.len()];
        script.caller_says(call, "Where is my parcel");
        script.llm_starts(call, "primary-llm");
        script.llm_ends(call, 0, 1);
        script.tool_starts(call, "t", false);
        if n % 2 == 0 {
            script.tool_fails(call, "t");
        } else {
            script.tool_completes(call, "t");
        }
        script.agent_answers(call, "primary-llm", 300);
        script.wait(500);
    }
    // Calls b and d used it well each time.
    let why = script.why("b", Layer::Tools);
    assert!(
        why.contains("every second turn with tool track_order fails"),
        "{why}"
    );
    assert_eq!(script.need("b").level, NeedLevel::Watch);
    assert_eq!(kind(&script, "other", Layer::Tools), None);
}

#[test]
fn a_flow_whose_dialogue_stands_still_is_told_to_its_calls() {
    let mut script = Script::new();
    for (call, flow) in [
        ("a", "refund"),
        ("b", "refund"),
        ("c", "refund"),
        ("d", "status"),
    ] {
        let mut told = started();
        told.flow = Some(flow.into());
        script.fact(call, Fact::CallStarted(Box::new(told)));
    }
    for n in 0..4 {
        let call = ["a", "b"][n % 2];
        script.caller_says(call, "I want to change my order please");
        script.layer_fact(
            call,
            Some(Layer::Orchestration),
            Fact::PipelineStalled { secs: 2.0 },
        );
        script.good_turn(call);
    }
    let why = script.why("c", Layer::Orchestration);
    assert!(why.contains("in flow refund fails"), "{why}");
    assert_eq!(kind(&script, "d", Layer::Orchestration), None);
}

#[test]
fn what_nobody_used_for_long_is_forgotten_at_its_time() {
    let mut script = platform();
    until_told(&mut script);
    let forget_ms = Config::default().fault_rate.forget_ms;
    for call in CALLS {
        script.end(call);
    }
    script.call("new");
    assert_eq!(
        kind(&script, "new", Layer::Llm),
        Some(SignalKind::FaultRate)
    );
    for _ in 0..forget_ms / 20_000 {
        script.wait(20_000);
        script.fact("new", Fact::TurnStarted { turn: 1 });
    }
    assert_eq!(script.state("new", Layer::Llm), LayerState::Unknown);
}

#[test]
fn a_queue_may_want_none_of_it() {
    let mut config = Config::default();
    let own = QueueLimits {
        is_put_on_watch: Some(false),
        ..QueueLimits::default()
    };
    config.queues.insert("billing".to_owned(), own);
    let mut script = Script::with_config(config);
    begin(&mut script);
    for n in 0..12 {
        bad_turn(&mut script, CALLS[n % CALLS.len()]);
    }
    script.call("new");
    assert_eq!(kind(&script, "new", Layer::Llm), None);
}

#[test]
fn a_caller_who_hangs_up_on_a_calm_call_that_is_on_watch_ends_no_call_abruptly() {
    let mut script = platform();
    until_told(&mut script);
    script.call("new");
    script.end("new");
    let ended = script.engine.queue_patterns();
    let abrupt: u64 = ended.iter().map(|queue| queue.ended_abruptly).sum();
    assert_eq!(abrupt, 0, "{ended:?}");
}

#[test]
fn a_turn_that_failed_and_is_answered_after_all_is_one_failed_turn() {
    let mut script = platform();
    for n in 0..4 {
        let call = ["a", "b"][n % 2];
        script.caller_says(call, "I want to change my order please");
        script.llm_starts(call, "primary-llm");
        script.wait(5_100);
        script.llm_ends(call, 40, 0);
        script.agent_starts(call);
        script.wait(500);
        script.agent_stops(call);
    }
    let why = script.why("c", Layer::Llm);
    assert!(why.contains("nearly every turn"), "{why}");
    assert!(why.contains("fails, 4 of the last 4"), "{why}");
}

#[test]
fn news_of_a_failure_that_comes_after_its_switch_is_of_the_service_that_failed() {
    let mut script = Script::new();
    let begin = |script: &mut Script, call: &str, is_moved: bool| {
        let mut told = started();
        told.services = vec![
            service(Layer::Llm, "primary-llm", Rung::Primary, !is_moved),
            service(Layer::Llm, "backup-llm", Rung::Backup, is_moved),
        ];
        "Vendor B".clone_into(&mut told.services[1].provider);
        script.fact(call, Fact::CallStarted(Box::new(told)));
    };
    begin(&mut script, "stays", false);
    begin(&mut script, "moved", true);
    for call in ["a", "b", "c", "d", "e"] {
        begin(&mut script, call, false);
        script.caller_says(call, "I want to change my order please");
        script.llm_starts(call, "primary-llm");
        script.switched(call, "primary-llm", "backup-llm", SwitchCause::Failover);
        script.error(call, Layer::Llm, "primary-llm", "http_503");
        script.agent_answers(call, "backup-llm", 300);
    }
    assert_eq!(
        kind(&script, "stays", Layer::Llm),
        Some(SignalKind::FaultRate)
    );
    assert_eq!(kind(&script, "moved", Layer::Llm), None);
}
