//! What the receiving human needs to know, so that the caller repeats nothing.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::fact::Effect;
use crate::{DurationMs, Layer, Timestamp, ToolState, Utterance};

/// One collected slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// 0 to 1; None when the platform does not say.
    pub confidence: Option<f64>,
    /// The turn in which it was given; None when the platform does not say.
    pub turn: Option<u32>,
}

/// How far the caller has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IdentityState {
    /// How: `phone and last four`.
    pub method: String,
    /// none, partial or full.
    pub level: IdentityLevel,
    /// When it was proved; None when it was not.
    pub at: Option<Timestamp>,
    /// It still holds.
    pub valid: bool,
}

/// How far an identity is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum IdentityLevel {
    /// Not at all.
    None,
    /// In part.
    Partial,
    /// Fully.
    Full,
}

/// Where a value of the card comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CardSource {
    /// The platform said it.
    Platform,
    /// Holdfast took it from the words of the call.
    Extracted,
}

/// Something that the agent said it would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PromiseMade {
    /// Its words.
    pub text: String,
    /// The turn in which it was made.
    pub turn: Option<u32>,
    /// It is known to have been kept.
    pub confirmed: bool,
    /// Who says that it was made. Journals of before it was asked hold what platforms told.
    #[serde(default = "told_by_the_platform")]
    pub source: CardSource,
}

const fn told_by_the_platform() -> CardSource {
    CardSource::Platform
}

/// A part of the card that can be missing or in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CardPart {
    /// The customer's name.
    Customer,
    /// What the caller asks.
    Ask,
    /// The conversation in short.
    Summary,
    /// The intent.
    Intent,
    /// Collected slots.
    Slots,
    /// Who the caller is known to be.
    Identity,
    /// What tools did.
    Tools,
    /// What was promised.
    Promises,
    /// The last words.
    LastTurns,
    /// Whether the caller knows that an AI speaks.
    Disclosure,
    /// Whether the caller consented to recording.
    Consent,
    /// Whether the call is recorded.
    Recording,
    /// Whatever happened after [`HandoffCard::as_of`].
    Newest,
}

/// A part of the card on which nobody may rely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CardGap {
    /// Nobody said.
    Missing {
        /// What.
        part: CardPart,
    },
    /// It was said, and may not be so.
    Doubtful {
        /// What.
        part: CardPart,
        /// Which value of the part, and why: `amount: heard with 0.42 of 1`.
        why: String,
    },
}

impl CardGap {
    /// The part that it concerns.
    pub const fn part(&self) -> CardPart {
        match self {
            Self::Missing { part } | Self::Doubtful { part, .. } => *part,
        }
    }
}

/// One step that was tried with a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ToolEffect {
    /// The tool.
    pub tool: String,
    /// How the tool call stands.
    pub state: ToolState,
    /// What is known of its effect on the outside world.
    pub effect: Effect,
    /// The result or the error, in short.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
}

/// A field of the card, where it comes from, or that it is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CardField {
    /// The platform said it.
    FromPlatform {
        /// The text.
        text: String,
    },
    /// Holdfast took it from the caller's or the agent's own words.
    Extracted {
        /// The text.
        text: String,
    },
    /// Nobody knows; the screen says so.
    Missing,
}

impl CardField {
    /// The text, if there is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::FromPlatform { text } | Self::Extracted { text } => Some(text),
            Self::Missing => None,
        }
    }
}

/// The handoff card. It is built continuously, so that it survives the AI engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HandoffCard {
    /// The customer's name; None when unknown.
    pub customer: Option<String>,
    /// The queue.
    pub queue: String,
    /// BCP 47 tag.
    pub language: String,
    /// What the caller asks, in one line.
    pub ask: CardField,
    /// The conversation in short.
    pub summary: CardField,
    /// The intent.
    pub intent: CardField,
    /// Collected slots, in the order collected.
    pub slots: Vec<Slot>,
    /// Who the caller is known to be; None when identity was never asked.
    pub identity: Option<IdentityState>,
    /// -1 to 1, oldest first, at most 20.
    pub sentiment: Vec<f64>,
    /// Steps tried, oldest first.
    pub tools: Vec<ToolEffect>,
    /// Promises made.
    pub promises: Vec<PromiseMade>,
    /// The layer that failed, in whose words, and when; None when the AI did not fail.
    pub failure: Option<CardFailure>,
    /// The last three turns word for word, with what was never spoken marked.
    pub last_turns: Vec<Utterance>,
    /// The caller was told that an AI speaks; None when unknown.
    pub disclosure: Option<bool>,
    /// The caller consented to recording; None when unknown.
    pub consent: Option<bool>,
    /// on, paused or off; None when unknown.
    pub recording: Option<String>,
    /// Silence that the caller bore while the agent owed the floor, over the whole call.
    pub silence_ms: DurationMs,
    /// Transfers before this one.
    pub prior_transfers: u32,
    /// A first sentence that shows the caller was heard.
    pub say_first: CardField,
    /// Parts that are missing or in doubt, in the order of [`CardPart`].
    #[serde(default)]
    pub gaps: Vec<CardGap>,
    /// The newest fact in the card.
    pub as_of: Timestamp,
}

/// Why a human is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CardFailure {
    /// The layer.
    pub layer: Layer,
    /// The evidence in a sentence.
    pub text: String,
    /// When.
    pub at: Timestamp,
}
