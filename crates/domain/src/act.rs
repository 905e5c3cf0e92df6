//! What a person does: one verb on one call, on a selection or on all.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::command::FaultScope;
use crate::{ActId, CallId, CauseId, CauseReach, Layer, Rung, SourceId};

/// An act, as a person asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Act {
    /// Made by the console; asking twice with the same id is one act.
    pub id: ActId,
    /// What.
    pub verb: ActVerb,
    /// On what.
    pub target: Target,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ActVerb {
    /// Another service serves a layer, and the failed turn is tried again.
    SwitchModel {
        /// The layer: asr, llm or tts.
        layer: Layer,
        /// The service by name; None: on each call the next usable one of its ladder.
        to: Option<String>,
    },
    /// Tools are switched off; empty for all.
    DisableTools {
        /// Their names.
        tools: Vec<String>,
    },
    /// Tools are switched on; empty for all.
    EnableTools {
        /// Their names.
        tools: Vec<String>,
    },
    /// The caller hears a sentence.
    Announce {
        /// The sentence.
        text: String,
    },
    /// The AI is silent.
    PauseAi,
    /// The AI speaks again.
    ResumeAi,
    /// The call goes to the next free human agent, with its card.
    RouteToHumans,
    /// A simulator injects a fault.
    StartFault {
        /// The fault's id.
        fault: String,
        /// Whom it reaches.
        scope: FaultScope,
    },
    /// A simulator ends a fault.
    StopFault {
        /// The injection; None for all.
        id: Option<String>,
    },
}

/// On what a person acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Target {
    /// These calls.
    Calls {
        /// Their ids.
        calls: Vec<CallId>,
    },
    /// The live calls of a cause group.
    Cause {
        /// The group.
        cause: CauseId,
        /// Which of its calls.
        reach: CauseReach,
    },
    /// Every live call that the AI serves.
    AllCalls,
    /// The platform behind a bridge (faults).
    Platform {
        /// The bridge.
        source: SourceId,
    },
}

/// Whom an act would touch, before it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActPreview {
    /// The calls that it would touch.
    pub calls: Vec<CallId>,
    /// How many of them stand on which rung.
    pub by_rung: Vec<(Rung, u32)>,
    /// How many of them fail now.
    pub failing: u32,
    /// What would become of them: `backup-llm` and how many.
    pub becomes: Vec<(String, u32)>,
    /// Calls that it would not touch, and why.
    pub excluded: Vec<Excluded>,
    /// Human agents who are free now (route to humans).
    pub humans_free: u32,
    /// What callers hear; None for nothing.
    pub announcement: Option<String>,
    /// All of it in a sentence.
    pub sentence: String,
}

/// A call that an act leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Excluded {
    /// The call.
    pub call: CallId,
    /// Why.
    pub reason: ExcludedReason,
}

/// Why an act leaves a call alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ExcludedReason {
    /// It is over, or was never known.
    NotLive,
    /// A human serves it already.
    WithHuman,
    /// It is in a payment or an identity check.
    ProtectedMoment,
    /// Its platform cannot do it.
    NotCapable,
    /// No other service is usable.
    NoTarget,
    /// It already is as the act would make it.
    AlreadySo,
    /// Another command or handoff is under way.
    Busy,
    /// Nobody knows what is true: the feed is stale.
    StaleFeed,
}
