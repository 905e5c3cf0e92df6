//! Why a request about a run is refused.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::CheckResult;
use crate::{Actor, RunId, SourceId};

/// Why a request about a run was refused. Nothing changed, and the refusal is in the run's
/// timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RunRefusal {
    /// The approver is the requester.
    ApproverIsRequester,
    /// The approver has the requester's name, at another console. Two consoles are one person.
    SameIdentity,
    /// The time in which it could be approved is over.
    Expired,
    /// The set, the playbook or the parameters are not those that the person saw.
    ParametersChanged,
    /// Somebody whose right it needs does not have it (any more).
    RightRevoked {
        /// Who.
        who: Actor,
    },
    /// Preconditions do not hold.
    PreconditionsFailed {
        /// Those that do not.
        failed: Vec<CheckResult>,
    },
    /// Another run holds some of the calls.
    ScopeHeld {
        /// That run.
        run: RunId,
    },
    /// The red lever is pulled.
    LeverPulled {
        /// By whom.
        by: Actor,
    },
    /// The hub cannot see what is true: its own feed, or that of this bridge.
    FeedStale {
        /// The bridge; None for the hub itself.
        source: Option<SourceId>,
    },
    /// One person who goes on alone must write why, in this many characters or more.
    ReasonTooShort {
        /// The fewest characters.
        chars_min: u32,
    },
    /// The run is not where this could be asked of it.
    WrongState,
    /// No call is left to be changed.
    NothingToDo,
    /// What it did cannot be undone.
    PointOfNoReturn,
}
