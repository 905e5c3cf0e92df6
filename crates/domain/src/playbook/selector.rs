//! Whom a playbook touches.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{CallPhase, CauseDimension, CauseReach, CauseTrait, Rung};

/// Whom a playbook touches. A call is touched once in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Selector {
    /// Among which calls.
    pub scope: SelectorScope,
    /// Those that fail in the playbook's layer, or all that have the traits.
    pub reach: CauseReach,
    /// Where the calls are in their life: ai, human. At least one.
    pub phases: Vec<CallPhase>,
    /// On which rung they stand; empty for any.
    #[serde(default)]
    pub rungs: Vec<Rung>,
    /// What becomes of calls in a payment or an identity check.
    pub protected: ProtectedCalls,
}

/// Among which calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum SelectorScope {
    /// Those with the traits of the cause from which the run is started.
    Cause {
        /// The cause must name at least one of these; empty for any cause of the layer.
        dimensions: Vec<CauseDimension>,
    },
    /// Those with these traits: of the same dimension one, of different dimensions each.
    Traits {
        /// The traits, at least one.
        traits: Vec<CauseTrait>,
    },
    /// Every live call.
    All,
}

/// What becomes of calls in a protected moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProtectedCalls {
    /// They are left alone.
    Exclude,
    /// They are touched after the others, once the moment is over.
    Last,
}
