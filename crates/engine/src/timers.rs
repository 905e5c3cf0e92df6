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
    /// Failing calls are compared.
    Causes,
    /// What is known of services, vendors and workers grows old.
    Watch,
    /// A step of the ladder is not proven, or may be taken now.
    Ladder(CallId),
    /// Runs of playbooks go on.
    Runs,
}

impl TimerKey {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Bridge(_) => "a bridge may have fallen silent",
            Self::Call(_) => "something about a call may be late",
            Self::Command(_) => "a command may have run out",
            Self::Handoff(_) => "an offer may have ended",
            Self::Causes => "failing calls may share a cause",
            Self::Watch => "what is known of a service may be too old",
            Self::Ladder(_) => "a step of the ladder may be due",
            Self::Runs => "a run may go on",
        }
    }
}

/// What is queued for one owner: the next entry, and the far one that it was put before.
///
/// The far one is remembered because it is met again: a call that becomes quiet for a minute is
/// always waited for, and each turn puts a deadline of seconds before it. Without it each turn would
/// leave an entry behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Queued {
    next: Option<Timestamp>,
    far: Option<Timestamp>,
}

impl Queued {
    /// An entry was popped. One that is not waited for any more changes nothing.
    pub(crate) fn pop(&mut self, due: Timestamp) {
        if self.next == Some(due) {
            self.next = self.far.take();
        }
    }

    /// True if `deadline` needs an entry, because nothing is queued before it.
    fn push(&mut self, deadline: Timestamp) -> bool {
        match self.next {
            Some(next) if next <= deadline => return false,
            Some(next) => self.far = self.far.or(Some(next)),
            None => {}
        }
        self.next = Some(deadline);
        true
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
        queued: &mut Queued,
    ) {
        let Some(deadline) = deadline else { return };
        if queued.push(deadline) {
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

    /// How many entries wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// The earliest entry; nothing is due before it, something may be due at it.
    pub(crate) fn next(&self) -> Option<(Timestamp, &'static str)> {
        self.heap
            .peek()
            .map(|Reverse((due, key))| (*due, key.reason()))
    }
}
