//! How a run grows, how each stage is proven, and how it is undone.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{AnnouncementId, StepId};

/// One stage: the steps are done for these calls, then it waits and looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Stage {
    /// How many of the calls in scope are touched by the end of it.
    pub reach: StageReach,
    /// The fewest seconds from its last command to the next stage.
    pub hold_s: u32,
    /// What must be true before the next stage.
    pub verify: Verify,
}

/// How many of the calls in scope, the earlier stages' included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StageReach {
    /// One: the canary.
    OneCall,
    /// This share, in percent, 1 to 99.
    Percent(u8),
    /// All.
    All,
}

impl StageReach {
    /// How many of `n_calls`: at least one, unless there is none.
    pub const fn of(self, n_calls: u32) -> u32 {
        match self {
            Self::OneCall => {
                if n_calls == 0 {
                    0
                } else {
                    1
                }
            }
            Self::Percent(percent) => {
                // A share of a u32 fits in a u32, the product does not.
                ((n_calls as u64 * percent as u64).div_ceil(100)) as u32
            }
            Self::All => n_calls,
        }
    }
}

/// What must be true at the end of a stage. When it is not by `within_s`, the run stops and is
/// rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Verify {
    /// Of the touched calls' next turns so many are good.
    GoodTurns {
        /// In percent, 1 to 100.
        percent_min: u8,
        /// The fewest turns that are judged; the stage's calls where there are fewer.
        turns_min: u32,
        /// Seconds from the stage's last command.
        within_s: u32,
    },
    /// For so many of the touched calls the platform reads back what the steps should bring.
    ReadBack {
        /// In percent, 1 to 100.
        percent_min: u8,
        /// Seconds from the stage's last command.
        within_s: u32,
    },
    /// So many of the touched calls have a human agent or an accepted callback.
    HumanOnCall {
        /// In percent, 1 to 100.
        percent_min: u8,
        /// Seconds from the stage's last command.
        within_s: u32,
    },
}

impl Verify {
    /// Seconds from the stage's last command by which it must be true.
    pub const fn within_s(self) -> u32 {
        match self {
            Self::GoodTurns { within_s, .. }
            | Self::ReadBack { within_s, .. }
            | Self::HumanOnCall { within_s, .. } => within_s,
        }
    }
}

/// How a run is undone: its reversible steps backwards, on the calls that it touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Rollback {
    /// How each reversible step is undone.
    pub undo: Vec<Undo>,
    /// The step from which a call is not rolled back any more. None: every step can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub point_of_no_return: Option<StepId>,
}

/// How a reversible step is undone. What is done follows from the step: a call goes back to the
/// service, the tools, the flow that it had, the AI speaks again or is silent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Undo {
    /// The step.
    pub step: StepId,
    /// What the caller hears; None for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub announcement: Option<AnnouncementId>,
}
