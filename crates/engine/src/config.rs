//! The limits that decide when something is wrong.
//!
//! All durations are whole milliseconds. Defaults are the product's table of signals unless the
//! field says otherwise. How far what is learnt may move them is in [`Learning`] and [`Clamps`].

mod conduct;
mod learning;
mod rates;

use std::collections::BTreeMap;

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

pub use conduct::ConductLimits;
pub(crate) use learning::CallLimits;
pub use learning::{Clamps, Learning, QueueLimits};
pub use rates::{BeatLimits, DriftLimits, RateLimits};

/// Three rising limits of one signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Worth a look.
    pub watch_ms: DurationMs,
    /// The caller is being harmed.
    pub warn_ms: DurationMs,
    /// The call is being lost.
    pub critical_ms: DurationMs,
}

impl Levels {
    /// The limit that comes after `passed` limits were passed; None after the last.
    pub(crate) const fn after(self, passed: u8) -> Option<DurationMs> {
        match passed {
            0 => Some(self.watch_ms),
            1 => Some(self.warn_ms),
            2 => Some(self.critical_ms),
            _ => None,
        }
    }

    /// How many limits `ms` reaches, 0 to 3.
    pub(crate) const fn reached(self, ms: DurationMs) -> u8 {
        (ms >= self.watch_ms) as u8 + (ms >= self.warn_ms) as u8 + (ms >= self.critical_ms) as u8
    }
}

/// How long each step of a turn may take before its layer is said to be late.
///
/// Fixed numbers, chosen so that the layer is named before the silence counts as a failed turn
/// (5 s). Each is several times what the step takes on a healthy platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectations {
    /// Caller's speech ended to final transcript. Streaming recognizers finish within 1 s.
    pub transcript_ms: DurationMs,
    /// Final transcript, or tool result, to the beginning of the model's response. Both
    /// frameworks begin it within milliseconds.
    pub response_ms: DurationMs,
    /// The model's response begun to its end or to audio. First tokens take 0.3 to 1.5 s.
    pub tokens_ms: DurationMs,
    /// The model's text ended to the agent's audio. First audio takes 0.1 to 0.8 s.
    pub audio_ms: DurationMs,
    /// A tool began to its end. Twice this is a failure. The dead air limit, because a caller
    /// waits on a tool as on anything else.
    pub tool_ms: DurationMs,
}

impl Default for Expectations {
    fn default() -> Self {
        Self {
            transcript_ms: 2_500,
            response_ms: 2_500,
            tokens_ms: 4_000,
            audio_ms: 2_500,
            tool_ms: 5_000,
        }
    }
}

/// All limits of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The agent owes the floor and nobody is audible: 3, 5, 10 s. At the second limit the turn
    /// counts as failed.
    pub silence: Levels,
    /// Median of the last three response gaps: 1.2, 1.5, 2.5 s.
    pub response_gap: Levels,
    /// Deadlines of the steps of a turn, until enough is learnt.
    pub expectations: Expectations,
    /// Bounds of learnt deadlines.
    pub clamps: Clamps,
    /// How deadlines are learnt.
    pub learning: Learning,
    /// What is different in a queue, by its name. The default is none: queues differ only where
    /// somebody decided so.
    pub queues: BTreeMap<String, QueueLimits>,
    /// When the way in which the agent talks counts as harm.
    pub conduct: ConductLimits,
    /// When the share of turns with a fault has risen, of a service, a tool or a flow.
    #[serde(default)]
    pub fault_rate: RateLimits,
    /// When a vendor or a worker that beats is dead.
    #[serde(default)]
    pub beats: BeatLimits,
    /// How long before a silence began an error may lie to be its cause. A turn and its answer fit
    /// into 10 s.
    pub attribution_window_ms: DurationMs,
    /// Caller speech shorter than this without a transcript is noise, no turn. The shortest
    /// words ("no") last about 200 ms, coughs less.
    pub utterance_ms_min: DurationMs,
    /// A bridge that misses this many heartbeats is stale.
    pub stale_heartbeats: i64,
    /// A bridge is never stale before this: one lost packet and its retransmission, and a
    /// garbage collection, fit into 3 s.
    pub stale_ms_min: DurationMs,
    /// A call without a fact for this long is a ghost when its platform counts fewer calls than we.
    pub ghost_ms: DurationMs,
    /// A call without a fact for this long is a ghost in any case. A caller who looks for a
    /// document is silent for less than a minute.
    pub quiet_ms: DurationMs,
    /// The calls of a bridge that is gone for this long end unseen: no call is held on to for ever.
    pub lost_calls_ms: DurationMs,
    /// A bridge that is gone and has no calls is forgotten after this time: platforms that run one
    /// bridge for each bot leave a new one behind with every call.
    pub forget_bridge_ms: DurationMs,
    /// A caller whose transport is gone for this long is being lost.
    pub disconnected_ms: DurationMs,
    /// Packet loss in thousandths from which speech is audibly damaged (5 %).
    pub loss_permille: u32,
    /// Packet loss in thousandths from which speech is hard to follow (15 %).
    pub loss_permille_bad: u32,
    /// Round trip from which people talk over each other (ITU-T G.114: 400 ms one way is the limit
    /// of planning; a round trip of 500 ms is felt).
    pub rtt_ms: u32,
    /// The most live calls of one bridge: the largest platform that the product promises.
    pub calls_per_source_max: usize,
    /// A command must be begun within this time.
    pub command_ttl_ms: DurationMs,
    /// An answer may travel this much longer before the command counts as expired.
    pub command_grace_ms: DurationMs,
    /// A command that a bridge accepted must be finished this long after it was issued. A transfer
    /// rings for up to 30 s.
    pub command_finish_ms: DurationMs,
    /// How long an offer stands.
    pub offer_ms: DurationMs,
    /// When nobody else is left, an agent who refused is asked again after this time.
    pub reoffer_ms: DurationMs,
    /// Closed records are told to consoles for this long.
    pub records_ms: DurationMs,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            silence: Levels {
                watch_ms: 3_000,
                warn_ms: 5_000,
                critical_ms: 10_000,
            },
            response_gap: Levels {
                watch_ms: 1_200,
                warn_ms: 1_500,
                critical_ms: 2_500,
            },
            expectations: Expectations::default(),
            clamps: Clamps::default(),
            learning: Learning::default(),
            queues: BTreeMap::new(),
            conduct: ConductLimits::default(),
            fault_rate: RateLimits::default(),
            beats: BeatLimits::default(),
            attribution_window_ms: 10_000,
            utterance_ms_min: 200,
            stale_heartbeats: 3,
            stale_ms_min: 3_000,
            ghost_ms: 10_000,
            quiet_ms: 60_000,
            lost_calls_ms: 3_600_000,
            forget_bridge_ms: 600_000,
            disconnected_ms: 10_000,
            loss_permille: 50,
            loss_permille_bad: 150,
            rtt_ms: 500,
            calls_per_source_max: 100_000,
            command_ttl_ms: 10_000,
            command_grace_ms: 2_000,
            command_finish_ms: 45_000,
            offer_ms: 20_000,
            reoffer_ms: 15_000,
            records_ms: 3_600_000,
        }
    }
}
