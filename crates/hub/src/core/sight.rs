//! Whether the hub itself can see.
//!
//! ```text
//!   sees --- own lag, clock set, slept or starved ---> blind
//!    ^                                                  |
//!    +------- nothing of it for SETTLE_MS --------------+
//! ```
//!
//! A silence that the hub measures while it is behind is its own, and nobody's failure.

use holdfast_domain::{BlindReason, Blindness, DurationMs, Timestamp};

/// An input that waited longer than this for the core was heard too late to judge a silence by: a
/// third of the first limit of a caller's silence, and far above what a busy core needs.
const OWN_LAG_MS: DurationMs = 1_000;

/// The core looks at least every 50 ms. If it did not for this long, the machine slept or the
/// process was starved; a slow commit or a long garbage collection of a neighbor stays below it.
const MISSED_MS: DurationMs = 2_000;

/// The wall clock and the steady clock drift apart by milliseconds a minute; if they moved apart
/// by more than this between two looks, somebody set the wall clock.
const CLOCK_JUMP_MS: DurationMs = 1_000;

/// The hub counts as seeing again after it kept up for this long: connections read what waited in
/// their sockets within milliseconds, and a queue that swings around the limit is one blindness.
const SETTLE_MS: DurationMs = 1_000;

/// A blindness that is over is told for this long, so that people see it.
const TOLD_MS: DurationMs = 30_000;

/// What the hub knows of its own sight.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// The hub's clock and the wall clock at the last look.
    looked: Option<(Timestamp, Timestamp)>,
    /// The blindness that lasts, or the last one.
    spell: Option<Spell>,
}

/// One blindness.
#[derive(Debug)]
struct Spell {
    reason: BlindReason,
    since: Timestamp,
    /// When something last kept the hub from seeing.
    last: Timestamp,
    /// When it was over.
    over: Option<Timestamp>,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It cannot see, for this reason.
    Blind(BlindReason),
    /// It sees again.
    Sees,
}

impl Sight {
    /// Looks, before anything is judged. `waiting` is when the oldest input arrived that is not
    /// yet folded, as far as it is known.
    pub(crate) fn look(
        &mut self,
        now: Timestamp,
        wall: Timestamp,
        waiting: Option<Timestamp>,
    ) -> Option<Change> {
        let before = self.looked.replace((now, wall));
        if let Some((reason, since)) = obstacle(before, now, wall, waiting) {
            return self.blinded(reason, since, now);
        }
        let spell = self.spell.as_mut().filter(|spell| spell.over.is_none())?;
        if now.since(spell.last) < SETTLE_MS {
            return None;
        }
        spell.over = Some(now);
        Some(Change::Sees)
    }

    /// Why it cannot see now; None when it can.
    pub(crate) fn blind(&self) -> Option<BlindReason> {
        let spell = self.spell.as_ref().filter(|spell| spell.over.is_none())?;
        Some(spell.reason)
    }

    /// What people are told.
    pub(crate) fn told(&self, now: Timestamp) -> Option<Blindness> {
        let spell = self.spell.as_ref()?;
        let until = spell.over.unwrap_or(now);
        let is_news = now.since(until) < TOLD_MS;
        is_news.then(|| Blindness {
            reason: spell.reason,
            since: spell.since,
            lasted_ms: until.since(spell.since).max(0),
            is_over: spell.over.is_some(),
        })
    }

    /// A blindness begins, or goes on. The reason that explains more is told to people: who slept
    /// is also behind afterwards. A clock that was set is always told to the engine.
    fn blinded(&mut self, reason: BlindReason, since: Timestamp, now: Timestamp) -> Option<Change> {
        let Some(spell) = self.spell.as_mut().filter(|spell| spell.over.is_none()) else {
            self.spell = Some(Spell {
                reason,
                since,
                last: now,
                over: None,
            });
            return Some(Change::Blind(reason));
        };
        let is_news = reason > spell.reason || reason == BlindReason::ClockJump;
        spell.last = now;
        spell.since = spell.since.min(since);
        spell.reason = spell.reason.max(reason);
        is_news.then_some(Change::Blind(reason))
    }
}

/// What keeps the hub from seeing, and since when.
fn obstacle(
    before: Option<(Timestamp, Timestamp)>,
    now: Timestamp,
    wall: Timestamp,
    waiting: Option<Timestamp>,
) -> Option<(BlindReason, Timestamp)> {
    if let Some((looked, wall_then)) = before {
        let passed = now.since(looked);
        // First, because all that is known of other clocks is void after it.
        if (wall.since(wall_then) - passed).abs() > CLOCK_JUMP_MS {
            return Some((BlindReason::ClockJump, looked));
        }
        if passed > MISSED_MS {
            return Some((BlindReason::Suspended, looked));
        }
    }
    waiting
        .filter(|arrived| now.since(*arrived) > OWN_LAG_MS)
        .map(|arrived| (BlindReason::OwnLag, arrived))
}

#[cfg(test)]
mod tests;
