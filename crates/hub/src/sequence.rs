//! The order of one source's events: nothing twice, nothing missing unseen.
//!
//! ```text
//!            == expected: accepted, expected + 1
//! in order --+ < expected: duplicate (counted, ignored)
//!            + > expected: gap --> out of order: ignores all until the expected one,
//!                                  or until an event that restarts the count
//! ```

/// Where one source and epoch stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The last one that was accepted; 0 for none.
    position: u64,
    /// A gap was told and is not yet closed.
    in_gap: bool,
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
        /// The gap is new: say so, once.
        first: bool,
    },
}

impl Sequence {
    /// A source whose last accepted event is `position`; 0 for none.
    pub(crate) const fn at(position: u64) -> Self {
        Self {
            position,
            in_gap: false,
        }
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Judges the next event that arrived. `restarts`: it is one of the two that may carry any
    /// sequence above the expected one (`stream.snapshot`, `stream.gap_detected`).
    pub(crate) fn judge(&mut self, sequence: u64, restarts: bool) -> Verdict {
        let expected = self.position.saturating_add(1);
        if sequence < expected {
            return Verdict::Duplicate;
        }
        if sequence > expected && !restarts {
            let first = !self.in_gap;
            self.in_gap = true;
            return Verdict::Gap { expected, first };
        }
        self.position = sequence;
        self.in_gap = false;
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
            .map(|&(number, restarts)| sequence.judge(number, restarts))
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
        let gap = |expected, first| Verdict::Gap { expected, first };
        assert_eq!(
            verdicts,
            [
                gap(6, true),
                gap(6, false),
                Accept,
                gap(7, true),
                Verdict::Accept
            ]
        );
        assert_eq!(position, 7);
    }

    #[test]
    fn a_snapshot_restarts_the_count_forward_only() {
        let (verdicts, position) = judge_all(5, &[(9, false), (20, true), (21, false), (7, true)]);
        assert_eq!(
            verdicts,
            [
                Verdict::Gap {
                    expected: 6,
                    first: true
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
