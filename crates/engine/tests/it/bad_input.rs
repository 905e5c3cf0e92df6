//! Platforms that say what cannot be: it is counted where it can be seen, and nothing turns green.

use holdfast_domain::fact::{Effect, Fact, FactEnvelope, LatencyMetric, Speaker, SwitchCause};
use holdfast_domain::{
    AnomalyKind, Layer, LayerState, NeedLevel, Rung, SourceId, Timestamp, UtteranceRole,
};
use proptest::prelude::*;

use crate::script::{BRIDGE, Script, Told, service, started, tool};

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

/// A fact with a number and moments of its own.
fn raw(
    script: &mut Script,
    sequence: u64,
    time: Timestamp,
    recorded: Timestamp,
    fact: Fact<'static>,
) {
    let envelope = FactEnvelope {
        id: format!("raw{sequence}-{}", recorded.as_millis()).into(),
        subject: "c".into(),
        time,
        recorded,
        sequence,
        layer: None,
        cause: None,
        fact,
    };
    script.tell(Told::Fact(SourceId::new(BRIDGE), Box::new(envelope)));
}

#[test]
fn every_negative_and_endless_number_is_counted_and_changes_nothing() {
    let numbers = || {
        let latency = |ms| Fact::ServiceLatency {
            service: "primary-llm".into(),
            metric: LatencyMetric::Ttft,
            ms,
            probe: false,
        };
        let quality = |rtt_ms, jitter_ms, loss| Fact::TransportQuality {
            rtt_ms,
            jitter_ms,
            loss,
        };
        vec![
            Fact::TurnEnded {
                turn: 1,
                duration_ms: -1,
                interrupted: false,
            },
            Fact::ToolCompleted {
                tool: tool("t1"),
                duration_ms: -1,
                result: None,
                effect: Some(Effect::Committed),
            },
            Fact::TurnLatency { total_ms: -1 },
            latency(-0.5),
            latency(f64::NAN),
            latency(f64::INFINITY),
            quality(-1.0, 0.0, 0.0),
            quality(0.0, -1.0, 0.0),
            quality(0.0, 0.0, 1.5),
            Fact::PipelineStalled { secs: -3.0 },
            Fact::PipelineIdle { secs: f64::NAN },
        ]
    };
    let mut script = good_call();
    let before = script.summary("c").layers;
    let mut count = 0;
    for fact in numbers() {
        script.fact("c", fact.clone());
        count += 1;
        assert_eq!(script.anomalies(AnomalyKind::Impossible), count, "{fact:?}");
    }
    assert_eq!(script.summary("c").layers, before);
}

#[test]
fn facts_about_calls_that_nobody_told_of_make_no_call() {
    let mut script = good_call();
    script.fact(
        "nobody",
        Fact::SpeechStarted {
            actor: Speaker::Caller,
        },
    );
    script.transcript("nobody", UtteranceRole::Caller, "hello in there");
    script.end("nobody");
    assert_eq!(script.anomalies(AnomalyKind::UnknownCall), 3);
    assert_eq!(script.engine.call_ids().count(), 1);
}

#[test]
fn two_services_that_both_claim_a_layer_are_survived_and_the_worker_counts() {
    let mut script = Script::new();
    let mut told = started();
    told.services = vec![
        service(Layer::Llm, "primary-llm", Rung::Primary, true),
        service(Layer::Llm, "backup-llm", Rung::Backup, true),
    ];
    script.fact("c", Fact::CallStarted(Box::new(told)));
    assert_eq!(script.state("c", Layer::Llm), LayerState::Unknown);
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "backup-llm");
    script.error("c", Layer::Llm, "backup-llm", "http_503");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Failed);
    script.wait(6_000);
    assert!(script.need("c").level >= NeedLevel::Warn);
}

#[test]
fn an_error_of_a_service_that_was_never_named_is_counted_and_the_silence_is_still_told() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.error("c", Layer::Llm, "somebody-else", "http_503");
    assert_eq!(script.anomalies(AnomalyKind::Impossible), 1);
    script.wait(5_500);
    assert_eq!(script.summary("c").failed_turns, 1);
    assert_eq!(script.need("c").level, NeedLevel::Warn);
}

#[test]
fn a_switch_between_services_that_nobody_named_turns_nothing_green() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.switched("c", "left", "right", SwitchCause::Failover);
    assert_ne!(script.state("c", Layer::Llm), LayerState::Healthy);
}

#[test]
fn clocks_that_jump_both_ways_neither_panic_nor_make_a_call_wait_for_years() {
    const DAY_MS: i64 = 86_400_000;
    let mut script = good_call();
    for (n, jump) in [
        DAY_MS,
        -DAY_MS,
        40 * DAY_MS,
        -40 * DAY_MS,
        i64::MAX / 4,
        i64::MIN / 4,
    ]
    .into_iter()
    .enumerate()
    {
        let moment = Timestamp::from_millis(script.now().as_millis().saturating_add(jump));
        let actor = if n % 2 == 0 {
            Speaker::Caller
        } else {
            Speaker::Agent
        };
        raw(
            &mut script,
            1_000 + n as u64,
            moment,
            moment,
            Fact::SpeechStarted { actor },
        );
        raw(
            &mut script,
            1_100 + n as u64,
            moment,
            moment,
            Fact::SpeechStopped { actor },
        );
    }
    assert!(script.anomalies(AnomalyKind::ClockJump) > 0);
    assert!(script.anomalies(AnomalyKind::Impossible) > 0);
    script.caller_says("c", "is anybody there");
    script.wait(30_000);
    assert!(script.need("c").level >= NeedLevel::Warn);
    let summary = script.summary("c");
    for (layer, health) in summary.layers.iter() {
        let age = script.now().since(health.since);
        let is_known = health.state != LayerState::Unknown;
        assert!(!is_known || (0..=DAY_MS).contains(&age), "{layer:?}: {age}");
    }
    assert!(script.now().since(summary.last_fact_at) <= DAY_MS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Moments, numbers and texts of any kind: nothing panics, and the script's own checks hold.
    #[test]
    fn any_moment_any_number_and_any_text_are_survived(
        facts in prop::collection::vec(
            (any::<u64>(), any::<i64>(), any::<i64>(), 0_usize..8, any::<f64>(), 0_usize..4, 0_i64..3_000),
            1..60,
        )
    ) {
        const TEXTS: [&str; 4] = ["", "?", "¿dónde está mi pedido número cuatro?", "您的订单号是多少？"];
        let mut script = good_call();
        for (sequence, time, recorded, kind, number, text, wait) in facts {
            let said = |role| Fact::TranscriptFinal {
                role,
                text: TEXTS[text].into(),
                language: None,
                turn: None,
                interrupted: false,
                unspoken: None,
            };
            let fact = match kind {
                0 => Fact::SpeechStarted { actor: Speaker::Caller },
                1 => Fact::SpeechStopped { actor: Speaker::Caller },
                2 => Fact::SpeechStarted { actor: Speaker::Agent },
                3 => Fact::SpeechStopped { actor: Speaker::Agent },
                4 => said(UtteranceRole::Caller),
                5 => said(UtteranceRole::Agent),
                6 => Fact::PipelineStalled { secs: number },
                _ => Fact::TransportQuality { rtt_ms: number, jitter_ms: number, loss: number },
            };
            let (time, recorded) = (Timestamp::from_millis(time), Timestamp::from_millis(recorded));
            raw(&mut script, sequence, time, recorded, fact);
            script.wait(wait);
        }
        script.check_replay();
    }
}
