//! How the dialogue goes: each signal, what is none, and what heals it.

use holdfast_domain::fact::{CallUpdated, Effect as ToolEffect, EndedBy, Fact, Speaker, ToolRef};
use holdfast_domain::{Evidence, Layer, LayerState, NeedLevel, SignalKind, Slot, UtteranceRole};
use holdfast_engine::{Effect, Entry};

use crate::script::{Script, tool};

const DIALOGUE: Layer = Layer::Orchestration;

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

/// The caller says something and the agent answers with these words.
fn turn(script: &mut Script, caller: &'static str, agent: &'static str) {
    script.caller_says("c", caller);
    script.wait(100);
    script.llm_starts("c", "primary-llm");
    script.wait(400);
    script.llm_ends("c", 40, 0);
    script.agent_starts("c");
    script.wait(1_000);
    script.transcript("c", UtteranceRole::Agent, agent);
    script.agent_stops("c");
    script.wait(500);
}

fn signal(script: &Script, layer: Layer) -> Option<SignalKind> {
    script.layer("c", layer).evidence.map(|found| found.kind)
}

fn fill(script: &mut Script, name: &str, value: &str) {
    script.update(
        "c",
        CallUpdated {
            slots: vec![Slot {
                name: name.to_owned(),
                value: value.to_owned(),
                confidence: None,
                turn: None,
            }],
            ..Default::default()
        },
    );
}

#[test]
fn a_question_asked_again_without_progress_is_told_and_the_third_time_harms() {
    let mut script = good_call();
    turn(
        &mut script,
        "it is about an order",
        "What is your date of birth?",
    );
    turn(
        &mut script,
        "fourth of May",
        "Could you tell me your date of birth, please?",
    );
    assert_eq!(script.state("c", DIALOGUE), LayerState::Degraded);
    assert_eq!(script.need("c").level, NeedLevel::Watch);
    let found = script.layer("c", DIALOGUE).evidence.expect("asked twice");
    assert_eq!(found.kind, SignalKind::Reprompt);
    assert_eq!(found.events.len(), 2, "both askings are behind it");
    turn(
        &mut script,
        "May the fourth",
        "Sorry. What was your date of birth?",
    );
    assert_eq!(script.state("c", DIALOGUE), LayerState::Failed);
    assert_eq!(script.need("c").level, NeedLevel::Warn);
    assert_eq!(
        script.why("c", DIALOGUE),
        "the caller was asked the same 3 times: nothing was noted from the answers"
    );
    fill(&mut script, "birth", "4 May");
    assert_eq!(script.state("c", DIALOGUE), LayerState::Healthy);
}

#[test]
fn a_slot_filled_in_between_is_progress_and_another_question_too() {
    let mut script = good_call();
    turn(
        &mut script,
        "two orders",
        "What is the number of the order?",
    );
    fill(&mut script, "order", "17");
    turn(
        &mut script,
        "seventeen",
        "And what is the number of the order?",
    );
    assert_eq!(signal(&script, DIALOGUE), None);
    // The same value again is none.
    fill(&mut script, "order", "17");
    turn(&mut script, "as I said", "What is the number of the order?");
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::Reprompt));
    turn(
        &mut script,
        "eighteen",
        "Shall somebody call you back tomorrow?",
    );
    assert_eq!(signal(&script, DIALOGUE), None);
}

#[test]
fn asking_a_silent_caller_again_is_no_circle() {
    let mut script = good_call();
    for _ in 0..4 {
        script.agent_starts("c");
        script.wait(1_000);
        script.agent_stops("c");
        script.transcript("c", UtteranceRole::Agent, "Hello, are you still there?");
        script.wait(8_000);
    }
    assert_eq!(signal(&script, DIALOGUE), None);
}

#[test]
fn a_caller_who_says_the_same_again_was_not_served() {
    let mut script = good_call();
    turn(
        &mut script,
        "I want a refund for my broken phone",
        "I see that it is raining.",
    );
    assert_eq!(signal(&script, DIALOGUE), None);
    turn(
        &mut script,
        "I want a refund for my broken phone!",
        "The weather is a topic.",
    );
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::CallerRepeats));
    assert_eq!(
        script.why("c", DIALOGUE),
        "the caller said the same twice: nothing came of it before"
    );
    turn(
        &mut script,
        "well then connect somebody else",
        "Of course, at once.",
    );
    assert_eq!(script.state("c", DIALOGUE), LayerState::Healthy);
}

