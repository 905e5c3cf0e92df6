//! The limits of what is watched over many calls: fault rates, latencies, beats.
//!
//! What serves a call serves the calls of every queue, so these hold for all; a queue decides only
//! whether its calls are put on watch by them ([`super::QueueLimits::is_put_on_watch`]).

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

/// When the share of turns with a fault has risen: a Bernoulli CUSUM (Page 1954; Reynolds and
/// Stoumbos 1999) over the turns of each service, tool and flow.
///
/// Each turn adds the log-likelihood ratio of the bad rate against the usual one, in nats: a fault
/// 2.3, a good turn -0.2; the sum never falls below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimits {
    /// The usual share, in thousandths of turns (p0). Healthy platforms measure about 0.4 %; 2 %
    /// leaves room for one that is worse.
    pub usual_permille: u32,
    /// The share that must be seen, in thousandths of turns (p1).
    pub bad_permille: u32,
    /// The sum at which the rate has risen, in thousandths of a nat (h): with the defaults a rate
    /// of 50 % takes about eight turns, and 2 % gives one false alarm in about 43,000.
    pub alarm_millinats: i32,
    /// How far the sum must come down again, in thousandths of a nat. ln 100: the odds that the
    /// rate is back are a hundred to one, after 23 good turns in a row.
    pub clear_millinats: i32,
    /// What nobody used for so long is not known to be bad any more.
    pub forget_ms: DurationMs,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            usual_permille: 20,
            bad_permille: 200,
            alarm_millinats: 8_000,
            clear_millinats: 4_605,
            forget_ms: 600_000,
        }
    }
}

/// When a service has become slower than it was: an EWMA chart (Roberts 1959; weight and limit as
/// in NIST/SEMATECH e-Handbook 6.3.2.4) of the logarithm of the time to its first useful output,
/// against its own longer baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftLimits {
    /// The weight of the newest sample, in percent (lambda). 10 % looks back over some ten turns.
    pub weight_percent: u32,
    /// So many samples must be known before anything is judged.
    pub samples_min: u32,
    /// The baseline looks back over so many samples: an hour of a service with a turn in 4 s.
    pub baseline_samples: u32,
    /// The limit in standard deviations of the average. Latencies of one moment depend on each
    /// other, so it is twice the textbook's three.
    pub sigmas: u32,
    /// It must also be so much slower, in percent of the baseline: less is not worth a look.
    pub ratio_percent: u32,
    /// And by so much, in milliseconds: callers do not notice less.
    pub slower_ms_min: DurationMs,
    /// For so long: a burst that delays all of one moment passes.
    pub hold_ms: DurationMs,
    /// What was slower for so long is usual from then on.
    pub adopt_ms: DurationMs,
}

impl Default for DriftLimits {
    fn default() -> Self {
        Self {
            weight_percent: 10,
            samples_min: 200,
            baseline_samples: 1_024,
            sigmas: 6,
            ratio_percent: 150,
            slower_ms_min: 200,
            hold_ms: 5_000,
            adopt_ms: 3_600_000,
        }
    }
}

/// When something that beats is dead: phi accrual (Hayashibara et al. 2004). A bridge is given what
/// its heartbeats ask for beyond its promise.
///
/// With intervals of 250 ms and the defaults the limit is 643 ms: a single lost beat and 140 ms of
/// jitter on top of it stay below, two lost beats do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeatLimits {
    /// Suspicion from which it is dead: a living one is silent for so long once in 10 to the power
    /// of phi beats. Akka takes 8, and 12 for clouds; Cassandra 8.
    pub phi: u32,
    /// The intervals that are remembered, for their mean and deviation. Akka and Cassandra take
    /// 1,000; fewer follow a changed pace within seconds.
    pub window: u32,
    /// So many intervals must be known before anything is judged.
    pub intervals_min: u32,
    /// The deviation is never taken for less, in percent of the mean: the limit must lie beyond
    /// two intervals, because single beats are lost.
    pub deviation_percent_min: u32,
    /// Longer intervals teach nothing: it paused or was away.
    pub interval_ms_max: DurationMs,
    /// A bridge that told nothing for so long, or whose clock jumped so far, says nothing about
    /// what it did not tell meanwhile.
    pub blind_ms: DurationMs,
    /// What is dead for so long is gone for good, and forgotten.
    pub forget_ms: DurationMs,
}

impl Default for BeatLimits {
    fn default() -> Self {
        Self {
            phi: 12,
            window: 64,
            intervals_min: 8,
            deviation_percent_min: 25,
            interval_ms_max: 10_000,
            blind_ms: 1_500,
            forget_ms: 600_000,
        }
    }
}
