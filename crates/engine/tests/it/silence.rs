//! Who owes the floor, and what silence means.

use holdfast_domain::fact::{AgentActivity, Fact, Speaker};
use holdfast_domain::{
    AiState, Floor, HandoffState, Layer, LayerState, NeedLevel, SignalKind, UtteranceRole,
};

use crate::script::Script;

fn silent_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

#[test]
fn an_answered_turn_turns_every_layer_but_the_tools_green() {
    let script = silent_call();
    let summary = script.summary("c");
    for (layer, health) in summary.layers.iter() {
        let expected = match layer {
            Layer::Tools => LayerState::Unknown,
            _ => LayerState::Healthy,
        };
        assert_eq!(health.state, expected, "{layer:?}");
    }
    assert_eq!(summary.layers[Layer::Llm].service, "primary-llm");
    assert_eq!(summary.layers[Layer::Llm].provider, "Vendor A");
    assert_eq!(summary.response_gap_ms, Some(600));
    assert_eq!((summary.turns, summary.failed_turns), (1, 0));
    assert_eq!(summary.need.level, NeedLevel::Calm);
    assert!(matches!(summary.floor, Floor::CallerOwes { .. }));
}

#[test]
fn a_turn_without_an_answer_is_told_at_three_five_and_ten_seconds() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(2_900);
    assert_eq!(script.summary("c").failed_turns, 0);
    script.wait(200);
    assert_eq!(
        script.why("c", Layer::Llm),
        "silent for over 3 s: LLM primary-llm answered 503, no retry"
    );
    script.wait(2_000);
    let summary = script.summary("c");
    assert_eq!(summary.failed_turns, 1);
    assert_eq!(summary.need.level, NeedLevel::Warn);
    assert_eq!(
        summary.need.reason,
        "silent for over 5 s: LLM primary-llm answered 503, no retry"
    );
    let Floor::AgentOwes { since } = summary.floor else {
        panic!("the agent owes the floor: {:?}", summary.floor);
    };
    assert_eq!(summary.need.since, Some(since));
    script.wait(5_000);
    assert_eq!(script.need("c").level, NeedLevel::Critical);
    assert_eq!(script.summary("c").failed_turns, 1, "one turn fails once");
    let evidence = script.layer("c", Layer::Llm).evidence.expect("it failed");
    assert_eq!(evidence.kind, SignalKind::UnansweredTurn);
    assert_eq!(
        evidence.events.len(),
        2,
        "the caller's last word and the error"
    );
}

#[test]
fn an_answer_in_time_is_no_silence() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(2_400);
    script.agent_answers("c", "primary-llm", 500);
    script.wait(20_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    assert_eq!(script.summary("c").failed_turns, 0);
}

#[test]
fn a_late_answer_says_how_long_it_took_and_the_next_good_turn_heals() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.wait(6_100);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Failed);
    script.agent_starts("c");
    let told = script.detail("c").evidence;
    assert!(
        told.iter().any(|(_, evidence)| evidence.text
            == "silent for 6.1 s: LLM primary-llm began an answer and gave nothing"),
        "{told:?}"
    );
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(script.detail("c").card.silence_ms, 6_100);
}

#[test]
fn time_alone_heals_nothing() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(50_000);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Failed);
}

#[test]
fn the_caller_who_speaks_again_into_silence_ends_a_failed_turn() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(3_500);
    script.caller_says("c", "hello?");
    let summary = script.summary("c");
    assert_eq!((summary.turns, summary.failed_turns), (3, 1));
    script.wait(5_100);
    let summary = script.summary("c");
    assert_eq!(summary.failed_turns, 2);
    assert_eq!(
        summary.need.level,
        NeedLevel::Critical,
        "a second turn in a row"
    );
}

#[test]
fn a_pause_within_the_callers_turn_is_one_turn() {
    let mut script = silent_call();
    script.caller_says("c", "I would like");
    script.wait(1_000);
    script.caller_says("c", "to change my address");
    assert_eq!(script.summary("c").turns, 2);
}

