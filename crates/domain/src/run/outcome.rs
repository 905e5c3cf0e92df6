//! What becomes of each call of a run.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{CallId, CommandId, FailureKind, HandoffId, RejectionKind, Timestamp};

/// One call of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunCall {
    /// The call.
    pub call: CallId,
    /// The place in the run's stages of the stage that touches it; None: no stage has come to it.
    pub stage: Option<u32>,
    /// What it shall become, in a word: `backup-llm`.
    pub becomes: String,
    /// Where it stands.
    pub state: RunCallState,
    /// Its newest command.
    pub command: Option<CommandId>,
    /// Its handoff.
    pub handoff: Option<HandoffId>,
    /// Since when it stands so.
    pub at: Timestamp,
}

/// Where a call of a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RunCallState {
    /// No stage has come to it.
    Untouched,
    /// Its stage has come, and this is no moment for it.
    Waiting {
        /// Why.
        why: RunWait,
    },
    /// Its command is written down, and sent or about to be.
    Intent,
    /// The bridge has the command.
    Accepted,
    /// The platform reads back that it is so.
    Applied,
    /// The first good turn after it was heard, or the effect needs no turn to prove it.
    Proven,
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
    /// Nobody answered before the command ran out.
    Expired,
    /// It may or may not have happened; the platform is being asked.
    Unknown,
    /// It waits until a human can take it.
    Queued {
        /// The wait is too long, and a callback was offered.
        callback: bool,
    },
    /// A human is asked, or has taken it.
    HandedOver {
        /// A human is on the call.
        with_human: bool,
    },
    /// It was not changed as previewed.
    Left {
        /// Why.
        why: DifferenceKind,
    },
    /// It is being changed back.
    Undoing,
    /// It is as it was before.
    Undone,
    /// It could not be changed back.
    NotUndone {
        /// Why, with the next step.
        message: String,
    },
}

/// Why a call waits although its stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RunWait {
    /// Somebody speaks.
    Speaking,
    /// A payment, an identity check or a write of a tool.
    Protected,
    /// Another command or handoff is under way.
    Busy,
    /// Its bridge is not heard.
    StaleFeed,
}

/// Why a call was not changed as previewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DifferenceKind {
    /// It ended before.
    Ended,
    /// A human serves it.
    WithHuman,
    /// It had become so already, by other means.
    AlreadySo,
    /// It has what the playbook selects no longer.
    MatchesNoMore,
    /// It was in a payment, an identity check or a write of a tool.
    Protected,
    /// Somebody spoke the whole time.
    Speaking,
    /// It began to match after the preview; the run leaves it alone.
    NewlyMatching,
    /// The run ended before it came to it.
    RunEnded,
    /// Nothing is left to which it could be switched as previewed.
    NoTarget,
    /// Its platform cannot do it.
    NotCapable,
    /// Another command or handoff was under way the whole time.
    Busy,
    /// Its bridge was not heard.
    StaleFeed,
}

impl DifferenceKind {
    /// True for what makes the preview wrong: the call is there to be changed, and cannot be as it
    /// was shown. Calls that end, that others took or that must not be disturbed are foreseen.
    pub const fn breaks_the_preview(self) -> bool {
        match self {
            Self::NoTarget | Self::NotCapable | Self::Busy | Self::StaleFeed => true,
            Self::Ended
            | Self::WithHuman
            | Self::AlreadySo
            | Self::MatchesNoMore
            | Self::Protected
            | Self::Speaking
            | Self::NewlyMatching
            | Self::RunEnded => false,
        }
    }
}

/// One call between the preview and what was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunDifference {
    /// The call.
    pub call: CallId,
    /// Why.
    pub kind: DifferenceKind,
}

/// How many calls stand where. A call is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunTally {
    /// All.
    pub n_calls: u32,
    /// No stage has come to them.
    pub untouched: u32,
    /// This is no moment for them.
    pub waiting: u32,
    /// Written down.
    pub intent: u32,
    /// The bridge has it.
    pub accepted: u32,
    /// Read back as so.
    pub applied: u32,
    /// Proven.
    pub proven: u32,
    /// Failed, rejected, expired.
    pub failed: u32,
    /// Unknown: the platform is being asked.
    pub unknown: u32,
    /// In the line for a human.
    pub queued: u32,
    /// A human is asked or on the call.
    pub handed_over: u32,
    /// Not changed as previewed.
    pub left: u32,
    /// Being changed back.
    pub undoing: u32,
    /// Changed back.
    pub undone: u32,
    /// Could not be changed back.
    pub not_undone: u32,
}

impl RunTally {
    /// Counts a call.
    pub const fn count(&mut self, state: &RunCallState) {
        self.n_calls += 1;
        let place = match state {
            RunCallState::Untouched => &mut self.untouched,
            RunCallState::Waiting { .. } => &mut self.waiting,
            RunCallState::Intent => &mut self.intent,
            RunCallState::Accepted => &mut self.accepted,
            RunCallState::Applied => &mut self.applied,
            RunCallState::Proven => &mut self.proven,
            RunCallState::Failed { .. } | RunCallState::Rejected { .. } | RunCallState::Expired => {
                &mut self.failed
            }
            RunCallState::Unknown => &mut self.unknown,
            RunCallState::Queued { .. } => &mut self.queued,
            RunCallState::HandedOver { .. } => &mut self.handed_over,
            RunCallState::Left { .. } => &mut self.left,
            RunCallState::Undoing => &mut self.undoing,
            RunCallState::Undone => &mut self.undone,
            RunCallState::NotUndone { .. } => &mut self.not_undone,
        };
        *place += 1;
    }
}