#[test]
fn what_is_heard_differently_and_asked_again_is_the_recognizers() {
    let mut script = good_call();
    turn(
        &mut script,
        "my number is seven four eleven",
        "What is your number, please?",
    );
    turn(
        &mut script,
        "my number is seventy eleven",
        "What is your number, please?",
    );
    assert_eq!(
        signal(&script, Layer::Asr),
        None,
        "the agent had not asked again before"
    );
    turn(
        &mut script,
        "my number is seventy four eleven",
        "One moment, I am looking.",
    );
    assert_eq!(signal(&script, Layer::Asr), Some(SignalKind::CallerRepeats));
    assert!(script.why("c", Layer::Asr).contains("heard it differently"));
    turn(
        &mut script,
        "that took you long enough, thanks",
        "You are welcome to it.",
    );
    assert_eq!(script.state("c", Layer::Asr), LayerState::Healthy);
}

#[test]
fn a_caller_who_repeats_what_a_failed_layer_lost_does_not_blame_the_dialogue() {
    let mut script = good_call();
    script.caller_says("c", "I want a refund for my broken phone");
    script.llm_starts("c", "primary-llm");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(5_500);
    script.caller_says("c", "I want a refund for my broken phone");
    assert_eq!(signal(&script, DIALOGUE), None);
    let told = script.detail("c").evidence;
    let repeated = told
        .iter()
        .find(|(_, found)| found.kind == SignalKind::CallerRepeats);
    assert_eq!(repeated.map(|(layer, _)| *layer), Some(Layer::Llm));
}

#[test]
fn acknowledgements_and_two_transcripts_of_one_turn_repeat_nothing() {
    let mut script = good_call();
    for agent in [
        "The first part is noted.",
        "So is the second.",
        "And finally the third one.",
    ] {
        turn(&mut script, "yes that is it", agent);
    }
    assert_eq!(signal(&script, DIALOGUE), None);
    script.caller_sounds("c", 1_000);
    script.transcript(
        "c",
        UtteranceRole::Caller,
        "I want a refund for my broken phone",
    );
    script.transcript(
        "c",
        UtteranceRole::Caller,
        "I want a refund for my broken phone please",
    );
    assert_eq!(signal(&script, DIALOGUE), None);
}

#[test]
fn the_same_sentence_three_times_is_a_loop_until_something_else_is_said() {
    let mut script = good_call();
    let stuck = "I am going to check that now.";
    for caller in ["the order is late", "anything new on it"] {
        turn(&mut script, caller, stuck);
        assert_eq!(signal(&script, DIALOGUE), None);
    }
    turn(&mut script, "nobody tells me a thing", stuck);
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::Loop));
    assert_eq!(script.state("c", DIALOGUE), LayerState::Failed);
    assert_eq!(
        script.why("c", DIALOGUE),
        "the caller gets nowhere: the agent said the same sentence 3 times"
    );
    turn(
        &mut script,
        "so what is it",
        "It was delivered to your neighbor.",
    );
    assert_eq!(script.state("c", DIALOGUE), LayerState::Healthy);
}

fn requests(script: &mut Script, id: &'static str, args: &'static str) {
    script.layer_fact(
        "c",
        Some(Layer::Tools),
        Fact::ToolRequested {
            tool: tool(id),
            args: Some(args.into()),
        },
    );
}

#[test]
fn the_same_tool_with_the_same_arguments_three_times_is_a_loop() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    requests(&mut script, "t1", "{\"order\": 4}");
    requests(&mut script, "t1", "{\"order\": 4}");
    requests(&mut script, "t2", "{\"order\":4}");
    assert_eq!(signal(&script, DIALOGUE), None, "one use told twice is one");
    requests(&mut script, "t3", "{\"order\": 4}");
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::Loop));
    requests(&mut script, "t4", "{\"order\": 5}");
    assert_eq!(signal(&script, DIALOGUE), None);
}

/// `first` speaks, `second` begins as well, and after `ms` `stops` stops.
fn overlap(script: &mut Script, first: Speaker, ms: i64, stops: Speaker) {
    let second = match first {
        Speaker::Caller => Speaker::Agent,
        Speaker::Agent => Speaker::Caller,
    };
    script.fact("c", Fact::SpeechStarted { actor: first });
    script.wait(400);
    script.fact("c", Fact::SpeechStarted { actor: second });
    script.wait(ms);
    script.fact("c", Fact::SpeechStopped { actor: stops });
    let rest = if stops == first { second } else { first };
    script.wait(100);
    script.fact("c", Fact::SpeechStopped { actor: rest });
}

