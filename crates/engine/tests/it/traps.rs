//! The known traps of the platforms, each with its test.

use holdfast_domain::fact::{AgentActivity, Fact, LatencyMetric, SwitchCause};
use holdfast_domain::{Layer, LayerState, NeedLevel, Rung, SignalKind};

use crate::script::Script;

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

#[test]
fn a_turn_that_only_calls_tools_is_no_tts_failure() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.tool_starts("c", "t1", false);
    script.wait(2_800);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
    assert_eq!(
        script.state("c", Layer::Llm),
        LayerState::Healthy,
        "no empty answer either"
    );
}

#[test]
fn a_turn_that_asked_for_tools_waits_for_no_audio_before_they_are_told() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.wait(2_800);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

#[test]
fn a_tool_told_before_the_end_of_the_response_that_asked_for_it_stays_the_step() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.tool_starts("c", "t1", false);
    script.tool_completes("c", "t1");
    script.llm_ends("c", 0, 1);
    script.wait(3_100);
    assert!(
        script
            .why("c", Layer::Orchestration)
            .contains("the tools are done")
    );
}

#[test]
fn a_recovery_probe_and_an_empty_metric_prove_nothing() {
    let mut script = Script::new();
    script.call("c");
    for (ms, probe) in [(0.0, false), (350.0, true), (350.0, false)] {
        script.layer_fact(
            "c",
            Some(Layer::Llm),
            Fact::ServiceLatency {
                service: "primary-llm".into(),
                metric: LatencyMetric::Ttfb,
                ms,
                probe,
            },
        );
        assert_eq!(script.state("c", Layer::Llm), LayerState::Unknown);
        assert_eq!(script.summary("c").response_gap_ms, None);
    }
    script.fact("c", Fact::TurnLatency { total_ms: 0 });
    assert_eq!(script.summary("c").response_gap_ms, None);
}

#[test]
fn a_probe_heals_no_layer_and_moves_no_call() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.layer_fact(
        "c",
        Some(Layer::Llm),
        Fact::ServiceLatency {
            service: "backup-llm".into(),
            metric: LatencyMetric::Ttfb,
            ms: 300.0,
            probe: true,
        },
    );
    assert_eq!(script.state("c", Layer::Llm), LayerState::Failed);
    assert_eq!(script.layer("c", Layer::Llm).service, "primary-llm");
}

#[test]
fn a_tool_failure_under_the_models_name_is_the_tools() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.tool_starts("c", "t1", false);
    script.error("c", Layer::Llm, "primary-llm", "application");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Failed);
    assert_eq!(
        script.why("c", Layer::Tools),
        "the caller's request is not done: tool track_order failed"
    );
}

#[test]
fn a_failover_without_an_error_is_seen_by_its_switch() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Failover);
    let llm = script.layer("c", Layer::Llm);
    assert_eq!(
        (llm.state, llm.service.as_str()),
        (LayerState::Degraded, "backup-llm")
    );
    assert_eq!(
        llm.evidence.expect("it moved").kind,
        SignalKind::ServiceUnavailable
    );
    assert_eq!(script.summary("c").rung, Rung::Backup);
    // The answer to this very turn is no proof yet, the next good turn is.
    script.agent_answers("c", "backup-llm", 500);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Degraded);
    script.good_turn_by("c", "backup-llm");
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
    assert_eq!(
        script.summary("c").rung,
        Rung::Backup,
        "healthy, and still on the backup"
    );
}

#[test]
fn a_failover_without_any_word_is_seen_by_who_works() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.llm_starts("c", "backup-llm");
    assert_eq!(
        script.why("c", Layer::Llm),
        "the caller may have waited: LLM primary-llm was replaced by backup-llm, no error was told"
    );
    assert_eq!(script.summary("c").rung, Rung::Backup);
}

#[test]
fn a_switch_that_is_told_before_the_error_that_caused_it_fails_no_healthy_service() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Failover);
    script.error("c", Layer::Llm, "primary-llm", "http_401");
    let llm = script.layer("c", Layer::Llm);
    assert_eq!(
        (llm.state, llm.service.as_str()),
        (LayerState::Degraded, "backup-llm")
    );
    // And the retried turn on the backup is a good answer, in spite of the late error.
    script.llm_starts("c", "backup-llm");
    script.llm_ends("c", 40, 0);
    script.agent_starts("c");
    assert_eq!(script.summary("c").failed_turns, 0);
    assert!(script.summary("c").response_gap_ms.is_some());
}

