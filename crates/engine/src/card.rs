//! The handoff card: what the human needs so that the caller repeats nothing.
//!
//! What the platform says comes first. Where it says nothing, the card takes the words of the call
//! and marks them as extracted. What nobody knows, and what may not be so, is listed as a gap.

mod extract;
mod gaps;
mod lexicon;

use holdfast_domain::{
    CardFailure, CardField, CardSource, HandoffCard, Layer, LayerState, ToolEffect, Utterance,
    UtteranceRole,
};

use self::extract::{Extractive, Writer};
use crate::calls::{Call, Dialogue};

/// How many turns are shown word for word.
const TURNS: usize = 3;

/// The card as it would be sent now. Where the call's bridge is not heard, the card says that what
/// happened since is missing.
pub(crate) fn of(call: &Call, is_heard: bool) -> HandoffCard {
    written_by(&Extractive, call, is_heard)
}

fn written_by(writer: &impl Writer, call: &Call, is_heard: bool) -> HandoffCard {
    let dialogue = &*call.dialogue;
    let ask = told(dialogue.ask.as_deref()).unwrap_or_else(|| writer.ask(dialogue));
    let say_first = writer.say_first(dialogue, ask.text());
    let (promises, told_by) = if dialogue.promises.is_empty() {
        let found = writer.promises(dialogue);
        let from = found.as_ref().map(|_| CardSource::Extracted);
        (found.unwrap_or_default(), from)
    } else {
        (dialogue.promises.clone(), Some(CardSource::Platform))
    };
    let mut card = HandoffCard {
        customer: dialogue.customer.clone(),
        queue: dialogue.queue.clone(),
        language: dialogue.language.clone(),
        summary: told(dialogue.summary.as_deref()).unwrap_or_else(|| writer.summary(dialogue)),
        intent: told(dialogue.intent.as_deref()).unwrap_or(CardField::Missing),
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
        promises,
        failure: failure(call),
        last_turns: last_turns(dialogue),
        disclosure: dialogue.disclosure,
        consent: dialogue.consent,
        recording: dialogue.recording.clone(),
        silence_ms: dialogue.silence_ms + call.silence_now_ms(),
        prior_transfers: dialogue.prior_transfers,
        ask,
        say_first,
        gaps: Vec::new(),
        as_of: call.last_fact_at,
    };
    card.gaps = gaps::of(&card, told_by, is_heard);
    card
}

fn told(text: Option<&str>) -> Option<CardField> {
    let text = text.filter(|text| !text.trim().is_empty())?.to_owned();
    Some(CardField::FromPlatform { text })
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
