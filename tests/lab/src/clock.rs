//! The clocks that measurements read, each from a beginning of its own.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The steady clock.
pub fn elapsed() -> Duration {
    read(ClockId::Monotonic)
}

/// How long this thread has worked so far: a machine that does other things too does not count.
pub fn worked() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}