#[test]
fn each_step_that_is_pending_names_its_layer() {
    // Nothing after the caller stopped.
    let mut script = silent_call();
    script.caller_sounds("c", 1_000);
    script.wait(3_100);
    assert_eq!(
        script.why("c", Layer::Asr),
        "silent for over 3 s: ASR primary-asr heard speech and gave no transcript"
    );
    // A transcript and no response.
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(3_100);
    assert!(
        script
            .why("c", Layer::Orchestration)
            .ends_with("nothing asked the LLM")
    );
    // Text and no audio.
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 40, 0);
    script.wait(2_600);
    assert_eq!(
        script.why("c", Layer::Tts),
        "the caller waits for over 2.5 s: TTS primary-tts was sent text, no audio"
    );
    assert_eq!(script.state("c", Layer::Tts), LayerState::Degraded);
    script.wait(2_500);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Failed);
    // Tools done and no response on their results.
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.tool_starts("c", "t1", false);
    script.tool_completes("c", "t1");
    script.wait(3_100);
    assert!(
        script
            .why("c", Layer::Orchestration)
            .ends_with("the tools are done, nothing asked the LLM again")
    );
}

#[test]
fn an_error_that_arrives_after_its_effect_takes_the_blame() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(3_100);
    assert_eq!(
        script.state("c", Layer::Orchestration),
        LayerState::Degraded
    );
    script.error("c", Layer::Llm, "primary-llm", "timeout");
    assert_eq!(
        script.why("c", Layer::Llm),
        "silent for over 3 s: LLM primary-llm timed out, no retry"
    );
    assert_eq!(
        script.state("c", Layer::Orchestration),
        LayerState::Healthy,
        "it was blamed on a guess that proved wrong"
    );
}

#[test]
fn an_old_error_is_not_the_cause() {
    let mut script = silent_call();
    // An error of a service that did not serve, long ago: a degraded layer, and no good turn since.
    script.error("c", Layer::Llm, "backup-llm", "http_500");
    script.wait(11_000);
    script.caller_says("c", "are you there?");
    script.wait(3_100);
    assert!(
        script
            .why("c", Layer::Orchestration)
            .ends_with("nothing asked the LLM")
    );
}

#[test]
fn slow_answers_degrade_the_layer_that_takes_the_time() {
    let mut script = silent_call();
    for _ in 0..3 {
        script.caller_says("c", "and another thing please");
        script.agent_answers("c", "primary-llm", 1_800);
    }
    assert_eq!(script.summary("c").response_gap_ms, Some(1_800));
    assert_eq!(
        script.why("c", Layer::Llm),
        "answers take 1.8 s (median of the last three turns); of the last, LLM primary-llm took \
         1.8 s"
    );
    assert_eq!(script.need("c").level, NeedLevel::Warn);
    for _ in 0..2 {
        script.good_turn("c");
    }
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn filler_that_ends_without_an_answer_is_dead_air() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(500);
    script.agent_starts("c");
    script.wait(1_000);
    script.agent_stops("c");
    script.wait(3_100);
    let evidence = script.layer("c", Layer::Llm).evidence.expect("silence");
    assert_eq!(evidence.kind, SignalKind::DeadAir);
    assert_eq!(
        script.summary("c").response_gap_ms,
        Some(600),
        "an apology is no answer"
    );
}