#[test]
fn an_error_of_the_old_service_that_is_told_late_spoils_no_answer_of_the_new_one() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Failover);
    script.llm_starts("c", "backup-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_401");
    script.llm_ends("c", 40, 0);
    script.agent_starts("c");
    script.wait(500);
    script.agent_stops("c");
    script.wait(6_000);
    assert_eq!(script.summary("c").failed_turns, 0);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Degraded);
}

#[test]
fn a_manual_switch_is_no_failure() {
    let mut script = good_call();
    script.switched("c", "primary-llm", "backup-llm", SwitchCause::Manual);
    let llm = script.layer("c", Layer::Llm);
    assert_eq!(
        (llm.state, llm.service.as_str()),
        (LayerState::Healthy, "backup-llm")
    );
}

#[test]
fn a_silent_caller_is_not_dead_air() {
    let mut script = good_call();
    script.wait(40_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn an_announced_hold_and_hold_music_are_not_dead_air() {
    for activity in [AgentActivity::Holding, AgentActivity::Tools] {
        let mut script = good_call();
        script.caller_says("c", "can you check that");
        script.agent_is("c", activity);
        script.wait(30_000);
        assert_eq!(script.need("c").level, NeedLevel::Calm, "{activity:?}");
        assert_eq!(script.summary("c").failed_turns, 0);
    }
}

#[test]
fn a_filler_while_a_tool_runs_is_not_dead_air_and_no_answer() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 12, 1);
    script.tool_starts("c", "t1", false);
    script.agent_starts("c");
    script.wait(800);
    script.agent_stops("c");
    script.wait(3_600);
    assert_eq!(
        script.need("c").level,
        NeedLevel::Calm,
        "the caller was told to wait"
    );
    assert_eq!(
        script.summary("c").response_gap_ms,
        Some(600),
        "the filler is no answer"
    );
    // Once the tool is done, the answer is owed again.
    script.tool_completes("c", "t1");
    script.wait(3_100);
    assert_eq!(script.need("c").level, NeedLevel::Watch);
    assert_eq!(
        script.summary("c").failed_turns,
        0,
        "the wait was announced until now"
    );
}

#[test]
fn turns_that_use_tools_say_nothing_about_how_fast_answers_are() {
    let mut script = good_call();
    for turn in ["t1", "t2", "t3"] {
        script.caller_says("c", "where is my order");
        script.wait(500);
        script.llm_starts("c", "primary-llm");
        script.llm_ends("c", 12, 1);
        script.tool_starts("c", turn, false);
        script.wait(200);
        script.agent_starts("c");
        script.wait(800);
        script.agent_stops("c");
        script.wait(2_000);
        script.tool_completes("c", turn);
        script.wait(600);
        script.llm_starts("c", "primary-llm");
        script.llm_ends("c", 40, 0);
        script.agent_starts("c");
        script.wait(1_000);
        script.agent_stops("c");
        script.wait(1_000);
    }
    let gap = script.summary("c").response_gap_ms.expect("the first turn");
    assert!(gap < 700, "{gap}: only of turns without tools");
    assert_eq!(script.need("c").level, NeedLevel::Calm);
}

#[test]
fn the_first_turn_that_begins_before_anyone_speaks_counts_nothing() {
    let mut script = Script::new();
    script.call("c");
    script.fact("c", Fact::TurnStarted { turn: 1 });
    script.wait(20_000);
    let summary = script.summary("c");
    assert_eq!((summary.turns, summary.need.level), (0, NeedLevel::Calm));
}

#[test]
fn the_empty_end_after_an_error_is_its_echo() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.llm_ends("c", 0, 0);
    let evidence = script.layer("c", Layer::Llm).evidence.expect("it failed");
    assert_eq!(evidence.kind, SignalKind::ServiceError);
}

#[test]
fn a_response_that_the_caller_talks_over_is_no_empty_answer() {
    let mut script = good_call();
    script.caller_says("c", "hello");
    script.llm_starts("c", "primary-llm");
    script.fact(
        "c",
        Fact::SpeechStarted {
            actor: holdfast_domain::fact::Speaker::Caller,
        },
    );
    script.llm_ends("c", 0, 0);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Healthy);
}
