//! How long it takes from a fault until the caller is heard again: the ledger of recoveries.
//!
//! ```text
//! t0 onset   t1 affected   t2 detected   t3 decided   t4 accepted   t5 audio   t6 shown
//!  +-- onset --+-- detect --+-- decide ---+-- accept --+-- recover --+-- show --+
//! ```
//!
//! A recovery is one call's way from its first affected turn to the first good answer after it.
//! What a policy decided, what a person decided and what got well by itself are never added up.
//! Deliberately absent: a mean, which one long outage would own.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{CallId, CauseId, DurationMs, Layer, SignalKind, Timestamp};

/// Who decided what was followed by the recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Decider {
    /// A failover policy: nobody was asked.
    Policy,
    /// A person, by an act or a run that they asked for.
    Person,
    /// Nobody: it got well by itself, or the call ended before anything was decided.
    Nobody,
}

/// What failed first on the call, as the worst of its layers showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FaultClass {
    /// The layer.
    pub layer: Layer,
    /// The signal by which it was seen.
    pub signal: SignalKind,
}

/// One call's way from its first affected turn to its first good answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// Its number; they rise.
    pub id: u64,
    /// The call.
    pub call: CallId,
    /// What failed.
    pub class: FaultClass,
    /// The shared cause that it was part of; None: its own fault, or the cause was not known yet.
    pub cause: Option<CauseId>,
    /// Who decided what was followed by the recovery.
    pub decider: Decider,
    /// Decisions, the one that helped included.
    pub decisions: u32,
    /// t0, when the fault began; None where nobody knows. Known of injected faults only.
    pub onset_at: Option<Timestamp>,
    /// t1, when the caller of the first affected turn began to wait.
    pub affected_at: Timestamp,
    /// t2, when the hub saw it.
    pub detected_at: Timestamp,
    /// t3, when what helped was decided: its intent is written down.
    pub decided_at: Option<Timestamp>,
    /// t4, when the platform took it on, or the human agent took the call.
    pub accepted_at: Option<Timestamp>,
    /// t5, when the caller heard the first good answer after it, or the human.
    pub audio_at: Timestamp,
    /// t6, when the first console was sent the call's new row; None while none was.
    pub shown_at: Option<Timestamp>,
}

/// How long something took, as a distribution. Quantiles are right to 2 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// How many were measured.
    pub n: u32,
    /// The median in milliseconds; None while none was measured.
    pub p50_ms: Option<DurationMs>,
    /// So long took at most 95 of 100, in milliseconds; None while none was measured.
    pub p95_ms: Option<DurationMs>,
}

/// The recoveries of one class that were decided by the same kind of decider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LedgerRow {
    /// Who decided.
    pub decider: Decider,
    /// What failed.
    pub class: FaultClass,
    /// Calls that were heard again.
    pub recovered: u32,
    /// Calls that ended first. They are in none of the distributions.
    pub lost: u32,
    /// Calls that still wait, by who decided last.
    pub open: u32,
    /// From the first affected turn to the first good answer (t1 to t5).
    pub total: Spread,
    /// From the fault's begin to the first affected turn (t0 to t1), where the begin is known.
    pub onset: Spread,
    /// Until the hub saw it (t1 to t2).
    pub detect: Spread,
    /// Until what helped was decided, earlier attempts included (t2 to t3).
    pub decide: Spread,
    /// Until the platform took it on (t3 to t4).
    pub accept: Spread,
    /// Until the caller heard a good answer (t4 to t5).
    pub recover: Spread,
    /// Until a console was sent it (t5 to t6).
    pub show: Spread,
}

/// Everything that is known of recoveries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Since when it is kept; None before the first.
    pub since: Option<Timestamp>,
    /// The distributions, those of policies first, then by layer and signal.
    pub rows: Vec<LedgerRow>,
    /// The newest recoveries, newest first, at most 50; an export has 500.
    pub recoveries: Vec<Recovery>,
}
