//! Whether waits climb: the mark of a pool that is too small, in which each waits for those before.
//!
//! Work that is merely slow takes as long for those who asked late as for those who asked early.

use holdfast_domain::{DurationMs, Timestamp};

/// Kendall's rank correlation must be so many standard deviations from none: by chance once in 700.
const SIGMAS: f64 = 3.0;

/// And the last third must have waited so many times as long as the first, by their medians.
const TIMES: DurationMs = 2;

/// Waits that lie further apart than this are not of one queue.
const SPAN_MS: DurationMs = 60_000;

/// The waits, each with the moment at which it began, climb with time.
pub(super) fn climbs(waits: &[(Timestamp, DurationMs)]) -> bool {
    let Some(newest) = waits.iter().map(|(at, _)| *at).max() else {
        return false;
    };
    let is_near = |(at, _): &&(Timestamp, DurationMs)| newest.since(*at) <= SPAN_MS;
    let mut waits: Vec<_> = waits.iter().filter(is_near).copied().collect();
    waits.sort_unstable();
    let n = waits.len();
    let third = n / 3;
    if third == 0 {
        return false;
    }
    let median = |of: &[(Timestamp, DurationMs)]| {
        let mut of: Vec<DurationMs> = of.iter().map(|(_, ms)| *ms).collect();
        of.sort_unstable();
        of[of.len() / 2]
    };
    if median(&waits[n - third..]) < TIMES * median(&waits[..third]) {
        return false;
    }
    let mut score = 0_i64;
    for (at, (_, earlier)) in waits.iter().enumerate() {
        let later = waits[at + 1..].iter();
        score += later.map(|(_, ms)| (ms - earlier).signum()).sum::<i64>();
    }
    let n = n as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    score as f64 >= SIGMAS * deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(of: &[DurationMs]) -> Vec<(Timestamp, DurationMs)> {
        let each = of.iter().zip(0..);
        each.map(|(ms, n)| (Timestamp::from_millis(n * 700), *ms))
            .collect()
    }

    #[test]
    fn waits_that_climb_are_of_a_queue() {
        assert!(climbs(&waits(&[
            1_200, 1_900, 2_900, 2_700, 4_100, 5_200, 6_000, 7_100, 6_900, 7_000
        ])));
    }

    #[test]
    fn waits_that_are_long_or_few_are_not() {
        assert!(!climbs(&waits(&[
            5_200, 3_900, 6_900, 3_100, 7_400, 5_000, 4_400, 6_100, 7_900, 3_300
        ])));
        assert!(!climbs(&waits(&[1_200, 2_400, 4_800])));
        assert!(!climbs(&[]));
        // A step that climbs by a tenth is not twice as long.
        assert!(!climbs(&waits(&[
            2_000, 2_010, 2_020, 2_030, 2_040, 2_050, 2_060, 2_070, 2_080, 2_090
        ])));
    }
}
