//! Turns, speech, words, and what the AI agent does.

use holdfast_domain::UtteranceRole;
use holdfast_domain::fact::{AgentActivity, Speaker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;
use crate::wire::{Secs, WireText};

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TurnStarted {
    pub(crate) turn: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TurnEnded {
    pub(crate) turn: u32,
    pub(crate) duration_secs: Secs,
    pub(crate) interrupted: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TurnLatency {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn: Option<u32>,
    pub(crate) total_secs: Secs,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct SpeechActor {
    #[schemars(with = "schema::SpeakerName")]
    pub(crate) actor: Speaker,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct SpeechInterrupted {
    #[schemars(with = "schema::SpeakerName")]
    pub(crate) by: Speaker,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TranscriptPartial<'a> {
    #[schemars(with = "schema::SpeakerName")]
    pub(crate) role: UtteranceRole,
    #[serde(borrow, rename = "pii.text")]
    pub(crate) text: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<WireText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TranscriptFinal<'a> {
    #[schemars(with = "schema::SpeakerName")]
    pub(crate) role: UtteranceRole,
    #[serde(borrow, rename = "pii.text")]
    pub(crate) text: WireText<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<WireText<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) turn: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interrupted: Option<bool>,
    #[serde(
        borrow,
        rename = "pii.unspoken",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) unspoken: Option<WireText<'a>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct AgentStateChanged {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::AgentActivityName>")]
    pub(crate) from: Option<AgentActivity>,
    #[schemars(with = "schema::AgentActivityName")]
    pub(crate) to: AgentActivity,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct AgentReplaced<'a> {
    #[serde(borrow)]
    pub(crate) from: WireText<'a>,
    #[serde(borrow)]
    pub(crate) to: WireText<'a>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct LlmStarted<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct LlmEnded<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    pub(crate) chars: u32,
    pub(crate) tool_calls: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Tts<'a> {
    #[serde(borrow)]
    pub(crate) service: WireText<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chars: Option<u32>,
}
