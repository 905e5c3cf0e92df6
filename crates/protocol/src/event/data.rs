//! The `data` of each event type as it stands on the wire.
//!
//! The same structs are read from, written to, and described in the JSON Schema. Fields that the
//! engine has no use for are here too, so that their form is checked and described.

mod call;
mod platform;
mod service;
mod speech;
mod tool;

pub(crate) use call::{
    CallEnded, CallStarted, CallUpdated, HandoffCompleted, HandoffFailed, HandoffRequested,
    Participant,
};
pub(crate) use platform::{
    Beat, DrillFaultsChanged, Heartbeat, Nothing, Pipeline, StreamGap, StreamSnapshot,
    TransportLink, TransportQuality, Worker,
};
pub(crate) use service::{
    ServiceAvailability, ServiceError, ServiceLatency, ServiceSettings, ServiceSwitched,
    ServiceUsage,
};
pub(crate) use speech::{
    AgentReplaced, AgentStateChanged, LlmEnded, LlmStarted, SpeechActor, SpeechInterrupted,
    TranscriptFinal, TranscriptPartial, Tts, TurnEnded, TurnLatency, TurnStarted,
};
pub(crate) use tool::{
    ToolCatalogChanged, ToolCompleted, ToolFailed, ToolRequested, ToolStarted, ToolStopped,
};
