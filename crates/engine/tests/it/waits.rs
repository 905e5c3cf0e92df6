//! What the caller waits for where no step of a turn says so, and what lies beneath a step.

use holdfast_domain::fact::{AgentActivity, Fact};
use holdfast_domain::{Layer, LayerState, SignalKind, UtteranceRole};

use crate::script::Script;

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

fn speaks(script: &mut Script) {
    let service = "primary-tts".into();
    script.layer_fact("c", Some(Layer::Tts), Fact::TtsStarted { service });
}

/// A tool that is announced by a filler, and done before the filler is.
fn tool_with_filler(script: &mut Script) {
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 20, 1);
    script.tool_starts("c", "t1", false);
    script.agent_is("c", AgentActivity::Tools);
    speaks(script);
    script.agent_starts("c");
    script.agent_is("c", AgentActivity::Speaking);
    script.wait(500);
    script.tool_completes("c", "t1");
    script.wait(500);
    script.agent_stops("c");
    script.agent_is("c", AgentActivity::Tools);
}

#[test]
fn a_greeting_that_is_sent_to_speech_and_not_heard_is_the_speechs() {
    let mut script = Script::new();
    script.call("c");
    speaks(&mut script);
    script.wait(2_600);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Degraded);
    assert!(
        script
            .why("c", Layer::Tts)
            .contains("was sent text, no audio")
    );
    script.wait(3_000);
    assert_eq!(
        script.state("c", Layer::Tts),
        LayerState::Failed,
        "5 s of silence"
    );
}

#[test]
fn a_greeting_that_is_heard_in_time_is_none() {
    let mut script = Script::new();
    script.call("c");
    speaks(&mut script);
    script.wait(300);
    script.agent_starts("c");
    script.wait(6_000);
    script.agent_stops("c");
    script.wait(6_000);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

#[test]
fn text_for_the_next_sentence_is_not_waited_for_while_the_agent_speaks() {
    let mut script = Script::new();
    script.call("c");
    speaks(&mut script);
    script.wait(300);
    script.agent_starts("c");
    speaks(&mut script);
    script.wait(1_000);
    script.agent_stops("c");
    script.wait(6_000);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

/// A tool runs, and the text of a filler was sent to speech.
fn filler_sent() -> Script {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 20, 1);
    script.tool_starts("c", "t1", false);
    script.agent_is("c", AgentActivity::Tools);
    speaks(&mut script);
    script
}

#[test]
fn a_filler_that_is_heard_is_not_waited_for() {
    let mut script = filler_sent();
    script.wait(300);
    script.agent_starts("c");
    script.wait(500);
    script.agent_stops("c");
    script.wait(2_500);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

#[test]
fn a_filler_that_the_caller_talks_over_is_not_waited_for() {
    let mut script = filler_sent();
    script.wait(300);
    script.caller_says("c", "or is it lost?");
    script.wait(1_500);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

#[test]
fn a_model_that_hangs_is_seen_although_its_platform_tells_no_tools() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.agent_is("c", AgentActivity::Tools);
    script.wait(1_000);
    script.llm_starts("c", "primary-llm");
    script.wait(4_100);
    assert!(script.why("c", Layer::Llm).contains("gave nothing"));
}

#[test]
fn a_filler_that_is_not_heard_while_a_tool_runs_is_the_speechs() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 20, 1);
    script.tool_starts("c", "t1", false);
    script.agent_is("c", AgentActivity::Tools);
    speaks(&mut script);
    script.wait(2_600);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Degraded);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Unknown);
}

#[test]
fn a_model_that_hangs_on_a_tools_result_is_seen_although_the_tool_was_announced() {
    let mut script = good_call();
    tool_with_filler(&mut script);
    script.llm_starts("c", "primary-llm");
    script.wait(4_100);
    assert!(script.why("c", Layer::Llm).contains("gave nothing"));
}

#[test]
fn nobody_who_asks_the_model_again_after_tools_is_dead_air() {
    let mut script = good_call();
    tool_with_filler(&mut script);
    script.wait(3_100);
    let why = script.why("c", Layer::Orchestration);
    assert!(why.contains("the tools are done"), "{why}");
}

