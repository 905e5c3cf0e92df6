//! What hub and console say to each other.
//!
//! ```text
//! console                              hub
//!   | Hello (token, resume) ----------> |
//!   | <----------------------- Welcome  |
//!   | <------- Snapshot parts, or what was missed: Changes and Records
//!   | <-- Change | Record | Detail | Beat, for as long as it lasts
//!   | Detail, Request ----------------> |
//!   | <-------------------------- Reply |
//! ```
//!
//! Every `Snapshot`, `Change` and `Record` carries the hub's sequence; a console resumes with the
//! last one that it applied. A `Snapshot` with `first` set throws away all that was known before.

mod codec;

pub use codec::{
    parse_console_frame, parse_hub_to_console, write_console_frame, write_hub_to_console,
};

use holdfast_domain::{
    Blindness, BridgeStatus, CallDetail, CallId, CallSummary, HumanAgent, Ledger, PlaybookStatus,
    Record, Reply, Request, Timestamp,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::WireError;

/// A right that a token carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Says what happens on a platform and executes commands. Sees nothing.
    Bridge,
    /// Sees the board, does nothing.
    Observer,
    /// Receives calls: handoffs, their cards, the calls that were accepted.
    Agent,
    /// Sees everything, acts on calls.
    Supervisor,
    /// A supervisor who also may act on all calls at once and inject faults.
    Commander,
}

/// Who a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// A person's or a bridge's name.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
}

impl Identity {
    /// True if one of the roles lets them act on single calls.
    pub fn can_act(&self) -> bool {
        self.roles
            .iter()
            .any(|role| matches!(role, Role::Supervisor | Role::Commander))
    }

    /// True if one of the roles lets them act on all calls and inject faults.
    pub fn can_act_on_all(&self) -> bool {
        self.roles.contains(&Role::Commander)
    }

    /// True if they can receive calls.
    pub fn can_receive(&self) -> bool {
        self.roles.contains(&Role::Agent)
    }

    /// True if they may see the board.
    pub fn can_see_board(&self) -> bool {
        self.roles
            .iter()
            .any(|role| matches!(role, Role::Observer | Role::Supervisor | Role::Commander))
    }
}

/// Where a console wants to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResumePoint {
    /// The hub's epoch, from its `Welcome`.
    pub epoch: String,
    /// The last sequence that was applied.
    pub seq: u64,
}

/// A frame from a console. Read with [`parse_console_frame`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ConsoleFrame {
    /// The first frame.
    Hello {
        /// The version of the protocol that the console speaks.
        protocol: u32,
        /// The token, when it is not in the header.
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Where to go on; None: from a snapshot.
        resume: Option<ResumePoint>,
        /// Calls that are open on screen.
        detail: Vec<CallId>,
    },
    /// The calls that are open on screen now.
    Detail {
        /// Their ids, at most [`crate::limits::DETAIL_CALLS_MAX`].
        calls: Vec<CallId>,
    },
    /// A person asks for something.
    Request {
        /// Comes back in the reply; unique within the connection.
        id: u64,
        /// What.
        request: Request,
    },
}

/// A frame from the hub to a console. Read with [`parse_hub_to_console`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum HubToConsole {
    /// The answer to `Hello`.
    Welcome {
        /// The version of the protocol that the hub speaks.
        protocol: u32,
        /// New each time the hub's log begins anew.
        epoch: String,
        /// Who the token belongs to.
        identity: Identity,
        /// The hub's clock.
        hub_time: Timestamp,
    },
    /// A part of the full view.
    Snapshot {
        /// The hub's sequence at which it was taken.
        seq: u64,
        /// Throw away what you know.
        first: bool,
        /// Nothing more comes.
        last: bool,
        /// Live calls.
        calls: Vec<CallSummary>,
        /// Records that are open, or were closed within the last hour.
        records: Vec<Record>,
    },
    /// Calls that changed, at most one row a call and tick.
    Change {
        /// The hub's sequence.
        seq: u64,
        /// Their rows as they are now.
        calls: Vec<CallSummary>,
        /// Calls that left the board.
        gone: Vec<CallId>,
    },
    /// A record as it is now.
    Record {
        /// The hub's sequence.
        seq: u64,
        /// The record.
        record: Record,
    },
    /// A call that is open on screen.
    Detail {
        /// Everything about it.
        detail: Box<CallDetail>,
    },
    /// The hub lives.
    Beat {
        /// The hub's sequence.
        seq: u64,
        /// The hub's clock.
        hub_time: Timestamp,
        /// How far the hub is behind what it has received, in milliseconds.
        lag_ms: i64,
        /// A time in which the hub could not see, while it lasts and for half a minute after it;
        /// nobody's silence was judged in it.
        blind: Option<Blindness>,
        /// Its bridges.
        bridges: Vec<BridgeStatus>,
        /// Human agents.
        humans: Vec<HumanAgent>,
    },
    /// The hub's playbooks, and whether each could run now; told when something about it changed.
    Playbooks {
        /// All, in the order of their ids.
        playbooks: Vec<PlaybookStatus>,
    },
    /// How long recoveries took; told when something about it changed.
    Ledger {
        /// The distributions, and the newest recoveries.
        ledger: Ledger,
    },
    /// What came of a request.
    Reply {
        /// The request's id.
        id: u64,
        /// What.
        reply: Reply,
    },
    /// Something was wrong with a frame.
    Error {
        /// What.
        error: WireError,
    },
}
