//! How every SQLite file is opened: the version of the library, the pragmas, the migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::{OpenError, ReadError};
use crate::folder;

/// SQLite 3.51.3 mends a race in the write-ahead log that could lose what was committed.
const SQLITE_NUMBER_MIN: i32 = 3_051_003;
const SQLITE_VERSION_MIN: &str = "3.51.3";

/// How long a statement waits for another connection, in milliseconds. A reader holds the file for
/// milliseconds; a backup program that copies it may hold it longer.
const BUSY_MS: u64 = 5_000;

/// The numbered steps that bring an empty file to the newest version.
pub(crate) type Migrations = &'static [&'static str];

/// Refuses a library that can lose data.
pub(crate) fn check_version() -> Result<(), OpenError> {
    check_version_number(rusqlite::version_number(), rusqlite::version())
}

fn check_version_number(number: i32, version: &str) -> Result<(), OpenError> {
    if number >= SQLITE_NUMBER_MIN {
        return Ok(());
    }
    Err(OpenError::OldSqlite {
        found: version.to_owned(),
        needed: SQLITE_VERSION_MIN,
    })
}

/// Opens a file for writing, creating it if it is not there, and brings it to the newest version.
pub(crate) fn open(file: &Path, migrations: Migrations) -> Result<Connection, OpenError> {
    folder::create_private_file(file).map_err(|source| OpenError::Folder {
        folder: file.to_owned(),
        source,
    })?;
    let failed = |source| OpenError::of(file, source);
    let mut connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    connection
        .busy_timeout(Duration::from_millis(BUSY_MS))
        .map_err(failed)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(OpenError::NoWal {
            file: file.to_owned(),
        });
    }
    // FULL: a commit is on disk when it returns. In batches it costs no more than NORMAL.
    connection
        .pragma_update(None, "synchronous", "full")
        .map_err(failed)?;
    migrate(&mut connection, file, migrations)?;
    Ok(connection)
}

/// Opens a file for reading only.
pub(crate) fn open_to_read(file: &Path) -> Result<Connection, ReadError> {
    let failed = |source| ReadError::of(file, source);
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    connection
        .busy_timeout(Duration::from_millis(BUSY_MS))
        .map_err(failed)?;
    Ok(connection)
}

/// The version of a file: how many migrations it has had.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(
    connection: &mut Connection,
    file: &Path,
    migrations: Migrations,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::of(file, source);
    let found = version(connection).map_err(failed)?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer {
            file: file.to_owned(),
            found,
            known,
        });
    }
    for (step, sql) in (1..).zip(migrations).skip(found as usize) {
        let transaction = connection.transaction().map_err(failed)?;
        transaction.execute_batch(sql).map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", step)
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linked_library_is_new_enough_and_an_old_one_is_refused() {
        check_version().unwrap();
        let error = check_version_number(3_051_002, "3.51.2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "trust SQLite 3.51.2: before 3.51.3 its write-ahead log could lose what was written; \
             build with the bundled one"
        );
    }
}
