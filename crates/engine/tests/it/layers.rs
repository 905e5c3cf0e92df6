//! Each layer: how it falls, what it says, what heals it.

use holdfast_domain::fact::{CallUpdated, Fact};
use holdfast_domain::{
    AnomalyKind, Layer, LayerState, NeedLevel, Rung, SignalKind, ToolState, UtteranceRole,
};

use crate::script::{Script, tool};

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

#[test]
fn nothing_is_green_before_it_worked() {
    let mut script = Script::new();
    script.call("c");
    script.wait(5_000);
    for (layer, health) in script.summary("c").layers.iter() {
        assert_eq!(health.state, LayerState::Unknown, "{layer:?}");
    }
}

#[test]
fn an_error_fails_the_layer_that_it_names_and_is_healed_by_a_good_turn() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.error("c", Layer::Tts, "primary-tts", "connection_refused");
    assert_eq!(
        script.why("c", Layer::Tts),
        "the caller waits for an answer: TTS primary-tts refused the connection"
    );
    assert_eq!(
        script.need("c").level,
        NeedLevel::Warn,
        "failed while the caller waits"
    );
    script.llm_starts("c", "primary-llm");
    script.agent_starts("c");
    assert_eq!(
        script.state("c", Layer::Tts),
        LayerState::Healthy,
        "audio is audio"
    );
}

#[test]
fn evidence_never_holds_what_the_platform_wrote_in_free_text() {
    let mut script = good_call();
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    assert!(!script.why("c", Layer::Llm).contains("Maria"));
}

#[test]
fn an_unusable_service_is_told_as_such_and_is_no_way_out() {
    let mut script = good_call();
    script.layer_fact(
        "c",
        Some(Layer::Llm),
        Fact::ServiceAvailabilityChanged {
            service: "backup-llm".into(),
            available: false,
            reason: None,
        },
    );
    assert_eq!(
        script.state("c", Layer::Llm),
        LayerState::Healthy,
        "it did not serve"
    );
    script.layer_fact(
        "c",
        Some(Layer::Llm),
        Fact::ServiceAvailabilityChanged {
            service: "primary-llm".into(),
            available: false,
            reason: None,
        },
    );
    let llm = script.layer("c", Layer::Llm);
    assert_eq!(llm.state, LayerState::Failed);
    assert_eq!(
        llm.evidence.expect("told").kind,
        SignalKind::ServiceUnavailable
    );
    assert_eq!(script.next("c"), "the next turn uses primary-llm again");
}

#[test]
fn an_empty_answer_is_the_models_failure() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 0);
    let llm = script.layer("c", Layer::Llm);
    assert_eq!(llm.state, LayerState::Failed);
    assert_eq!(llm.evidence.expect("told").kind, SignalKind::EmptyAnswer);
    script.wait(3_100);
    assert_eq!(
        script.why("c", Layer::Llm),
        "silent for over 3 s: LLM primary-llm answered with nothing, no retry"
    );
}

#[test]
fn truncated_speech_is_healed_by_a_whole_utterance_only() {
    let mut script = good_call();
    let say = |unspoken: Option<&'static str>, interrupted| Fact::TranscriptFinal {
        role: UtteranceRole::Agent,
        text: "Your order arrives on Friday".into(),
        language: None,
        turn: None,
        interrupted,
        unspoken: unspoken.map(Into::into),
    };
    script.fact("c", say(Some("on Friday"), true));
    assert_eq!(
        script.state("c", Layer::Tts),
        LayerState::Healthy,
        "the caller cut it short"
    );
    script.fact("c", say(Some("on Friday"), false));
    let tts = script.layer("c", Layer::Tts);
    assert_eq!(tts.state, LayerState::Degraded);
    assert_eq!(tts.evidence.expect("told").kind, SignalKind::Truncated);
    script.caller_says("c", "what did you say?");
    script.llm_starts("c", "primary-llm");
    script.agent_starts("c");
    assert_eq!(script.state("c", Layer::Tts), LayerState::Degraded);
    script.agent_stops("c");
    script.fact("c", say(None, false));
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

