//! What can go wrong, by operation.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be used.
    #[error(
        "use the folder {}: it must be one that this user can create files in; name another one",
        folder.display()
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another hub uses the folder.
    #[error(
        "lock the folder {}: another hub uses it; stop that one or name another folder",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The SQLite library can lose data.
    #[error(
        "trust SQLite {found}: before {needed} its write-ahead log could lose what was written; \
         build with the bundled one"
    )]
    OldSqlite {
        /// The version that is linked.
        found: String,
        /// The first version that is accepted.
        needed: &'static str,
    },
    /// A newer Holdfast wrote the file.
    #[error(
        "read {}: it has version {found}, this program knows up to {known}; start the newer \
         program, or move the folder away to begin anew",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// A file is no SQLite file, or is broken.
    #[error(
        "read {}: it is damaged; restore it from a backup, or move it out of the folder and start \
         again ({})",
        file.display(),
        consequence(file)
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The file system cannot hold a write-ahead log.
    #[error(
        "use a write-ahead log for {}: the file system does not allow it (is it a network share?); \
         name a folder on a local disk",
        file.display()
    )]
    NoWal {
        /// The file.
        file: PathBuf,
    },
    /// A file cannot be opened or read for another reason.
    #[error("open {}", file.display())]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// What is written down cannot be understood.
    #[error("read what was written down")]
    Read(#[from] ReadError),
}

impl OpenError {
    /// The error for what SQLite said about a file.
    pub(crate) fn of(file: &Path, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        if is_damage(&source) {
            Self::Damaged { file, source }
        } else {
            Self::Sqlite { file, source }
        }
    }
}

/// What is lost when a file is moved away.
fn consequence(file: &Path) -> &'static str {
    if crate::folder::segment_number(file).is_some() {
        "the hub goes on from an older checkpoint, and bridges tell their live calls again"
    } else {
        "the history of commands and handoffs is lost with it"
    }
}

/// Why a batch could not be written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Nothing of the batch was written; it can be tried again.
    #[error("write to {}: nothing of the batch was written, try again", file.display())]
    NotWritten {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The disk is full. Nothing of the batch was written; it can be tried again.
    #[error(
        "write to {}: the disk is full; nothing of the batch was written, free some space",
        file.display()
    )]
    DiskFull {
        /// The file.
        file: PathBuf,
    },
    /// The inputs are durable and the decisions are not.
    #[error(
        "write to {}: the inputs of the batch are durable and its decisions are not; open the \
         journal again and replay",
        file.display()
    )]
    Torn {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// An earlier batch was torn.
    #[error("write after a torn batch: open the journal again and replay")]
    TornBefore,
    /// A record cannot become JSON.
    #[error("write a record as JSON")]
    Encode(#[from] serde_json::Error),
    /// A new segment could not be begun; the old one goes on.
    #[error("begin a new segment; the old one goes on")]
    Rotate(#[source] Box<OpenError>),
}

impl AppendError {
    /// The error for what SQLite said about a file before anything was committed.
    pub(crate) fn of(file: &Path, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        if source.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            Self::DiskFull { file }
        } else {
            Self::NotWritten { file, source }
        }
    }
}

/// Why the past could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is broken.
    #[error(
        "read {}: it is damaged; restore it from a backup, or move it out of the folder and start \
         again ({})",
        file.display(),
        consequence(file)
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A file cannot be read for another reason.
    #[error("read {}", file.display())]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A record is not what this program writes.
    #[error(
        "understand record {id} in {}: it was written by another program or another version",
        file.display()
    )]
    Decode {
        /// The file.
        file: PathBuf,
        /// The record.
        id: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The folder cannot be listed.
    #[error("list the folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl ReadError {
    /// The error for what SQLite said about a file.
    pub(crate) fn of(file: &Path, source: rusqlite::Error) -> Self {
        let file = file.to_owned();
        if is_damage(&source) {
            Self::Damaged { file, source }
        } else {
            Self::Sqlite { file, source }
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}
