//! What is folded together and becomes durable together.

use std::collections::BTreeSet;

use holdfast_domain::{CallId, Record, SourceId, Timestamp};
use holdfast_engine::{Control, Effect, Entry};
use holdfast_journal as journal;

use super::output::Output;
use crate::session::Room;

/// Inputs in one batch at most; about 4 MB of events. More only makes the commit longer, and with
/// it the time until the first command of the batch leaves.
const INPUTS_MAX: usize = 8_192;

/// What the engine was given and what it said. Dropping it forgets both, as a crash would.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    commit: journal::Batch,
    outputs: Vec<Output>,
    /// Sources whose position is written anew.
    moved: BTreeSet<SourceId>,
    /// Those of them that wait for an acknowledgment.
    acked: BTreeSet<SourceId>,
    oldest: Option<Timestamp>,
    rooms: Vec<Room>,
}

/// A batch that the journal has and has not yet confirmed.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) outputs: Vec<Output>,
    /// When its oldest frame arrived.
    pub(crate) oldest: Option<Timestamp>,
    /// Held until it is durable, so that what is not yet durable is bounded.
    _rooms: Vec<Room>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.commit.is_empty() && self.outputs.is_empty() && self.moved.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.commit.inputs.len() >= INPUTS_MAX
    }

    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.oldest
    }

    /// How many inputs it logs.
    pub(crate) fn n_inputs(&self) -> u64 {
        self.commit.inputs.len() as u64
    }

    /// Keeps the room of a frame until what came of it is durable. A frame of which nothing came
    /// gives its room back at once.
    pub(crate) fn hold(&mut self, arrived: Timestamp, room: Room) {
        if !self.is_empty() {
            self.oldest.get_or_insert(arrived);
            self.rooms.push(room);
        }
    }

    /// Logs an event, as the engine got it.
    pub(crate) fn log_fact(&mut self, now: Timestamp, source: &SourceId, payload: String) {
        self.log_event(source);
        self.commit.inputs.push(journal::NewInput {
            now,
            source: Some(source.clone()),
            payload,
        });
    }

    /// Logs that a source's position moved by an event, be it one that cannot be read.
    pub(crate) fn log_event(&mut self, source: &SourceId) {
        if !self.acked.contains(source) {
            self.acked.insert(source.clone());
            self.log_position(source);
        }
    }

    /// Logs where a source stands.
    pub(crate) fn log_position(&mut self, source: &SourceId) {
        if !self.moved.contains(source) {
            self.moved.insert(source.clone());
        }
    }

    pub(crate) fn log_control(&mut self, now: Timestamp, control: &Control) {
        let payload = serde_json::to_string(control)
            .expect("a control is plain data whose maps have strings as keys");
        self.commit.inputs.push(journal::NewInput {
            now,
            source: None,
            payload,
        });
    }

    /// Sorts an effect into what is written down and what is let out after it. `seq` numbers what
    /// is written down.
    pub(crate) fn take(&mut self, effect: Effect, seq: &mut u64) {
        match effect {
            Effect::Append(entry) => {
                *seq += 1;
                match entry {
                    Entry::Record(record) => {
                        self.outputs.push(Output::Record(record.clone()));
                        self.commit.records.push(stored_record(*seq, record));
                    }
                    Entry::Transition { .. }
                    | Entry::Ladder { .. }
                    | Entry::Blindness(_)
                    | Entry::CallStarted { .. }
                    | Entry::CallEnded { .. } => {
                        self.commit.entries.push(stored_entry(*seq, &entry));
                    }
                }
            }
            Effect::Send { source, command } => {
                self.outputs.push(Output::Send { source, command });
            }
            Effect::Show(shown) => self.outputs.push(Output::Show(shown)),
        }
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// The sources that wait for an acknowledgment.
    pub(crate) fn acked(&self) -> &BTreeSet<SourceId> {
        &self.acked
    }

    /// What goes to the journal and what waits for it.
    pub(crate) fn split(
        mut self,
        now: Timestamp,
        position: impl Fn(&SourceId) -> Option<(String, u64)>,
    ) -> (journal::Batch, InFlight) {
        self.commit.positions = self
            .moved
            .into_iter()
            .filter_map(|source| {
                position(&source).map(|(epoch, sequence)| journal::Position {
                    source,
                    epoch,
                    sequence,
                    at: now,
                })
            })
            .collect();
        let flight = InFlight {
            outputs: self.outputs,
            oldest: self.oldest,
            _rooms: self.rooms,
        };
        (self.commit, flight)
    }

    /// Only what is to be written, for a replay.
    pub(crate) fn into_commit(self) -> journal::Batch {
        self.commit
    }
}

/// A record dates from its last step, so that a replay writes the same again.
fn stored_record(seq: u64, record: Record) -> journal::StoredRecord {
    let at = match &record {
        Record::Command { command } => command
            .progress
            .last()
            .map_or(command.issued_at, |progress| progress.at),
        Record::Handoff { handoff } => handoff
            .steps
            .last()
            .map_or(handoff.requested_at, |step| step.at),
        Record::Cause { cause } => cause.updated_at,
        Record::Run { run } => run.updated_at,
        Record::Lever { lever } => lever.at,
    };
    journal::StoredRecord { seq, at, record }
}

fn stored_entry(seq: u64, entry: &Entry) -> journal::Entry {
    let (kind, call, at): (&str, Option<&CallId>, Timestamp) = match entry {
        Entry::Record(_) => unreachable!("a record is stored as a record"),
        Entry::Transition { call, at, .. } => ("transition", Some(call), *at),
        Entry::Ladder { call, at, .. } => ("ladder", Some(call), *at),
        Entry::Blindness(blind) => ("blindness", None, blind.since + blind.lasted_ms),
        Entry::CallStarted { call, at, .. } => ("call_started", Some(call), *at),
        Entry::CallEnded { call, at, .. } => ("call_ended", Some(call), *at),
    };
    journal::Entry {
        seq,
        at,
        call: call.cloned(),
        kind: kind.to_owned(),
        json: serde_json::to_string(entry)
            .expect("an entry is plain data whose maps have strings as keys"),
    }
}
