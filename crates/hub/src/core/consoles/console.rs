//! One console.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use holdfast_domain::{CallId, Record};
use holdfast_engine::Engine;
use holdfast_protocol::console::{HubToConsole, Identity};
use holdfast_protocol::error::{ErrorCode, WireError};
use holdfast_protocol::limits::SNAPSHOT_CALLS_MAX;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::scope::{Scope, Seen};
use super::{CONSOLE_LOW_BYTES, Records};
use crate::fanout::{Fanout, Item, Next};
use crate::outbox::Outbox;
use crate::session::{Face, error_frame};
use crate::words;

/// Records in one part of a snapshot: a handoff with its card is at most about 30 kB, so a part
/// stays under the frame limit of 8 MB.
const SNAPSHOT_RECORDS_MAX: usize = 200;

/// A console and how far it has read.
#[derive(Debug)]
pub(crate) struct Console {
    pub(super) identity: Identity,
    pub(super) scope: Scope,
    pub(super) outbox: Outbox,
    at: At,
    details: BTreeSet<CallId>,
    /// Open calls whose detail is no longer true on the console.
    due: BTreeSet<CallId>,
    /// It was told the ledger once.
    pub(super) has_ledger: bool,
}

/// Frames of the log that more than one console gets, made once: by number, and masked or not.
#[derive(Default)]
pub(super) struct Frames(BTreeMap<(u64, bool), Option<Utf8Bytes>>);

/// How far a console has read.
#[derive(Debug)]
enum At {
    /// It wants a snapshot.
    Nowhere,
    /// It is being sent one.
    Snapshot(Box<Parts>),
    /// It has read the log up to here.
    Log(u64),
}

/// What of a snapshot is not yet sent.
#[derive(Debug)]
struct Parts {
    /// The log's number when it was begun; the log tells what changed since.
    seq: u64,
    first: bool,
    calls: VecDeque<CallId>,
    records: VecDeque<Record>,
}

impl Console {
    pub(super) fn new(
        identity: Identity,
        scope: Scope,
        outbox: Outbox,
        resume: Option<u64>,
        detail: Vec<CallId>,
    ) -> Self {
        let mut console = Self {
            identity,
            scope,
            outbox,
            at: resume.map_or(At::Nowhere, At::Log),
            details: BTreeSet::new(),
            due: BTreeSet::new(),
            has_ledger: false,
        };
        console.open_details(detail);
        console
    }

    pub(super) fn reset(&mut self) {
        self.at = At::Nowhere;
    }

    pub(super) fn open_details(&mut self, calls: Vec<CallId>) {
        let open: BTreeSet<_> = calls.into_iter().collect();
        self.due = &(&self.due & &open) | &(&open - &self.details);
        self.details = open;
    }

    pub(super) fn mark_details(&mut self, dirty: &BTreeSet<CallId>) {
        self.due.extend(self.details.intersection(dirty).cloned());
    }

    /// Sends what follows, while little waits to be written.
    pub(super) fn follow(
        &mut self,
        engine: &Engine,
        fanout: &Fanout,
        records: &Records,
        frames: &mut Frames,
    ) {
        while self.has_room() {
            match &mut self.at {
                At::Nowhere => self.begin_snapshot(engine, fanout, records),
                At::Snapshot(parts) => {
                    let frame = parts.next(engine, &self.scope);
                    let seq = frame.1.then_some(parts.seq);
                    self.say(words::to_console(&frame.0));
                    if let Some(seq) = seq {
                        self.at = At::Log(seq);
                    }
                }
                At::Log(cursor) => match fanout.after(*cursor) {
                    Next::UpToDate => break,
                    Next::Reset => self.at = At::Nowhere,
                    Next::Item(seq, item) => {
                        *cursor = seq;
                        self.tell(engine, seq, item, frames);
                    }
                },
            }
        }
        self.tell_details(engine);
    }

    /// A beat that would only wait tells nothing: its console is behind, and its age shows it.
    pub(super) fn beat(&self, frame: Utf8Bytes) {
        if self.has_room() {
            self.say(frame);
        }
    }

    /// Says what cannot wait; a console that has no room even for that is closed.
    pub(in crate::core) fn must_say(&self, frame: &HubToConsole) {
        self.say(words::to_console(frame));
    }

    fn has_room(&self) -> bool {
        self.outbox.bytes() < CONSOLE_LOW_BYTES
    }

    fn say(&self, frame: impl Into<Utf8Bytes>) {
        if self.outbox.push(frame).is_err() {
            let error = WireError::new(
                ErrorCode::RateLimited,
                "the console does not read what the hub writes, so the connection is closed; \
                 connect again to see what is true now",
            )
            .closing();
            tracing::warn!(
                name = self.identity.name,
                "a console does not read and is closed"
            );
            self.outbox
                .close(error_frame(Face::Console, &error), error.code);
        }
    }

