//! Whether a service became slower than it was: an EWMA of the logarithm of its latency.
//!
//! The logarithm, because latencies have long tails; and a sample beyond the tail counts as the end
//! of the tail, so that no single spike says anything. All in whole numbers, so that it is the same
//! on every machine: logarithms to the base of 2 in 1,024ths, averages with 12 bits more.

use holdfast_domain::{DurationMs, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::DriftLimits;

/// One octave: twice as slow.
const OCTAVE: i64 = 1_024;
/// The more bits of an average, so that one sample in thousands still moves it.
const MORE_BITS: u32 = 12;
/// The deviation is never taken for less: 10 %, the jitter of any network.
const SIGMA_MIN: i64 = 141;
/// The tail ends at so many deviations.
const TAIL_SIGMAS: i64 = 3;
/// The longest latency, ten minutes; after that nothing is a step of a turn.
const LONGEST_MS: DurationMs = 600_000;

/// The chart of one step of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Drift {
    /// Average and variance as they usually are.
    usual: i64,
    variance: i64,
    /// The average now.
    now: i64,
    n: u32,
    /// Since when it is beyond its limit.
    since: Option<Timestamp>,
    is_told: bool,
    last_at: Timestamp,
}

/// What a sample changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// It is slower than it was.
    Slower,
    /// It is as it was, or has been slow for so long that this is usual.
    Usual,
}

impl Drift {
    /// A step took `ms`, known at `at`.
    pub(super) fn take(
        &mut self,
        ms: DurationMs,
        at: Timestamp,
        limits: &DriftLimits,
    ) -> Option<Turned> {
        self.last_at = self.last_at.max(at);
        let sample = log(ms) << MORE_BITS;
        if self.n == 0 {
            (self.usual, self.now) = (sample, sample);
        }
        let sigma = self.sigma();
        let ratio = log(DurationMs::from(limits.ratio_percent)) - log(100);
        let tail = (TAIL_SIGMAS * sigma).max(2 * ratio) << MORE_BITS;
        let sample = self.usual + (sample - self.usual).clamp(-tail, tail);
        let weight = i64::from(limits.weight_percent.clamp(1, 100));
        self.now += (sample - self.now) * weight / 100;
        let beyond = (self.now - self.usual) >> MORE_BITS;
        let chart = i64::from(limits.sigmas) * sigma * deviation_permille(weight) / 1_000;
        let limit = chart.max(ratio);
        let is_known = self.n >= limits.samples_min;
        if is_known && beyond > limit && self.slower_by() >= limits.slower_ms_min {
            return self.is_beyond(at, limits);
        }
        if self.is_told && beyond > limit / 2 {
            return self.is_beyond(at, limits);
        }
        self.since = None;
        self.learn(sample, limits);
        std::mem::take(&mut self.is_told).then_some(Turned::Usual)
    }

    /// What is beyond its limit does not teach what is usual, until it is so for long.
    fn is_beyond(&mut self, at: Timestamp, limits: &DriftLimits) -> Option<Turned> {
        let lasts = at.since(*self.since.get_or_insert(at));
        if lasts >= limits.adopt_ms {
            self.usual = self.now;
            self.since = None;
            return std::mem::take(&mut self.is_told).then_some(Turned::Usual);
        }
        let is_news = lasts >= limits.hold_ms && !self.is_told;
        self.is_told |= is_news;
        is_news.then_some(Turned::Slower)
    }

    fn learn(&mut self, sample: i64, limits: &DriftLimits) {
        let most = limits.baseline_samples.max(1);
        self.n = self.n.saturating_add(1).min(most);
        // The first samples are averaged evenly, so that the very first one weighs no more.
        let share = i64::from(self.n);
        let apart = (sample - self.usual) >> MORE_BITS;
        self.usual += (sample - self.usual) / share;
        self.variance += (((apart * apart) << MORE_BITS) - self.variance) / share;
    }

    fn sigma(&self) -> i64 {
        ((self.variance >> MORE_BITS).max(0) as u64)
            .isqrt()
            .max(SIGMA_MIN as u64) as i64
    }

    fn slower_by(&self) -> DurationMs {
        self.now_ms() - self.usual_ms()
    }

    /// The geometric mean of the last samples.
    pub(super) fn now_ms(&self) -> DurationMs {
        exp(self.now >> MORE_BITS)
    }

    /// The geometric mean before.
    pub(super) fn usual_ms(&self) -> DurationMs {
        exp(self.usual >> MORE_BITS)
    }

    /// Told, and not heard of since.
    pub(super) fn told_at(&self) -> Option<Timestamp> {
        self.is_told.then_some(self.last_at)
    }

    /// Nobody used it for so long that how slow it was says nothing.
    pub(super) fn forget(&mut self) {
        self.now = self.usual;
        self.since = None;
        self.is_told = false;
    }
}

/// The deviation of the average in thousandths of that of a sample: sqrt(w / (2 - w)).
const fn deviation_permille(weight: i64) -> i64 {
    ((weight * 1_000_000 / (200 - weight)) as u64).isqrt() as i64
}

