//! When to wake, and for whom.
//!
//! Each call, bridge, command and handoff knows its own next deadline. This is only a lazy queue
//! over them: an entry is pushed when a deadline moves forward, and an entry that turns out to be
//! early is put back. A deadline that moves later (nearly every event) costs nothing.
//! It is not part of a checkpoint: it is rebuilt from the deadlines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use holdfast_domain::{CallId, CommandId, HandoffId, SourceId, Timestamp};

/// Whose deadline. The order decides who fires first at the same moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    /// A bridge falls silent.
    Bridge(SourceId),
    /// Something about a call is late.
    Call(CallId),
    /// A command runs out.
    Command(CommandId),
    /// An offer ends.
    Handoff(HandoffId),
}

impl TimerKey {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Bridge(_) => "a bridge may have fallen silent",
            Self::Call(_) => "something about a call may be late",
            Self::Command(_) => "a command may have run out",
            Self::Handoff(_) => "an offer may have ended",
        }
    }
}

/// The lazy queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, TimerKey)>>,
    /// False after a checkpoint was loaded, until the deadlines were queued again.
    pub(crate) is_built: bool,
}

impl Timers {
    /// Queues `deadline` for `key` if it comes before what is `queued` for it.
    pub(crate) fn arm(
        &mut self,
        key: impl FnOnce() -> TimerKey,
        deadline: Option<Timestamp>,
        queued: &mut Option<Timestamp>,
    ) {
        let Some(deadline) = deadline else { return };
        if queued.is_none_or(|queued| deadline < queued) {
            *queued = Some(deadline);
            self.heap.push(Reverse((deadline, key())));
        }
    }

    /// The next entry that is due by `now`, taken out.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, TimerKey)> {
        let Reverse((due, _)) = self.heap.peek()?;
        if *due > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// The earliest entry; nothing is due before it, something may be due at it.
    pub(crate) fn next(&self) -> Option<(Timestamp, &'static str)> {
        self.heap
            .peek()
            .map(|Reverse((due, key))| (*due, key.reason()))
    }
}
