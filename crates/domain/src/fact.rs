//! What a platform says happened: the typed form of the event catalogue.
//!
//! Strings are borrowed from the frame where JSON allows it, so that parsing an event costs no
//! allocation. `docs/protocol/bridge.md` gives the meaning of each field on the wire.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::card::PromiseMade;
use crate::{
    ActiveFault, AiState, Capability, IdentityState, Layer, Protected, Service, Slot, Timestamp,
    UtteranceRole,
};

/// Text of a fact, borrowed where possible.
pub type Text<'a> = Cow<'a, str>;

/// One event, already checked for form.
#[derive(Debug, Clone, PartialEq)]
pub struct FactEnvelope<'a> {
    /// The event's id, unique within its source.
    pub id: Text<'a>,
    /// The call it is about; `*` for the whole platform.
    pub subject: Text<'a>,
    /// When it happened at its origin.
    pub time: Timestamp,
    /// When the bridge saw it.
    pub recorded: Timestamp,
    /// Its place in the source's order, contiguous within an epoch, from 1.
    pub sequence: u64,
    /// The layer that the bridge names.
    pub layer: Option<Layer>,
    /// The command whose effect it is.
    pub cause: Option<Text<'a>>,
    /// What happened.
    pub fact: Fact<'a>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The customer.
    Caller,
    /// The agent, AI or human.
    Agent,
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum EndedBy {
    /// The customer hung up.
    Caller,
    /// The agent ended it.
    Agent,
    /// The platform or the network ended it.
    Platform,
}

/// What the AI agent is doing, as the platform says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum AgentActivity {
    /// It waits for the caller.
    Listening,
    /// It works on an answer.
    Thinking,
    /// It speaks.
    Speaking,
    /// It waits for a tool, and the caller knows.
    Tools,
    /// It announced a hold.
    Holding,
}

/// Why a service was switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum SwitchCause {
    /// A person or the hub asked.
    Manual,
    /// The platform's own failover.
    Failover,
    /// The platform's own return to a better service.
    Recovery,
}

/// What a measured latency measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum LatencyMetric {
    /// Time to first byte.
    Ttfb,
    /// Time to first audio.
    Ttfa,
    /// Time to first token.
    Ttft,
    /// The whole operation.
    E2e,
}

/// Whose beat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum BeatOf {
    /// A vendor's service, as probed from the platform.
    Provider,
    /// A worker of the platform.
    Worker,
}

/// What is known of a tool's effect on the outside world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It happened.
    Committed,
    /// It changed nothing.
    None,
    /// Nobody knows.
    Unknown,
}

/// A call that begins, or is re-told inside a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStarted<'a> {
    /// True when the platform called the customer.
    pub outbound: bool,
    /// The AI agent's name.
    pub agent: Text<'a>,
    /// The queue.
    pub queue: Text<'a>,
    /// BCP 47 tag.
    pub language: Text<'a>,
    /// The dialogue flow, if the platform has such.
    pub flow: Option<Text<'a>>,
    /// The build of the agent, if known.
    pub build: Option<Text<'a>>,
    /// The worker that runs the call, if the platform says.
    pub worker: Option<Text<'a>>,
    /// The part of the region where that worker runs.
    pub zone: Option<Text<'a>>,
    /// Every service that the call can use, in ladder order within each layer.
    pub services: Vec<Service>,
    /// What this call can really do; None: what its bridge can do.
    pub capabilities: Option<Vec<Capability>>,
    /// True when it is re-told.
    pub resumed: bool,
    /// When the call began, if not now.
    pub started_at: Option<Timestamp>,
    /// The customer's name.
    pub customer: Option<Text<'a>>,
    /// The caller was told that an AI speaks.
    pub disclosure: Option<bool>,
    /// The caller consented to recording.
    pub consent: Option<bool>,
    /// on, paused or off.
    pub recording: Option<Text<'a>>,
}

/// What has changed about a call; None means unchanged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallUpdated<'a> {
    /// The queue.
    pub queue: Option<Text<'a>>,
    /// BCP 47 tag.
    pub language: Option<Text<'a>>,
    /// What the caller wants, as the platform classifies it.
    pub intent: Option<Text<'a>>,
    /// The caller's request in one line.
    pub ask: Option<Text<'a>>,
    /// The conversation so far, in short.
    pub summary: Option<Text<'a>>,
    /// -1 (bad) to 1 (good).
    pub sentiment: Option<f64>,
    /// A moment that must not be disturbed; `Some(None)` when it is over.
    pub protected: Option<Option<Protected>>,
    /// True when the call is of high risk.
    pub high_risk: Option<bool>,
    /// Slots to merge by name.
    pub slots: Vec<Slot>,
    /// Who the caller is known to be.
    pub identity: Option<IdentityState>,
    /// The promises made so far (the whole list).
    pub promises: Option<Vec<PromiseMade>>,
    /// on, paused or off.
    pub recording: Option<Text<'a>>,
    /// True when the call runs the minimal flow.
    pub minimal_flow: Option<bool>,
    /// Whether the AI speaks.
    pub ai: Option<AiState>,
}

