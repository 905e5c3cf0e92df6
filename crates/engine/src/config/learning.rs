//! What is learnt, and how far what is learnt may move a limit.

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

use super::{DriftLimits, Expectations, Levels};

/// Between which bounds a learnt deadline lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clamps {
    /// Never sooner: jitter of a network and of voice detection fits in.
    pub min: Expectations,
    /// Never later.
    pub max: Expectations,
}

impl Default for Clamps {
    fn default() -> Self {
        Self {
            min: Expectations {
                transcript_ms: 800,
                response_ms: 600,
                tokens_ms: 1_000,
                audio_ms: 800,
                tool_ms: 1_500,
            },
            // The fixed limits, so that the layer is named before the turn counts as failed; but a
            // tool may be known to take its time.
            max: Expectations {
                tool_ms: 10_000,
                ..Expectations::default()
            },
        }
    }
}

/// How deadlines are learnt: p97 of what a step took, times a margin. Every hundredth answer of a
/// real service takes seconds or tens of seconds; a p99 is one of these, and the margin over a p97
/// reaches further than p99 of all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learning {
    /// So many samples make a quantile of 99 % worth believing: until there are 100 it is the
    /// slowest, and the margin covers what that misses.
    pub samples_min: u32,
    /// The quantile, in thousandths.
    pub quantile_permille: u32,
    /// The deadline in percent of the quantile.
    pub margin_percent: u32,
    /// Old samples count half after this many more: about an hour of a busy service.
    pub halve_at: u32,
    /// The quantile is computed anew after this many samples.
    pub refresh_every: u32,
    /// When something is slower than it was.
    #[serde(default)]
    pub drift: DriftLimits,
}

impl Default for Learning {
    fn default() -> Self {
        Self {
            samples_min: 60,
            quantile_permille: 970,
            margin_percent: 150,
            halve_at: 4_096,
            refresh_every: 32,
            drift: DriftLimits::default(),
        }
    }
}

/// Limits of one queue; what is None is as for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QueueLimits {
    /// Silence while the agent owes the floor, in milliseconds.
    pub silence: Option<Levels>,
    /// Median of the last three response gaps, in milliseconds.
    pub response_gap: Option<Levels>,
    /// Bounds of learnt deadlines.
    pub clamps: Option<Clamps>,
    /// Its calls are put on watch when what serves them fails more often, is slower than it was, or
    /// beats no more. By default they are.
    #[serde(default)]
    pub is_put_on_watch: Option<bool>,
}

/// The limits of one call, as its queue has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallLimits {
    pub(crate) silence: Levels,
    pub(crate) response_gap: Levels,
    clamps: Clamps,
    #[serde(default = "by_default")]
    pub(crate) is_put_on_watch: bool,
    /// How long the first sign of service may take; None while that is not learnt.
    pub(crate) greeting_ms: Option<DurationMs>,
    /// The deadlines of the steps of this call's turn.
    pub(crate) steps: Expectations,
}

const fn by_default() -> bool {
    true
}

impl CallLimits {
    /// `ms` between the bounds of one step.
    pub(crate) fn clamp(&self, ms: DurationMs, of: fn(&Expectations) -> DurationMs) -> DurationMs {
        let (min, max) = (of(&self.clamps.min), of(&self.clamps.max));
        ms.max(min).min(max)
    }
}

impl CallLimits {
    /// How long a tool may run that is late after `limit_ms`: twice as long, and never less than
    /// any tool may. One that is usually fast has only become slow by then.
    pub(crate) fn tool_failed_ms(&self, limit_ms: DurationMs) -> DurationMs {
        (2 * limit_ms).max(self.clamps.max.tool_ms)
    }
}

impl super::Config {
    /// The limits of a call in `queue`.
    pub(crate) fn limits_of(&self, queue: &str) -> CallLimits {
        let own = self.queues.get(queue).copied().unwrap_or_default();
        let mut limits = CallLimits {
            silence: own.silence.unwrap_or(self.silence),
            response_gap: own.response_gap.unwrap_or(self.response_gap),
            clamps: own.clamps.unwrap_or(self.clamps),
            is_put_on_watch: own.is_put_on_watch.unwrap_or(true),
            greeting_ms: None,
            steps: self.expectations,
        };
        let cold = self.expectations;
        limits.steps = Expectations {
            transcript_ms: limits.clamp(cold.transcript_ms, |of| of.transcript_ms),
            response_ms: limits.clamp(cold.response_ms, |of| of.response_ms),
            tokens_ms: limits.clamp(cold.tokens_ms, |of| of.tokens_ms),
            audio_ms: limits.clamp(cold.audio_ms, |of| of.audio_ms),
            tool_ms: limits.clamp(cold.tool_ms, |of| of.tool_ms),
        };
        limits
    }
}
