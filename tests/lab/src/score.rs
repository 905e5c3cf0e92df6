//! The score of diagnosis: what the engine said, held against what was really broken.
//!
//! [`judge`] is a function of labels and of what was heard; it knows no engine and no simulator, so
//! that no engine can be right by its own word. All its windows are here.
//!
//! - A harmed call is right when its first alarm names the layer that broke: where the call was hit,
//!   or where the cause lies, which is the same but for a region that is down. An alarm that is owed
//!   to another harm of the same call is passed over; no alarm at all is wrong. An alarm that stands
//!   when the call is hit is right if it came after the cause began, and has no delay.
//! - A shared cause is judged [`SETTLE_MS`] after the fifth call was harmed by it, or
//!   [`SETTLE_SHAPE_MS`] where its pattern is one in time: a group is right when layer, traits and
//!   shape equal those of a cause of that moment. Other traits are as right when there are no more
//!   of them and all work that was done in the layer since the cause began fits both descriptions
//!   or neither: then nobody could tell. A second group for the same cause at that moment is wrong.
//! - A false alarm is a group that appears while nothing shared is broken, or a call that needs a
//!   human at least at the level of warning while nothing harms it in the layers it is blamed on.

mod figures;
mod heard;
mod judge;
mod truth;

pub use figures::{Figures, percentile, share};
pub use heard::{Alarm, GroupSeen, Heard, Level};
pub use judge::{Blamed, Tally, judge};
pub use truth::{Aim, Cause, Harm, Silence, Truth, Work};

use holdfast_domain::DurationMs;

/// How many calls a shared cause must have harmed before its group is asked for.
pub const CALLS_MIN: usize = 5;

/// How long after the fifth harmed call a group is judged. A harm begins before it can be noticed:
/// with an answer that never comes the caller's turn counts as failed after 5 s.
pub const SETTLE_MS: DurationMs = 5_000;

/// The same for a cause whose pattern is one in time: that a wait climbs cannot be told from a wait
/// before it has climbed.
pub const SETTLE_SHAPE_MS: DurationMs = 20_000;

/// How long after its end a harm still explains an alarm about it: what was told at the end is under
/// way for this long at most. The end itself comes after what the harm leaves behind.
pub const LATE_MS: DurationMs = 1_000;

/// How long after its end a cause still explains a group: calls show that they are well again only
/// at their next turn, and a caller may think for half a minute.
pub const LINGER_MS: DurationMs = 30_000;