#[test]
fn an_interruption_that_the_agent_ignores_is_told_and_twice_harms() {
    let mut script = good_call();
    overlap(&mut script, Speaker::Agent, 700, Speaker::Caller);
    assert_eq!(
        signal(&script, DIALOGUE),
        None,
        "a backchannel is no interruption"
    );
    overlap(&mut script, Speaker::Agent, 1_200, Speaker::Caller);
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::BargeInMissed));
    assert_eq!(script.state("c", DIALOGUE), LayerState::Degraded);
    overlap(&mut script, Speaker::Agent, 1_200, Speaker::Caller);
    assert_eq!(script.state("c", DIALOGUE), LayerState::Failed);
    assert_eq!(script.need("c").level, NeedLevel::Warn);
    overlap(&mut script, Speaker::Agent, 400, Speaker::Agent);
    assert_eq!(
        script.state("c", DIALOGUE),
        LayerState::Healthy,
        "it yielded"
    );
}

#[test]
fn an_agent_that_begins_over_the_caller_and_goes_on_talks_over_them() {
    let mut script = good_call();
    overlap(&mut script, Speaker::Caller, 1_500, Speaker::Caller);
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::TalkOver));
    assert_eq!(
        script.why("c", DIALOGUE),
        "the agent talked over the caller for 1.5 s"
    );
    // The answer that follows may be talked over like the one before; the one after it is clean.
    script.good_turn("c");
    assert_eq!(signal(&script, DIALOGUE), Some(SignalKind::TalkOver));
    script.good_turn("c");
    assert_eq!(script.state("c", DIALOGUE), LayerState::Healthy);
}

#[test]
fn words_without_speech_after_the_answer_were_not_meant_for_the_agent() {
    let mut script = good_call();
    script.transcript("c", UtteranceRole::Caller, "no put it on the table");
    assert_eq!(signal(&script, Layer::Asr), Some(SignalKind::Overcapture));
    assert_eq!(script.state("c", Layer::Asr), LayerState::Degraded);
    turn(&mut script, "my order is late", "It comes on Friday.");
    assert_eq!(script.state("c", Layer::Asr), LayerState::Healthy);
}

#[test]
fn late_and_doubled_transcripts_are_no_overcapture() {
    let mut script = good_call();
    // Speech models that hear and answer at once give the caller's words after the answer.
    script.caller_sounds("c", 1_000);
    script.agent_answers("c", "primary-llm", 300);
    script.transcript("c", UtteranceRole::Caller, "where is my order");
    assert_eq!(signal(&script, Layer::Asr), None);
    script.agent_starts("c");
    script.transcript("c", UtteranceRole::Caller, "where is my order");
    assert_eq!(signal(&script, Layer::Asr), None, "told twice");
    // A platform that tells no speech of callers proves nothing by its absence.
    let mut script = Script::new();
    script.call("c");
    for text in ["where is my order", "the red bicycle"] {
        script.transcript("c", UtteranceRole::Caller, text);
        script.agent_answers("c", "primary-llm", 300);
    }
    assert_eq!(signal(&script, Layer::Asr), None);
}

fn completes(script: &mut Script, id: &'static str, effect: ToolEffect) {
    let tool = ToolRef {
        name: "refund_order".into(),
        id: id.into(),
    };
    script.layer_fact(
        "c",
        Some(Layer::Tools),
        Fact::ToolCompleted {
            tool,
            duration_ms: 20,
            result: None,
            effect: Some(effect),
        },
    );
}

#[test]
fn a_write_that_says_ok_and_has_no_effect_is_a_failure_until_one_has() {
    let mut script = good_call();
    script.caller_says("c", "give me my money back");
    script.tool_starts("c", "t1", true);
    completes(&mut script, "t1", ToolEffect::None);
    assert_eq!(
        signal(&script, Layer::Tools),
        Some(SignalKind::SilentSuccess)
    );
    assert_eq!(script.need("c").level, NeedLevel::Warn);
    script.tool_starts("c", "t2", false);
    completes(&mut script, "t2", ToolEffect::None);
    assert_eq!(
        signal(&script, Layer::Tools),
        Some(SignalKind::SilentSuccess),
        "reading proves nothing about writing, and needs no effect"
    );
    script.tool_starts("c", "t3", true);
    completes(&mut script, "t3", ToolEffect::Committed);
    assert_eq!(script.state("c", Layer::Tools), LayerState::Healthy);
}

