//! The durable, ordered log of a hub and what it knows of the past, on SQLite.
//!
//! One folder for each hub:
//!
//! ```text
//! holdfast.lock           held while a hub uses the folder
//! holdfast.sqlite         decisions: commands, handoffs, transitions; kept long
//! inputs-000041.sqlite    the ring of raw inputs, cut into segments. Each begins with a
//! inputs-000042.sqlite    checkpoint of the engine; old segments are deleted as whole files
//! ```
//!
//! # Why a crash loses and repeats nothing
//!
//! A batch is one transaction in the newest segment (inputs and positions), then one in
//! `holdfast.sqlite` (what the engine decided because of them). Both are on disk before
//! [`Journal::append`] returns, and the hub acknowledges and sends nothing before that.
//! - A crash before the first commit: nothing of the batch exists, nobody was told anything, and
//!   the bridges send it again.
//! - A crash between the two: the inputs exist, the decisions do not. The hub replays the inputs
//!   over the checkpoint, and because the engine gives the same effects for the same inputs, the
//!   same decisions come out again with the same sequence numbers. The hub appends them again;
//!   records are upserts and entries have their sequence as key, so that those that did get
//!   through are not doubled.
//! - A crash after both: the replay repeats what is there already, with the same numbers.
//!
//! The other order would not do: decisions without their inputs would be forgotten by the replayed
//! engine while their commands are already on the way.
//!
//! Deliberately absent: the engine, the wire, a clock, threads. Calls block; a hub makes them from
//! a thread of its own.

#![deny(missing_docs)]

mod batch;
mod decisions;
mod error;
mod folder;
mod journal;
mod options;
mod reader;
mod segment;
mod sqlite;

pub use batch::{Batch, Checkpoint, Entry, Input, NewInput, Position, RecordKind, StoredRecord};
pub use error::{AppendError, OpenError, ReadError};
pub use journal::{Journal, Recovered};
pub use options::Options;
pub use reader::{Inputs, Reader};
