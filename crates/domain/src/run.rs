//! One run of a playbook, from its preview to its end.
//!
//! ```text
//! Previewed --start--> AwaitingApproval --approve--> Running <-> Holding <-> Verifying
//!     |                   |        |                   |  \         (for each stage)
//!     | (no second person |        +-> Declined        |   +-> AwaitingAnswer, WaitingUntil
//!     |  is needed)       +-> Expired                  |
//!     +------------------------------------> Running   +-> Completed
//!                                                      +-> Stopped (a person, the lever)
//!                                                      +-> Expired (time to live)
//!                                                      +-> Aborted (nothing could be undone)
//!                                                      +-> RollingBack -> RolledBack
//! ```
//!
//! What is told of a run is bounded: counts of all its calls, and the calls that a person looks at
//! first. The outcome of every call is in the records of its commands, which carry the run's id
//! as their act.
//! Deliberately absent: any decision.

mod outcome;
mod preview;
mod refusal;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::playbook::{AbortCondition, Audience, Measure, StageReach};
use crate::{Actor, CauseId, PlaybookId, RunId, StepId, Timestamp};

pub use outcome::{DifferenceKind, RunCall, RunCallState, RunDifference, RunTally, RunWait};
pub use preview::{
    CheckResult, HumanCapacity, PlaybookStatus, Reversibility, RunPreview, RunPreviewCall,
};
pub use refusal::RunRefusal;

/// One run of a playbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Its id; the act of its commands.
    pub id: RunId,
    /// The playbook.
    pub playbook: PlaybookId,
    /// Its version when it was previewed.
    pub version: u32,
    /// Its name for people.
    pub title: String,
    /// The cause from which the run was started.
    pub cause: Option<CauseId>,
    /// Who asked.
    pub requested_by: Actor,
    /// When it was previewed last.
    pub requested_at: Timestamp,
    /// When anything about it changed last.
    pub updated_at: Timestamp,
    /// Where it stands.
    pub state: RunState,
    /// What was shown before; its list of calls is left out here.
    pub preview: RunPreview,
    /// When it began to act.
    pub started_at: Option<Timestamp>,
    /// When its time to live is over.
    pub ends_at: Option<Timestamp>,
    /// Who agreed or did not, oldest first.
    pub approvals: Vec<RunApproval>,
    /// Why one person went on alone; None when there was no need to.
    pub break_glass: Option<String>,
    /// The review that is owed after one person went on alone.
    pub review: Option<RunReview>,
    /// Its stages, those of every block of steps on calls one after the other.
    pub stages: Vec<RunStage>,
    /// Where its calls stand.
    pub tally: RunTally,
    /// How the touched calls do against the untouched.
    pub comparison: Vec<RunComparison>,
    /// How many calls were not changed as previewed.
    pub differences_total: u32,
    /// What became of calls that were not changed as previewed, at most 200.
    pub differences: Vec<RunDifference>,
    /// Calls, failures first, then the newest, at most 200.
    pub calls: Vec<RunCall>,
    /// Callbacks that were offered to callers for whom the wait was too long.
    pub callbacks: u32,
    /// Messages that wait for a person who sends them.
    pub messages: Vec<RunMessage>,
    /// What happened, oldest first, at most 200.
    pub timeline: Vec<RunEvent>,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RunState {
    /// It was looked at and changes nothing.
    Previewed {
        /// When the preview is forgotten.
        expires_at: Timestamp,
    },
    /// A second person is asked.
    AwaitingApproval {
        /// After this the approval is void.
        expires_at: Timestamp,
    },
    /// Calls of this stage are being changed.
    Running {
        /// The place in `stages`.
        stage: u32,
    },
    /// The calls of this stage are changed; the run waits as long as the playbook says.
    Holding {
        /// The place in `stages`.
        stage: u32,
    },
    /// The run waits for the proof of this stage.
    Verifying {
        /// The place in `stages`.
        stage: u32,
    },
    /// A person is asked a question.
    AwaitingAnswer {
        /// The step.
        step: StepId,
        /// The question, filled.
        question: String,
        /// After this the run stops.
        expires_at: Timestamp,
    },
    /// The run goes on when a check holds.
    WaitingUntil {
        /// The step.
        step: StepId,
        /// After this the run stops.
        expires_at: Timestamp,
    },
    /// Every stage is proven.
    Completed,
    /// It stopped by itself, and what it did stays.
    Aborted {
        /// Why.
        why: RunStop,
    },
    /// It was stopped, and what it did stays.
    Stopped {
        /// Why.
        why: RunStop,
    },
    /// The calls that it touched are changed back.
    RollingBack {
        /// Why.
        why: RunStop,
    },
    /// The calls that it touched are changed back, as far as that is possible.
    RolledBack {
        /// Why.
        why: RunStop,
    },
    /// Nobody approved in time, or its time to live was over.
    Expired,
    /// The second person said no.
    Declined {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// It could not be carried out.
    Failed {
        /// Why, with what to do.
        message: String,
    },
}

impl Run {
    /// Something is still to be done about it: it goes on, or its review is owed.
    pub fn is_open(&self) -> bool {
        let owes_review = self
            .review
            .as_ref()
            .is_some_and(|review| review.by.is_none());
        !self.state.is_final() || owes_review
    }
}

impl RunState {
    /// True when nothing further happens to the run by itself.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Completed
            | Self::Aborted { .. }
            | Self::Stopped { .. }
            | Self::RolledBack { .. }
            | Self::Expired
            | Self::Declined { .. }
            | Self::Failed { .. } => true,
            Self::Previewed { .. }
            | Self::AwaitingApproval { .. }
            | Self::Running { .. }
            | Self::Holding { .. }
            | Self::Verifying { .. }
            | Self::AwaitingAnswer { .. }
            | Self::WaitingUntil { .. }
            | Self::RollingBack { .. } => false,
        }
    }

    /// When what it waits for is over: a preview, an approval.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Previewed { expires_at } | Self::AwaitingApproval { expires_at } => {
                Some(*expires_at)
            }
            _ => None,
        }
    }

    /// True while the run changes calls, or will as soon as it may.
    pub const fn is_acting(&self) -> bool {
        matches!(
            self,
            Self::Running { .. }
                | Self::Holding { .. }
                | Self::Verifying { .. }
                | Self::AwaitingAnswer { .. }
                | Self::WaitingUntil { .. }
                | Self::RollingBack { .. }
        )
    }
}

