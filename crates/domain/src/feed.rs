//! What we know of a bridge: whether it lives, what it can do, what it gets wrong.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{DurationMs, Layer, SourceId, Timestamp};

/// What a platform can really do, for all calls or for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Capability {
    /// The command's name on the wire.
    pub name: String,
    /// It works.
    pub available: bool,
    /// Why it does not; shown on the disabled button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// With `start_fault`: the faults that can be injected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<FaultOffer>>")]
    pub faults: Vec<FaultOffer>,
}

/// A fault that a simulator can inject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FaultOffer {
    /// Its id.
    pub id: String,
    /// The layer that it breaks.
    pub layer: Layer,
    /// Its name for people.
    pub title: String,
}

/// A fault that is injected now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ActiveFault {
    /// This injection.
    pub id: String,
    /// The fault's id.
    pub fault: String,
    /// The layer that it breaks.
    pub layer: Layer,
    /// Whom it reaches, in words.
    pub scope: String,
    /// Since when.
    pub since: Timestamp,
}

/// The state of our feed from one bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum FeedState {
    /// Facts or heartbeats arrive in time.
    Live,
    /// Connected, re-telling its calls.
    Resyncing,
    /// Nothing heard for longer than its limit.
    Stale,
    /// Its connection is gone.
    Lost,
}

/// One bridge, for the console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BridgeStatus {
    /// The bridge.
    pub source: SourceId,
    /// The platform's name and version.
    pub platform: String,
    /// The state of the feed.
    pub state: FeedState,
    /// When anything was last heard, on the hub's clock.
    pub heard_at: Timestamp,
    /// Live calls that the hub knows from it.
    pub live_calls: u32,
    /// The bridge's clock minus the hub's, smoothed; positive when the bridge is ahead.
    pub clock_skew_ms: DurationMs,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Faults injected into it, for a simulator.
    pub faults: Vec<ActiveFault>,
    /// What it got wrong, by kind, non-zero ones only.
    pub anomalies: Vec<Anomaly>,
}

/// How often something went wrong with what a peer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// How often since the hub started.
    pub count: u64,
    /// When last.
    pub last_at: Timestamp,
    /// The last one, in a sentence without personal data.
    pub example: String,
}

/// What can be wrong with what a bridge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum AnomalyKind {
    /// A frame that is no JSON, or no frame of ours.
    Malformed,
    /// A frame over the size or depth limit.
    TooLarge,
    /// A known event with a field of the wrong type or a missing field.
    WrongType,
    /// An event type that this hub does not know.
    UnknownEventType,
    /// A sequence heard before.
    DuplicateSequence,
    /// A sequence that skips.
    SequenceGap,
    /// An event under another source's or epoch's name.
    WrongSource,
    /// An event about a call that never started here.
    UnknownCall,
    /// An event about a call of another bridge.
    ForeignCall,
    /// A fact that cannot be: a negative duration, a service that was never named.
    Impossible,
    /// A clock that jumped or is far from ours.
    ClockJump,
    /// A result for a command that was never sent to this bridge.
    UnknownCommand,
    /// Events that the bridge had to drop.
    Dropped,
}
