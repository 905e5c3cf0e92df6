//! The handoff card: what the human needs so that the caller repeats nothing.
//!
//! What the platform says comes first. Where it says nothing, the card takes the caller's own words
//! and marks them as extracted. What nobody knows is missing, and says so.

use holdfast_domain::{
    CardFailure, CardField, HandoffCard, Layer, LayerState, ToolEffect, Utterance, UtteranceRole,
};

use crate::calls::{Call, Dialogue};
use crate::words;

/// The most characters of the ask: one line.
const ASK_CHARS_MAX: usize = 140;
/// The most characters of each utterance in an extracted summary.
const QUOTE_CHARS_MAX: usize = 160;
/// How many turns are shown word for word.
const TURNS: usize = 3;
/// The fewest words of a request: "hello, can you hear me" is none, "cancel my order today" may be.
const ASK_WORDS_MIN: usize = 4;

/// The card as it would be sent now.
pub(crate) fn of(call: &Call) -> HandoffCard {
    let dialogue = &*call.dialogue;
    let ask = field(dialogue.ask.as_deref(), || extract_ask(dialogue));
    let say_first = CardField::Extracted {
        text: words::say_first(&dialogue.language, dialogue.customer.as_deref(), ask.text()),
    };
    HandoffCard {
        customer: dialogue.customer.clone(),
        queue: dialogue.queue.clone(),
        language: dialogue.language.clone(),
        summary: field(dialogue.summary.as_deref(), || extract_summary(dialogue)),
        intent: field(dialogue.intent.as_deref(), || None),
        slots: dialogue.slots.clone(),
        identity: dialogue.identity.clone(),
        sentiment: dialogue.sentiment.iter().copied().collect(),
        tools: dialogue
            .tools
            .iter()
            .map(|tool| ToolEffect {
                tool: tool.name.clone(),
                state: tool.state,
                effect: tool.effect,
                outcome: tool.outcome.clone(),
                at: tool.ended_at.unwrap_or(tool.at),
            })
            .collect(),
        promises: dialogue.promises.clone(),
        failure: failure(call),
        last_turns: last_turns(dialogue),
        disclosure: dialogue.disclosure,
        consent: dialogue.consent,
        recording: dialogue.recording.clone(),
        silence_ms: dialogue.silence_ms + call.silence_now_ms(),
        prior_transfers: dialogue.prior_transfers,
        ask,
        say_first,
        as_of: call.last_fact_at,
    }
}

fn field(told: Option<&str>, extract: impl FnOnce() -> Option<String>) -> CardField {
    if let Some(text) = told.filter(|text| !text.trim().is_empty()) {
        return CardField::FromPlatform {
            text: text.to_owned(),
        };
    }
    match extract() {
        Some(text) => CardField::Extracted { text },
        None => CardField::Missing,
    }
}

fn said_by(dialogue: &Dialogue, role: UtteranceRole) -> impl Iterator<Item = &Utterance> {
    dialogue
        .utterances
        .iter()
        .filter(move |utterance| utterance.role == role)
}

/// The caller's first words that are long enough to be a request, word for word.
fn extract_ask(dialogue: &Dialogue) -> Option<String> {
    said_by(dialogue, UtteranceRole::Caller)
        .find(|utterance| utterance.text.split_whitespace().count() >= ASK_WORDS_MIN)
        .map(|utterance| words::clip(utterance.text.trim(), ASK_CHARS_MAX))
}

/// How the conversation began and where it stands, in the speakers' own words.
fn extract_summary(dialogue: &Dialogue) -> Option<String> {
    let quote = |who: &str, utterance: &Utterance| {
        format!(
            "{who}: “{}”",
            words::clip(heard(utterance), QUOTE_CHARS_MAX)
        )
    };
    let first = said_by(dialogue, UtteranceRole::Caller).next()?;
    let last = said_by(dialogue, UtteranceRole::Caller).last()?;
    let agent = said_by(dialogue, UtteranceRole::Agent)
        .filter(|utterance| !heard(utterance).is_empty())
        .last();
    let mut parts = vec![quote("caller", first)];
    if let Some(agent) = agent {
        parts.push(quote("agent", agent));
    }
    if !std::ptr::eq(first, last) {
        parts.push(quote("caller", last));
    }
    Some(parts.join(" … "))
}

/// What was really heard of an utterance.
fn heard(utterance: &Utterance) -> &str {
    utterance
        .text
        .strip_suffix(&utterance.unspoken)
        .unwrap_or(&utterance.text)
        .trim()
}

/// The last three turns word for word: a turn begins where the caller begins.
fn last_turns(dialogue: &Dialogue) -> Vec<Utterance> {
    let said = &dialogue.utterances;
    let mut turns = 0;
    let mut from = said.len();
    for index in (0..said.len()).rev() {
        from = index;
        let begins = said[index].role == UtteranceRole::Caller
            && (index == 0 || said[index - 1].role != UtteranceRole::Caller);
        turns += usize::from(begins);
        if turns == TURNS {
            break;
        }
    }
    said.iter().skip(from).cloned().collect()
}

/// The layer that failed: now, or else the newest failure that was seen.
fn failure(call: &Call) -> Option<CardFailure> {
    let failed = Layer::ALL
        .into_iter()
        .filter(|layer| call.layers[*layer].state == LayerState::Failed)
        .filter_map(|layer| Some((layer, call.layers[layer].evidence.as_deref()?)))
        .max_by_key(|(_, evidence)| evidence.at);
    let newest = call.dialogue.evidence.front();
    let (layer, evidence) = failed.or_else(|| newest.map(|(layer, found)| (*layer, found)))?;
    Some(CardFailure {
        layer,
        text: evidence.text.clone(),
        at: evidence.at,
    })
}
