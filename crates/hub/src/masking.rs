//! Personal data, hidden from whoever may see the board and not the callers.
//!
//! One function for each thing that leaves towards a console. Hidden are: the customer's name, the
//! words of caller and agent, slot values, requests, summaries, promises, tool arguments and
//! results. What a supervisor decides by stays: layers, states, times, counts, service names.

use holdfast_domain::{CallDetail, CallSummary, CardField, HandoffCard, Record, Utterance};

/// Stands for text that is hidden.
pub const MASK: &str = "\u{2022}\u{2022}\u{2022}";

/// A row without personal data.
pub fn mask_summary(row: &mut CallSummary) {
    hide_option(&mut row.customer);
    hide(&mut row.caller_said);
    hide(&mut row.agent_said);
}

/// An open call without personal data.
pub fn mask_detail(detail: &mut CallDetail) {
    mask_summary(&mut detail.summary);
    detail.transcript.iter_mut().for_each(mask_utterance);
    mask_card(&mut detail.card);
}

/// A record without personal data.
pub fn mask_record(record: &mut Record) {
    match record {
        // A cause tells of services and counts; evidence holds no word of a caller. A run tells of
        // calls by their ids, and what people of the house wrote.
        Record::Command { .. }
        | Record::Cause { .. }
        | Record::Run { .. }
        | Record::Lever { .. } => {}
        Record::Handoff { handoff } => mask_card(&mut handoff.card),
    }
}

/// A card without personal data.
pub fn mask_card(card: &mut HandoffCard) {
    hide_option(&mut card.customer);
    for field in [&mut card.ask, &mut card.summary, &mut card.say_first] {
        match field {
            CardField::FromPlatform { text } | CardField::Extracted { text } => hide(text),
            CardField::Missing => {}
        }
    }
    for slot in &mut card.slots {
        hide(&mut slot.value);
    }
    for tool in &mut card.tools {
        hide(&mut tool.outcome);
    }
    for promise in &mut card.promises {
        hide(&mut promise.text);
    }
    card.last_turns.iter_mut().for_each(mask_utterance);
}

fn mask_utterance(utterance: &mut Utterance) {
    hide(&mut utterance.text);
    hide(&mut utterance.unspoken);
}

/// What is empty stays empty: that nothing was said is no personal data.
fn hide(text: &mut String) {
    if !text.is_empty() {
        MASK.clone_into(text);
    }
}

fn hide_option(text: &mut Option<String>) {
    if let Some(text) = text {
        hide(text);
    }
}

#[cfg(test)]
mod tests;