#[test]
fn a_tool_fails_and_another_use_of_it_heals() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.tool_starts("c", "t1", true);
    script.tool_fails("c", "t1");
    assert_eq!(
        script.why("c", Layer::Tools),
        "the caller's request is not done: tool track_order timed out"
    );
    script.agent_answers("c", "primary-llm", 300);
    assert_eq!(
        script.state("c", Layer::Tools),
        LayerState::Degraded,
        "talked around"
    );
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    script.tool_starts("c", "t2", false);
    script.tool_completes("c", "t2");
    assert_eq!(script.state("c", Layer::Tools), LayerState::Healthy);
    let card = script.detail("c").card;
    assert_eq!(card.tools.len(), 2);
    assert_eq!(card.tools[0].state, ToolState::Failed);
    assert_eq!(
        card.tools[0].effect,
        holdfast_domain::fact::Effect::Unknown,
        "a write that failed is in doubt"
    );
}

#[test]
fn a_tool_that_does_not_end_is_late_and_then_failing() {
    let mut script = good_call();
    script.agent_is("c", holdfast_domain::fact::AgentActivity::Tools);
    script.tool_starts("c", "t1", false);
    assert_eq!(
        script.summary("c").tool_running.expect("it runs").0,
        "track_order"
    );
    script.wait(4_900);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Unknown);
    script.wait(200);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Degraded);
    script.wait(5_000);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Failed);
    assert_eq!(
        script.why("c", Layer::Tools),
        "the caller waits for a tool: track_order has not ended for over 10 s"
    );
    script.layer_fact(
        "c",
        Some(Layer::Tools),
        Fact::ToolCancelled { tool: tool("t1") },
    );
    assert_eq!(script.summary("c").tool_running, None);
}

#[test]
fn the_network_falls_by_quality_and_by_loss_of_the_caller() {
    let mut script = good_call();
    let quality = |loss| Fact::TransportQuality {
        rtt_ms: 40.0,
        jitter_ms: 5.0,
        loss,
    };
    script.fact("c", quality(0.06));
    assert_eq!(script.state("c", Layer::Network), LayerState::Degraded);
    script.fact("c", quality(0.2));
    assert_eq!(script.state("c", Layer::Network), LayerState::Failed);
    script.fact("c", quality(0.06));
    assert_eq!(
        script.state("c", Layer::Network),
        LayerState::Degraded,
        "milder again"
    );
    script.good_turn("c");
    assert_eq!(
        script.state("c", Layer::Network),
        LayerState::Degraded,
        "a turn proves no line"
    );
    script.fact("c", quality(0.0));
    assert_eq!(script.state("c", Layer::Network), LayerState::Healthy);
    script.fact(
        "c",
        Fact::TransportDisconnected {
            reason: "ice".into(),
        },
    );
    assert_eq!(script.need("c").level, NeedLevel::Warn);
    script.wait(10_100);
    assert_eq!(script.need("c").level, NeedLevel::Critical);
    script.fact(
        "c",
        Fact::TransportReconnected {
            reason: "ice".into(),
        },
    );
    assert_eq!(script.state("c", Layer::Network), LayerState::Healthy);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn a_stalled_pipeline_and_a_lost_worker_are_healed_by_a_turn() {
    let mut script = good_call();
    script.fact("c", Fact::PipelineStalled { secs: 4.0 });
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Failed);
    script.fact(
        "c",
        Fact::WorkerLost {
            worker: "w-7".into(),
            region: None,
        },
    );
    assert_eq!(script.state("c", Layer::Infrastructure), LayerState::Failed);
    script.good_turn("c");
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
    assert_eq!(
        script.state("c", Layer::Infrastructure),
        LayerState::Healthy
    );
}

#[test]
fn a_worker_that_nobody_places_degrades_the_calls_of_its_region() {
    let mut script = good_call();
    let lost = |region: &'static str| Fact::WorkerLost {
        worker: "w-7".into(),
        region: Some(region.into()),
    };
    script.fact("*", lost("us-east"));
    assert_eq!(
        script.state("c", Layer::Infrastructure),
        LayerState::Healthy
    );
    script.fact("*", lost("eu-west"));
    assert_eq!(
        script.state("c", Layer::Infrastructure),
        LayerState::Degraded
    );
}

#[test]
fn the_ladder_shows_the_worst_rung_that_serves() {
    let mut script = good_call();
    assert_eq!(script.summary("c").rung, Rung::Primary);
    script.update(
        "c",
        CallUpdated {
            minimal_flow: Some(true),
            ..Default::default()
        },
    );
    assert_eq!(script.summary("c").rung, Rung::Minimal);
}

#[test]
fn a_milder_signal_does_not_cover_a_worse_one() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.error("c", Layer::Llm, "backup-llm", "http_500");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Failed);
    assert!(script.why("c", Layer::Llm).contains("primary-llm"));
}

