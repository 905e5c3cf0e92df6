//! Moments and durations, both in whole milliseconds.
//!
//! Human hearing and the platforms' own clocks make finer steps meaningless here.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A length of time in milliseconds. Signed: a difference of two clocks can be negative.
pub type DurationMs = i64;

/// A moment: milliseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS,
)]
#[ts(type = "number")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `ms` milliseconds after the Unix epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> DurationMs {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<DurationMs> for Timestamp {
    type Output = Self;

    fn add(self, ms: DurationMs) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub<DurationMs> for Timestamp {
    type Output = Self;

    fn sub(self, ms: DurationMs) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}
