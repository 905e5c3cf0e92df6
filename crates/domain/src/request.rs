//! What a person asks of the hub, what comes of it, and the records that it leaves.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    Act, ActPreview, ActVerb, CauseGroup, CauseId, CommandId, CommandRecord, Excluded, Handoff,
    HandoffId, HumanState, Ledger, Lever, PlaybookId, Run, RunCall, RunId, RunPreview, RunRefusal,
    Target,
};

/// What a person can ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    /// Whom would it touch?
    Preview {
        /// What.
        verb: ActVerb,
        /// On what.
        target: Target,
    },
    /// Do it.
    Act {
        /// What, on what.
        act: Act,
    },
    /// I have the card on screen.
    SeeHandoff {
        /// The handoff.
        handoff: HandoffId,
    },
    /// I take the call.
    AcceptHandoff {
        /// The handoff.
        handoff: HandoffId,
    },
    /// I do not take the call.
    DeclineHandoff {
        /// The handoff.
        handoff: HandoffId,
        /// Why, in the agent's words or one of the offered ones.
        reason: String,
    },
    /// I am free, or away.
    SetHumanState {
        /// Free or away; the others follow from what happens.
        state: HumanState,
    },
    /// What would a run of a playbook do? Asked again with the same id, before it began, it is
    /// previewed anew, and approvals of before are void.
    PreviewRun {
        /// Made by the console; names the run from here on.
        run: RunId,
        /// The playbook.
        playbook: PlaybookId,
        /// The cause from which it would be started.
        cause: Option<CauseId>,
    },
    /// Begin the run, or have a second person asked, as the playbook says.
    StartRun {
        /// The run.
        run: RunId,
        /// The preview that the person saw.
        fingerprint: String,
        /// Why one person goes on alone (break-glass); None: as the playbook says.
        reason: Option<String>,
    },
    /// I agree, as the second person.
    ApproveRun {
        /// The run.
        run: RunId,
        /// The preview that the person saw.
        fingerprint: String,
    },
    /// I do not agree.
    DeclineRun {
        /// The run.
        run: RunId,
        /// The preview that the person saw.
        fingerprint: String,
        /// Why.
        reason: String,
    },
    /// The answer to the run's question.
    AnswerRun {
        /// The run.
        run: RunId,
        /// Yes: it goes on.
        yes: bool,
    },
    /// Stop here; what was done stays.
    StopRun {
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// Change back the calls that the run touched.
    RollBackRun {
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// I have looked at a run that one person did alone.
    ReviewRun {
        /// The run.
        run: RunId,
        /// What was found.
        note: String,
    },
    /// Every call of a run with its outcome.
    ShowRun {
        /// The run.
        run: RunId,
    },
    /// Everything that the ledger of recoveries has, for an export.
    ShowLedger,
    /// The red lever: pulled, all runs stop, nothing is done automatically and no run begins.
    Lever {
        /// Pull it, or put it back.
        on: bool,
        /// Why.
        reason: String,
    },
}

impl Request {
    /// What the person wrote in their own words, where it is kept: reasons and notes. What is to be
    /// said to a caller is not among it, because it is said as it stands.
    pub fn own_words_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::DeclineHandoff { reason, .. }
            | Self::DeclineRun { reason, .. }
            | Self::StopRun { reason, .. }
            | Self::RollBackRun { reason, .. }
            | Self::Lever { reason, .. } => Some(reason),
            Self::ReviewRun { note, .. } => Some(note),
            Self::StartRun { reason, .. } => reason.as_mut(),
            Self::Preview { .. }
            | Self::Act { .. }
            | Self::SeeHandoff { .. }
            | Self::AcceptHandoff { .. }
            | Self::SetHumanState { .. }
            | Self::PreviewRun { .. }
            | Self::ApproveRun { .. }
            | Self::AnswerRun { .. }
            | Self::ShowRun { .. }
            | Self::ShowLedger => None,
        }
    }
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Reply {
    /// Whom it would touch.
    Preview {
        /// The preview.
        preview: ActPreview,
    },
    /// It is written down and under way; its records tell the rest.
    Acting {
        /// The commands that it became.
        commands: Vec<CommandId>,
        /// The handoffs that it became.
        handoffs: Vec<HandoffId>,
        /// Calls that it leaves alone, and why.
        excluded: Vec<Excluded>,
    },
    /// What a run would do.
    RunPreview {
        /// The preview, with the exact set.
        preview: Box<RunPreview>,
    },
    /// Every call of a run.
    RunCalls {
        /// The run.
        run: RunId,
        /// Its calls, in the order in which the stages come to them, at most 10,000.
        calls: Vec<RunCall>,
    },
    /// The ledger of recoveries, with every one that is kept.
    Ledger {
        /// The ledger.
        ledger: Box<Ledger>,
    },
    /// It is done.
    Done,
    /// It was refused; nothing changed.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// What kind; the window decides by it.
    pub code: RefusalCode,
    /// What happened, what it means, what to do: one or two sentences.
    pub message: String,
    /// The exact kind, where the request was about a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub run: Option<RunRefusal>,
}

impl Refusal {
    /// A refusal with its words.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            run: None,
        }
    }
}

/// The kinds of refusal, a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RefusalCode {
    /// The person's token does not carry the right.
    Forbidden,
    /// What was named does not exist (any more).
    NotFound,
    /// It is no longer as the person believed.
    Conflict,
    /// The request makes no sense.
    Invalid,
    /// The view is stale: nobody acts while blind.
    Stale,
    /// There is no connection to the hub.
    Unreachable,
    /// The hub could not write it down, so it did nothing.
    Internal,
}

/// Something that must not be lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Record {
    /// A command.
    Command {
        /// Its whole story.
        command: Box<CommandRecord>,
    },
    /// A handoff.
    Handoff {
        /// Its whole story.
        handoff: Box<Handoff>,
    },
    /// A shared cause behind failing calls.
    Cause {
        /// As it is now.
        cause: Box<CauseGroup>,
    },
    /// A run of a playbook.
    Run {
        /// As it is now.
        run: Box<Run>,
    },
    /// The red lever.
    Lever {
        /// As it is now.
        lever: Lever,
    },
}
