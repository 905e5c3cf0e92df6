//! What a machine checks from what it knows of the calls: before a run, while it waits, and to stop
//! it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that is so or is not; unknown counts as not so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// The run is started from a shared cause, and calls fail by it now.
    CauseActive,
    /// Of the calls in scope at least this share fails in the playbook's layer.
    LayerFailing {
        /// In percent, 1 to 100.
        percent_min: u8,
        /// The fewest failing calls.
        calls_min: u32,
    },
    /// Of the calls in scope at most this share has failed in the playbook's layer for a while.
    LayerWell {
        /// In percent, 0 to 99.
        percent_max: u8,
        /// For this many seconds.
        for_s: u32,
    },
    /// Of the calls that the targets of the switch serve at most this share fails in the layer.
    TargetHealthy {
        /// In percent, 0 to 99.
        percent_max: u8,
    },
    /// The targets of the switch are the equal of what serves now.
    TargetParity {
        /// In these.
        require: Vec<Parity>,
    },
    /// Human agents are free.
    HumansFree {
        /// At least this many.
        min: u32,
    },
    /// The wait for a human, predicted for all calls in scope, is short enough.
    HumanWait {
        /// In seconds.
        wait_s_max: u32,
    },
    /// No other run touches a call in scope.
    NoOtherRun,
    /// Every bridge of a call in scope was heard lately.
    FeedFresh {
        /// Milliseconds since its last word.
        age_ms_max: u32,
    },
}

/// In what a target can be the equal of the service before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// The instructions.
    Prompt,
    /// The tools that it can use.
    Tools,
    /// The voice that the caller hears.
    Voice,
    /// The caller's language.
    Language,
    /// Whether the call is recorded.
    Recording,
    /// What the caller has agreed to.
    Consent,
    /// That the caller was told that an AI speaks.
    Disclosure,
}

/// What stops a run by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum AbortCondition {
    /// Too many of its commands failed, were rejected or expired.
    CommandsFailed {
        /// Over this share, in percent.
        percent_over: u8,
        /// The fewest commands that are judged.
        commands_min: u32,
    },
    /// Of too many calls nobody knows what happened.
    OutcomesUnknown {
        /// Over this many calls.
        calls_over: u32,
    },
    /// Calls that were well before the run touched them fail now.
    NewlyFailing {
        /// Over this many calls.
        calls_over: u32,
    },
    /// Too many touched calls ended abruptly.
    EndedAbruptly {
        /// Over this share, in percent.
        percent_over: u8,
        /// The fewest touched calls that are judged.
        calls_min: u32,
    },
    /// Callers wait too long for a human.
    HumanWait {
        /// Over this many seconds, predicted or real.
        wait_s_over: u32,
    },
    /// A bridge of a touched call is silent: nobody acts while blind.
    FeedStale {
        /// Over this many milliseconds.
        age_ms_over: u32,
    },
    /// The touched calls do worse than those in scope that are untouched yet.
    WorseThanUntouched {
        /// In what.
        measure: Measure,
        /// By over this many percentage points.
        points_over: u8,
        /// The fewest calls on each side that are judged.
        calls_min: u32,
    },
}

impl AbortCondition {
    /// True when it compares with untouched calls.
    pub const fn is_relative(&self) -> bool {
        matches!(self, Self::WorseThanUntouched { .. })
    }
}

/// In what touched and untouched calls are compared; each is a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Turns without a good answer.
    FailedTurns,
    /// Turns whose answer began late: the response gap is at its warning or worse.
    LateAnswers,
    /// Calls that ended abruptly.
    EndedAbruptly,
}
