//! Writes a vCon.

use holdfast_domain::{
    AgentId, CallId, Handoff, HandoffCard, HandoffFailure, HandoffState, Timestamp, Utterance,
    UtteranceRole,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{CARD_SCHEMA, CARD_TYPE, SYNTAX, VENDOR};
use crate::wire::Moment;

/// The parties that every call has, by their place.
const CALLER: usize = 0;
const AI_AGENT: usize = 1;

/// What is exported.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// The call.
    pub call: &'a CallId,
    /// When the vCon is made.
    pub created_at: Timestamp,
    /// The name under which this hub is known; it makes the vCon's id unique in the world.
    pub host: &'a str,
    /// The utterances, oldest first.
    pub transcript: &'a [Utterance],
    /// The card as it is now.
    pub card: &'a HandoffCard,
    /// Handoffs of the call, oldest first.
    pub handoffs: &'a [&'a Handoff],
}

/// The vCon as JSON. The same values give the same text.
pub fn export(what: &Export<'_>) -> Value {
    let mut parties = vec![json!({}), json!({"name": "AI agent"})];
    if let Some(name) = &what.card.customer {
        parties[CALLER] = json!({"name": name});
    }
    let mut dialog = Vec::new();
    let mut words = Vec::new();
    for utterance in what.transcript.iter().filter(|one| one.is_final) {
        let speaker = match utterance.role {
            UtteranceRole::Caller => CALLER,
            UtteranceRole::Agent => human_at(what.handoffs, utterance.at)
                .map_or(AI_AGENT, |agent| party(&mut parties, agent)),
        };
        if let Some(text) = heard(utterance) {
            words.push((dialog.len(), utterance.at));
            dialog.push(json!({
                "type": "text",
                "start": Moment(utterance.at),
                "parties": [CALLER, if speaker == CALLER { AI_AGENT } else { speaker }],
                "originator": speaker,
                "mediatype": "text/plain",
                "body": text,
                "encoding": "none",
            }));
        }
    }
    for handoff in what.handoffs {
        add_handoff(handoff, &words, &mut parties, &mut dialog);
    }
    let mut vcon = json!({
        "vcon": SYNTAX,
        "uuid": uuid(what),
        "created_at": Moment(what.created_at),
        "parties": parties,
        "dialog": dialog,
        "analysis": analysis(what.card, words.len()),
    });
    if let Some(subject) = what.card.ask.text() {
        vcon["subject"] = json!(subject);
    }
    vcon
}

/// What was heard of an utterance; None when nothing was.
fn heard(utterance: &Utterance) -> Option<&str> {
    let text = utterance
        .text
        .strip_suffix(utterance.unspoken.as_str())
        .unwrap_or(&utterance.text)
        .trim();
    (!text.is_empty()).then_some(text)
}

/// The human who served the call at a moment.
fn human_at<'a>(handoffs: &[&'a Handoff], at: Timestamp) -> Option<&'a AgentId> {
    handoffs
        .iter()
        .rev()
        .find_map(|handoff| match &handoff.state {
            HandoffState::Bridged { agent } | HandoffState::Confirmed { agent } => {
                let since = handoff
                    .steps
                    .last()
                    .map_or(handoff.requested_at, |step| step.at);
                (since <= at).then_some(agent)
            }
            HandoffState::Requested
            | HandoffState::Offered { .. }
            | HandoffState::Seen { .. }
            | HandoffState::Accepted { .. }
            | HandoffState::Failed { .. } => None,
        })
}

/// The place of a human agent among the parties, who is added when they are new.
fn party(parties: &mut Vec<Value>, agent: &AgentId) -> usize {
    let name = json!({"name": agent.as_str()});
    let known = parties
        .iter()
        .skip(AI_AGENT + 1)
        .position(|one| *one == name);
    known.map_or_else(
        || {
            parties.push(name.clone());
            parties.len() - 1
        },
        |at| at + AI_AGENT + 1,
    )
}

/// A handoff that came to its end: what is under way is no fact yet.
fn add_handoff(
    handoff: &Handoff,
    words: &[(usize, Timestamp)],
    parties: &mut Vec<Value>,
    dialog: &mut Vec<Value>,
) {
    let start = Moment(handoff.requested_at);
    let places = |is_meant: &dyn Fn(Timestamp) -> bool| -> Vec<usize> {
        let meant = words.iter().filter(|(_, at)| is_meant(*at));
        meant.map(|(place, _)| *place).collect()
    };
    let since = handoff
        .steps
        .last()
        .map_or(handoff.requested_at, |step| step.at);
    let mut transfer = json!({
        "type": "transfer",
        "start": start,
        "transferee": CALLER,
        "transferor": AI_AGENT,
    });
    let target = match &handoff.state {
        HandoffState::Bridged { agent } | HandoffState::Confirmed { agent } => {
            transfer["transfer_target"] = json!(party(parties, agent));
            places(&|at| at >= since)
        }
        HandoffState::Failed { kind, .. } => {
            dialog.push(json!({
                "type": "incomplete",
                "start": start,
                "parties": [CALLER],
                "originator": CALLER,
                "disposition": disposition(*kind),
            }));
            vec![dialog.len() - 1]
        }
        HandoffState::Requested
        | HandoffState::Offered { .. }
        | HandoffState::Seen { .. }
        | HandoffState::Accepted { .. } => return,
    };
    let original = places(&|at| at < since);
    for (role, places) in [("original", original), ("target_dialog", target)] {
        if !places.is_empty() {
            transfer[role] = json!(places);
        }
    }
    dialog.push(transfer);
}

const fn disposition(kind: HandoffFailure) -> &'static str {
    match kind {
        HandoffFailure::NoAnswer => "no-answer",
        HandoffFailure::Busy => "busy",
        HandoffFailure::Voicemail => "voicemail-no-message",
        HandoffFailure::CallerLeft => "hung-up",
        HandoffFailure::TrunkFailed | HandoffFailure::Declined | HandoffFailure::Withdrawn => {
            "failed"
        }
    }
}

fn analysis(card: &HandoffCard, n_words: usize) -> Vec<Value> {
    let mut analysis = vec![json!({
        "type": CARD_TYPE,
        "vendor": VENDOR,
        "product": VENDOR,
        "schema": CARD_SCHEMA,
        "mediatype": "application/json",
        "body": card,
        "encoding": "json",
    })];
    if let Some(summary) = card.summary.text() {
        analysis.push(json!({
            "type": "summary",
            "vendor": VENDOR,
            "mediatype": "text/plain",
            "body": summary,
            "encoding": "none",
        }));
    }
    if n_words > 0 {
        for one in &mut analysis {
            one["dialog"] = json!((0..n_words).collect::<Vec<_>>());
        }
    }
    analysis
}

/// A UUID of version 8: the moment, as version 7 has it, and for the rest a hash of who made it
/// and of which call, so that the same export has the same id.
fn uuid(what: &Export<'_>) -> String {
    let hash = Sha256::new()
        .chain_update(what.host)
        .chain_update([0])
        .chain_update(what.call.as_str())
        .finalize();
    let mut bytes = [0_u8; 16];
    let ms = what.created_at.as_millis().unsigned_abs().to_be_bytes();
    bytes[..6].copy_from_slice(&ms[2..]);
    bytes[6..].copy_from_slice(&hash[..10]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for half in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text
}
