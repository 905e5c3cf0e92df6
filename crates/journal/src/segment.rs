//! One segment of the ring of raw inputs.

use std::path::PathBuf;

use holdfast_domain::{DurationMs, SourceId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::batch::{Batch, Checkpoint, Input, NewInput, Position};
use crate::error::OpenError;
use crate::sqlite::{self, Migrations};

pub(crate) const MIGRATIONS: Migrations = &[include_str!("../migrations/inputs/0001_inputs.sql")];

/// What a row costs beside its payload: its number, its moment, its source and the index.
const ROW_BYTES: u64 = 80;

/// The segment that is being written.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) file: PathBuf,
    pub(crate) opened_at: Timestamp,
    /// The hub's sequence at its beginning.
    pub(crate) seq: u64,
    /// The engine's state at its beginning.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The number of the next input.
    pub(crate) next_n: u64,
    /// About how large it is.
    pub(crate) bytes: u64,
    connection: Connection,
}

/// How a segment begins.
#[derive(Debug)]
pub(crate) struct Beginning<'a> {
    pub(crate) at: Timestamp,
    pub(crate) first_n: u64,
    pub(crate) seq: u64,
    pub(crate) checkpoint: Option<&'a [u8]>,
    pub(crate) positions: &'a [Position],
}

impl Segment {
    /// Creates a segment. All of its beginning is one transaction: a crash leaves a file that
    /// [`Segment::open`] tells from a segment.
    pub(crate) fn create(file: PathBuf, beginning: &Beginning<'_>) -> Result<Self, OpenError> {
        let mut connection = sqlite::open(&file, MIGRATIONS)?;
        begin(&mut connection, beginning).map_err(|source| OpenError::of(&file, source))?;
        Ok(Self {
            opened_at: beginning.at,
            seq: beginning.seq,
            checkpoint: beginning.checkpoint.map(|state| Checkpoint {
                at: beginning.at,
                state: state.to_owned(),
            }),
            next_n: beginning.first_n,
            bytes: 0,
            connection,
            file,
        })
    }

    /// Opens a segment to go on with it. None if it has no beginning, because a crash interrupted
    /// its creation: then nothing was ever written to it.
    pub(crate) fn open(file: PathBuf) -> Result<Option<Self>, OpenError> {
        let connection = sqlite::open(&file, MIGRATIONS)?;
        let failed = |source| OpenError::of(&file, source);
        let head = connection
            .query_row(
                "SELECT opened_ms, first_n, seq, checkpoint FROM segment",
                [],
                |row| {
                    let at = Timestamp::from_millis(row.get(0)?);
                    let state: Option<Vec<u8>> = row.get(3)?;
                    let checkpoint = state.map(|state| Checkpoint { at, state });
                    Ok((at, unsigned(row.get(1)?), unsigned(row.get(2)?), checkpoint))
                },
            )
            .optional()
            .map_err(failed)?;
        let Some((opened_at, first_n, seq, checkpoint)) = head else {
            return Ok(None);
        };
        let last_n: Option<i64> = connection
            .query_row("SELECT max(n) FROM inputs", [], |row| row.get(0))
            .map_err(failed)?;
        let bytes: i64 = connection
            .query_row(
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                [],
                |row| row.get(0),
            )
            .map_err(failed)?;
        Ok(Some(Self {
            opened_at,
            seq,
            checkpoint,
            next_n: last_n.map_or(first_n, |n| unsigned(n) + 1),
            bytes: unsigned(bytes),
            connection,
            file,
        }))
    }

    /// Where each bridge stands.
    pub(crate) fn positions(&self) -> rusqlite::Result<Vec<Position>> {
        self.connection
            .prepare("SELECT source, epoch, sequence, updated_ms FROM positions ORDER BY source")?
            .query_map([], |row| {
                Ok(Position {
                    source: SourceId::new(row.get::<_, String>(0)?),
                    epoch: row.get(1)?,
                    sequence: unsigned(row.get(2)?),
                    at: Timestamp::from_millis(row.get(3)?),
                })
            })?
            .collect()
    }

    /// Begins to write a batch. It is durable when the caller commits.
    pub(crate) fn write(&mut self, batch: &Batch) -> rusqlite::Result<Transaction<'_>> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO inputs (n, now_ms, source, payload) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (n, input) in (self.next_n..).zip(&batch.inputs) {
                insert.execute(params![
                    signed(n),
                    input.now.as_millis(),
                    input.source.as_ref().map(SourceId::as_str),
                    input.payload
                ])?;
            }
            insert_positions(&transaction, &batch.positions)?;
        }
        Ok(transaction)
    }

    /// Counts a batch that was committed.
    pub(crate) fn wrote(&mut self, inputs: &[NewInput]) {
        self.next_n += inputs.len() as u64;
        self.bytes += inputs
            .iter()
            .map(|input| input.payload.len() as u64 + ROW_BYTES)
            .sum::<u64>();
    }

    /// True when it is time for the next segment.
    pub(crate) fn is_full(&self, now: Timestamp, ms: DurationMs, bytes: u64) -> bool {
        now.since(self.opened_at) >= ms || self.bytes >= bytes
    }

    /// Moves everything from the write-ahead log into the file and closes it.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)
    }
}

fn begin(connection: &mut Connection, beginning: &Beginning<'_>) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO segment (only_row, opened_ms, first_n, seq, checkpoint)
         VALUES (1, ?1, ?2, ?3, ?4)",
        params![
            beginning.at.as_millis(),
            signed(beginning.first_n),
            signed(beginning.seq),
            beginning.checkpoint
        ],
    )?;
    insert_positions(&transaction, beginning.positions)?;
    transaction.commit()
}

fn insert_positions(transaction: &Transaction<'_>, positions: &[Position]) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO positions (source, epoch, sequence, updated_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (source) DO UPDATE SET
             epoch = excluded.epoch,
             sequence = excluded.sequence,
             updated_ms = excluded.updated_ms",
    )?;
    for position in positions {
        upsert.execute(params![
            position.source.as_str(),
            position.epoch,
            signed(position.sequence),
            position.at.as_millis()
        ])?;
    }
    Ok(())
}

/// When a segment began.
pub(crate) fn opened_at(connection: &Connection) -> rusqlite::Result<Timestamp> {
    connection.query_row("SELECT opened_ms FROM segment", [], |row| {
        Ok(Timestamp::from_millis(row.get(0)?))
    })
}

/// An input from its row: n, `now_ms`, source, payload.
pub(crate) fn input(row: &Row<'_>) -> rusqlite::Result<Input> {
    Ok(Input {
        n: unsigned(row.get(0)?),
        now: Timestamp::from_millis(row.get(1)?),
        source: row.get::<_, Option<String>>(2)?.map(SourceId::new),
        payload: row.get(3)?,
    })
}

/// SQLite's integers are signed. A bridge may name any `u64` as its sequence, so the same 64 bits
/// are kept, and nothing is ever compared with or sorted by a sequence that a bridge named.
pub(crate) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// The other way.
pub(crate) const fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}
