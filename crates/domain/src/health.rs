//! How a layer is doing, and why we think so.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{EventId, Timestamp};

/// The state of one layer of one call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "lowercase")]
pub enum LayerState {
    /// Nothing heard yet, or the feed is stale. Never shown as healthy.
    #[default]
    Unknown,
    /// It did its last piece of work.
    Healthy,
    /// It works, worse than it should.
    Degraded,
    /// It does not do its work.
    Failed,
}

/// One layer of one call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LayerHealth {
    /// The state.
    pub state: LayerState,
    /// Since when; the epoch while unknown from the start.
    pub since: Timestamp,
    /// The service that serves it now, by name; empty when the layer has none (network).
    pub service: String,
    /// Its vendor; empty when unknown.
    pub provider: String,
    /// Its model; empty when unknown.
    pub model: String,
    /// Its region; empty when unknown.
    pub region: String,
    /// Why it is not healthy. None while healthy or unknown.
    pub evidence: Option<Evidence>,
}

/// Why a layer is believed to be unwell, in words that a supervisor understands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// What was seen.
    pub kind: SignalKind,
    /// The caller's experience before the technical cause: one sentence.
    pub text: String,
    /// When it was seen.
    pub at: Timestamp,
    /// The events behind it, at most four, newest last.
    pub events: Vec<EventId>,
}

/// The measured inputs to detection. See the table of signals in `docs/architecture.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SignalKind {
    /// A service said that it failed.
    ServiceError,
    /// A service became unavailable.
    ServiceUnavailable,
    /// The agent owes the floor and nobody is audible.
    DeadAir,
    /// The caller's turn ended and no answer came.
    UnansweredTurn,
    /// A step began and its first useful output is late.
    Expectation,
    /// The time from the caller's last word to the agent's first is too long.
    ResponseGap,
    /// A tool said that it failed, or did not end.
    ToolFailure,
    /// Speech ended before its text did.
    Truncated,
    /// The model answered with nothing.
    EmptyAnswer,
    /// The caller's media is poor or gone.
    Transport,
    /// The platform's own pipeline stands still.
    PipelineStalled,
    /// A worker that served the call is lost.
    WorkerLost,
    /// No fact about a live call for longer than its heartbeat.
    Ghost,
    /// The bridge that tells us about the call is silent.
    StaleFeed,
    /// A provider's or a worker's beats stopped.
    Liveness,
    /// The share of turns with a fault rose.
    FaultRate,
    /// A service became slower than it was.
    LatencyDrift,
    /// The agent asked for the same thing again without progress.
    Reprompt,
    /// The caller said the same thing again.
    CallerRepeats,
    /// The recognizer gave words that cannot be what it heard.
    Misheard,
    /// Caller and agent speak at once and the agent does not yield.
    TalkOver,
    /// The caller wanted to interrupt and the agent went on.
    BargeInMissed,
    /// The agent took in speech that was not meant for it.
    Overcapture,
    /// The agent does the same thing over and over.
    Loop,
    /// More callers ask for a human than at this hour before.
    EscalationDrift,
    /// A tool said that it worked, and its effect is absent.
    SilentSuccess,
    /// The call ended soon after a fault.
    EndedAbruptly,
}
