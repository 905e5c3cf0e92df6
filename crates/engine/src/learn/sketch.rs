//! A quantile sketch of durations: `DDSketch` (Masson, Rim and Lee, PVLDB 12, 2019) with 2 % relative
//! error, over whole milliseconds.
//!
//! Its own and not a crate's, because it must be the same to the byte on every machine and small:
//! the bounds of its buckets are computed when it is compiled, without a logarithm.

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

/// Each bucket reaches 1.02 / 0.98 times as far as the one before.
const GAMMA: f64 = 1.02 / 0.98;
/// Enough buckets to reach ten minutes, after which nothing is a step of a turn.
const BUCKETS: usize = 291;

/// The upper bounds of the buckets, in milliseconds, rising by at least 1.
const BOUNDS: [u32; BUCKETS] = {
    let mut bounds = [1; BUCKETS];
    let mut at = 1;
    while at < BUCKETS {
        let scaled = (bounds[at - 1] as f64 * GAMMA) as u32;
        let next = bounds[at - 1] + 1;
        bounds[at] = if scaled > next { scaled } else { next };
        at += 1;
    }
    bounds
};

/// How often durations fell into each bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Sketch {
    /// The bucket of the first count.
    low: u16,
    /// Counts from there on, without empty ones at the end.
    counts: Vec<u32>,
    total: u32,
}

impl Sketch {
    /// Takes one duration in.
    pub(crate) fn add(&mut self, ms: DurationMs) {
        let ms = u32::try_from(ms.max(0)).unwrap_or(u32::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < ms).min(BUCKETS - 1);
        if self.counts.is_empty() {
            self.low = bucket as u16;
        }
        let low = usize::from(self.low);
        if bucket < low {
            let before = std::iter::repeat_n(0, low - bucket);
            self.counts.splice(0..0, before);
            self.low = bucket as u16;
        }
        let at = bucket - usize::from(self.low);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
    }

    /// How many durations it remembers.
    pub(crate) const fn total(&self) -> u32 {
        self.total
    }

    /// The duration that `permille` of all do not exceed, to 2 %; None when it is empty.
    pub(crate) fn quantile(&self, permille: u32) -> Option<DurationMs> {
        let rank = u64::from(self.total) * u64::from(permille) / 1_000;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen > rank || seen == u64::from(self.total) {
                let bucket = usize::from(self.low) + at;
                let high = DurationMs::from(BOUNDS[bucket]);
                let below = bucket.checked_sub(1).map_or(0, |below| BOUNDS[below]);
                // The whole milliseconds above the bound below, up to the bound.
                let low = DurationMs::from(below) + 1;
                return Some((2 * low * high + low + high - 1) / (low + high));
            }
        }
        None
    }

    /// Forgets half: what was learnt long ago counts less.
    pub(crate) fn halve(&mut self) {
        for count in &mut self.counts {
            *count /= 2;
        }
        let first = self.counts.iter().position(|count| *count > 0);
        let last = self.counts.iter().rposition(|count| *count > 0);
        if let (Some(first), Some(last)) = (first, last) {
            self.counts.truncate(last + 1);
            self.counts.drain(..first);
            self.low += first as u16;
        } else {
            self.counts.clear();
        }
        self.total = self.counts.iter().sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_reach_ten_minutes() {
        assert!(BOUNDS[BUCKETS - 1] >= 600_000, "{}", BOUNDS[BUCKETS - 1]);
    }

    #[test]
    fn quantiles_are_right_to_two_percent() {
        let mut sketch = Sketch::default();
        for ms in 1..=20_000 {
            sketch.add(ms);
        }
        for permille in [10, 500, 900, 990] {
            let exact = i64::from(permille) * 20;
            let found = sketch.quantile(permille).expect("it is not empty");
            assert!(
                // And the millisecond to which a duration is whole.
                (found - exact).abs() * 1_000 <= exact * 20 + 1_000,
                "{permille}: {found} and not {exact}"
            );
        }
        assert_eq!(Sketch::default().quantile(990), None);
    }

    #[test]
    fn order_does_not_matter() {
        let (mut up, mut down) = (Sketch::default(), Sketch::default());
        for ms in 0..3_000 {
            up.add(ms);
            down.add(2_999 - ms);
        }
        assert_eq!(up, down);
        up.add(i64::MAX);
        assert!(up.quantile(1_000).expect("it is not empty") > 500_000);
    }

    #[test]
    fn what_is_forgotten_gives_way() {
        let mut sketch = Sketch::default();
        for _ in 0..8 {
            sketch.add(5_000);
        }
        for _ in 0..4 {
            sketch.halve();
        }
        assert_eq!(
            sketch,
            Sketch {
                low: sketch.low,
                ..Sketch::default()
            }
        );
        sketch.add(100);
        assert_eq!(sketch.total(), 1);
        assert!(sketch.quantile(990).expect("it is not empty") <= 102);
    }
}
