//! Words of the recognizer that cannot be what it heard.

use holdfast_domain::fact::{Fact, Speaker};
use holdfast_domain::{Layer, LayerState, NeedLevel, SignalKind, UtteranceRole};

use crate::script::Script;

fn good_call() -> Script {
    let mut script = Script::new();
    script.call("c");
    script.good_turn("c");
    script
}

fn guess(script: &mut Script, text: &'static str) {
    let (role, text) = (UtteranceRole::Caller, text.into());
    script.fact("c", Fact::TranscriptPartial { role, text });
}

/// The caller speaks; the recognizer guesses, and decides otherwise.
fn says(script: &mut Script, guessed: &'static str, at_last: &'static str) {
    let actor = Speaker::Caller;
    script.fact("c", Fact::SpeechStarted { actor });
    script.wait(1_500);
    guess(script, guessed);
    script.wait(500);
    script.fact("c", Fact::SpeechStopped { actor });
    script.wait(200);
    script.transcript("c", UtteranceRole::Caller, at_last);
}

#[test]
fn speech_without_a_word_is_the_recognizers() {
    let mut script = good_call();
    script.caller_sounds("c", 2_000);
    script.transcript("c", UtteranceRole::Caller, "");
    let asr = script.layer("c", Layer::Asr);
    assert_eq!(asr.state, LayerState::Degraded);
    assert_eq!(asr.evidence.expect("told").kind, SignalKind::Misheard);
    assert!(script.why("c", Layer::Asr).contains("no words for 2 s"));
    assert_eq!(script.need("c").level, NeedLevel::Watch);
    // That the agent asks again is no proof that it hears.
    script.agent_answers("c", "primary-llm", 500);
    assert_eq!(script.state("c", Layer::Asr), LayerState::Degraded);
    script.good_turn("c");
    assert_eq!(script.state("c", Layer::Asr), LayerState::Healthy);
}

#[test]
fn a_cough_without_a_word_is_nobodys() {
    let mut script = good_call();
    script.caller_sounds("c", 900);
    script.transcript("c", UtteranceRole::Caller, "");
    assert_eq!(script.state("c", Layer::Asr), LayerState::Healthy);
}

#[test]
fn other_words_than_were_guessed_are_the_recognizers() {
    let mut script = good_call();
    says(
        &mut script,
        "I have meetings all day what shall",
        "then until shall all meetings",
    );
    let why = script.why("c", Layer::Asr);
    assert!(why.contains("other words than it had guessed"), "{why}");

    script.good_turn("c");
    says(
        &mut script,
        "I have meetings all day what shall",
        "then meetings",
    );
    assert_eq!(
        script.state("c", Layer::Asr),
        LayerState::Degraded,
        "a remnant"
    );
}

#[test]
fn a_guess_that_is_mended_or_parted_is_none() {
    let mut script = good_call();
    for at_last in [
        "I have a meeting all day, what shall I do until then?",
        "I have meetings",
        "Two.",
    ] {
        says(&mut script, "I have meetings all day what shall", at_last);
        if at_last != "Two." {
            assert_eq!(
                script.state("c", Layer::Asr),
                LayerState::Healthy,
                "{at_last}"
            );
        }
        script.agent_answers("c", "primary-llm", 500);
    }
    says(&mut script, "It is", "Nine one seven five.");
    assert_eq!(
        script.state("c", Layer::Asr),
        LayerState::Healthy,
        "two words are no guess"
    );
}

#[test]
fn a_question_that_is_asked_again_after_it_misheard_is_the_recognizers() {
    let mut script = good_call();
    for _ in 0..3 {
        script.caller_sounds("c", 2_000);
        script.transcript("c", UtteranceRole::Caller, "");
        script.llm_starts("c", "primary-llm");
        script.wait(400);
        script.llm_ends("c", 40, 0);
        script.agent_starts("c");
        script.wait(1_000);
        script.agent_stops("c");
        let asked = "Sorry, what is the number of your order?";
        script.transcript("c", UtteranceRole::Agent, asked);
        script.wait(500);
    }
    assert_eq!(script.state("c", Layer::Asr), LayerState::Failed);
    assert_eq!(script.state("c", Layer::Orchestration), LayerState::Healthy);
}
