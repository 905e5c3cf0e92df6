//! What the hub does by itself when a layer of a call fails.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Parity;
use crate::{AnnouncementId, Layer, LayerState, Rung};

/// The failover policy of some queues and one layer: an armed playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FailoverPolicy {
    /// The queues; empty for all.
    #[serde(default)]
    pub queues: Vec<String>,
    /// The layer.
    pub layer: Layer,
    /// The state of the layer that starts it: degraded or failed.
    pub state: LayerState,
    /// What is tried, in this order; never a rung above the one on which the call stands.
    pub rungs: Vec<ArmedRung>,
    /// In what a target must be the equal of the service before.
    pub parity: Vec<Parity>,
    /// When a call goes back to its primary.
    #[serde(rename = "return")]
    pub back: FailoverReturn,
    /// How much of it may happen.
    pub budget: FailoverBudget,
    /// When it stops by itself.
    pub breaker: Breaker,
}

/// One rung of an armed playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ArmedRung {
    /// Which.
    pub rung: Rung,
    /// Milliseconds from the attempt after which the next rung is tried.
    pub deadline_ms: u32,
    /// What the caller hears, in the same step.
    pub announcement: AnnouncementId,
}

/// When a call goes back to its primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FailoverReturn {
    /// Good probes of the primary in a row.
    pub good_probes: u32,
    /// The fewest seconds on the other rung; no call flips twice.
    pub dwell_s: u32,
}

/// How many failovers may happen, so that they do not become the outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FailoverBudget {
    /// The most in any minute.
    pub per_minute: u32,
    /// The most live calls off their primary at once, in percent of all live calls.
    pub live_percent: u8,
}

/// When automatic failover stops by itself and asks a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Breaker {
    /// It opens when this share of the newest attempts failed, in percent.
    pub failed_percent: u8,
    /// The fewest attempts that are judged.
    pub attempts_min: u32,
    /// Seconds until one attempt is made again.
    pub open_s: u32,
}
