//! The journal: opening, appending, turning the ring.

use std::path::{Path, PathBuf};
use std::{fs, io};

use holdfast_domain::Timestamp;

use crate::batch::{Batch, Checkpoint, Position, StoredRecord};
use crate::decisions::Decisions;
use crate::error::{AppendError, OpenError, ReadError};
use crate::folder::{self, Lock};
use crate::options::Options;
use crate::reader::{Inputs, Reader};
use crate::segment::{Beginning, Segment};
use crate::sqlite;

/// A hub's journal, open for writing. Only one hub can have it.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    options: Options,
    decisions: Decisions,
    segment: Segment,
    segment_number: u64,
    /// A batch was torn: what is in memory is not what is on disk.
    torn: bool,
    _lock: Lock,
}

/// What a hub finds when it comes up.
#[derive(Debug)]
pub struct Recovered {
    /// New each time the log begins anew.
    pub epoch: String,
    /// The hub's sequence where the replay begins: the first decision that comes out of it has the
    /// next one.
    pub seq: u64,
    /// The sequence of the newest record or entry that is durable; 0 for none. Replayed decisions
    /// with a higher one got lost in a crash between the two commits of their batch: append them.
    ///
    /// A replay ends below it only if somebody moved a segment away. Then go on from here, and
    /// rotate at once, so that the jump is not replayed.
    pub last_seq: u64,
    /// Up to where each bridge's events are durable.
    pub positions: Vec<Position>,
    /// The state to begin the replay from; None: a state that knows nothing.
    pub checkpoint: Option<Checkpoint>,
    /// The inputs since then, in order.
    pub inputs: Inputs,
    /// Records that are open, and those that became final of late, in order of their sequence.
    pub records: Vec<StoredRecord>,
}

