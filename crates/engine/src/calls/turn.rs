//! The caller's turn that waits for its answer.

use holdfast_domain::{DurationMs, EventId, Timestamp};
use serde::{Deserialize, Serialize};

use super::expect::Step;

/// How far the model is with the answer to this turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Model {
    /// Nothing heard.
    #[default]
    Silent,
    /// It began a response, or ended one with text.
    Answering,
    /// It asked for tools; what is said now is filler.
    CallsTools,
    /// It failed; what is said now is an apology, no answer.
    Failed,
}

/// The caller's turn that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// When the caller began to speak.
    pub(crate) began: Timestamp,
    /// When the caller stopped: response gaps are counted from here.
    pub(crate) stopped: Timestamp,
    /// When the caller stopped, or when the turn was tried again: it fails at the second limit of
    /// silence from here.
    pub(crate) asked: Timestamp,
    /// The event that ended the caller's speech.
    pub(crate) event: EventId,
    /// Its final transcript arrived.
    pub(crate) is_transcribed: bool,
    pub(crate) model: Model,
    /// The agent was audible without answering.
    pub(crate) had_filler: bool,
    /// Tools were asked for.
    pub(crate) used_tools: bool,
    /// It failed, as far as it was tried.
    pub(crate) is_failed: bool,
    /// It is in the count of failed turns.
    pub(crate) is_counted: bool,
    /// An explicit error fell into it, in which layers (bits in strip order).
    pub(crate) errors: u8,
    /// The step that took longest so far, and how long.
    pub(crate) slowest: Step,
    pub(crate) slowest_ms: DurationMs,
}
