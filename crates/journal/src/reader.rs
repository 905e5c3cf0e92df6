//! Reads the past, beside the hub's writing.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use holdfast_domain::{CallId, Timestamp};
use rusqlite::{Connection, Params, params};

use crate::batch::{Entry, Input, RecordKind, StoredRecord};
use crate::decisions::{self, ENTRY_COLUMNS, RECORD_COLUMNS};
use crate::error::ReadError;
use crate::folder;
use crate::segment::{self, signed};
use crate::sqlite;

/// How many inputs are read at once: at most about 4 MB of events in memory.
const PAGE: u32 = 8_192;

/// Reads what is durable. It may live in another thread than the journal; each has its own
/// connection.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    file: PathBuf,
    decisions: Connection,
}

impl Reader {
    pub(crate) fn open(folder: &Path) -> Result<Self, ReadError> {
        let file = folder.join(folder::DECISIONS);
        Ok(Self {
            folder: folder.to_owned(),
            decisions: sqlite::open_to_read(&file)?,
            file,
        })
    }

    /// Records whose newest version has a sequence above `seq`, in order of it, at most `limit`.
    pub fn records_since(&self, seq: u64, limit: u32) -> Result<Vec<StoredRecord>, ReadError> {
        let sql =
            format!("SELECT {RECORD_COLUMNS} FROM records WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        decisions::stored_records(
            &self.decisions,
            &self.file,
            &sql,
            params![signed(seq), limit],
        )
    }

    /// One record as it is now.
    pub fn record(&self, kind: RecordKind, id: &str) -> Result<Option<StoredRecord>, ReadError> {
        decisions::record(&self.decisions, &self.file, kind, id)
    }

    /// What happened on a call, newest first, at most `limit`.
    pub fn entries_for_call(&self, call: &CallId, limit: u32) -> Result<Vec<Entry>, ReadError> {
        self.entries("call = ?2", params![limit, call.as_str()])
    }

    /// What happened to the hub itself (it could not see), newest first, at most `limit`.
    pub fn entries_of_hub(&self, limit: u32) -> Result<Vec<Entry>, ReadError> {
        self.entries("call IS NULL", params![limit])
    }

    fn entries(&self, which: &str, values: impl Params) -> Result<Vec<Entry>, ReadError> {
        let sql =
            format!("SELECT {ENTRY_COLUMNS} FROM entries WHERE {which} ORDER BY seq DESC LIMIT ?1");
        let read = || -> rusqlite::Result<Vec<Entry>> {
            self.decisions
                .prepare_cached(&sql)?
                .query_map(values, decisions::entry)?
                .collect()
        };
        read().map_err(|source| ReadError::of(&self.file, source))
    }

    /// The inputs from `from` to just before `to`, in order, as far back as they are kept.
    pub fn inputs_between(&self, from: Timestamp, to: Timestamp) -> Result<Inputs, ReadError> {
        let segments = segments(&self.folder)?;
        Ok(Inputs::new(segments, from, to))
    }
}

fn segments(folder: &Path) -> Result<VecDeque<PathBuf>, ReadError> {
    let numbers = folder::segments(folder).map_err(|source| ReadError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    Ok(numbers
        .into_iter()
        .map(|number| folder::segment_file(folder, number))
        .collect())
}

/// Inputs of the past, in order, read a page at a time. After an error it ends.
#[derive(Debug)]
pub struct Inputs {
    /// Segments that were not opened yet, oldest first.
    segments: VecDeque<PathBuf>,
    open: Option<(PathBuf, Connection)>,
    page: VecDeque<Input>,
    after_n: u64,
    from: Timestamp,
    to: Timestamp,
}

impl Inputs {
    fn new(segments: VecDeque<PathBuf>, from: Timestamp, to: Timestamp) -> Self {
        Self {
            segments,
            open: None,
            page: VecDeque::new(),
            after_n: 0,
            from,
            to,
        }
    }

    /// All inputs of one segment.
    pub(crate) fn of_segment(file: PathBuf) -> Self {
        let from = Timestamp::from_millis(i64::MIN);
        let to = Timestamp::from_millis(i64::MAX);
        Self::new([file].into(), from, to)
    }

    /// Reads the next page; false when there is none.
    fn turn(&mut self) -> Result<bool, ReadError> {
        loop {
            if self.open.is_none() {
                let Some(file) = self.segments.pop_front() else {
                    return Ok(false);
                };
                // Retention may have taken it since the folder was listed.
                if !file.exists() {
                    continue;
                }
                let connection = sqlite::open_to_read(&file)?;
                self.open = Some((file, connection));
            }
            let Some((file, connection)) = &self.open else {
                return Ok(false);
            };
            let page = read_page(connection, self.after_n, self.from, self.to)
                .map_err(|source| ReadError::of(file, source))?;
            if let Some(last) = page.back() {
                self.after_n = last.n;
                self.page = page;
                return Ok(true);
            }
            self.open = None;
        }
    }
}

impl Iterator for Inputs {
    type Item = Result<Input, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && let Err(error) = self.turn()
        {
            self.segments.clear();
            self.open = None;
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }
}

fn read_page(
    connection: &Connection,
    after_n: u64,
    from: Timestamp,
    to: Timestamp,
) -> rusqlite::Result<VecDeque<Input>> {
    connection
        .prepare_cached(
            "SELECT n, now_ms, source, payload FROM inputs
             WHERE n > ?1 AND now_ms >= ?2 AND now_ms < ?3 ORDER BY n LIMIT ?4",
        )?
        .query_map(
            params![signed(after_n), from.as_millis(), to.as_millis(), PAGE],
            segment::input,
        )?
        .collect()
}
