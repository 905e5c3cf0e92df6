//! The log that consoles follow: which calls changed, which left the board, which records came,
//! each under a number that only grows.
//!
//! It is compacted: a call that changes again moves to its newest number, so the log holds at most
//! one place a call, and a console that is slow skips what nobody needs to see any more. Records
//! are never conflated. What is bounded and full forgets its oldest; a console that has not read
//! that yet takes a snapshot instead (a reset).
//!
//! ```text
//!          floor                                       head
//!   ---------|--[calls a b]--[record]--[calls c]--[gone d]--|
//!     reset  |            ^ a console's cursor
//! ```
//!
//! Deliberately absent: rows and frames. A row is read when it is sent, so it is as new as can be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use holdfast_domain::{CallId, Record};
use holdfast_protocol::limits::SNAPSHOT_CALLS_MAX;

/// The log.
#[derive(Debug)]
pub(crate) struct Fanout {
    head: u64,
    /// Whoever has not read up to here has missed something that is forgotten.
    floor: u64,
    log: BTreeMap<u64, Item>,
    places: BTreeMap<CallId, u64>,
    records: VecDeque<u64>,
    gone: VecDeque<(u64, CallId)>,
    records_max: usize,
    gone_max: usize,
    /// Marked since the last tick: true for a call that is on the board.
    pending: BTreeMap<CallId, bool>,
}

/// What stands under one number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// Calls whose newest change this is, together at most [`SNAPSHOT_CALLS_MAX`].
    Calls {
        changed: BTreeSet<CallId>,
        gone: BTreeSet<CallId>,
    },
    Record(Arc<Record>),
}

/// What a console that has read up to a number gets next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next<'a> {
    /// Nothing: it has read everything.
    UpToDate,
    /// This.
    Item(u64, &'a Item),
    /// It has missed what is forgotten, or it stands where this log never was.
    Reset,
}

impl Fanout {
    pub(crate) fn new(records_max: usize, gone_max: usize) -> Self {
        Self {
            head: 0,
            floor: 0,
            log: BTreeMap::new(),
            places: BTreeMap::new(),
            records: VecDeque::new(),
            gone: VecDeque::new(),
            records_max,
            gone_max,
            pending: BTreeMap::new(),
        }
    }

    /// The newest number.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// The call's row is no longer true. It gets its number at the next tick.
    pub(crate) fn mark(&mut self, call: CallId) {
        self.pending.insert(call, true);
    }

    /// The call left the board.
    pub(crate) fn mark_gone(&mut self, call: CallId) {
        self.pending.insert(call, false);
    }

    /// Gives numbers to what was marked since the last tick, and tells which calls those are.
    pub(crate) fn tick(&mut self) -> BTreeSet<CallId> {
        let marked = std::mem::take(&mut self.pending);
        let calls: BTreeSet<CallId> = marked.keys().cloned().collect();
        let mut marked = marked.into_iter().peekable();
        while marked.peek().is_some() {
            self.head += 1;
            let (mut changed, mut gone) = (BTreeSet::new(), BTreeSet::new());
            for (call, on_board) in marked.by_ref().take(SNAPSHOT_CALLS_MAX) {
                self.leave_place(&call);
                self.places.insert(call.clone(), self.head);
                if on_board {
                    changed.insert(call);
                } else {
                    self.gone.push_back((self.head, call.clone()));
                    gone.insert(call);
                }
            }
            self.log.insert(self.head, Item::Calls { changed, gone });
        }
        while self.gone.len() > self.gone_max {
            self.forget_oldest_gone();
        }
        calls
    }

    /// Adds a record.
    pub(crate) fn record(&mut self, record: Record) {
        self.head += 1;
        self.log.insert(self.head, Item::Record(Arc::new(record)));
        self.records.push_back(self.head);
        if self.records.len() > self.records_max
            && let Some(oldest) = self.records.pop_front()
        {
            self.log.remove(&oldest);
            self.floor = self.floor.max(oldest);
        }
    }

    /// Forgets everything: what is true now was not reached from what was told before.
    pub(crate) fn begin_anew(&mut self) {
        self.head += 1;
        self.floor = self.head;
        self.log.clear();
        self.places.clear();
        self.records.clear();
        self.gone.clear();
        self.pending.clear();
    }

    /// What follows for a console that has read up to `cursor`.
    pub(crate) fn after(&self, cursor: u64) -> Next<'_> {
        if cursor < self.floor || cursor > self.head {
            return Next::Reset;
        }
        match self.log.range(cursor + 1..).next() {
            Some((seq, item)) => Next::Item(*seq, item),
            None => Next::UpToDate,
        }
    }

    /// Takes a call from where it stands in the log.
    fn leave_place(&mut self, call: &CallId) {
        let Some(place) = self.places.remove(call) else {
            return;
        };
        if let Some(Item::Calls { changed, gone }) = self.log.get_mut(&place) {
            changed.remove(call);
            gone.remove(call);
            if changed.is_empty() && gone.is_empty() {
                self.log.remove(&place);
            }
        }
    }

    fn forget_oldest_gone(&mut self) {
        let Some((seq, call)) = self.gone.pop_front() else {
            return;
        };
        // A call that came back on the board since then has another place; nothing is forgotten.
        if self.places.get(&call) == Some(&seq) {
            self.leave_place(&call);
            self.floor = self.floor.max(seq);
        }
    }
}

#[cfg(test)]
mod tests;
