//! The values that every room of Holdfast speaks of: calls, layers, commands, handoffs,
//! playbooks and their runs.
//!
//! They are plain data, so that the engine, the wire, the journal and the window share one set of
//! types and nothing has to be kept equal by hand.
//! Deliberately absent: IO, async, a clock, and any decision.

#![deny(missing_docs)]

pub mod act;
pub mod call;
pub mod card;
pub mod cause;
pub mod command;
pub mod fact;
pub mod feed;
pub mod handoff;
pub mod health;
pub mod id;
pub mod layer;
pub mod ledger;
pub mod playbook;
pub mod request;
pub mod run;
pub mod service;
pub mod time;

pub use act::{Act, ActPreview, ActVerb, Excluded, ExcludedReason, Target};
pub use call::{
    AiState, CallDetail, CallPhase, CallSummary, Floor, LaneKind, LaneSpan, Need, NeedLevel,
    NextKind, NextStep, Protected, ToolCall, ToolState, Utterance, UtteranceRole,
};
pub use card::{
    CardFailure, CardField, CardGap, CardPart, CardSource, HandoffCard, IdentityLevel,
    IdentityState, PromiseMade, Slot, ToolEffect,
};
pub use cause::{
    BlindReason, Blindness, CauseDimension, CauseGroup, CauseReach, CauseShape, CauseState,
    CauseTrait,
};
pub use command::{
    Actor, Command, CommandName, CommandRecord, CommandState, FailureKind, FaultScope, Progress,
    ReadBack, RejectionKind,
};
pub use feed::{
    ActiveFault, Anomaly, AnomalyKind, BridgeStatus, Capability, FaultOffer, FeedState,
};
pub use handoff::{
    Handoff, HandoffFailure, HandoffReason, HandoffState, HandoffStep, HumanAgent, HumanState,
};
pub use health::{Evidence, LayerHealth, LayerState, SignalKind};
pub use id::{
    ActId, AgentId, AnnouncementId, CallId, CauseId, CommandId, EventId, HandoffId, PlaybookId,
    RunId, SourceId, StepId,
};
pub use layer::{Layer, PerLayer};
pub use ledger::{Decider, FaultClass, Ledger, LedgerRow, Recovery, Spread};
pub use playbook::Playbook;
pub use request::{Record, Refusal, RefusalCode, Reply, Request};
pub use run::{
    CheckResult, DifferenceKind, HumanCapacity, Lever, PlaybookStatus, Reversibility, Run,
    RunApproval, RunCall, RunCallState, RunComparison, RunDifference, RunEvent, RunEventKind,
    RunMessage, RunPreview, RunPreviewCall, RunRefusal, RunReview, RunStage, RunStageState,
    RunState, RunStop, RunTally, RunWait,
};
pub use service::{Rung, Service};
pub use time::{DurationMs, Timestamp};
