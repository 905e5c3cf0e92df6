//! While the hub itself cannot see, nothing is late: a silence that it measures is its own.
//!
//! ```text
//!            Blind                        Sees                 SETTLE_MS later
//!   judges --------> facts are folded, --------> the same  ------------------> judges what the
//!                    no deadline passes                                        facts left open
//! ```
//!
//! The gate is in front of all timers, so it holds for every deadline there is: a caller's silence,
//! a step of a turn, a bridge, a command, an offer, a shared cause. What a platform says itself
//! (an error, a lost worker) is no guess and counts at once.

use holdfast_domain::{BlindReason, DurationMs, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Engine;

/// How long deadlines wait once the hub sees again: what was held up on the way to it arrives
/// within milliseconds, as after a bridge's own late news.
const SETTLE_MS: DurationMs = 1_000;

/// Whether deadlines may pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) is_blind: bool,
    /// No deadline passes before this.
    pub(crate) not_before: Timestamp,
}

impl Sight {
    /// Deadlines that lie before `now` have passed.
    pub(crate) fn judges(&self, now: Timestamp) -> bool {
        !self.is_blind && self.not_before <= now
    }
}

impl Engine {
    /// Up to when deadlines were judged: what [`crate::Control::Blind`] begins with.
    pub fn judged_until(&self) -> Timestamp {
        self.clock.max(self.now)
    }

    pub(crate) fn on_blind(&mut self, reason: BlindReason) {
        self.sight.is_blind = true;
        if reason == BlindReason::ClockJump {
            // A bridge on this machine jumped, too, and one elsewhere did not: each is learnt anew.
            for bridge in self.bridges.values_mut() {
                bridge.forget_clock();
            }
        }
    }

    /// What was not heard meanwhile may have been said: every silence counts from now.
    pub(crate) fn on_sees(&mut self) {
        if !std::mem::take(&mut self.sight.is_blind) {
            return;
        }
        let now = self.now;
        self.sight.not_before = now + SETTLE_MS;
        for bridge in self.bridges.values_mut() {
            bridge.seen_from = now;
        }
        self.calls.each(|call| {
            if call.ghost_since.is_none() {
                call.heard_at = now;
            }
        });
    }
}
