//! Limits that both ends of a connection hold. Each says why it is what it is.

/// The largest frame from a bridge, in bytes. The largest honest event is a snapshot's
/// `stream.snapshot` that names 10,000 calls of 40 characters: about 430 kB.
pub const BRIDGE_FRAME_BYTES_MAX: usize = 1024 * 1024;

/// The largest frame between hub and console, in bytes. A part of a snapshot holds at most
/// [`SNAPSHOT_CALLS_MAX`] rows of at most about 6 kB each.
pub const CONSOLE_FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The deepest nesting that is parsed. The deepest honest frame is 7 deep.
pub const JSON_DEPTH_MAX: usize = 32;

/// The deepest nesting between hub and console. The deepest honest frame, a record with a read-back
/// that lists faults, is 9 deep.
pub const CONSOLE_DEPTH_MAX: usize = 32;

/// The most events in one batch: beyond a thousand nothing is gained per frame (measured), and a
/// batch is the unit of flow control.
pub const BATCH_EVENTS_MAX: usize = 1024;

/// The most calls in one part of a snapshot: keeps a part under a tenth of a second of parsing.
pub const SNAPSHOT_CALLS_MAX: usize = 500;

/// The most calls whose full detail one console can have open: two screens of panes.
pub const DETAIL_CALLS_MAX: usize = 8;

/// How long a new connection may take to say `hello`, in milliseconds.
pub const HELLO_MS_MAX: u64 = 5_000;

/// The age of what a console last heard from its hub at which the view is stale, in milliseconds.
/// The hub beats twice a second, so three beats are missing by then; the promise to the
/// supervisor is two seconds.
pub const STALE_AFTER_MS: i64 = 1_600;

/// How often the hub beats towards consoles and bridges, in milliseconds.
pub const BEAT_MS: u64 = 500;
