//! Whether the words that the recognizer gave can be what it heard.
//!
//! A recognizer that works badly gives no error: it gives other words. Two things show it without
//! knowing what was said: speech that gave no word at all, and final words that are not those that
//! it had guessed itself while it listened. It mends a word or two at the end, not most of them.
//! Deliberately absent: what a text means, and confidences, which few recognizers tell and none in
//! the same measure.

use holdfast_domain::{DurationMs, Layer, LayerState, SignalKind, Utterance, UtteranceRole};

use super::Cx;
use super::call::Call;
use super::conduct::gist::{self, Gist};
use super::health::evidence;
use crate::words;

/// Whoever makes a sound for so long says something; a cough is shorter.
const SPEECH_MS_MIN: DurationMs = 1_000;

/// Less than this part of the guess and of the final words alike, in percent, is another text.
const SAME_PERCENT: u32 = 50;

/// Why a transcript is doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// No words for speech of this length.
    NoWords(DurationMs),
    /// Other words than it had guessed.
    OtherWords,
}

impl Call {
    /// What is wrong with a final transcript of the caller, before it takes the place of the guess.
    pub(crate) fn doubt(&self, said: &Utterance) -> Option<Doubt> {
        if said.role != UtteranceRole::Caller || !self.ai_serves() {
            return None;
        }
        if said.text.trim().is_empty() {
            let turn = self.turn.as_ref().filter(|turn| !turn.is_transcribed)?;
            let spoke_ms = turn.stopped.since(turn.began);
            return (spoke_ms >= SPEECH_MS_MIN).then_some(Doubt::NoWords(spoke_ms));
        }
        let guess = self.dialogue.partial.as_ref();
        let guess = guess.filter(|guess| guess.role == UtteranceRole::Caller)?;
        if !Gist::of(&guess.text).is_content() {
            return None;
        }
        let (of_guess, of_final) = gist::in_order_percent(&guess.text, &said.text);
        // Who gives long speech in parts ends a part that is whole in itself; a text of less than half
        // the length that is no such part lost most of what was heard.
        let is_remnant = of_final < 100 && said.text.len() * 2 < guess.text.len();
        let is_other = of_guess < SAME_PERCENT && (of_final < SAME_PERCENT || is_remnant);
        is_other.then_some(Doubt::OtherWords)
    }

    /// The recognizer is told to be unwell until it gives words that are not doubted.
    pub(crate) fn misheard(&mut self, doubt: Option<Doubt>, cx: &mut Cx<'_>) {
        let Some(doubt) = doubt else { return };
        let asr = self.layer_words(Layer::Asr);
        let why = match doubt {
            Doubt::NoWords(ms) => {
                format!("{asr} gave no words for {} of speech", words::seconds(ms))
            }
            Doubt::OtherWords => {
                format!("{asr} gave other words than it had guessed while it listened")
            }
        };
        let text = format!("the agent may not know what the caller said: {why}");
        let mut events: Vec<_> = self.turn.iter().map(|turn| turn.event.clone()).collect();
        events.push(cx.event_id());
        let found = evidence(SignalKind::Misheard, text, cx.at, events);
        self.raise(Layer::Asr, LayerState::Degraded, found, cx.notes);
    }
}
