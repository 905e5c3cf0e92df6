//! Which step of a turn is pending, and so who is waited for.
//!
//! ```text
//! caller stops -> Transcript -> Response -> Tokens -+-> Audio -> (audible)
//!                                   ^               +-> Tool -> Rerun -> Tokens
//! ```
//!
//! Deliberately absent: how long each may take by now; see `pace`.

use holdfast_domain::{DurationMs, EventId, Layer, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::CallLimits;

/// The step that was begun last and has not shown its first useful output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Nothing is pending.
    #[default]
    Idle,
    /// The call began; nobody has served it.
    Greeting,
    /// The caller stopped; no final transcript yet.
    Transcript,
    /// The transcript is there; no response was begun.
    Response,
    /// The model began; neither its end nor audio yet.
    Tokens,
    /// The model answered with nothing; it still owes.
    Empty,
    /// The model's text was sent to speech; nothing is audible.
    Audio,
    /// The model asked for tools; they are not done.
    Tool,
    /// The tools are done; no response was begun on their results.
    Rerun,
}

impl Step {
    /// The layer that is waited for.
    pub(crate) const fn layer(self) -> Layer {
        match self {
            Self::Transcript => Layer::Asr,
            Self::Tokens | Self::Empty => Layer::Llm,
            Self::Audio => Layer::Tts,
            Self::Tool => Layer::Tools,
            Self::Greeting => Layer::Infrastructure,
            Self::Idle | Self::Response | Self::Rerun => Layer::Orchestration,
        }
    }

    /// What is missing, with `service` as the layer's name for people.
    pub(crate) fn words(self, service: &str) -> String {
        match self {
            Self::Idle => "no step of an answer is known to have begun".to_owned(),
            Self::Greeting => "the call began and nothing serves it".to_owned(),
            Self::Transcript => format!("{service} heard speech and gave no transcript"),
            Self::Response => "the transcript is there, nothing asked the LLM".to_owned(),
            Self::Tokens => format!("{service} began an answer and gave nothing"),
            Self::Empty => format!("{service} answered with nothing"),
            Self::Audio => format!("{service} was sent text, no audio"),
            Self::Tool => format!("{service} has not ended"),
            Self::Rerun => "the tools are done, nothing asked the LLM again".to_owned(),
        }
    }
}

/// How long `step` may take; None when it has no deadline of its own.
///
/// A tool's deadline is kept with the tool, because several can run at once.
pub(crate) const fn deadline_ms(step: Step, limits: &CallLimits) -> Option<DurationMs> {
    let steps = &limits.steps;
    match step {
        Step::Idle | Step::Tool | Step::Empty => None,
        Step::Greeting => limits.greeting_ms,
        Step::Transcript => Some(steps.transcript_ms),
        Step::Response | Step::Rerun => Some(steps.response_ms),
        Step::Tokens => Some(steps.tokens_ms),
        Step::Audio => Some(steps.audio_ms),
    }
}

/// A pending step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// Which.
    pub(crate) step: Step,
    /// Since when.
    pub(crate) since: Timestamp,
    /// It was already said to be late.
    pub(crate) is_late: bool,
    /// The event that began it.
    pub(crate) event: Option<EventId>,
}

/// A late step that is over: it came, or the caller did not wait for it any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waited {
    pub(crate) layer: Layer,
    /// When the work was asked for.
    pub(crate) asked: Timestamp,
    pub(crate) ms: DurationMs,
}

/// What is told of the model's responses, where one is told out of order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Response {
    /// One began and has not ended.
    pub(crate) is_open: bool,
    /// One ended that was not told to have begun: that may be told late.
    pub(crate) ended_untold: Option<Timestamp>,
}

/// Text that was sent to speech beside the pending step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unheard {
    pub(crate) since: Timestamp,
    /// It was already said to be late.
    #[serde(default)]
    pub(crate) is_late: bool,
    /// The event that told of it.
    pub(crate) event: EventId,
}

impl Pending {
    /// How long the step may still be waited for; None when it has no limit or was told already.
    pub(crate) fn limit_ms(&self, limits: &CallLimits) -> Option<DurationMs> {
        if self.is_late {
            return None;
        }
        deadline_ms(self.step, limits)
    }
}
