//! The limits of the conversational signals: how the dialogue goes, apart from what fails.

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

/// When the way in which the agent talks counts as harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConductLimits {
    /// Two texts say the same when this many percent of the shorter one's words, weighed by their
    /// length, are in the other. "What is your date of birth?" and "Could you tell me your date of
    /// birth, please?" share 71 %, "What is your date of birth?" and "What is your order number?"
    /// 48 %: the limit lies between.
    pub same_percent: u32,
    /// A question asked this often without progress is worth a look.
    pub asked_watch: u8,
    /// A question asked this often without progress harms the caller.
    pub asked_warn: u8,
    /// A caller who says the same this often was not served.
    pub said_watch: u8,
    /// The same act of the agent this often in a row is a loop.
    pub loop_warn: u8,
    /// Both speaking at once for longer than this is no backchannel ("mhm" lasts under 0.5 s).
    pub overlap_ms: DurationMs,
    /// After such an overlap the agent must yield within this time. Voice detection takes about
    /// 0.2 s, stopping the audio 0.1 s.
    pub yield_ms: DurationMs,
    /// This many overlaps without yielding harm the caller; one is worth a look.
    pub misses_warn: u8,
    /// A dialogue that goes in circles within this time after a layer failed does so because of it:
    /// a caller who was not served says it again in the next turn or two.
    pub explained_ms: DurationMs,
    /// A call that the caller or the platform ends this soon after a fault ended abruptly.
    pub abrupt_ms: DurationMs,
    /// This many failed turns in a row end a call: the third unanswered turn is where callers hang
    /// up and flows give up.
    pub failed_turns_max: u32,
}

impl Default for ConductLimits {
    fn default() -> Self {
        Self {
            same_percent: 66,
            asked_watch: 2,
            asked_warn: 3,
            said_watch: 2,
            loop_warn: 3,
            overlap_ms: 500,
            yield_ms: 300,
            misses_warn: 2,
            explained_ms: 60_000,
            abrupt_ms: 30_000,
            failed_turns_max: 3,
        }
    }
}
