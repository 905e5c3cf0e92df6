//! The folder of a hub: its lock, its files and who may read them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// The file of decisions.
pub(crate) const DECISIONS: &str = "holdfast.sqlite";

const LOCK: &str = "holdfast.lock";
const SEGMENT_PREFIX: &str = "inputs-";
const SEGMENT_SUFFIX: &str = ".sqlite";

/// Held while a hub uses the folder. The lock goes with the process, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Creates the folder if it is not there, for this user only, and locks it.
pub(crate) fn lock(folder: &Path) -> Result<Lock, OpenError> {
    let unusable = |source| OpenError::Folder {
        folder: folder.to_owned(),
        source,
    };
    create_private_folder(folder).map_err(unusable)?;
    let file = create_private_file(&folder.join(LOCK)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// The file of segment `number`.
pub(crate) fn segment_file(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{SEGMENT_PREFIX}{number:06}{SEGMENT_SUFFIX}"))
}

/// The number of the segment in `file`; None if it is no segment.
pub(crate) fn segment_number(file: &Path) -> Option<u64> {
    file.file_name()?
        .to_str()?
        .strip_prefix(SEGMENT_PREFIX)?
        .strip_suffix(SEGMENT_SUFFIX)?
        .parse()
        .ok()
}

/// The numbers of all segments, oldest first.
pub(crate) fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(segment_number(&entry?.path()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Deletes a SQLite file and what belongs to it. The write-ahead log goes first: a database without
/// its log is whole, a log without its database would be applied to the next file of that name.
pub(crate) fn delete_database(file: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(Path::new(&name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Opens a file, creating it for this user only if it is not there.
pub(crate) fn create_private_file(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
