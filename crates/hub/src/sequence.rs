//! The order of one source's events: nothing twice, nothing missing unseen.
//!
//! ```text
//!            == expected: accepted, expected + 1
//! in order --+ < expected: duplicate (counted, ignored)
//!            + > expected: gap --> out of order: ignores all until the expected one,
//!                                  or until an event that restarts the count
//! ```
//!
//! What was sent again can be missing again, so a gap that lasts is told again.

use holdfast_domain::Timestamp;

/// How long a gap may last before it is told again, in milliseconds. What a bridge sends again
/// takes a round trip, a second at worst; after that it did not come, and without another word
/// everything that the source says would be ignored for as long as it stays connected.
const GAP_AGAIN_MS: i64 = 2_000;

/// Where one source and epoch stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The last one that was accepted; 0 for none.
    position: u64,
    /// When the gap that is not yet closed was last told.
    gap_told: Option<Timestamp>,
}

/// What to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the next one.
    Accept,
    /// It was accepted before.
    Duplicate,
    /// One before it is missing.
    Gap {
        /// The one that is missing.
        expected: u64,
        /// What there is to say about it.
        news: News,
    },
}

/// What there is to say about a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It is new: it counts, and the bridge is asked to go back.
    First,
    /// It lasts: the bridge is asked again.
    Lasts,
    /// The bridge was asked a moment ago.
    Nothing,
}

impl Sequence {
    /// A source whose last accepted event is `position`; 0 for none.
    pub(crate) const fn at(position: u64) -> Self {
        Self {
            position,
            gap_told: None,
        }
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// An event is missing: nothing of this source is taken before it.
    pub(crate) const fn is_in_gap(&self) -> bool {
        self.gap_told.is_some()
    }

    /// Judges the next event that arrived. `restarts`: it is one of the two that may carry any
    /// sequence above the expected one (`stream.snapshot`, `stream.gap_detected`).
    pub(crate) fn judge(&mut self, sequence: u64, restarts: bool, now: Timestamp) -> Verdict {
        let expected = self.position.saturating_add(1);
        if sequence < expected {
            return Verdict::Duplicate;
        }
        if sequence > expected && !restarts {
            let news = match self.gap_told {
                None => News::First,
                Some(told) if now.since(told) >= GAP_AGAIN_MS => News::Lasts,
                Some(_) => News::Nothing,
            };
            if news != News::Nothing {
                self.gap_told = Some(now);
            }
            return Verdict::Gap { expected, news };
        }
        self.position = sequence;
        self.gap_told = None;
        Verdict::Accept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge_all(at: u64, events: &[(u64, bool)]) -> (Vec<Verdict>, u64) {
        let mut sequence = Sequence::at(at);
        let verdicts = events
            .iter()
            .map(|&(number, restarts)| sequence.judge(number, restarts, Timestamp::default()))
            .collect();
        (verdicts, sequence.position())
    }

    use Verdict::{Accept, Duplicate};

    #[test]
    fn in_order_is_accepted_and_repeats_are_not() {
        let (verdicts, position) = judge_all(
            0,
            &[(1, false), (2, false), (2, false), (1, false), (3, false)],
        );
        assert_eq!(verdicts, [Accept, Accept, Duplicate, Duplicate, Accept]);
        assert_eq!(position, 3);
    }

    #[test]
    fn a_gap_is_told_once_and_closed_by_the_expected_one() {
        let (verdicts, position) = judge_all(
            5,
            &[(8, false), (9, false), (6, false), (9, false), (7, false)],
        );
        let gap = |expected, news| Verdict::Gap { expected, news };
        assert_eq!(
            verdicts,
            [
                gap(6, News::First),
                gap(6, News::Nothing),
                Accept,
                gap(7, News::First),
                Verdict::Accept
            ]
        );
        assert_eq!(position, 7);
    }

    #[test]
    fn a_gap_that_lasts_is_told_again_every_two_seconds() {
        let mut sequence = Sequence::at(5);
        let news = [0, 1_999, 2_000, 2_001, 3_999, 4_000].map(|ms| {
            let verdict = sequence.judge(9, false, Timestamp::from_millis(ms));
            let Verdict::Gap { expected: 6, news } = verdict else {
                panic!("6 is missing: {verdict:?}");
            };
            news
        });
        let quiet = News::Nothing;
        let (first, lasts) = (News::First, News::Lasts);
        assert_eq!(news, [first, quiet, lasts, quiet, quiet, lasts]);
        assert!(sequence.is_in_gap());
        let now = Timestamp::from_millis(4_100);
        assert_eq!(sequence.judge(6, false, now), Accept);
        assert!(!sequence.is_in_gap());
    }

    #[test]
    fn a_snapshot_restarts_the_count_forward_only() {
        let (verdicts, position) = judge_all(5, &[(9, false), (20, true), (21, false), (7, true)]);
        assert_eq!(
            verdicts,
            [
                Verdict::Gap {
                    expected: 6,
                    news: News::First
                },
                Verdict::Accept,
                Verdict::Accept,
                Verdict::Duplicate
            ]
        );
        assert_eq!(position, 21);
    }

    #[test]
    fn the_last_number_of_all_does_no_harm() {
        let (verdicts, position) = judge_all(5, &[(u64::MAX, true), (u64::MAX, true)]);
        assert_eq!(verdicts[0], Verdict::Accept);
        assert_eq!(position, u64::MAX);
    }
}