/// The logarithm to the base of 2, in 1,024ths.
const fn log(ms: DurationMs) -> i64 {
    let ms = if ms < 1 {
        1
    } else if ms > LONGEST_MS {
        LONGEST_MS as u64
    } else {
        ms as u64
    };
    let whole = ms.ilog2();
    // Between 1 and 2, with 31 bits after the point: each squaring gives one bit more.
    let mut mantissa = ms << (31 - whole);
    let mut bits = 0;
    let mut n = 0;
    while n < OCTAVE.ilog2() {
        mantissa = (mantissa * mantissa) >> 31;
        bits <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            bits |= 1;
        }
        n += 1;
    }
    whole as i64 * OCTAVE + bits
}

/// The shortest duration with this logarithm, or with the next one that a duration has.
const fn exp(log_ms: i64) -> DurationMs {
    let (mut low, mut high) = (1, LONGEST_MS);
    while low < high {
        let middle = i64::midpoint(low, high);
        if log(middle) < log_ms {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: DriftLimits = DriftLimits {
        weight_percent: 10,
        samples_min: 200,
        baseline_samples: 1_024,
        sigmas: 6,
        ratio_percent: 150,
        slower_ms_min: 200,
        hold_ms: 5_000,
        adopt_ms: 3_600_000,
    };

    /// Samples a second apart.
    struct Chart(Drift, i64);

    impl Chart {
        fn warm(ms: DurationMs) -> Self {
            let mut chart = Self(Drift::default(), 0);
            // A spread of a third around it, in a fixed order.
            for n in 0..400 {
                assert_eq!(chart.take(ms * (70 + n * 37 % 61) / 100), None);
            }
            chart
        }

        fn take(&mut self, ms: DurationMs) -> Option<Turned> {
            self.1 += 1_000;
            let at = Timestamp::from_millis(self.1);
            self.0.take(ms, at, &LIMITS)
        }

        fn turns_after(&mut self, ms: DurationMs, most: u32) -> Option<(u32, Turned)> {
            (1..=most).find_map(|n| self.take(ms).map(|turned| (n, turned)))
        }
    }

    #[test]
    fn logarithms_are_right_and_turn_back() {
        assert_eq!((log(1), log(2), log(1_024)), (0, OCTAVE, 10 * OCTAVE));
        assert_eq!(log(3), 1_623, "1.585 octaves");
        for ms in [1, 7, 250, 999, 12_345, LONGEST_MS] {
            let back = exp(log(ms));
            assert!((ms - back).abs() * 1_000 <= ms, "{ms} and not {back}");
        }
        assert_eq!((log(-5), log(i64::MAX)), (0, log(LONGEST_MS)));
    }

    #[test]
    fn a_service_that_is_three_times_as_slow_is_told_and_its_return_too() {
        let mut chart = Chart::warm(600);
        let (turns, turned) = chart.turns_after(1_800, 40).expect("it is told");
        assert_eq!(turned, Turned::Slower);
        assert!((6..=14).contains(&turns), "{turns}");
        let (usual, now) = (chart.0.usual_ms(), chart.0.now_ms());
        assert!((560..=640).contains(&usual), "{usual}");
        assert!((900..=1_800).contains(&now), "{now}");
        let (turns, turned) = chart.turns_after(600, 40).expect("it is told");
        assert_eq!(turned, Turned::Usual);
        assert!(turns <= 20, "{turns}");
    }

    #[test]
    fn long_tails_and_single_spikes_are_not_told() {
        let mut chart = Chart::warm(600);
        for n in 0..20_000_i64 {
            // One in a hundred takes half a minute, one in twenty thrice as long, and now and then
            // two in a row hang.
            let ms = match n {
                n if n % 500 < 2 => 600_000,
                n if n % 100 == 0 => 30_000,
                n if n % 20 == 0 => 1_800,
                n => 400 + n * 37 % 401,
            };
            assert_eq!(chart.take(ms), None, "sample {n}");
        }
    }

    #[test]
    fn what_nobody_notices_is_not_told() {
        let mut chart = Chart::warm(40);
        assert_eq!(chart.turns_after(160, 200), None, "120 ms");
        let mut chart = Chart::warm(2_000);
        assert_eq!(chart.turns_after(2_600, 200), None, "30 %");
    }

    #[test]
    fn a_burst_within_its_hold_is_not_told() {
        let mut chart = Chart::warm(600);
        let at = Timestamp::from_millis(chart.1);
        for _ in 0..50 {
            assert_eq!(chart.0.take(3_000, at, &LIMITS), None);
        }
        let later = at + LIMITS.hold_ms;
        let turned = chart.0.take(3_000, later, &LIMITS);
        assert_eq!(turned, Some(Turned::Slower));
    }

    #[test]
    fn what_is_slow_for_an_hour_is_usual() {
        let mut chart = Chart::warm(600);
        chart.turns_after(1_800, 40).expect("it is told");
        let turned = chart.turns_after(1_800, 3_700);
        assert!(
            matches!(turned, Some((3_500.., Turned::Usual))),
            "{turned:?}"
        );
        assert_eq!(chart.turns_after(1_800, 1_000), None);
    }
}
