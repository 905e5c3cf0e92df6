//! How long to wait before the next attempt.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::config::Timing;

/// Counts failed attempts and spreads the next ones: each wait is drawn from the upper half of a
/// span that doubles, so that no attempt is instant and no two links stay in step.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failed: u32,
    jitter: StdRng,
}

impl Backoff {
    pub(crate) fn new(timing: &Timing, seed: u64) -> Self {
        Self {
            first: timing.backoff_first,
            max: timing.backoff_max,
            failed: 0,
            jitter: StdRng::seed_from_u64(seed),
        }
    }

    /// One more attempt failed: its number, and how long to wait now.
    pub(crate) fn fail(&mut self) -> (u32, Duration) {
        // 2^16 times any first wait is past every cap; beyond that the shift would overflow.
        let doubled = self.first.saturating_mul(1 << self.failed.min(16));
        let span = doubled.min(self.max).as_millis() as u64;
        self.failed = self.failed.saturating_add(1);
        let wait = self.jitter.random_range(span / 2..=span);
        (self.failed, Duration::from_millis(wait))
    }

    /// The link was live: the next failure is a first one.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_anew() {
        let timing = Timing::default();
        let mut backoff = Backoff::new(&timing, 7);
        let spans = [200, 400, 800, 1_600, 3_200, 5_000, 5_000];
        for (i, span) in spans.into_iter().enumerate() {
            let (attempt, wait) = backoff.fail();
            assert_eq!(attempt as usize, i + 1);
            let wait = wait.as_millis();
            assert!(
                (span / 2..=span).contains(&wait),
                "{wait} is not in the upper half of {span}"
            );
        }
        for _ in 0..100 {
            assert!(backoff.fail().1 <= timing.backoff_max);
        }
        backoff.reset();
        let (attempt, wait) = backoff.fail();
        assert_eq!(attempt, 1);
        assert!(wait <= timing.backoff_first);
    }

    #[test]
    fn seeds_spread_links_and_repeat_themselves() {
        let waits = |seed| {
            let mut backoff = Backoff::new(&Timing::default(), seed);
            (0..6).map(|_| backoff.fail().1).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