#[test]
fn a_call_whose_agent_talks_is_not_silent_for_a_backchannel() {
    let mut script = silent_call();
    script.agent_starts("c");
    script.caller_sounds("c", 600);
    script.wait(1_000);
    script.agent_stops("c");
    script.wait(8_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    assert_eq!(script.summary("c").turns, 1);
}

#[test]
fn an_interruption_is_a_turn() {
    let mut script = silent_call();
    script.agent_starts("c");
    script.wait(500);
    let actor = Speaker::Caller;
    script.fact("c", Fact::SpeechStarted { actor });
    script.fact("c", Fact::SpeechInterrupted { by: actor });
    script.wait(800);
    script.fact("c", Fact::SpeechStopped { actor });
    script.agent_stops("c");
    script.wait(3_100);
    assert_eq!(script.summary("c").turns, 2);
    assert_eq!(script.need("c").level, NeedLevel::Watch);
}

#[test]
fn noise_is_no_turn() {
    let mut script = silent_call();
    script.caller_sounds("c", 150);
    script.wait(8_000);
    assert_eq!(script.summary("c").turns, 1);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn speech_events_that_are_told_twice_count_once() {
    let mut script = silent_call();
    let actor = Speaker::Caller;
    script.fact("c", Fact::SpeechStarted { actor });
    script.fact("c", Fact::SpeechStarted { actor });
    script.wait(1_000);
    script.fact("c", Fact::SpeechStopped { actor });
    script.wait(2_000);
    script.fact("c", Fact::SpeechStopped { actor });
    script.wait(1_100);
    assert_eq!(script.summary("c").turns, 2);
    assert_eq!(
        script.need("c").level,
        NeedLevel::Watch,
        "counted from the first stop"
    );
}

#[test]
fn a_paused_ai_is_blamed_for_nothing_and_still_needs_an_eye() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(2_400);
    script.update(
        "c",
        holdfast_domain::fact::CallUpdated {
            ai: Some(AiState::Paused),
            ..Default::default()
        },
    );
    script.wait(20_000);
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
    assert_eq!(
        script.need("c").reason,
        "the caller waits: the AI is paused"
    );
}

#[test]
fn with_a_human_the_ai_alarms_stop() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(5_100);
    assert_eq!(script.need("c").level, NeedLevel::Warn);
    script.fact(
        "c",
        Fact::HandoffCompleted {
            handoff_id: None,
            to: "ana".into(),
        },
    );
    script.caller_says("c", "finally a human");
    script.wait(20_000);
    let summary = script.summary("c");
    assert_eq!(summary.need.level, NeedLevel::Calm);
    assert_eq!(summary.rung, holdfast_domain::Rung::Human);
    for layer in [Layer::Asr, Layer::Llm, Layer::Tts, Layer::Orchestration] {
        assert_eq!(
            summary.layers[layer].state,
            LayerState::Unknown,
            "{layer:?}"
        );
    }
    script.fact(
        "c",
        Fact::HandoffCompleted {
            handoff_id: None,
            to: "ana".into(),
        },
    );
    assert_eq!(
        script.detail("c").card.prior_transfers,
        1,
        "told twice, moved once"
    );
    script.wait(120_000);
    assert_eq!(
        script.need("c").level,
        NeedLevel::Calm,
        "humans may talk unobserved"
    );
    assert!(
        !script
            .handoffs()
            .iter()
            .any(|h| h.state == HandoffState::Requested)
    );
}

#[test]
fn what_comes_next_is_told_from_our_own_rules() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(3_100);
    assert_eq!(
        script.next("c"),
        "at 5 s of silence this turn counts as failed; backup-llm could be switched to"
    );
    script.wait(2_000);
    assert_eq!(
        script.next("c"),
        "critical at 10 s of silence; backup-llm could be switched to"
    );
}

#[test]
fn the_agent_state_ends_an_announced_wait() {
    let mut script = silent_call();
    script.caller_says("c", "can you check");
    script.agent_is("c", AgentActivity::Holding);
    script.wait(12_000);
    assert!(matches!(script.summary("c").floor, Floor::Announced { .. }));
    script.agent_is("c", AgentActivity::Thinking);
    script.wait(3_100);
    assert_eq!(script.need("c").level, NeedLevel::Watch);
    script.transcript("c", UtteranceRole::Agent, "thanks for waiting");
}

#[test]
fn silence_before_a_pause_is_counted_and_none_after_it() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.wait(4_000);
    script.update(
        "c",
        holdfast_domain::fact::CallUpdated {
            ai: Some(AiState::Paused),
            ..Default::default()
        },
    );
    script.wait(5_000);
    assert_eq!(script.detail("c").card.silence_ms, 4_000);
}

#[test]
fn a_caller_told_twice_to_speak_speaks_since_the_first() {
    let mut script = silent_call();
    let actor = Speaker::Caller;
    script.fact("c", Fact::SpeechStarted { actor });
    script.wait(900);
    script.fact("c", Fact::SpeechStarted { actor });
    script.wait(100);
    script.fact("c", Fact::SpeechStopped { actor });
    assert_eq!(
        script.summary("c").turns,
        2,
        "a second of speech is no noise"
    );
}

#[test]
fn an_agent_told_twice_to_speak_does_not_hide_a_response_that_hangs() {
    let mut script = silent_call();
    script.agent_starts("c");
    script.llm_starts("c", "primary-llm");
    script.agent_starts("c");
    script.agent_stops("c");
    script.wait(4_100);
    let evidence = script.layer("c", Layer::Llm).evidence.expect("it hangs");
    assert_eq!(evidence.kind, SignalKind::Expectation);
}

#[test]
fn a_hold_that_is_announced_while_speaking_begins_when_the_sentence_ends() {
    let mut script = silent_call();
    script.agent_starts("c");
    script.agent_is("c", AgentActivity::Holding);
    script.wait(1_000);
    script.agent_stops("c");
    assert!(matches!(script.summary("c").floor, Floor::Announced { .. }));
}

