//! How long one that beats may be silent: phi accrual (Hayashibara, Défago, Yared and Katayama,
//! SRDS 2004), with the normal distribution of the intervals of its window.
//!
//! Phi is the negative decimal logarithm of the chance that a living one is silent for so long. It
//! rises with the silence, so a limit of phi is a limit of time, and no clock has to ask again and
//! again: mean + deviations x deviation.

use std::collections::VecDeque;

use holdfast_domain::{DurationMs, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::BeatLimits;

/// So many intervals in a row that are too long are no lost beats, but another pace.
const SLOWER_MAX: u8 = 4;

/// The intervals of one that beats.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Pulse {
    last_at: Timestamp,
    /// The last intervals in milliseconds, oldest first.
    intervals: VecDeque<u32>,
    sum: u64,
    sum_of_squares: u64,
    /// Pauses in a row that taught nothing.
    pauses: u8,
    /// How long it may be silent, from the intervals so far.
    limit_ms: Option<DurationMs>,
}

impl Pulse {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self {
            last_at: at,
            intervals: VecDeque::new(),
            sum: 0,
            sum_of_squares: 0,
            pauses: 0,
            limit_ms: None,
        }
    }

    /// When it beat last, or was first waited for again.
    pub(crate) const fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// One beat after the other.
    pub(crate) fn beat(&mut self, at: Timestamp, limits: &BeatLimits) {
        let ms = at.since(self.last_at).max(0);
        self.last_at = at;
        self.pauses = 0;
        if ms > limits.interval_ms_max {
            return;
        }
        let ms = u32::try_from(ms).unwrap_or(u32::MAX);
        self.intervals.push_back(ms);
        self.sum += u64::from(ms);
        self.sum_of_squares += u64::from(ms) * u64::from(ms);
        while self.intervals.len() > limits.window.max(1) as usize {
            if let Some(old) = self.intervals.pop_front() {
                self.sum -= u64::from(old);
                self.sum_of_squares -= u64::from(old) * u64::from(old);
            }
        }
        self.limit_ms = self.learnt_ms(limits);
    }

    /// It is waited for from now on: nobody knows how it beat before.
    pub(crate) const fn resume(&mut self, at: Timestamp) {
        self.last_at = at;
    }

    /// It beats after a pause, which teaches nothing. When it pauses each time, its pace is another
    /// one by now.
    pub(crate) fn pause(&mut self, at: Timestamp) {
        self.last_at = at;
        self.pauses += 1;
        if self.pauses >= SLOWER_MAX {
            *self = Self::new(at);
        }
    }

    /// The silence until `at` is too long.
    pub(crate) fn is_beyond(&self, at: Timestamp) -> bool {
        self.limit_at().is_some_and(|limit| limit <= at)
    }

    /// When its silence is too long; None while too little is known of it.
    pub(crate) fn limit_at(&self) -> Option<Timestamp> {
        self.limit_ms.map(|ms| self.last_at + ms)
    }

    /// How long it may be silent; None while too little is known of it.
    pub(crate) const fn silence_ms(&self) -> Option<DurationMs> {
        self.limit_ms
    }

    fn learnt_ms(&self, limits: &BeatLimits) -> Option<DurationMs> {
        if (self.intervals.len() as u32) < limits.intervals_min.max(1) {
            return None;
        }
        let mean = self.mean_ms();
        let least = mean * DurationMs::from(limits.deviation_percent_min) / 100;
        let deviation = self.deviation_ms().max(least);
        let beyond = (deviation as f64 * deviations(limits.phi)).round() as DurationMs;
        Some((mean + beyond).max(1))
    }

    /// How long its intervals are, in the mean.
    pub(crate) fn mean_ms(&self) -> DurationMs {
        let n = self.intervals.len() as u64;
        self.sum.checked_div(n).unwrap_or(0) as DurationMs
    }

    fn deviation_ms(&self) -> DurationMs {
        let n = (self.intervals.len() as u64).max(1);
        let mean_of_squares = self.sum_of_squares / n;
        let square = self.sum / n * (self.sum / n);
        mean_of_squares.saturating_sub(square).isqrt() as DurationMs
    }
}

/// How many deviations beyond the mean a silence is as unlikely as one in 10 to the power of phi.
///
/// The logistic approximation of the normal distribution that Akka takes, turned round: the tail
/// beyond `y` is about exp(-y (1.5976 + 0.070566 y²)).
fn deviations(phi: u32) -> f64 {
    let nats = f64::from(phi.clamp(1, 100)) * std::f64::consts::LN_10;
    let (mut low, mut high) = (0.0_f64, 64.0_f64);
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        if middle * (0.070_566 * middle * middle + 1.597_6) < nats {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> BeatLimits {
        BeatLimits::default()
    }

    /// Beats at these intervals.
    fn pulse(intervals: impl IntoIterator<Item = i64>) -> Pulse {
        let mut at = Timestamp::from_millis(0);
        let mut pulse = Pulse::new(at);
        for ms in intervals {
            at = at + ms;
            pulse.beat(at, &limits());
        }
        pulse
    }

    fn silence(pulse: &Pulse) -> Option<i64> {
        pulse.silence_ms()
    }

    #[test]
    fn phi_is_that_of_the_normal_distribution() {
        // The tails beyond 5.61 and 7.03 deviations are 1e-8 and 1e-12; the approximation errs to
        // the side of the earlier.
        assert!((5.0..5.7).contains(&deviations(8)), "{}", deviations(8));
        assert!((6.2..7.1).contains(&deviations(12)), "{}", deviations(12));
        assert!(deviations(0) > 0.0 && deviations(u32::MAX) < 64.0);
    }

    #[test]
    fn a_steady_quarter_of_a_second_may_be_silent_for_two_and_a_half_beats() {
        assert_eq!(silence(&pulse([250; 7])), None);
        assert_eq!(silence(&pulse([250; 8])), Some(640));
        assert_eq!(silence(&pulse([250; 500])), Some(640));
    }

    #[test]
    fn more_jitter_is_given_more_time() {
        let wild = (0..64).map(|n| if n % 2 == 0 { 50 } else { 450 });
        assert_eq!(silence(&pulse(wild)), Some(250 + 1_258));
    }

    #[test]
    fn a_pause_teaches_nothing_and_another_pace_is_learnt() {
        let mut slow = pulse([250; 64]);
        let mut at = slow.last_at();
        for pause in 1..=3 {
            at = at + 2_000;
            slow.pause(at);
            assert_eq!(silence(&slow), Some(640), "pause {pause}");
        }
        at = at + 2_000;
        slow.pause(at);
        assert_eq!(silence(&slow), None);
        for _ in 0..8 {
            at = at + 2_000;
            slow.beat(at, &limits());
        }
        assert_eq!(slow.mean_ms(), 2_000);
        at = at + 60_000;
        slow.beat(at, &limits());
        assert_eq!(slow.mean_ms(), 2_000, "a minute is no interval");
    }
}
