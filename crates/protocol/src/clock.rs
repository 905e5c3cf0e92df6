//! The one place that reads the wall clock. Everything else takes time as an argument.

use holdfast_domain::Timestamp;

/// Now, on this machine's clock.
#[expect(clippy::disallowed_methods, reason = "this is the shell's one clock")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default(); // a clock before 1970 is shown as 1970, and caught as a clock jump
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
