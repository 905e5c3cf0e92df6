//! Live calls that fail for one shared cause, and when the hub itself cannot see.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{CallId, CauseId, DurationMs, Evidence, Layer, Timestamp};

/// What calls can have in common, in the order in which equal explanations are preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum CauseDimension {
    /// The vendor of the service that serves the layer.
    Provider,
    /// Its model or voice.
    Model,
    /// Where it runs.
    Region,
    /// The part of the region where it runs.
    Zone,
    /// A tool, by name.
    Tool,
    /// The dialogue flow.
    Flow,
    /// The build of the AI agent.
    Build,
    /// The queue.
    Queue,
    /// The caller's language.
    Language,
    /// The worker that runs the call.
    Worker,
}

/// One thing that calls have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CauseTrait {
    /// In which respect.
    pub dimension: CauseDimension,
    /// The value: `Vendor A`.
    pub value: String,
}

/// The pattern that a shared cause shows in time and over layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CauseShape {
    /// One layer fails for calls that share the traits.
    Shared,
    /// Layers of several vendors fail at once in one region or zone.
    RegionOutage,
    /// One model in one place becomes slower with the load, then refuses: its pool is full.
    SaturatedPool,
    /// New calls wait for their worker while those under way are well: no new workers come.
    StarvedAutoscaling,
}

/// Where a cause group is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum CauseState {
    /// Calls fail by it now.
    Active,
    /// No new failure; some calls have not yet shown that they are well.
    Recovering,
    /// Over.
    Closed,
}

/// Live calls that fail for one shared cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CauseGroup {
    /// The group; it keeps its id while its traits are refined by new evidence.
    pub id: CauseId,
    /// Where it is in its life.
    pub state: CauseState,
    /// The layer that broke. Infrastructure for the shapes of infrastructure.
    pub layer: Layer,
    /// What the failing calls have in common and the healthy have not: one or two traits, in the
    /// order of [`CauseDimension`]. Empty: every call, without a narrower cause.
    pub traits: Vec<CauseTrait>,
    /// Its pattern.
    pub shape: CauseShape,
    /// One sentence: the callers' experience before the technical cause.
    pub sentence: String,
    /// When the first of its failures was seen.
    pub since: Timestamp,
    /// When the group was last changed.
    pub updated_at: Timestamp,
    /// Live calls that fail by it now.
    pub failing: u32,
    /// Live calls with its traits that used the layer since `since` and are well.
    pub healthy: u32,
    /// Live calls with its traits.
    pub exposed: u32,
    /// Callers among the failing who wait in silence now.
    pub waiting: u32,
    /// The share of calls without its traits that fail in the layer, in thousandths: what the
    /// group is compared with.
    pub elsewhere_permille: u32,
    /// The failing calls, those that need a human most first, at most 200.
    pub calls: Vec<CallId>,
    /// The newest evidence of up to four of them.
    pub evidence: Vec<Evidence>,
}

/// Which calls of a cause group an act is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum CauseReach {
    /// Those that fail by it now.
    Failing,
    /// Every live call that has its traits: the failing, and those that will fail at their next
    /// turn.
    Exposed,
}

/// Why the hub cannot judge what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum BlindReason {
    /// It is behind what it has received.
    OwnLag,
    /// Its clock jumped.
    ClockJump,
    /// Its machine slept, or the hub itself was down.
    Suspended,
}

/// A time in which the hub itself could not see. Nothing was judged in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Blindness {
    /// Why.
    pub reason: BlindReason,
    /// Since when.
    pub since: Timestamp,
    /// How long it lasted, or has lasted so far.
    pub lasted_ms: DurationMs,
    /// It is over; told for a while so that people see it.
    pub is_over: bool,
}
