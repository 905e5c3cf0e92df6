//! Control frames between bridge and hub. Events are in [`crate::event`].

pub(crate) mod command;
mod from_bridge;
mod from_hub;

pub use from_bridge::write_bridge_frame;
pub(crate) use from_bridge::{FromBridge, parse_control};
pub(crate) use from_hub::FromHub;
pub use from_hub::{parse_hub_frame, write_hub_frame};

use holdfast_domain::{
    CallId, Capability, Command, CommandId, FailureKind, ReadBack, RejectionKind, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::WireError;
use crate::schema;

/// A name and a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

/// The first frame of a bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The version of the protocol that the bridge speaks.
    pub protocol: u32,
    /// `//bridges/<kind>/<instance>`.
    #[schemars(length(min = 1, max = 256))]
    pub source: String,
    /// New each time the bridge process starts.
    #[schemars(length(min = 1, max = 64))]
    pub epoch: String,
    /// The token, when it is not in the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The bridge.
    pub bridge: Named,
    /// The platform.
    pub platform: Named,
    /// How often it sends a heartbeat, 0.1 to 60 seconds.
    #[schemars(range(min = 0.1, max = 60))]
    pub heartbeat_secs: f64,
    /// What it can do.
    #[serde(default)]
    #[schemars(with = "Vec<schema::CapabilityForm>")]
    pub capabilities: Vec<Capability>,
}

/// The state that a bridge reports for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultState {
    /// It has the command.
    Accepted,
    /// The platform reads back that it is so.
    Applied,
    /// It refused; nothing changed.
    Rejected,
    /// It tried; it did not work.
    Failed,
    /// It came too late.
    Expired,
}

/// Why a command was rejected or failed, as the wire names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each is documented at RejectionKind or FailureKind"
)]
pub enum ResultKind {
    UnknownCommand,
    InvalidArgs,
    UnknownCall,
    CallEnded,
    ExpectationFailed,
    NotCapable,
    TargetUnknown,
    TargetUnusable,
    NotApplied,
    PlatformError,
    TimedOut,
}

impl ResultKind {
    /// The kind, for a command that was rejected.
    pub const fn as_rejection(self) -> RejectionKind {
        match self {
            Self::UnknownCommand => RejectionKind::UnknownCommand,
            Self::InvalidArgs => RejectionKind::InvalidArgs,
            Self::UnknownCall => RejectionKind::UnknownCall,
            Self::CallEnded => RejectionKind::CallEnded,
            Self::ExpectationFailed => RejectionKind::ExpectationFailed,
            Self::NotCapable | Self::NotApplied | Self::PlatformError | Self::TimedOut => {
                RejectionKind::NotCapable
            }
            Self::TargetUnknown => RejectionKind::TargetUnknown,
            Self::TargetUnusable => RejectionKind::TargetUnusable,
        }
    }

    /// The kind, for a command that failed.
    pub const fn as_failure(self) -> FailureKind {
        match self {
            Self::NotApplied => FailureKind::NotApplied,
            Self::TimedOut => FailureKind::TimedOut,
            Self::CallEnded => FailureKind::CallEnded,
            Self::UnknownCommand
            | Self::InvalidArgs
            | Self::UnknownCall
            | Self::ExpectationFailed
            | Self::NotCapable
            | Self::TargetUnknown
            | Self::TargetUnusable
            | Self::PlatformError => FailureKind::PlatformError,
        }
    }
}

/// A bridge's answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResult {
    /// The command.
    #[schemars(with = "String")]
    pub command_id: CommandId,
    /// How it stands.
    pub state: ResultState,
    /// Why, when rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ResultKind>,
    /// In a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What is true now, when applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema::ReadBackForm>")]
    pub read_back: Option<ReadBack>,
}

/// A command as a bridge receives it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandFrame {
    /// Its id and idempotency key.
    pub command_id: CommandId,
    /// The call; None for the whole platform (`*` on the wire).
    pub call: Option<CallId>,
    /// What.
    pub command: Command,
    /// Who asked.
    pub actor: String,
    /// When.
    pub issued_at: Timestamp,
    /// After this it must not be begun.
    pub expires_at: Timestamp,
    /// The service that the sender believes active, for a switch.
    pub expect_active: Option<String>,
}

/// What the hub says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// The version of the protocol that the hub speaks.
    pub protocol: u32,
    /// The last sequence that is durable for this source and epoch; 0 for none.
    pub resume_after: u64,
    /// The hub cannot go on from there: it wants a snapshot.
    pub snapshot: bool,
    /// The largest frame that it reads.
    pub max_frame_bytes: usize,
    /// The most events in a batch.
    pub max_batch: usize,
}

/// A control frame from a bridge.
#[derive(Debug, Clone, PartialEq)]
pub enum BridgeFrame {
    /// The first frame.
    Hello(Hello),
    /// An answer to a command.
    Result(CommandResult),
    /// The answer to a ping.
    Pong {
        /// The ping's number.
        nonce: u64,
    },
}

/// A frame from the hub to a bridge.
#[derive(Debug, Clone, PartialEq)]
pub enum HubFrame {
    /// The answer to `hello`.
    Welcome(Welcome),
    /// Everything up to here is durable.
    Ack {
        /// The sequence.
        sequence: u64,
    },
    /// Please act.
    Command(Box<CommandFrame>),
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        nonce: u64,
    },
    /// Something was wrong with a frame.
    Error(WireError),
}
