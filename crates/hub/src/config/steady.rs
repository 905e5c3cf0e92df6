//! What passes, whatever the wall clock shows.

#[cfg(not(target_os = "linux"))]
use std::time::Instant;

use holdfast_domain::DurationMs;
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, Timespec, clock_gettime};

/// A stopwatch. On Linux it counts while the machine sleeps; elsewhere it may stand still then,
/// and the wall clock, which goes on, seems to have been set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steady {
    #[cfg(target_os = "linux")]
    started: Timespec,
    #[cfg(not(target_os = "linux"))]
    started: Instant,
}

#[cfg(target_os = "linux")]
impl Steady {
    pub(super) fn start() -> Self {
        Self {
            started: clock_gettime(ClockId::Boottime),
        }
    }

    pub(super) fn elapsed_ms(&self) -> DurationMs {
        let now = clock_gettime(ClockId::Boottime);
        let ns = now.tv_nsec - self.started.tv_nsec;
        (now.tv_sec - self.started.tv_sec) * 1_000 + ns.div_euclid(1_000_000)
    }
}

#[cfg(not(target_os = "linux"))]
impl Steady {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    pub(super) fn elapsed_ms(&self) -> DurationMs {
        DurationMs::try_from(self.started.elapsed().as_millis()).unwrap_or(DurationMs::MAX)
    }
}