#[test]
fn what_was_not_spoken_is_kept_and_healed_by_speech_to_the_end() {
    let mut script = good_call();
    script.fact(
        "c",
        Fact::TranscriptFinal {
            role: UtteranceRole::Agent,
            text: "Your order".into(),
            language: None,
            turn: None,
            interrupted: false,
            unspoken: Some("arrives on Friday.".into()),
        },
    );
    assert_eq!(signal(&script, Layer::Tts), Some(SignalKind::Truncated));
    let said = script.detail("c").transcript.pop().expect("it was said");
    assert_eq!(said.unspoken, "arrives on Friday.");
    script.good_turn("c");
    assert_eq!(script.state("c", Layer::Tts), LayerState::Healthy);
}

/// Why the call ended, if that was soon after a fault.
fn ended_after(script: &Script) -> Option<Evidence> {
    let entry = script.effects.iter().rev().find_map(|effect| match effect {
        Effect::Append(Entry::CallEnded { after, .. }) => Some(after.clone()),
        _ => None,
    });
    entry.expect("the call ended")
}

fn end_by(script: &mut Script, ended_by: EndedBy) {
    let reason = "over".into();
    script.fact("c", Fact::CallEnded { reason, ended_by });
}

#[test]
fn a_call_that_ends_soon_after_a_fault_ended_abruptly() {
    let mut script = good_call();
    script.caller_says("c", "where is my order");
    script.error("c", Layer::Llm, "primary-llm", "http_503");
    script.wait(2_000);
    end_by(&mut script, EndedBy::Caller);
    let found = ended_after(&script).expect("a fault came before");
    assert_eq!(found.kind, SignalKind::EndedAbruptly);
    assert!(
        found
            .text
            .starts_with("the caller hung up 2 s after a fault: "),
        "{}",
        found.text
    );
    assert_eq!(found.events.len(), 3, "turn, error, end");
    let queue = script.engine.queue_patterns().pop().expect("it is counted");
    assert_eq!((queue.queue.as_str(), queue.ended_abruptly), ("billing", 1));
}

#[test]
fn a_good_end_and_one_long_after_a_fault_are_not_abrupt() {
    let mut script = good_call();
    end_by(&mut script, EndedBy::Platform);
    assert_eq!(ended_after(&script), None);
    for (ended_by, wait, is_abrupt) in [
        (EndedBy::Agent, 1_000, false),
        (EndedBy::Platform, 25_000, true),
        (EndedBy::Platform, 31_000, false),
    ] {
        let mut script = good_call();
        script.caller_says("c", "where is my order");
        script.error("c", Layer::Llm, "primary-llm", "http_503");
        script.agent_answers("c", "primary-llm", 100);
        script.good_turn("c");
        script.wait(wait - 4_200);
        end_by(&mut script, ended_by);
        assert_eq!(
            ended_after(&script).is_some(),
            is_abrupt,
            "{ended_by:?} {wait}"
        );
    }
}

/// So many calls ask for a human; the evidence on the dialogue of the last one.
fn calls_ask(script: &mut Script, day: usize, n: usize) -> Option<SignalKind> {
    let mut told = None;
    for call in 0..n {
        let id = format!("d{day}-{call}");
        script.call(&id);
        let (to, reason) = ("billing".into(), "caller".into());
        script.fact(&id, Fact::HandoffRequested { to, reason });
        told = script.layer(&id, DIALOGUE).evidence.map(|found| found.kind);
        script.end(&id);
    }
    told
}

#[test]
fn more_requests_for_a_human_than_usual_at_this_hour_are_told_on_the_newest_call() {
    let mut script = Script::with_heartbeat(86_400_000);
    for day in 0..3 {
        assert_eq!(
            calls_ask(&mut script, day, 6),
            None,
            "nobody knows what is usual"
        );
        script.mute(crate::script::BRIDGE);
        script.wait_at_once(86_400_000);
    }
    assert_eq!(calls_ask(&mut script, 3, 2), None, "two are usual");
    let told = calls_ask(&mut script, 4, 18);
    assert_eq!(told, Some(SignalKind::EscalationDrift));
    let queue = script.engine.queue_patterns().pop().expect("it is known");
    assert_eq!((queue.asked, queue.usual_thousandths), (20, Some(6_000)));
    assert!(queue.drifts);
}
