//! Pools of machines that are too small for their load: who asks waits for those before.

use std::collections::BTreeMap;

use holdfast_domain::{DurationMs, Timestamp};

/// How often a call asks its model: a turn takes about 13 s, and every third uses a tool and asks
/// twice.
const ASKS_PER_SEC: f64 = 0.1;

/// A pool that is too small has machines for this share of what is asked of it. Who waits does not ask
/// again meanwhile, so that with half of its machines the wait stays within seconds.
const MACHINES_SHARE: f64 = 0.4;

/// Who would wait longer is turned away.
const WAIT_MS_MAX: DurationMs = 9_000;

/// Every pool that is too small, by its injection.
#[derive(Debug, Default)]
pub(crate) struct Pools(BTreeMap<u64, Pool>);

#[derive(Debug)]
struct Pool {
    /// One answer for each of these.
    every_ms: DurationMs,
    /// When the last who asked will have been served.
    busy_until: Timestamp,
}

impl Pools {
    /// A pool lost machines, so that those which are left cannot serve so many calls.
    pub(crate) fn shrink(&mut self, injection: u64, calls: usize, now: Timestamp) {
        let per_sec = (calls.max(1) as f64) * ASKS_PER_SEC * MACHINES_SHARE;
        let pool = Pool {
            every_ms: (1_000.0 / per_sec) as DurationMs,
            busy_until: now,
        };
        self.0.insert(injection, pool);
    }

    /// How long who asks now waits for a machine; None when the pool turns them away.
    pub(crate) fn ask(&mut self, injection: u64, now: Timestamp) -> Option<DurationMs> {
        let Some(pool) = self.0.get_mut(&injection) else {
            return Some(0);
        };
        let begins = pool.busy_until.max(now);
        let wait_ms = begins.since(now);
        if wait_ms > WAIT_MS_MAX {
            return None;
        }
        pool.busy_until = begins + pool.every_ms;
        Some(wait_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn the_wait_climbs_with_the_load_until_some_are_turned_away() {
        let mut pools = Pools::default();
        pools.shrink(1, 100, NOW);
        let waits: Vec<_> = (0..600).map(|n| pools.ask(1, NOW + n * 200)).collect();
        assert_eq!(waits[0], Some(0));
        assert!(waits[120] > waits[60] && waits[60] > waits[20], "{waits:?}");
        assert!(waits[590..].contains(&None));
    }

    #[test]
    fn the_wait_falls_with_the_load() {
        let mut pools = Pools::default();
        pools.shrink(1, 100, NOW);
        for n in 0..120 {
            pools.ask(1, NOW + n * 200);
        }
        assert!(pools.ask(1, NOW + 24_000) > Some(1_000));
        assert_eq!(pools.ask(1, NOW + 60_000), Some(0));
    }

    #[test]
    fn a_pool_that_is_large_enough_serves_at_once() {
        assert_eq!(Pools::default().ask(1, NOW), Some(0));
    }
}
