//! Response gaps: from the caller's last word to the agent's first.

use holdfast_domain::DurationMs;
use serde::{Deserialize, Serialize};

/// How many turns the median is taken over.
const WINDOW: usize = 3;

/// The gaps of the last three answered turns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Gaps {
    /// A ring; the first `n` are filled.
    last: [i32; WINDOW],
    n: u8,
    at: u8,
}

impl Gaps {
    /// Takes one gap in; a negative one is overlap, no gap.
    pub(crate) fn push(&mut self, ms: DurationMs) {
        let Ok(ms) = i32::try_from(ms.max(0)) else {
            return;
        };
        self.last[usize::from(self.at)] = ms;
        self.at = (self.at + 1) % WINDOW as u8;
        self.n = (self.n + 1).min(WINDOW as u8);
    }

    /// The median; None before the first turn.
    pub(crate) fn median(&self) -> Option<DurationMs> {
        let mut known = self.last;
        let known = &mut known[..usize::from(self.n)];
        known.sort_unstable();
        let middle = known.len().checked_sub(1)? / 2;
        Some(i64::from(known[middle]))
    }

    /// The median once there are enough turns to raise an alarm on it.
    pub(crate) fn median_of_three(&self) -> Option<DurationMs> {
        (usize::from(self.n) == WINDOW)
            .then(|| self.median())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_needs_three_turns_to_alarm_and_one_to_show() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.median(), None);
        gaps.push(900);
        assert_eq!((gaps.median(), gaps.median_of_three()), (Some(900), None));
        gaps.push(-50);
        gaps.push(4_000);
        assert_eq!(gaps.median_of_three(), Some(900));
        gaps.push(4_000);
        assert_eq!(gaps.median_of_three(), Some(4_000));
    }
}