    fn begin_snapshot(&mut self, engine: &Engine, fanout: &Fanout, records: &Records) {
        self.scope.clear();
        let records = records
            .all()
            .filter_map(|record| {
                let seen = self.scope.note(&record);
                (seen != Seen::No).then(|| self.scope.show_record(record, &seen))
            })
            .collect();
        self.at = At::Snapshot(Box::new(Parts {
            seq: fanout.head(),
            first: true,
            calls: self.scope.calls(engine.call_ids().cloned()).into(),
            records,
        }));
        self.due.clone_from(&self.details);
    }

    /// One item of the log.
    fn tell(&mut self, engine: &Engine, seq: u64, item: &Item, frames: &mut Frames) {
        match &self.scope {
            Scope::Board { masked } => {
                let frame = frames
                    .0
                    .entry((seq, *masked))
                    .or_insert_with(|| board_frame(engine, &self.scope, seq, item));
                if let Some(frame) = frame.clone() {
                    self.say(frame);
                }
            }
            Scope::Agent { .. } => match item {
                Item::Calls { changed, gone } => {
                    let in_view = |calls: &BTreeSet<CallId>| -> Vec<CallId> {
                        let seen = calls.iter().filter(|call| self.scope.sees_call(call));
                        seen.cloned().collect()
                    };
                    let (changed, gone) = (in_view(changed), in_view(gone));
                    if let Some(change) = change(engine, &self.scope, seq, changed.iter(), gone) {
                        self.must_say(&change);
                    }
                }
                Item::Record(record) => self.tell_agent(engine, seq, record),
            },
        }
    }

    /// A record, to a console that sees only an agent's own handoffs.
    fn tell_agent(&mut self, engine: &Engine, seq: u64, record: &Arc<Record>) {
        let seen = self.scope.note(record);
        let (comes, leaves) = match &seen {
            Seen::No => return,
            Seen::Comes(call) => (Some(call), None),
            Seen::Stays => (None, None),
            Seen::Leaves(call) => (None, (!self.scope.sees_call(call)).then_some(call)),
        };
        let gone = leaves.into_iter().cloned().collect();
        let change = change(engine, &self.scope, seq, comes.into_iter(), gone);
        let record = self.scope.show_record(Record::clone(record), &seen);
        self.must_say(&HubToConsole::Record { seq, record });
        if let Some(change) = change {
            self.must_say(&change);
        }
        if let Some(call) = comes
            && self.details.contains(call)
        {
            self.due.insert(call.clone());
        }
    }

    fn tell_details(&mut self, engine: &Engine) {
        while self.has_room()
            && let Some(call) = self.due.pop_first()
        {
            if self.scope.sees_call(&call)
                && let Some(detail) = engine.detail(&call)
            {
                self.must_say(&HubToConsole::Detail {
                    detail: Box::new(self.scope.show_detail(detail)),
                });
            }
        }
    }
}

impl Parts {
    /// The next part, and whether it is the last one.
    fn next(&mut self, engine: &Engine, scope: &Scope) -> (HubToConsole, bool) {
        let n_calls = self.calls.len().min(SNAPSHOT_CALLS_MAX);
        let calls = self
            .calls
            .drain(..n_calls)
            .filter_map(|call| engine.summary(&call))
            .map(|row| scope.show_summary(row))
            .collect();
        let n_records = if self.calls.is_empty() {
            self.records.len().min(SNAPSHOT_RECORDS_MAX)
        } else {
            0
        };
        let records = self.records.drain(..n_records).collect();
        let last = self.calls.is_empty() && self.records.is_empty();
        let part = HubToConsole::Snapshot {
            seq: self.seq,
            first: std::mem::take(&mut self.first),
            last,
            calls,
            records,
        };
        (part, last)
    }
}

/// One item of the log, for a console that sees the board; None when nothing of it is true any
/// more.
fn board_frame(engine: &Engine, scope: &Scope, seq: u64, item: &Item) -> Option<Utf8Bytes> {
    let frame = match item {
        Item::Calls { changed, gone } => change(
            engine,
            scope,
            seq,
            changed.iter(),
            gone.iter().cloned().collect(),
        )?,
        Item::Record(record) => HubToConsole::Record {
            seq,
            record: scope.show_record(Record::clone(record), &Seen::Stays),
        },
    };
    Some(words::to_console(&frame).into())
}

fn change<'a>(
    engine: &Engine,
    scope: &Scope,
    seq: u64,
    changed: impl Iterator<Item = &'a CallId>,
    gone: Vec<CallId>,
) -> Option<HubToConsole> {
    let calls: Vec<_> = changed
        .filter_map(|call| engine.summary(call))
        .map(|row| scope.show_summary(row))
        .collect();
    (!calls.is_empty() || !gone.is_empty()).then_some(HubToConsole::Change { seq, calls, gone })
}
