//! The file of decisions: `holdfast.sqlite`.

use std::path::{Path, PathBuf};

use holdfast_domain::{CallId, CauseState, Record, Timestamp};
use rusqlite::{Connection, Row, Transaction, params};

use crate::batch::{Entry, RecordKind, StoredRecord};
use crate::error::{AppendError, OpenError, ReadError};
use crate::folder;
use crate::options::Options;
use crate::segment::{signed, unsigned};
use crate::sqlite::{self, Migrations};

pub(crate) const MIGRATIONS: Migrations = &[
    include_str!("../migrations/decisions/0001_decisions.sql"),
    include_str!("../migrations/decisions/0002_entries_of_the_hub.sql"),
];

/// The columns of a record, in the order in which [`stored_record`] reads them.
pub(crate) const RECORD_COLUMNS: &str = "seq, updated_ms, id, json";

/// The columns of an entry, in the order in which [`entry`] reads them.
pub(crate) const ENTRY_COLUMNS: &str = "seq, at_ms, call, kind, json";

#[derive(Debug)]
pub(crate) struct Decisions {
    pub(crate) file: PathBuf,
    /// New each time the hub's log begins anew.
    pub(crate) epoch: String,
    connection: Connection,
}

impl Decisions {
    pub(crate) fn open(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let file = folder.join(folder::DECISIONS);
        let mut connection = sqlite::open(&file, MIGRATIONS)?;
        let epoch =
            epoch(&mut connection, options).map_err(|source| OpenError::of(&file, source))?;
        Ok(Self {
            file,
            epoch,
            connection,
        })
    }

    /// The sequence of the newest record or entry; 0 for none.
    pub(crate) fn last_seq(&self) -> rusqlite::Result<u64> {
        let last: i64 = self.connection.query_row(
            "SELECT max(
                 coalesce((SELECT max(seq) FROM records), 0),
                 coalesce((SELECT max(seq) FROM entries), 0))",
            [],
            |row| row.get(0),
        )?;
        Ok(unsigned(last))
    }

    /// Records that are open, and those that changed since `since`, in order of their sequence.
    pub(crate) fn live_records(&self, since: Timestamp) -> Result<Vec<StoredRecord>, ReadError> {
        let sql = format!(
            "SELECT {RECORD_COLUMNS} FROM records WHERE open = 1 OR updated_ms >= ?1 ORDER BY seq"
        );
        stored_records(&self.connection, &self.file, &sql, [since.as_millis()])
    }

    /// Begins to write the decisions of a batch. They are durable when the caller commits.
    pub(crate) fn write(
        &mut self,
        records: &[StoredRecord],
        entries: &[Entry],
    ) -> Result<Transaction<'_>, AppendError> {
        let failed = |source| AppendError::of(&self.file, source);
        let transaction = self.connection.transaction().map_err(failed)?;
        for record in records {
            let json = serde_json::to_string(&record.record)?;
            upsert_record(&transaction, record, &json).map_err(failed)?;
        }
        for entry in entries {
            insert_entry(&transaction, entry).map_err(failed)?;
        }
        Ok(transaction)
    }
}

/// The epoch of the log; the one of the options when it begins now.
fn epoch(connection: &mut Connection, options: &Options) -> rusqlite::Result<String> {
    let transaction = connection.transaction()?;
    for (key, value) in [
        ("epoch", &options.new_epoch),
        ("created_ms", &options.now.as_millis().to_string()),
    ] {
        transaction.execute(
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
            [key, value],
        )?;
    }
    let epoch = transaction.query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
        row.get(0)
    })?;
    transaction.commit()?;
    Ok(epoch)
}

/// A later version of a record replaces an earlier one; a replay that repeats an earlier one
/// changes nothing.
fn upsert_record(
    transaction: &Transaction<'_>,
    stored: &StoredRecord,
    json: &str,
) -> rusqlite::Result<()> {
    let (kind, id, call, open) = match &stored.record {
        Record::Command { command } => (
            RecordKind::Command,
            command.id.as_str(),
            command.call.as_ref(),
            !command.state().is_final(),
        ),
        Record::Handoff { handoff } => (
            RecordKind::Handoff,
            handoff.id.as_str(),
            Some(&handoff.call),
            !handoff.state.is_final(),
        ),
        Record::Cause { cause } => (
            RecordKind::Cause,
            cause.id.as_str(),
            None,
            cause.state != CauseState::Closed,
        ),
        Record::Run { run } => (
            RecordKind::Run,
            run.id.as_str(),
            None,
            !run.state.is_final(),
        ),
        // There is one; while it is pulled it matters whatever its age.
        Record::Lever { lever } => (RecordKind::Lever, "lever", None, lever.on),
    };
    transaction
        .prepare_cached(
            "INSERT INTO records (kind, id, call, seq, updated_ms, open, json)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (kind, id) DO UPDATE SET
                 call = excluded.call,
                 seq = excluded.seq,
                 updated_ms = excluded.updated_ms,
                 open = excluded.open,
                 json = excluded.json
             WHERE excluded.seq >= records.seq",
        )?
        .execute(params![
            kind.as_str(),
            id,
            call.map(CallId::as_str),
            signed(stored.seq),
            stored.at.as_millis(),
            open,
            json
        ])?;
    Ok(())
}

/// An entry that is there already, because a replay repeats it, stays as it is.
fn insert_entry(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO entries (seq, call, at_ms, kind, json) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (seq) DO NOTHING",
        )?
        .execute(params![
            signed(entry.seq),
            entry.call.as_ref().map(CallId::as_str),
            entry.at.as_millis(),
            entry.kind,
            entry.json
        ])?;
    Ok(())
}

/// The records that `sql` selects with [`RECORD_COLUMNS`].
pub(crate) fn stored_records(
    connection: &Connection,
    file: &Path,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<StoredRecord>, ReadError> {
    let failed = |source| ReadError::of(file, source);
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        records.push(stored_record(row, file)?);
    }
    Ok(records)
}

fn stored_record(row: &Row<'_>, file: &Path) -> Result<StoredRecord, ReadError> {
    let columns = || -> rusqlite::Result<(i64, i64, String, String)> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    let (seq, at, id, json) = columns().map_err(|source| ReadError::of(file, source))?;
    let record = serde_json::from_str(&json).map_err(|source| ReadError::Decode {
        file: file.to_owned(),
        id,
        source,
    })?;
    Ok(StoredRecord {
        seq: unsigned(seq),
        at: Timestamp::from_millis(at),
        record,
    })
}

/// An entry from its row.
pub(crate) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: unsigned(row.get(0)?),
        at: Timestamp::from_millis(row.get(1)?),
        call: row.get::<_, Option<String>>(2)?.map(CallId::new),
        kind: row.get(3)?,
        json: row.get(4)?,
    })
}

/// One record, if it is there.
pub(crate) fn record(
    connection: &Connection,
    file: &Path,
    kind: RecordKind,
    id: &str,
) -> Result<Option<StoredRecord>, ReadError> {
    let sql = format!("SELECT {RECORD_COLUMNS} FROM records WHERE kind = ?1 AND id = ?2");
    Ok(stored_records(connection, file, &sql, [kind.as_str(), id])?.pop())
}
