//! What is written and read.

use holdfast_domain::{CallId, Record, SourceId, Timestamp};

/// What a hub makes durable at once, usually one tick of its loop.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// What went into the engine, in order.
    pub inputs: Vec<NewInput>,
    /// Up to where the events in `inputs` bring each bridge.
    pub positions: Vec<Position>,
    /// Commands and handoffs as they are now.
    pub records: Vec<StoredRecord>,
    /// What happened.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// True if there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
            && self.positions.is_empty()
            && self.records.is_empty()
            && self.entries.is_empty()
    }
}

/// One input that is not in the journal yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInput {
    /// The moment that the engine was given with it.
    pub now: Timestamp,
    /// The bridge, for a platform event; None for every other input.
    pub source: Option<SourceId>,
    /// The event as it came, or the other input as JSON.
    pub payload: String,
}

/// One input of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its place in the order of all inputs, from 1.
    pub n: u64,
    /// The moment that the engine was given with it.
    pub now: Timestamp,
    /// The bridge, for a platform event; None for every other input.
    pub source: Option<SourceId>,
    /// The event as it came, or the other input as JSON.
    pub payload: String,
}

/// Up to where a bridge's events are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The bridge.
    pub source: SourceId,
    /// The epoch that the sequence belongs to.
    pub epoch: String,
    /// The last sequence.
    pub sequence: u64,
    /// When it was written, on the hub's clock.
    pub at: Timestamp,
}

/// A command or a handoff with its place in the hub's order.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// The hub's sequence. Records and entries share it: each gets the next number in the order in
    /// which the engine emits them, so that a replay gives the same number to the same thing.
    pub seq: u64,
    /// When it became so.
    pub at: Timestamp,
    /// The record.
    pub record: Record,
}

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A command.
    Command,
    /// A handoff.
    Handoff,
    /// A shared cause behind failing calls.
    Cause,
    /// A run of a playbook.
    Run,
    /// The red lever.
    Lever,
}

impl RecordKind {
    /// The kind's name in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Handoff => "handoff",
            Self::Cause => "cause",
            Self::Run => "run",
            Self::Lever => "lever",
        }
    }
}

/// Something that happened and will not change: a transition of a layer, the start of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The hub's sequence; see [`StoredRecord::seq`].
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The call that it is about; None for the whole platform.
    pub call: Option<CallId>,
    /// What it is, for whoever reads the file: `transition`.
    pub kind: String,
    /// All of it, as JSON.
    pub json: String,
}

/// The state from which a replay begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was taken, on the hub's clock.
    pub at: Timestamp,
    /// The engine's state, as the hub wrote it.
    pub state: Vec<u8>,
}