#[test]
fn facts_that_cannot_be_are_counted_and_change_nothing() {
    let mut script = good_call();
    let before = script.summary("c");
    script.error("c", Layer::Llm, "never-named", "http_503");
    script.layer_fact(
        "c",
        Some(Layer::Llm),
        Fact::ServiceSwitched {
            from: "primary-llm".into(),
            to: "never-named".into(),
            cause: holdfast_domain::fact::SwitchCause::Failover,
        },
    );
    script.fact(
        "c",
        Fact::TransportQuality {
            rtt_ms: f64::NAN,
            jitter_ms: 0.0,
            loss: 0.0,
        },
    );
    script.fact("c", Fact::PipelineStalled { secs: -1.0 });
    script.update(
        "c",
        CallUpdated {
            sentiment: Some(7.0),
            intent: Some("fraud".into()),
            ..Default::default()
        },
    );
    assert_eq!(script.anomalies(AnomalyKind::Impossible), 5);
    let mut after = script.summary("c");
    // That the bridge spoke of the call at all is a sign of life.
    after.last_fact_at = before.last_fact_at;
    assert_eq!(after, before);
}

#[test]
fn high_risk_and_a_payment_weigh_more() {
    let mut plain = good_call();
    let mut risky = good_call();
    risky.update(
        "c",
        CallUpdated {
            high_risk: Some(true),
            ..Default::default()
        },
    );
    for script in [&mut plain, &mut risky] {
        script.caller_says("c", "hello");
        script.wait(5_100);
    }
    assert_eq!(risky.need("c").score, 2 * plain.need("c").score);
    plain.update(
        "c",
        CallUpdated {
            protected: Some(Some(holdfast_domain::Protected::Payment)),
            ..Default::default()
        },
    );
    assert_eq!(2 * plain.need("c").score, risky.need("c").score * 3 / 2);
    assert!(plain.need("c").score > 0);
}

#[test]
fn an_empty_transcript_is_no_work() {
    let mut script = Script::new();
    script.call("c");
    script.transcript("c", UtteranceRole::Caller, "  ");
    assert_eq!(script.state("c", Layer::Asr), LayerState::Unknown);
}

#[test]
fn a_service_that_is_gone_for_good_is_no_target_any_more() {
    let mut script = good_call();
    script.layer_fact(
        "c",
        Some(Layer::Llm),
        Fact::ServiceError {
            service: "backup-llm".into(),
            error_type: "http_401".into(),
            message: "key".into(),
            permanent: true,
            usable: None,
        },
    );
    let services = script.detail("c").services;
    let backup = services.iter().find(|service| service.name == "backup-llm");
    assert!(!backup.expect("it is listed").usable);
}

#[test]
fn what_is_kept_of_a_call_is_bounded() {
    let mut script = good_call();
    for n in 0..300_u32 {
        let word =
            |what: &str| -> &'static str { Box::leak(format!("{what}{n}").into_boxed_str()) };
        let tool = holdfast_domain::fact::ToolRef {
            name: word("tool").into(),
            id: word("id").into(),
        };
        let layer = Some(Layer::Tools);
        let writes = false;
        script.layer_fact("c", layer, Fact::ToolStarted { tool, writes });
        script.error("c", Layer::Llm, "primary-llm", "http_503");
        script.error("c", Layer::Tts, "primary-tts", "http_503");
        script.update(
            "c",
            CallUpdated {
                sentiment: Some(0.5),
                slots: vec![holdfast_domain::Slot {
                    name: word("slot").to_owned(),
                    value: "v".repeat(1_000),
                    confidence: None,
                    turn: None,
                }],
                ..Default::default()
            },
        );
    }
    let detail = script.detail("c");
    assert_eq!(detail.evidence.len(), 20);
    assert_eq!(detail.card.sentiment.len(), 20);
    assert_eq!(detail.card.slots.len(), 64);
    assert!(detail.card.slots[0].value.chars().count() <= 300);
    assert_eq!(detail.card.tools.len(), 64);
    assert!(detail.lanes.len() <= 240);
    // Sixteen are kept as running; when those have ended, none is left.
    for n in 0..16_u32 {
        let id: &'static str = Box::leak(format!("id{n}").into_boxed_str());
        let tool = tool(id);
        script.layer_fact("c", Some(Layer::Tools), Fact::ToolCancelled { tool });
    }
    assert_eq!(script.summary("c").tool_running, None);
}

#[test]
fn the_timeline_is_bounded() {
    let mut script = good_call();
    for _ in 0..300 {
        script.agent_starts("c");
        script.agent_stops("c");
    }
    assert_eq!(script.detail("c").lanes.len(), 240);
}
