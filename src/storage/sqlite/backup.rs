//! Copies of the database file while a server uses it, and care for the file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::db::{Db, Limits, Watchdog};
use super::error::{EmbeddedError, translate};
use super::files::{self, Directory};
use crate::storage::Result as StorageResult;
use crate::system::folders;

type Result<T> = std::result::Result<T, EmbeddedError>;

/// Pages that are copied at once.
const PAGES: i32 = 1024;
/// The folder for what is being restored.
const RESTORING: &str = "restoring";

/// Copies the database in `directory` as it is at this moment into the directory `to`, which must hold none. A server may be
/// running on it: it is not held up, and what it writes meanwhile is not in the copy. Blocks during file operations. `progress` is
/// called with the bytes that are done and those of the whole.
///
/// # Errors
/// `File` if there is no database, or already one in `to`; `Damaged`, `TooNew`, `DiskFull`.
pub fn copy(directory: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
    let source = files::read_only(directory)?;
    // From the first read to the end of the transaction SQLite shows the same state.
    source.execute_batch("BEGIN")?;
    let page: u64 = source.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?.unsigned_abs();
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    let file = files::make_place(to)?;
    let mut copy =
        Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // One sync at the end is enough: half a copy is of no use.
    copy.pragma_update(None, "synchronous", "OFF")?;
    let backup = Backup::new(&source, &mut copy)?;
    loop {
        let step = backup.step(PAGES)?;
        let pages = backup.progress();
        let bytes = |pages: i32| u64::from(pages.unsigned_abs()) * page;
        progress(bytes(pages.pagecount - pages.remaining), bytes(pages.pagecount));
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    drop(backup);
    copy.close().map_err(|(_, error)| error)?;
    // Windows flushes only what is open for writing.
    let synced = fs::File::options().write(true).open(&file).and_then(|file| file.sync_all());
    synced.map_err(|source| EmbeddedError::File { path: file, source })
}

/// Puts a database, and what is beside it, into a directory that has none. `fill` writes it into an empty folder there; it is
/// put in its place when the database in it has been read without a fault, and not at all otherwise. Blocks.
///
/// # Errors
/// `Occupied`; `InUse`; `Damaged`, `TooNew` if the database is; errors of `fill`.
pub fn restore<T, E: From<EmbeddedError>>(
    directory: &Path,
    fill: impl FnOnce(&Path) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let held = Directory::hold(directory)?;
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| EmbeddedError::File { path, source }
    };
    if fs::metadata(&held.database).map_err(at(&held.database))?.len() > 0 {
        return Err(EmbeddedError::Occupied(held.database.clone()).into());
    }
    let fresh = directory.join(RESTORING);
    // What an earlier one left that was killed.
    match fs::remove_dir_all(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&fresh)(error).into()),
        _ => {}
    }
    fs::create_dir(&fresh).map_err(at(&fresh))?;
    let restored = fill(&fresh).and_then(|filled| {
        whole(&fresh)?;
        place(&fresh, directory)?;
        Ok(filled)
    });
    let removed = fs::remove_dir_all(&fresh);
    let restored = restored?;
    removed.map_err(at(&fresh))?;
    Ok(restored)
}

/// Reads a database that nobody uses, and upgrades it.
fn whole(directory: &Path) -> Result<()> {
    let file = directory.join(files::DATABASE);
    // Checks what it is before anything is written to it.
    drop(files::read_only(directory)?);
    let watchdog = Watchdog::start().map_err(|source| EmbeddedError::File { path: file.clone(), source })?;
    let db = Db::open(&file, true, "FULL", &watchdog, Limits { time: Duration::MAX, bytes: usize::MAX })?;
    files::prepare(db.connection(), &file)?;
    let found = damage(&db).map_err(|error| EmbeddedError::Damaged(error.to_string()))?;
    match found.into_iter().next() {
        Some(first) => Err(EmbeddedError::Damaged(first)),
        None => Ok(()),
    }
}

/// Moves everything from one folder to another, the database last: without it there is nothing that a server would use.
fn place(from: &Path, to: &Path) -> Result<()> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| EmbeddedError::File { path, source }
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(at(from))? {
        names.push(entry.map_err(at(from))?.file_name());
    }
    names.sort_by_key(|name| name == files::DATABASE);
    for name in &names {
        if name != files::DATABASE && to.join(name).exists() {
            return Err(EmbeddedError::Occupied(to.join(name)));
        }
    }
    for name in &names {
        fs::rename(from.join(name), to.join(name)).map_err(at(&to.join(name)))?;
    }
    folders::sync(to).map_err(at(to))
}

/// What SQLite finds damaged: pages, the order of indexes, rows without their place in an index.
///
/// # Errors
/// SQLite's.
pub fn damage(db: &Db) -> StorageResult<Vec<String>> {
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut statement = db.connection().prepare("PRAGMA integrity_check")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let mut found = check().map_err(translate)?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Writes the database anew without the room of what was deleted. No server may run on it. Returns its bytes before and after.
///
/// # Errors
/// `InUse`; `File` if there is no database; `DiskFull`: while it is written anew, it takes its room twice.
pub fn compact(directory: &Path) -> Result<(u64, u64)> {
    let file = directory.join(files::DATABASE);
    let size = || {
        let file = fs::metadata(&file).map_err(|source| EmbeddedError::File { path: file.clone(), source })?;
        Ok::<_, EmbeddedError>(file.len())
    };
    size()?;
    let held = Directory::hold(directory)?;
    let watchdog = Watchdog::start().map_err(|source| EmbeddedError::File { path: file.clone(), source })?;
    let limits = Limits { time: Duration::MAX, bytes: usize::MAX };
    let db = Db::open(&held.database, true, "FULL", &watchdog, limits)?;
    files::prepare(db.connection(), &held.database)?;
    let to_file = || db.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    to_file()?;
    let before = size()?;
    db.connection().execute_batch("VACUUM")?;
    to_file()?;
    Ok((before, size()?))
}