/// One tool call, as each tool event names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolRef<'a> {
    /// The tool.
    pub name: Text<'a>,
    /// This use of it.
    pub id: Text<'a>,
}

/// What happened. One variant for each type of the catalogue that the engine reads.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "docs/protocol/bridge.md is the reference for each field"
)]
pub enum Fact<'a> {
    CallStarted(Box<CallStarted<'a>>),
    CallUpdated(Box<CallUpdated<'a>>),
    CallEnded {
        reason: Text<'a>,
        ended_by: EndedBy,
    },
    ParticipantJoined {
        identity: Text<'a>,
        kind: Text<'a>,
    },
    ParticipantLeft {
        identity: Text<'a>,
        kind: Text<'a>,
    },
    TransportQuality {
        rtt_ms: f64,
        jitter_ms: f64,
        loss: f64,
    },
    TransportDisconnected {
        reason: Text<'a>,
    },
    TransportReconnected {
        reason: Text<'a>,
    },
    TurnStarted {
        turn: u32,
    },
    TurnEnded {
        turn: u32,
        duration_ms: i64,
        interrupted: bool,
    },
    TurnLatency {
        total_ms: i64,
    },
    SpeechStarted {
        actor: Speaker,
    },
    SpeechStopped {
        actor: Speaker,
    },
    SpeechInterrupted {
        by: Speaker,
    },
    TranscriptPartial {
        role: UtteranceRole,
        text: Text<'a>,
    },
    TranscriptFinal {
        role: UtteranceRole,
        text: Text<'a>,
        language: Option<Text<'a>>,
        turn: Option<u32>,
        interrupted: bool,
        unspoken: Option<Text<'a>>,
    },
    AgentStateChanged {
        to: AgentActivity,
    },
    AgentReplaced {
        from: Text<'a>,
        to: Text<'a>,
    },
    LlmResponseStarted {
        service: Text<'a>,
    },
    LlmResponseEnded {
        service: Text<'a>,
        chars: u32,
        tool_calls: u32,
    },
    TtsStarted {
        service: Text<'a>,
    },
    TtsStopped {
        service: Text<'a>,
    },
    ToolRequested {
        tool: ToolRef<'a>,
        args: Option<Text<'a>>,
    },
    ToolStarted {
        tool: ToolRef<'a>,
        writes: bool,
    },
    ToolCompleted {
        tool: ToolRef<'a>,
        duration_ms: i64,
        result: Option<Text<'a>>,
        effect: Option<Effect>,
    },
    ToolFailed {
        tool: ToolRef<'a>,
        error_type: Text<'a>,
        message: Text<'a>,
    },
    ToolTimedOut {
        tool: ToolRef<'a>,
        deadline_ms: Option<i64>,
    },
    ToolCancelled {
        tool: ToolRef<'a>,
    },
    ToolCatalogChanged {
        enabled: Vec<Text<'a>>,
        disabled: Vec<Text<'a>>,
    },
    ServiceLatency {
        service: Text<'a>,
        metric: LatencyMetric,
        ms: f64,
        probe: bool,
    },
    ServiceUsage {
        service: Text<'a>,
    },
    ServiceError {
        service: Text<'a>,
        error_type: Text<'a>,
        message: Text<'a>,
        permanent: bool,
        usable: Option<bool>,
    },
    ServiceAvailabilityChanged {
        service: Text<'a>,
        available: bool,
        reason: Option<Text<'a>>,
    },
    ServiceSwitched {
        from: Text<'a>,
        to: Text<'a>,
        cause: SwitchCause,
    },
    ServiceSettingsChanged {
        service: Text<'a>,
    },
    PipelineStalled {
        secs: f64,
    },
    PipelineIdle {
        secs: f64,
    },
    WorkerRegistered {
        worker: Text<'a>,
        region: Option<Text<'a>>,
    },
    WorkerLost {
        worker: Text<'a>,
        region: Option<Text<'a>>,
    },
    /// A provider or a worker lives; told about the platform, at its own steady pace.
    Beat {
        of: BeatOf,
        name: Text<'a>,
        region: Option<Text<'a>>,
        zone: Option<Text<'a>>,
    },
    HandoffRequested {
        to: Text<'a>,
        reason: Text<'a>,
    },
    HandoffCompleted {
        handoff_id: Option<Text<'a>>,
        to: Text<'a>,
    },
    HandoffFailed {
        handoff_id: Option<Text<'a>>,
        reason: Text<'a>,
    },
    StreamSnapshot {
        calls: Vec<Text<'a>>,
    },
    StreamGapDetected {
        from_seq: u64,
        to_seq: u64,
        missing: u64,
    },
    StreamCaughtUp,
    BridgeHeartbeat {
        live_calls: u64,
        buffered: u64,
        unmapped: u64,
    },
    DrillFaultsChanged {
        active: Vec<ActiveFault>,
    },
}
