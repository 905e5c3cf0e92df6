//! The console's one clock: it never goes back, and it counts the time that the machine slept.
//!
//! The age of the view is a safety limit. By the wall clock alone, a clock that is set back makes
//! an old view young; by the steady clock alone, a machine that slept wakes up with a view that
//! looks fresh. So the steady clock leads, and is moved on when the wall clock has run ahead.

use holdfast_domain::{DurationMs, Timestamp};
use tokio::time::Instant;

/// A difference between the two clocks that is no drift: the machine slept, or the wall clock was
/// set. Below the age at which a view is stale, so that a sleep that matters is not missed.
const JUMP_MS: DurationMs = 1_000;

#[derive(Debug)]
pub(crate) struct SteadyClock {
    started: Instant,
    reckoning: Reckoning,
}

/// The arithmetic of the two clocks.
#[derive(Debug)]
struct Reckoning {
    /// What this clock shows at the start of the steady clock.
    base: Timestamp,
    /// The wall clock minus this clock, when last read.
    wall_ahead: DurationMs,
}

impl SteadyClock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            reckoning: Reckoning {
                base: holdfast_protocol::clock::now(),
                wall_ahead: 0,
            },
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        let steady_ms = self.started.elapsed().as_millis() as DurationMs;
        self.reckoning
            .now(steady_ms, holdfast_protocol::clock::now())
    }
}

impl Reckoning {
    fn now(&mut self, steady_ms: DurationMs, wall: Timestamp) -> Timestamp {
        let now = self.base + steady_ms;
        let ahead = wall.since(now);
        if ahead - self.wall_ahead > JUMP_MS {
            let slept = ahead - self.wall_ahead;
            self.base = self.base + slept;
            return now + slept;
        }
        self.wall_ahead = ahead;
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    fn reckoning() -> Reckoning {
        Reckoning {
            base: at(0),
            wall_ahead: 0,
        }
    }

    #[test]
    fn a_sleep_counts() {
        let mut clock = reckoning();
        assert_eq!(clock.now(100, at(100)), at(100));
        // Ten minutes of sleep: the steady clock stood still.
        assert_eq!(clock.now(200, at(600_200)), at(600_200));
        assert_eq!(clock.now(300, at(600_300)), at(600_300));
    }

    #[test]
    fn a_wall_clock_set_back_does_not_make_it_earlier() {
        let mut clock = reckoning();
        assert_eq!(clock.now(5_000, at(5_000)), at(5_000));
        assert_eq!(clock.now(5_100, at(-60_000)), at(5_100));
        assert_eq!(clock.now(9_000, at(-56_100)), at(9_000));
    }

    #[test]
    fn slow_drift_never_adds_up_to_a_jump() {
        let mut clock = reckoning();
        for step in 1..=1_000 {
            // The wall clock gains 10 ms a second: ten seconds in all.
            assert_eq!(clock.now(step * 1_000, at(step * 1_010)), at(step * 1_000));
        }
    }
}
