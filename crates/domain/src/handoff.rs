//! A change of who serves the customer, from request to confirmation.
//!
//! ```text
//! Requested -> Offered -> Seen -> Accepted -> Bridged -> Confirmed
//!     ^           |         |         |
//!     |           +-> declined / no answer: offered to the next, or back in the queue
//!     +-----------+---------+         +-> Failed (trunk failed, caller left)
//! ```

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{AgentId, CallId, CommandId, HandoffCard, HandoffId, Timestamp};

/// Why a call goes to a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HandoffReason {
    /// A supervisor decided.
    Supervisor,
    /// The caller asked for a human.
    CallerAsked,
    /// The AI agent gave up.
    AiAsked,
    /// The failover ladder ended here.
    LadderEnded,
}

/// Where a handoff stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum HandoffState {
    /// It waits for a free agent.
    Requested,
    /// An agent is asked.
    Offered {
        /// Who.
        agent: AgentId,
        /// When the offer ends.
        expires_at: Timestamp,
    },
    /// The agent has the card on screen: the read receipt.
    Seen {
        /// Who.
        agent: AgentId,
        /// When the offer ends.
        expires_at: Timestamp,
    },
    /// The agent takes it; the platform is asked to bridge.
    Accepted {
        /// Who.
        agent: AgentId,
    },
    /// The platform reads back that the human is on the call.
    Bridged {
        /// Who.
        agent: AgentId,
    },
    /// The human's first good turn was heard, or the platform confirmed the bridge on its own.
    Confirmed {
        /// Who.
        agent: AgentId,
    },
    /// It ended without a human on the call.
    Failed {
        /// Why.
        kind: HandoffFailure,
        /// In a sentence, with the next step.
        message: String,
    },
}

impl HandoffState {
    /// True when nothing further will happen to the handoff.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Confirmed { .. } | Self::Failed { .. } => true,
            Self::Requested
            | Self::Offered { .. }
            | Self::Seen { .. }
            | Self::Accepted { .. }
            | Self::Bridged { .. } => false,
        }
    }

    /// The agent that it concerns now.
    pub const fn agent(&self) -> Option<&AgentId> {
        match self {
            Self::Offered { agent, .. }
            | Self::Seen { agent, .. }
            | Self::Accepted { agent }
            | Self::Bridged { agent }
            | Self::Confirmed { agent } => Some(agent),
            Self::Requested | Self::Failed { .. } => None,
        }
    }
}

/// Why a handoff ended without a human on the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HandoffFailure {
    /// Nobody answered.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// A machine answered.
    Voicemail,
    /// The caller hung up.
    CallerLeft,
    /// The platform could not connect.
    TrunkFailed,
    /// The agent declined on the platform.
    Declined,
    /// The supervisor took it back.
    Withdrawn,
}

/// A past step of a handoff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HandoffStep {
    /// What happened, in a sentence.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// One handoff with its story and its card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Handoff {
    /// Its id.
    pub id: HandoffId,
    /// The call.
    pub call: CallId,
    /// Why.
    pub reason: HandoffReason,
    /// Who asked: a person's name, `caller`, `ai` or `holdfast`.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub state: HandoffState,
    /// The transfer command, once accepted.
    pub transfer: Option<CommandId>,
    /// Agents who declined or did not answer; they are not asked again for this handoff.
    pub refused_by: Vec<AgentId>,
    /// What happened, oldest first.
    pub steps: Vec<HandoffStep>,
    /// The card, as of the last change of state.
    pub card: HandoffCard,
}

/// Whether a human agent can be offered a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HumanState {
    /// Can be offered a call.
    Free,
    /// Has an offer on screen.
    Offered,
    /// On a call.
    OnCall,
    /// Not to be asked.
    #[default]
    Away,
}

/// A human agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HumanAgent {
    /// Who.
    pub id: AgentId,
    /// Whether they can be asked.
    pub state: HumanState,
    /// Since when.
    pub since: Timestamp,
}