/// Why a run does not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RunStop {
    /// An abort condition of the playbook came true.
    Abort {
        /// Which.
        condition: AbortCondition,
        /// What was found, in a sentence.
        found: String,
    },
    /// A stage was not proven in time.
    NotProven {
        /// The place in `stages`.
        stage: u32,
        /// What was found, in a sentence.
        found: String,
    },
    /// The calls cannot be changed as they were previewed; each is among the differences.
    SetChanged {
        /// How many.
        n_calls: u32,
    },
    /// A wait or a question took longer than it may.
    StepTimedOut {
        /// The step.
        step: StepId,
    },
    /// A person answered no.
    AnsweredNo {
        /// The step.
        step: StepId,
        /// Who.
        by: Actor,
    },
    /// A person stopped it, or asked for it to be undone.
    Person {
        /// Who.
        by: Actor,
        /// Why, in their words.
        reason: String,
    },
    /// The red lever was pulled.
    Lever {
        /// By whom.
        by: Actor,
    },
    /// A run that nothing may hold up took its calls over.
    Superseded {
        /// That run.
        run: RunId,
    },
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunStage {
    /// The steps that are done in it, by id.
    pub steps: Vec<StepId>,
    /// How many of the calls in scope are touched by the end of it.
    pub reach: StageReach,
    /// Its own calls: those that the stages before it have not touched.
    pub n_calls: u32,
    /// Where it stands.
    pub state: RunStageState,
    /// When it began.
    pub began_at: Option<Timestamp>,
    /// When its last command was written down.
    pub commanded_at: Option<Timestamp>,
    /// When it was proven.
    pub proven_at: Option<Timestamp>,
    /// Where its calls stand.
    pub tally: RunTally,
    /// Turns of its calls since they were touched.
    pub turns: u32,
    /// Of them those with a good answer.
    pub good_turns: u32,
}

/// Where a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RunStageState {
    /// It has not begun.
    #[default]
    Pending,
    /// Its calls are being changed.
    Running,
    /// Its calls are changed, and it waits as long as the playbook says.
    Holding,
    /// It waits for its proof.
    Verifying,
    /// It is proven.
    Proven,
    /// It was not proven, or the run ended in it.
    Ended,
}

/// The touched calls against those in scope that are untouched yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunComparison {
    /// In what.
    pub measure: Measure,
    /// Touched calls that are judged.
    pub touched: u32,
    /// Their share, in thousandths; None while none is judged.
    pub touched_permille: Option<u32>,
    /// Untouched calls that are judged, in the same time.
    pub untouched: u32,
    /// Their share, in thousandths; None while none is judged.
    pub untouched_permille: Option<u32>,
}

/// A person's recorded yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunApproval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Yes.
    pub approved: bool,
    /// The fingerprint of what they saw.
    pub fingerprint: String,
    /// Why; empty where none was given.
    pub reason: String,
}

/// A review that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunReview {
    /// By when.
    pub due_at: Timestamp,
    /// Who reviewed it; never the one who ran it.
    pub by: Option<Actor>,
    /// What they found.
    pub note: String,
}

/// A message that waits for a person who sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunMessage {
    /// To whom.
    pub audience: Audience,
    /// The text, filled.
    pub text: String,
    /// When it was filled.
    pub at: Timestamp,
}

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunEvent {
    /// When.
    pub at: Timestamp,
    /// Who: a person's name, or `holdfast`.
    pub by: Actor,
    /// What.
    pub kind: RunEventKind,
    /// In a sentence.
    pub text: String,
}

/// What can happen to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RunEventKind {
    /// Somebody asked for it.
    Requested,
    /// The second person agreed.
    Approved,
    /// The second person did not agree.
    Declined,
    /// One person went on alone.
    BrokeGlass,
    /// Somebody else looked at it afterwards.
    Reviewed,
    /// A request about it was refused.
    Refused {
        /// Why.
        refusal: RunRefusal,
    },
    /// It began to act.
    Started,
    /// A stage began.
    StageBegan {
        /// The place in `stages`.
        stage: u32,
    },
    /// A stage was proven.
    StageProven {
        /// The place in `stages`.
        stage: u32,
    },
    /// A step that is done once was done.
    StepDone {
        /// The step.
        step: StepId,
    },
    /// A person was asked.
    Asked {
        /// The step.
        step: StepId,
    },
    /// A person answered.
    Answered {
        /// Yes.
        yes: bool,
    },
    /// It stopped: `why` in its state.
    Stopped,
    /// It is being undone.
    RollbackBegan,
    /// It is undone as far as possible.
    RolledBack,
    /// Every stage is proven.
    Completed,
    /// Its time was over.
    Expired,
}

/// The red lever: pulled, nothing is done automatically and no run begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Lever {
    /// It is pulled.
    pub on: bool,
    /// Who moved it last; empty when nobody did.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}
