//! What the console gives to the window.
//!
//! The window pulls: one [`FrameRequest`] is in flight per animation frame, and its [`Frame`] holds
//! only the sections that changed since the version that the window acknowledges. A window that is
//! slow costs nothing, because nothing is queued for it.

use holdfast_domain::{
    ActId, Blindness, BridgeStatus, CallDetail, CallId, CallSummary, CauseGroup, CauseId,
    CommandRecord, Handoff, HumanAgent, Ledger, Lever, NeedLevel, PlaybookStatus, Run, Timestamp,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::console::Identity;

/// What the window has, and what it looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FrameRequest {
    /// The version of the last frame that was painted; 0 for none.
    pub ack: u64,
    /// The first row in view.
    pub first: u32,
    /// How many rows are in view, at most 200.
    pub count: u32,
    /// The order of rows must not change: the pointer or the focus is on the list.
    pub frozen: bool,
    /// Which calls are wanted.
    pub filter: BoardFilter,
    /// The call whose detail is open.
    pub open: Option<CallId>,
}

/// Which calls are on the board.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BoardFilter {
    /// Only this queue.
    pub queue: Option<String>,
    /// Only calls whose id, customer, intent or last words contain this, whatever the case.
    pub text: String,
    /// Only the failing calls of this cause group.
    pub cause: Option<CauseId>,
    /// Only calls that need a human at least this much.
    pub need_at_least: NeedLevel,
}

/// What the window paints next. A section that is None has not changed since `ack`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// Acknowledge this one in the next request.
    pub version: u64,
    /// Now, on the hub's clock as the console estimates it; ages count from here.
    pub now: Timestamp,
    /// The bar at the top: always present.
    pub status: Status,
    /// The board.
    pub board: Option<Board>,
    /// The open call; `Some` with `call: None` when it is gone.
    pub detail: Option<DetailSection>,
    /// Acts under way and of late, newest first, at most 20.
    pub acts: Option<Vec<ActView>>,
    /// Handoffs under way and of late, newest first, at most 50.
    pub handoffs: Option<Vec<Handoff>>,
    /// Shared causes, those that are active first, then by how many calls fail, at most 50.
    pub causes: Option<Vec<CauseGroup>>,
    /// Runs of playbooks and the red lever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub runs: Option<RunsSection>,
    /// The playbooks of the hub, and whether each could run now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub playbooks: Option<Vec<PlaybookStatus>>,
    /// How long it took until callers were heard again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ledger: Option<Ledger>,
    /// Bridges and human agents.
    pub platform: Option<Platform>,
    /// What this program is and how to attach a bot to it.
    pub about: Option<About>,
}

/// Our connection to the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Connection {
    /// The first attempt.
    Connecting,
    /// It works.
    Live,
    /// It broke; the next attempt has a time.
    Reconnecting {
        /// How many attempts have failed.
        attempt: u32,
        /// When the next one begins.
        retry_at: Timestamp,
        /// Why it broke, in a sentence.
        reason: String,
    },
    /// It is over: the hub refused us.
    Closed {
        /// Why, in a sentence.
        reason: String,
    },
}

/// The bar at the top of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Our connection to the hub.
    pub connection: Connection,
    /// The age of what was last heard from the hub; None before the first word.
    pub fresh_ms: Option<i64>,
    /// The age at which the view is stale.
    pub stale_after_ms: i64,
    /// The view is stale: hatch it, and switch actions off.
    pub stale: bool,
    /// Why actions are off, in a sentence; None when they are on.
    pub actions_off: Option<String>,
    /// How far the hub is behind what it has received.
    pub hub_lag_ms: i64,
    /// A time in which the hub could not see, while it lasts and for half a minute after it.
    pub blind: Option<Blindness>,
    /// Live calls.
    pub live: u32,
    /// Live calls that need a human: warn or critical.
    pub need_you: u32,
    /// Live calls with a failed layer.
    pub failing: u32,
    /// Live calls whose feed is stale or lost.
    pub unseen: u32,
    /// Offers that wait for this person.
    pub offers: u32,
    /// Who we are; None before the hub's welcome.
    pub identity: Option<Identity>,
}

/// The rows in view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Board {
    /// How many rows there are in all under the filter.
    pub total: u32,
    /// The place of `rows[0]`.
    pub first: u32,
    /// The rows in view, in order.
    pub rows: Vec<CallSummary>,
    /// While frozen: calls that would stand above the first row in view if the order were free.
    pub new_above: u32,
    /// Every queue that has a live call, in alphabetical order.
    pub queues: Vec<String>,
}

/// The open call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DetailSection {
    /// Everything about it; None when it is not live any more or not yet told.
    pub call: Option<Box<CallDetail>>,
}

/// One act of a person with the commands that it became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActView {
    /// The act.
    pub id: ActId,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// What, in words: `Switch llm to backup-llm`.
    pub title: String,
    /// How many commands it has in all.
    pub total: u32,
    /// Requested or accepted.
    pub under_way: u32,
    /// Applied, not yet proven.
    pub applied: u32,
    /// Proven.
    pub proven: u32,
    /// Failed, rejected, expired.
    pub failed: u32,
    /// Unknown: the platform is being asked.
    pub unknown: u32,
    /// Its commands, failures first, then the newest, at most 200.
    pub commands: Vec<CommandRecord>,
}

/// Runs of playbooks and the red lever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RunsSection {
    /// The red lever.
    pub lever: Lever,
    /// Runs, those under way first, then the newest, at most 20.
    pub runs: Vec<Run>,
    /// How many there are in all: under way, or over for less than an hour, or with a review owed.
    pub total: u32,
}

/// Bridges and human agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// Bridges.
    pub bridges: Vec<BridgeStatus>,
    /// Human agents.
    pub humans: Vec<HumanAgent>,
}

/// What this program is and how to attach a bot to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The version of the program.
    pub version: String,
    /// The hub that it is connected to, without any secret.
    pub hub_url: String,
    /// True when the hub runs inside this program.
    pub embedded: bool,
    /// Where bridges connect; None when the hub is not ours.
    pub bridge_url: Option<String>,
    /// The file from which a bridge on this machine reads the address and the token.
    pub connection_file: Option<String>,
}
