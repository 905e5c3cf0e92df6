//! What can be chosen about a journal.

use holdfast_domain::{DurationMs, Timestamp};

/// How a journal is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The epoch that a log gets when it begins anew. It must differ from every earlier one, so
    /// that a console never resumes in a log that it does not know.
    pub new_epoch: String,
    /// Now, on the hub's clock.
    pub now: Timestamp,
    /// The age at which a segment is closed, in milliseconds. Default 5 minutes: a restart replays
    /// at most that much, and at most that much more than [`Options::keep_ms`] is kept.
    pub segment_ms: DurationMs,
    /// The size at which a segment is closed before its time, in bytes of inputs. Default 1 GiB:
    /// about 2.5 million events, which a restart replays in a few seconds.
    pub segment_bytes: u64,
    /// How long raw inputs are kept for scrubbing back, in milliseconds. Default 60 minutes: a
    /// supervisor asks what happened within the shift's last hour; ten thousand calls write about
    /// 30 GB in that time.
    pub keep_ms: DurationMs,
    /// How many bytes of raw inputs are kept at most, whatever their age. Default 64 GiB: twice the
    /// hour of ten thousand calls, so that a flood shortens the past instead of filling the disk.
    pub keep_bytes: u64,
    /// How long a record that is final counts as recent, in milliseconds. Default 60 minutes, which
    /// is what a console shows.
    pub recent_ms: DurationMs,
}

impl Options {
    /// The defaults.
    pub fn new(new_epoch: impl Into<String>, now: Timestamp) -> Self {
        Self {
            new_epoch: new_epoch.into(),
            now,
            segment_ms: 5 * 60 * 1_000,
            segment_bytes: 1 << 30,
            keep_ms: 60 * 60 * 1_000,
            keep_bytes: 64 << 30,
            recent_ms: 60 * 60 * 1_000,
        }
    }
}
