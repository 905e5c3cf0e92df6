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

use holdfast_domain::{BlindReason, Blindness, DurationMs, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Engine, Entry};

/// How long deadlines wait once the hub sees again: what was held up on the way to it arrives
/// within milliseconds, as after a bridge's own late news.
const SETTLE_MS: DurationMs = 1_000;

/// Whether deadlines may pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sight {
    /// Why not; None while the hub sees.
    blind: Option<BlindReason>,
    /// Up to when deadlines were judged before the hub went blind, now or the last time.
    since: Timestamp,
    /// No deadline passes before this.
    pub(crate) not_before: Timestamp,
}

impl Sight {
    pub(crate) const fn is_blind(&self) -> bool {
        self.blind.is_some()
    }

    /// Up to when time counts against anybody: what is read of a call is judged as of then.
    pub(crate) fn judged_until(&self, now: Timestamp) -> Timestamp {
        if self.judges(now) { now } else { self.since }
    }

    /// Deadlines that lie before `now` have passed.
    pub(crate) fn judges(&self, now: Timestamp) -> bool {
        !self.is_blind() && self.not_before <= now
    }
}

impl Engine {
    /// Up to when deadlines were judged: what [`crate::Control::Blind`] begins with.
    pub fn judged_until(&self) -> Timestamp {
        self.clock.max(self.now)
    }

    pub(crate) fn on_blind(&mut self, reason: BlindReason, since: Timestamp) {
        if !self.sight.is_blind() {
            self.sight.since = since;
        }
        self.sight.blind = self.sight.blind.max(Some(reason));
        self.tell_blindness(false);
        if reason == BlindReason::ClockJump {
            // A bridge on this machine jumped, too, and one elsewhere did not: each is learnt anew.
            for bridge in self.bridges.values_mut() {
                bridge.forget_clock();
            }
        }
    }

    /// What was not heard meanwhile may have been said: every silence counts from now, and nobody
    /// is judged whose bridge has not been heard since.
    pub(crate) fn on_sees(&mut self) {
        if !self.sight.is_blind() {
            return;
        }
        self.tell_blindness(true);
        let (now, since) = (self.now, self.sight.since);
        self.sight.blind = None;
        self.sight.not_before = now + SETTLE_MS;
        self.calls.each(|call| {
            if call.ghost_since.is_none() {
                call.heard_at = now;
            }
        });
        let sources: Vec<SourceId> = self.bridges.keys().cloned().collect();
        for source in sources {
            let was = self.feed(&source);
            let bridge = self.bridge(&source);
            bridge.is_seen(since, now);
            self.feed_changed(&source, was);
        }
    }

    fn tell_blindness(&mut self, is_over: bool) {
        let Some(reason) = self.sight.blind else {
            return;
        };
        let since = self.sight.since;
        self.append(Entry::Blindness(Blindness {
            reason,
            since,
            lasted_ms: self.now.since(since).max(0),
            is_over,
        }));
    }
}
