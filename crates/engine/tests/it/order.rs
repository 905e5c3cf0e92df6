//! Facts of one call that are told in another order than they happened in.

use holdfast_domain::fact::{AgentActivity, Fact, Speaker};
use holdfast_domain::{Layer, LayerState, NeedLevel, UtteranceRole};

use crate::script::Script;

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

/// Tells something that happened `ms` ago.
fn late(script: &mut Script, ms: i64, tell: impl FnOnce(&mut Script)) {
    script.apart_ms = ms;
    tell(script);
    script.apart_ms = 0;
}

fn caller_stops(script: &mut Script) {
    let actor = Speaker::Caller;
    script.fact("c", Fact::SpeechStopped { actor });
}

fn caller_starts(script: &mut Script) {
    let actor = Speaker::Caller;
    script.fact("c", Fact::SpeechStarted { actor });
}

#[test]
fn the_end_of_the_callers_speech_can_be_told_after_the_model_began() {
    let mut script = good_call();
    caller_starts(&mut script);
    script.wait(1_000);
    script.transcript("c", UtteranceRole::Caller, "where is my order");
    script.wait(100);
    script.llm_starts("c", "primary-llm");
    script.wait(100);
    late(&mut script, 300, caller_stops);
    script.wait(300);
    script.llm_ends("c", 40, 0);
    script.agent_starts("c");
    script.wait(1_000);
    script.agent_stops("c");
    script.wait(6_000);
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
    assert_eq!(script.need("c").level, NeedLevel::Calm, "it was answered");
}

#[test]
fn a_model_that_hangs_is_seen_although_the_end_of_the_speech_was_told_late() {
    let mut script = good_call();
    caller_starts(&mut script);
    script.wait(1_000);
    script.transcript("c", UtteranceRole::Caller, "where is my order");
    script.wait(100);
    script.llm_starts("c", "primary-llm");
    script.wait(100);
    late(&mut script, 300, caller_stops);
    script.wait(5_500);
    assert_eq!(script.state("c", Layer::Llm), LayerState::Failed);
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
}

#[test]
fn the_beginning_of_the_callers_speech_can_be_told_after_its_end() {
    let mut script = good_call();
    script.wait(400);
    caller_stops(&mut script);
    late(&mut script, 350, caller_starts);
    script.transcript("c", UtteranceRole::Caller, "5185");
    for _ in 0..2 {
        script.agent_answers("c", "primary-llm", 500);
        script.good_turn("c");
    }
    assert_eq!(
        script.need("c").level,
        NeedLevel::Calm,
        "nobody was talked over"
    );
    script.caller_says("c", "I am still waiting for the parcel");
    script.wait(5_500);
    assert_eq!(script.need("c").level, NeedLevel::Warn, "they are heard");
}

#[test]
fn an_end_without_a_beginning_ends_no_later_speech() {
    let mut script = good_call();
    caller_stops(&mut script);
    script.wait(1_000);
    caller_starts(&mut script);
    script.wait(1_000);
    script.agent_starts("c");
    script.wait(2_000);
    script.agent_stops("c");
    assert_eq!(
        script.state("c", Layer::Orchestration),
        LayerState::Degraded,
        "the caller speaks, and was talked over"
    );
}

#[test]
fn the_beginning_of_a_response_can_be_told_after_its_end() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.wait(400);
    script.llm_ends("c", 40, 0);
    late(&mut script, 300, |script| {
        script.llm_starts("c", "primary-llm");
    });
    script.agent_starts("c");
    script.wait(1_000);
    script.agent_stops("c");
    script.wait(6_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm, "it was answered");

    script.caller_says("c", "and the other one");
    script.wait(400);
    script.llm_ends("c", 40, 0);
    script.wait(100);
    late(&mut script, 450, |script| {
        script.llm_starts("c", "primary-llm");
    });
    script.wait(5_000);
    assert_eq!(
        script.state("c", Layer::Tts),
        LayerState::Failed,
        "its text was sent to speech"
    );
}

#[test]
fn the_beginning_of_a_response_can_be_told_after_its_answer_is_heard() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.wait(400);
    script.agent_starts("c");
    late(&mut script, 300, |script| {
        script.llm_starts("c", "primary-llm");
    });
    script.llm_ends("c", 40, 0);
    script.wait(1_000);
    script.agent_stops("c");
    script.wait(6_000);
    assert_eq!(script.need("c").level, NeedLevel::Calm, "it was answered");
}

#[test]
fn the_beginning_of_a_tool_can_be_told_after_its_end() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.llm_ends("c", 20, 1);
    script.agent_is("c", AgentActivity::Tools);
    script.wait(300);
    script.tool_completes("c", "t1");
    late(&mut script, 250, |script| {
        script.tool_starts("c", "t1", false);
    });
    script.agent_answers("c", "primary-llm", 500);
    script.wait(12_000);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Healthy);
}

#[test]
fn facts_that_one_delay_held_up_together_do_not_move_their_clock() {
    let mut script = Script::new();
    script.call("c");
    script.caller_says("c", "where is my order");
    script.llm_starts("c", "primary-llm");
    script.wait(1_400);
    script.late_ms = 800;
    for _ in 0..100 {
        script.agent_is("c", AgentActivity::Thinking);
    }
    script.llm_ends("c", 40, 0);
    script.agent_starts("c");
    let gap = script.summary("c").response_gap_ms.expect("an answer");
    assert!((600..650).contains(&gap), "{gap}");
}
