//! A Bernoulli CUSUM in whole thousandths of a nat, so that it is the same on every machine.

use serde::{Deserialize, Serialize};

use crate::config::RateLimits;

/// The sum of one chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Cusum(i32);

impl Cusum {
    /// One trial more. The sum stops at the alarm: what lasted long is over as soon as what did not.
    pub(super) fn take(&mut self, is_failed: bool, limits: &RateLimits) {
        let step = step(is_failed, limits);
        self.0 = self
            .0
            .saturating_add(step)
            .clamp(0, limits.alarm_millinats.max(0));
    }

    pub(super) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn has_risen(self, limits: &RateLimits) -> bool {
        self.0 >= limits.alarm_millinats
    }

    /// It came down far enough that the rate is back.
    pub(super) const fn is_clear(self, limits: &RateLimits) -> bool {
        self.0 <= limits.alarm_millinats - limits.clear_millinats || self.0 == 0
    }
}

/// The log-likelihood ratio of one trial. A rate that is no share, or two that are the same, tell
/// nothing.
fn step(is_failed: bool, limits: &RateLimits) -> i32 {
    let share = |permille: u32| f64::from(permille.clamp(1, 999)) / 1_000.0;
    let (usual, bad) = (share(limits.usual_permille), share(limits.bad_permille));
    let ratio = if is_failed {
        bad / usual
    } else {
        (1.0 - bad) / (1.0 - usual)
    };
    (ratio.ln() * 1_000.0).round() as i32
}