#[test]
fn a_step_has_its_whole_time_after_a_filler() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.tool_starts("c", "t1", false);
    script.agent_starts("c");
    script.tool_completes("c", "t1");
    script.wait(4_000);
    script.agent_stops("c");
    script.wait(500);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
    script.wait(2_100);
    assert_eq!(
        script.state("c", Layer::Orchestration),
        LayerState::Degraded
    );
}

#[test]
fn an_answer_that_streams_owes_no_audio_at_its_end() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.wait(400);
    script.agent_starts("c");
    script.wait(200);
    script.llm_ends("c", 400, 0);
    script.wait(5_000);
    script.agent_stops("c");
    script.wait(5_000);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

#[test]
fn work_that_began_after_an_error_is_what_the_caller_waits_for() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(100);
    script.llm_starts("c", "primary-llm");
    script.wait(3_100);
    assert_eq!(
        script.why("c", Layer::Llm),
        "silent for over 3 s: LLM primary-llm began an answer and gave nothing"
    );
}

#[test]
fn a_stall_of_long_ago_is_not_the_cause_and_a_gone_line_always_is() {
    let mut script = silent_call();
    script.fact("c", Fact::PipelineStalled { secs: 4.0 });
    script.wait(11_000);
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.wait(3_100);
    assert!(
        script
            .why("c", Layer::Llm)
            .starts_with("silent for over 3 s: LLM")
    );
    let mut script = silent_call();
    script.fact(
        "c",
        Fact::TransportDisconnected {
            reason: "ice".into(),
        },
    );
    script.wait(11_000);
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.wait(3_100);
    assert_eq!(
        script.why("c", Layer::Network),
        "silent for over 3 s: the caller's connection is gone"
    );
}

#[test]
fn what_failed_already_is_not_also_late() {
    let mut script = silent_call();
    script.caller_says("c", "are you there?");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(4_500);
    let is_late =
        |(_, found): &(Layer, holdfast_domain::Evidence)| found.kind == SignalKind::Expectation;
    assert!(!script.detail("c").evidence.iter().any(is_late));
}

#[test]
fn slow_answers_that_go_on_are_one_change() {
    let mut script = silent_call();
    for _ in 0..3 {
        script.caller_says("c", "go on then");
        script.agent_answers("c", "primary-llm", 1_800);
    }
    let since = script.layer("c", Layer::Llm).since;
    script.caller_says("c", "go on then");
    script.agent_answers("c", "primary-llm", 1_800);
    assert_eq!(script.layer("c", Layer::Llm).since, since);
    script.update(
        "c",
        holdfast_domain::fact::CallUpdated {
            ai: Some(AiState::Paused),
            ..Default::default()
        },
    );
    assert!(
        script.need("c").reason.contains("paused"),
        "no answers, no gap"
    );
}

#[test]
fn a_lost_worker_explains_the_silence_of_the_turn_after_it() {
    let mut script = silent_call();
    script.fact(
        "c",
        Fact::WorkerLost {
            worker: "w-7".into(),
            region: None,
        },
    );
    script.wait(100);
    script.caller_sounds("c", 1_000);
    script.wait(3_100);
    assert_eq!(
        script.why("c", Layer::Infrastructure),
        "silent for over 3 s: the worker of this call is lost (w-7)"
    );
}

#[test]
fn a_ghost_that_was_heard_of_once_can_become_a_ghost_again() {
    for fact in [
        Fact::HandoffRequested {
            to: "orders".into(),
            reason: "the caller asked".into(),
        },
        Fact::HandoffFailed {
            handoff_id: None,
            reason: "busy".into(),
        },
    ] {
        let mut script = silent_call();
        script.wait(61_000);
        script.fact("c", fact);
        script.wait(61_000);
        let detail = script
            .engine
            .detail(&holdfast_domain::CallId::new("c"))
            .expect("it is live");
        let ghosts = detail
            .evidence
            .iter()
            .filter(|(_, evidence)| evidence.kind == SignalKind::Ghost)
            .count();
        assert_eq!(ghosts, 2);
    }
}

#[test]
fn an_answer_in_time_is_no_news_of_slow_ones() {
    let mut script = Script::new();
    script.call("c");
    for ms in [1_800, 1_800, 600] {
        script.caller_says("c", "and another thing please");
        script.agent_answers("c", "primary-llm", ms);
    }
    assert_eq!(script.summary("c").response_gap_ms, Some(1_800));
    assert_eq!(script.need("c").level, NeedLevel::Watch);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
}