#[test]
fn a_hold_outlasts_the_tools_that_run_in_it() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 0, 1);
    script.tool_starts("c", "t1", false);
    script.agent_is("c", AgentActivity::Holding);
    script.tool_completes("c", "t1");
    script.wait(8_000);
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
}

#[test]
fn words_that_the_line_never_carried_are_not_the_recognizers_fault() {
    let mut script = good_call();
    script.layer_fact(
        "c",
        Some(Layer::Network),
        Fact::TransportQuality {
            rtt_ms: 80.0,
            jitter_ms: 20.0,
            loss: 0.3,
        },
    );
    script.caller_sounds("c", 1_000);
    script.wait(2_600);
    assert_eq!(script.state("c", Layer::Asr), LayerState::Healthy, "late");
    script.wait(600);
    assert_eq!(script.state("c", Layer::Asr), LayerState::Healthy, "silent");
    let why = script.why("c", Layer::Network);
    assert!(why.contains("no transcript"), "{why}");
}

#[test]
fn an_agent_that_repeats_itself_because_its_tool_fails_is_no_loop_of_the_dialogue() {
    let mut script = good_call();
    for turn in ["t1", "t2", "t3"] {
        script.caller_says("c", "please look it up");
        script.llm_starts("c", "primary-llm");
        script.llm_ends("c", 0, 1);
        script.tool_starts("c", turn, false);
        script.tool_fails("c", turn);
        script.llm_starts("c", "primary-llm");
        script.llm_ends("c", 40, 0);
        script.agent_starts("c");
        script.wait(500);
        script.agent_stops("c");
        let said = "I cannot reach our order system at the moment.";
        script.transcript("c", UtteranceRole::Agent, said);
        script.wait(500);
    }
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
    let tools = script.layer("c", Layer::Tools);
    let kind = tools.evidence.map(|found| found.kind);
    assert_eq!(kind, Some(SignalKind::Loop));
    assert!(script.why("c", Layer::Tools).contains("failed before"));
}

#[test]
fn a_call_that_nothing_serves_is_seen_once_it_is_known_how_soon_calls_are_greeted() {
    let mut script = Script::new();
    for n in 0..60 {
        let id = format!("before{n}");
        script.call(&id);
        script.wait(500);
        script.agent_starts(&id);
        script.wait(100);
        script.agent_stops(&id);
        script.end(&id);
    }
    script.call("c");
    script.wait(1_600);
    assert_eq!(
        script.state("c", Layer::Infrastructure),
        LayerState::Degraded
    );
    let why = script.why("c", Layer::Infrastructure);
    assert!(why.contains("nothing serves it"), "{why}");
    script.wait(3_500);
    assert_eq!(script.state("c", Layer::Infrastructure), LayerState::Failed);
    script.agent_starts("c");
    assert_eq!(
        script.state("c", Layer::Infrastructure),
        LayerState::Healthy
    );
}

#[test]
fn tools_that_are_done_while_their_filler_is_not_heard_wait_for_speech() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 20, 1);
    script.tool_starts("c", "t1", true);
    script.agent_is("c", AgentActivity::Tools);
    speaks(&mut script);
    script.wait(600);
    script.tool_completes("c", "t1");
    script.wait(5_500);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Failed);
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
}

#[test]
fn nobody_who_asks_the_model_again_after_a_filler_that_failed_is_the_dialogues() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 20, 1);
    script.tool_starts("c", "t1", true);
    script.agent_is("c", AgentActivity::Tools);
    speaks(&mut script);
    script.error("c", Layer::Tts, "primary-tts", "http_500");
    script.tool_completes("c", "t1");
    script.wait(2_600);
    assert_eq!(
        script.state("c", Layer::Orchestration),
        LayerState::Degraded
    );
}

#[test]
fn a_silence_that_the_model_took_is_not_of_the_speech_that_was_just_asked_for() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.wait(4_800);
    script.llm_ends("c", 40, 0);
    script.wait(300);
    let why = script.why("c", Layer::Llm);
    assert!(why.contains("took 4.8 s of it"), "{why}");
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
    // Speech that does not come either is late by itself.
    script.wait(5_000);
    assert_eq!(script.state("c", Layer::Tts), LayerState::Failed);
}
