//! What was said, asked, promised and tried: the material of the handoff card.
//!
//! It is kept continuously, so that it survives the AI engine. Boxed apart from detection state:
//! most events do not touch it.

use std::collections::VecDeque;

use holdfast_domain::fact::Effect;
use holdfast_domain::{
    DurationMs, Evidence, IdentityState, LaneSpan, Layer, PromiseMade, Slot, Timestamp, ToolCall,
    Utterance, UtteranceRole,
};
use serde::{Deserialize, Serialize};

/// The most utterances that are kept: half an hour of talk; the domain's limit.
pub(crate) const UTTERANCES_MAX: usize = 200;
/// The most signals that are kept; the domain's limit.
const EVIDENCE_MAX: usize = 20;
/// The most sentiments that are kept; the domain's limit.
const SENTIMENTS_MAX: usize = 20;
/// The most slots: a long form has about forty fields.
const SLOTS_MAX: usize = 64;
/// The most tool calls that are kept: far more than a call makes.
const TOOLS_MAX: usize = 64;
/// The most promises that are kept.
const PROMISES_MAX: usize = 32;
/// The most characters of one text that are kept. Long answers stay under 2,000.
const TEXT_CHARS_MAX: usize = 4_000;
/// The most characters of a tool's arguments or result: a card shows the gist.
const OUTCOME_CHARS_MAX: usize = 300;
/// The most characters of a name, of a queue or a tool.
const NAME_CHARS_MAX: usize = 200;
/// The most tools of one call: the largest agents seen have about a hundred.
const CATALOG_MAX: usize = 256;

/// The dialogue of one call.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Dialogue {
    pub(crate) queue: String,
    pub(crate) language: String,
    /// The dialogue flow, the build of the agent, the worker and its zone; empty when not told.
    pub(crate) flow: String,
    pub(crate) build: String,
    pub(crate) worker: String,
    pub(crate) zone: String,
    pub(crate) customer: Option<String>,
    pub(crate) intent: Option<String>,
    pub(crate) ask: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) identity: Option<IdentityState>,
    pub(crate) sentiment: VecDeque<f64>,
    pub(crate) promises: Vec<PromiseMade>,
    pub(crate) disclosure: Option<bool>,
    pub(crate) consent: Option<bool>,
    pub(crate) recording: Option<String>,
    /// Final utterances, oldest first.
    pub(crate) utterances: VecDeque<Utterance>,
    /// The newest interim guess of each side, caller first.
    pub(crate) partial: Option<Utterance>,
    pub(crate) tools: VecDeque<ToolCall>,
    pub(crate) tools_enabled: Vec<String>,
    pub(crate) tools_disabled: Vec<String>,
    pub(crate) prior_transfers: u32,
    /// Silences that reached the first limit while the agent owed the floor, summed.
    pub(crate) silence_ms: DurationMs,
    /// Signals, newest first.
    pub(crate) evidence: VecDeque<(Layer, Evidence)>,
    pub(crate) lanes: VecDeque<LaneSpan>,
}

impl Dialogue {
    /// Keeps a signal. The same signal of the same layer in a row is one that grows.
    pub(crate) fn remember_evidence(&mut self, layer: Layer, found: &Evidence) {
        let is_growth = self.evidence.front().is_some_and(|(last_layer, last)| {
            *last_layer == layer
                && last.kind == found.kind
                && last.events.first() == found.events.first()
        });
        if is_growth {
            self.evidence.pop_front();
        }
        self.evidence.push_front((layer, found.clone()));
        self.evidence.truncate(EVIDENCE_MAX);
    }