impl Journal {
    /// Opens the journal in `folder`, which is created if it is not there.
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Recovered), OpenError> {
        sqlite::check_version()?;
        let lock = folder::lock(folder)?;
        let decisions = Decisions::open(folder, &options)?;
        let last_seq = decisions
            .last_seq()
            .map_err(|source| OpenError::of(&decisions.file, source))?;
        let (segment, segment_number) = newest_segment(folder, options.now, last_seq)?;
        let recovered = Recovered {
            epoch: decisions.epoch.clone(),
            seq: segment.seq,
            last_seq,
            positions: segment
                .positions()
                .map_err(|source| OpenError::of(&segment.file, source))?,
            checkpoint: segment.checkpoint.clone(),
            inputs: Inputs::of_segment(segment.file.clone()),
            records: decisions.live_records(options.now - options.recent_ms)?,
        };
        let journal = Self {
            folder: folder.to_owned(),
            options,
            decisions,
            segment,
            segment_number,
            torn: false,
            _lock: lock,
        };
        Ok((journal, recovered))
    }

    /// Makes a batch durable: its inputs and positions first, then its decisions. When it returns
    /// an error other than [`AppendError::Torn`] nothing of the batch is written.
    pub fn append(&mut self, batch: &Batch) -> Result<(), AppendError> {
        if self.torn {
            return Err(AppendError::TornBefore);
        }
        let has_decisions = !batch.records.is_empty() || !batch.entries.is_empty();
        let has_inputs = !batch.inputs.is_empty() || !batch.positions.is_empty();
        // Both transactions hold everything before the first one commits, so that a full disk or a
        // locked file is met while both can still be rolled back.
        let decisions_file = self.decisions.file.clone();
        let decisions = if has_decisions {
            Some(self.decisions.write(&batch.records, &batch.entries)?)
        } else {
            None
        };
        if has_inputs {
            let file = self.segment.file.clone();
            let failed = |source| AppendError::of(&file, source);
            let inputs = self.segment.write(batch).map_err(failed)?;
            inputs.commit().map_err(failed)?;
            self.segment.wrote(&batch.inputs);
        }
        if let Some(decisions) = decisions
            && let Err(source) = decisions.commit()
        {
            if !has_inputs {
                return Err(AppendError::of(&decisions_file, source));
            }
            self.torn = true;
            return Err(AppendError::Torn {
                file: decisions_file,
                source,
            });
        }
        Ok(())
    }

    /// True when a checkpoint should be taken and [`Journal::rotate`] called.
    pub fn needs_rotation(&self, now: Timestamp) -> bool {
        let Options {
            segment_ms,
            segment_bytes,
            ..
        } = self.options;
        self.segment.is_full(now, segment_ms, segment_bytes)
    }

    /// Begins a new segment with the engine's state as it is after everything that was appended;
    /// `seq` is the hub's sequence then. Segments that are too old are deleted.
    ///
    /// On an error the old segment goes on, and it can be tried again.
    pub fn rotate(
        &mut self,
        checkpoint: &[u8],
        seq: u64,
        now: Timestamp,
    ) -> Result<(), AppendError> {
        if self.torn {
            return Err(AppendError::TornBefore);
        }
        let rotate = |error| AppendError::Rotate(Box::new(error));
        let mut positions = self
            .segment
            .positions()
            .map_err(|source| rotate(OpenError::of(&self.segment.file, source)))?;
        // A bridge that was silent for as long as inputs are kept begins with a snapshot anyway.
        // Bots that live for one call would otherwise pile up here.
        let forgotten = now - self.options.keep_ms;
        positions.retain(|position| position.at >= forgotten);
        let number = self.segment_number + 1;
        let file = folder::segment_file(&self.folder, number);
        let beginning = Beginning {
            at: now,
            first_n: self.segment.next_n,
            seq,
            checkpoint: Some(checkpoint),
            positions: &positions,
        };
        let segment = Segment::create(file.clone(), &beginning).map_err(|error| {
            // What is left of it would be taken for the newest segment.
            if let Err(error) = folder::delete_database(&file) {
                tracing::warn!(file = %file.display(), %error, "a half-made segment stays");
            }
            rotate(error)
        })?;
        let old = std::mem::replace(&mut self.segment, segment);
        self.segment_number = number;
        let old_file = old.file.clone();
        if let Err(error) = old.close() {
            tracing::warn!(
                file = %old_file.display(), %error,
                "the closed segment keeps its write-ahead log"
            );
        }
        self.forget(now);
        Ok(())
    }

    /// A reader of what is durable, for another thread.
    pub fn reader(&self) -> Result<Reader, ReadError> {
        Reader::open(&self.folder)
    }

    /// Deletes the oldest segments, as whole files, while all that is in them is older than what is
    /// kept or there are too many bytes. The newest segment holds the newest checkpoint and stays.
    fn forget(&self, now: Timestamp) {
        if let Err(error) = self.try_forget(now) {
            tracing::warn!(
                folder = %self.folder.display(), %error,
                "old inputs could not be deleted; they are tried again with the next segment"
            );
        }
    }

    fn try_forget(&self, now: Timestamp) -> io::Result<()> {
        let mut segments = Vec::new();
        for number in folder::segments(&self.folder)? {
            let file = folder::segment_file(&self.folder, number);
            let bytes = fs::metadata(&file)?.len();
            segments.push((file, bytes));
        }
        let mut bytes: u64 = segments.iter().map(|(_, bytes)| bytes).sum();
        // A segment ends where the next one begins.
        for pair in segments.windows(2) {
            let [(file, size), (next, _)] = pair else {
                continue;
            };
            let ended = match sqlite::open_to_read(next) {
                Ok(connection) => crate::segment::opened_at(&connection).unwrap_or(now),
                Err(_) => now,
            };
            let too_old = now.since(ended) > self.options.keep_ms;
            if !too_old && bytes <= self.options.keep_bytes {
                break;
            }
            folder::delete_database(file)?;
            bytes = bytes.saturating_sub(*size);
            tracing::info!(file = %file.display(), "old inputs were deleted");
        }
        Ok(())
    }
}

/// The segment to go on with. One whose creation was interrupted is deleted; where there is none,
/// the first one is created, and goes on after the decisions that there are.
fn newest_segment(
    folder: &Path,
    now: Timestamp,
    last_seq: u64,
) -> Result<(Segment, u64), OpenError> {
    let unusable = |source| OpenError::Folder {
        folder: folder.to_owned(),
        source,
    };
    let mut numbers = folder::segments(folder).map_err(unusable)?;
    while let Some(number) = numbers.pop() {
        let file = folder::segment_file(folder, number);
        if let Some(segment) = Segment::open(file.clone())? {
            return Ok((segment, number));
        }
        folder::delete_database(&file).map_err(unusable)?;
    }
    let first = Beginning {
        at: now,
        first_n: 1,
        seq: last_seq,
        checkpoint: None,
        positions: &[],
    };
    let segment = Segment::create(folder::segment_file(folder, 1), &first)?;
    Ok((segment, 1))
}
