//! One command on one call, from intent to proof.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ActId, CallId, CommandId, HandoffId, Layer, SourceId, Timestamp};

/// Who asked: a person's name from their token, or `holdfast` itself.
pub type Actor = String;

/// What a bridge is asked to do, with its arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Command {
    /// Another service shall serve a layer.
    SwitchModel {
        /// The layer: asr, llm or tts.
        layer: Layer,
        /// The service that shall serve it.
        to: String,
        /// The failed turn is tried again.
        retry_turn: bool,
        /// What the caller hears first, in the same step; None for nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        announcement: Option<String>,
    },
    /// The failed turn is tried again.
    RetryTurn,
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
        /// BCP 47 tag.
        language: String,
    },
    /// The AI is silent.
    PauseAi,
    /// The AI speaks again.
    ResumeAi,
    /// The call goes to a human.
    Transfer {
        /// The handoff that it belongs to.
        handoff_id: HandoffId,
        /// The agent's identity on the platform.
        to: String,
        /// What the caller hears first; None for nothing.
        announcement: Option<String>,
        /// The card's short key for SIP User-to-User.
        key: String,
    },
    /// A simulator injects a fault. Fleet-wide.
    StartFault {
        /// The fault's id.
        fault: String,
        /// Whom it reaches.
        scope: FaultScope,
    },
    /// A simulator ends a fault. Fleet-wide.
    StopFault {
        /// The injection; None for all.
        id: Option<String>,
    },
}

/// Whom an injected fault reaches: calls that match every given field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct FaultScope {
    /// The vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub provider: Option<String>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub model: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub region: Option<String>,
    /// The tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool: Option<String>,
    /// The queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub queue: Option<String>,
    /// One call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub call: Option<String>,
    /// The share of matching calls that it reaches, 0 to 1; None for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub share: Option<f64>,
}

/// A command's name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is documented at its variant of Command")]
pub enum CommandName {
    SwitchModel,
    RetryTurn,
    DisableTools,
    EnableTools,
    Announce,
    PauseAi,
    ResumeAi,
    Transfer,
    StartFault,
    StopFault,
}

impl CommandName {
    /// The name on the wire, which is also the capability's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SwitchModel => "switch_model",
            Self::RetryTurn => "retry_turn",
            Self::DisableTools => "disable_tools",
            Self::EnableTools => "enable_tools",
            Self::Announce => "announce",
            Self::PauseAi => "pause_ai",
            Self::ResumeAi => "resume_ai",
            Self::Transfer => "transfer",
            Self::StartFault => "start_fault",
            Self::StopFault => "stop_fault",
        }
    }
}

impl Command {
    /// The command's name.
    pub const fn name(&self) -> CommandName {
        match self {
            Self::SwitchModel { .. } => CommandName::SwitchModel,
            Self::RetryTurn => CommandName::RetryTurn,
            Self::DisableTools { .. } => CommandName::DisableTools,
            Self::EnableTools { .. } => CommandName::EnableTools,
            Self::Announce { .. } => CommandName::Announce,
            Self::PauseAi => CommandName::PauseAi,
            Self::ResumeAi => CommandName::ResumeAi,
            Self::Transfer { .. } => CommandName::Transfer,
            Self::StartFault { .. } => CommandName::StartFault,
            Self::StopFault { .. } => CommandName::StopFault,
        }
    }
}

/// What the platform reads back as true after a command.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct ReadBack {
    /// The layer that a switch was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub layer: Option<Layer>,
    /// The service that serves it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub active: Option<String>,
    /// The failed turn was tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retried_turn: Option<bool>,
    /// Tools switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub enabled: Option<Vec<String>>,
    /// Tools switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub disabled: Option<Vec<String>>,
    /// The caller heard the announcement begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub spoken: Option<bool>,
    /// active or paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ai: Option<crate::AiState>,
    /// A human is on the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bridged: Option<bool>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to: Option<String>,
    /// Faults that are injected now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub faults: Option<Vec<crate::ActiveFault>>,
}

/// Why a platform or the hub refused a command. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RejectionKind {
    /// The platform does not know the command.
    UnknownCommand,
    /// Its arguments make no sense.
    InvalidArgs,
    /// The platform does not know the call.
    UnknownCall,
    /// The call is over.
    CallEnded,
    /// What the sender believed is not so.
    ExpectationFailed,
    /// This call cannot do it.
    NotCapable,
    /// The target does not exist.
    TargetUnknown,
    /// The target exists and cannot serve.
    TargetUnusable,
    /// The hub refused: the feed is stale, nobody knows what is true.
    StaleFeed,
    /// The hub refused: the moment is protected (payment, identity).
    ProtectedMoment,
    /// The hub refused: another command on the call is under way.
    Busy,
}

/// Why a command that was tried did not do what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The platform was asked and reads back something else.
    NotApplied,
    /// The platform reported an error.
    PlatformError,
    /// The platform did not finish in time.
    TimedOut,
    /// The call ended before it was done.
    CallEnded,
    /// It was applied and the next turn failed too.
    NotProven,
}

/// Where a command stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CommandState {
    /// Written down, and sent or about to be.
    Requested,
    /// The bridge has it.
    Accepted,
    /// The platform reads back that it is so.
    Applied {
        /// What is true now.
        read_back: ReadBack,
    },
    /// The first good turn after it was heard, or the effect needs no turn to prove it.
    Proven {
        /// What is true now.
        read_back: ReadBack,
    },
    /// It was tried and did not work.
    Failed {
        /// Why.
        kind: FailureKind,
        /// In a sentence, with the next step.
        message: String,
    },
    /// It was refused; nothing changed.
    Rejected {
        /// Why.
        kind: RejectionKind,
        /// In a sentence, with the next step.
        message: String,
    },
    /// Nobody answered before it ran out, or the bridge said that it came too late.
    Expired,
    /// It may or may not have happened; the platform is being asked.
    Unknown,
}

impl CommandState {
    /// True when nothing further will happen to the command.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Proven { .. } | Self::Failed { .. } | Self::Rejected { .. } | Self::Expired => {
                true
            }
            Self::Requested | Self::Accepted | Self::Applied { .. } | Self::Unknown => false,
        }
    }
}

/// When a command reached a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The state.
    pub state: CommandState,
    /// On the hub's clock.
    pub at: Timestamp,
}

/// A command with its whole story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CommandRecord {
    /// Its id and idempotency key.
    pub id: CommandId,
    /// The act that it belongs to.
    pub act: ActId,
    /// The call; None for the whole platform.
    pub call: Option<CallId>,
    /// The bridge that shall do it.
    pub source: SourceId,
    /// What.
    pub command: Command,
    /// What the sender believed: the active service, for a switch.
    pub expect_active: Option<String>,
    /// Who asked.
    pub actor: Actor,
    /// When.
    pub issued_at: Timestamp,
    /// After this it must not be begun.
    pub expires_at: Timestamp,
    /// Every state that it reached, oldest first; never empty.
    pub progress: Vec<Progress>,
}

impl CommandRecord {
    /// Where it stands now.
    pub fn state(&self) -> &CommandState {
        &self
            .progress
            .last()
            .expect("progress begins with Requested and only grows")
            .state
    }
}