    /// Takes in a final utterance. A re-told one that is already known is dropped; true if kept.
    pub(crate) fn say(&mut self, mut utterance: Utterance, is_retold: bool) -> bool {
        utterance.text = clip(&utterance.text, TEXT_CHARS_MAX);
        utterance.unspoken = clip(&utterance.unspoken, TEXT_CHARS_MAX);
        if is_retold {
            let is_known = self
                .utterances
                .iter()
                .any(|known| known.role == utterance.role && known.text == utterance.text);
            if is_known {
                return false;
            }
        }
        if self
            .partial
            .as_ref()
            .is_some_and(|partial| partial.role == utterance.role)
        {
            self.partial = None;
        }
        self.utterances.push_back(utterance);
        if self.utterances.len() > UTTERANCES_MAX {
            self.utterances.pop_front();
        }
        true
    }

    /// Takes in an interim guess; it replaces the one before.
    pub(crate) fn guess(&mut self, role: UtteranceRole, text: &str, at: Timestamp) {
        if let Some(partial) = &mut self.partial
            && partial.role == role
        {
            partial.text.clear();
            partial.text.push_str(&clip(text, TEXT_CHARS_MAX));
            return;
        }
        self.partial = Some(Utterance {
            role,
            text: clip(text, TEXT_CHARS_MAX),
            unspoken: String::new(),
            at,
            turn: None,
            is_final: false,
            interrupted: false,
        });
    }

    /// The newest words of one side, interim or final.
    pub(crate) fn last_words(&self, role: UtteranceRole) -> &str {
        self.partial
            .iter()
            .chain(self.utterances.iter().rev())
            .find(|utterance| utterance.role == role)
            .map_or("", |utterance| utterance.text.as_str())
    }

    /// Merges slots by name; numbers are kept to a thousandth, so that they survive a checkpoint.
    pub(crate) fn merge_slots(&mut self, slots: &[Slot]) {
        for slot in slots {
            let mut slot = slot.clone();
            slot.confidence = slot.confidence.map(thousandths);
            slot.name = name(&slot.name);
            slot.value = gist(&slot.value);
            let has_room = self.slots.len() < SLOTS_MAX;
            match self.slots.iter_mut().find(|known| known.name == slot.name) {
                Some(known) => *known = slot,
                None if has_room => self.slots.push(slot),
                None => {}
            }
        }
    }

    pub(crate) fn feel(&mut self, sentiment: f64) {
        self.sentiment.push_back(thousandths(sentiment));
        if self.sentiment.len() > SENTIMENTS_MAX {
            self.sentiment.pop_front();
        }
    }

    pub(crate) fn promise(&mut self, promises: &[PromiseMade]) {
        let kept = promises.iter().take(PROMISES_MAX).cloned();
        self.promises = kept
            .map(|mut promise| {
                promise.text = gist(&promise.text);
                promise
            })
            .collect();
    }

    /// The tool call with this id, made if it is new.
    pub(crate) fn tool(&mut self, id: &str, name: &str, at: Timestamp) -> &mut ToolCall {
        let known = self.tools.iter().rposition(|tool| tool.id == id);
        let index = known.unwrap_or_else(|| {
            if self.tools.len() == TOOLS_MAX {
                self.tools.pop_front();
            }
            self.tools.push_back(ToolCall {
                id: id.to_owned(),
                name: self::name(name),
                state: holdfast_domain::ToolState::Requested,
                writes: false,
                effect: Effect::Unknown,
                args: String::new(),
                outcome: String::new(),
                at,
                ended_at: None,
            });
            self.tools.len() - 1
        });
        &mut self.tools[index]
    }
}

/// A number to three decimals. It then reads back from JSON as exactly the same number.
pub(crate) fn thousandths(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// A name that is not longer than any honest one.
pub(crate) fn name(text: &str) -> String {
    clip(text, NAME_CHARS_MAX)
}

/// The names of a tool catalog.
pub(crate) fn names<T: AsRef<str>>(list: &[T]) -> Vec<String> {
    let kept = list.iter().take(CATALOG_MAX);
    kept.map(|tool| name(tool.as_ref())).collect()
}

/// The gist of a tool's arguments or result.
pub(crate) fn gist(text: &str) -> String {
    clip(text, OUTCOME_CHARS_MAX)
}

fn clip(text: &str, max: usize) -> String {
    crate::words::clip(text, max)
}
