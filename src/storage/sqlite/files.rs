//! The files of the store: directory, lock, database, format.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::EmbeddedError;
use super::keys::collation_version;
use super::schema;
use crate::model::schema::ClassSchema;
use crate::private_file;
use crate::storage::StorageError;
use crate::system::folders;

/// The format that this version writes.
pub const FORMAT: i64 = 1;
/// Application id of the database file: `RPrs`.
const APPLICATION: i64 = 0x5250_7273;
/// Name of the database file.
pub const DATABASE: &str = "reparse.db";
/// Name of the lock file.
const LOCK: &str = "reparse.lock";

type Result<T> = std::result::Result<T, EmbeddedError>;

/// The directory, locked by this process until this is dropped.
#[derive(Debug)]
pub struct Directory {
    /// The database file.
    pub database: PathBuf,
    /// The lock. It contains the process id, and nothing after a clean stop.
    lock: File,
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

/// The files of an open database, to notice that one of them is removed or replaced: what is written into a removed file
/// is lost when the process ends.
#[derive(Debug)]
pub struct Presence(Vec<(PathBuf, Identity)>);

/// What tells a file from another one with its name.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|_| (0, 0))
}

impl Presence {
    /// Remembers the files of an open database: the database itself, and its write-ahead log.
    #[must_use]
    pub fn of(database: &Path) -> Self {
        let files = [database.to_owned(), log_of(database)];
        Self(files.into_iter().filter_map(|file| identity(&file).map(|identity| (file, identity))).collect())
    }

    /// Checks that the files are still there.
    ///
    /// # Errors
    /// `Gone` with the first that is not.
    pub fn check(&self) -> Result<()> {
        match self.0.iter().find(|(file, known)| identity(file) != Some(*known)) {
            Some((file, _)) => Err(EmbeddedError::Gone(file.clone())),
            None => Ok(()),
        }
    }
}

/// The write-ahead log of a database.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> EmbeddedError + '_ {
    move |source| EmbeddedError::File { path: path.to_owned(), source }
}

impl Directory {
    /// Creates the directory if necessary and locks it.
    ///
    /// # Errors
    /// `InUse` with the process id of the other process; `File` if the directory cannot be used.
    pub fn hold(directory: &Path) -> Result<Self> {
        folders::private().recursive(true).create(directory).map_err(at(directory))?;
        let path = directory.join(LOCK);
        let mut lock = private_file::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = lock.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() { "?".to_owned() } else { pid.trim().to_owned() };
                return Err(EmbeddedError::InUse { directory: directory.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(at(&path)(source)),
        }
        let database = directory.join(DATABASE);
        let unclean = lock.metadata().is_ok_and(|lock| lock.len() > 0);
        if unclean && fs::metadata(&database).is_ok_and(|file| file.len() > 0) && !log_of(&database).exists() {
            tracing::warn!(
                directory = %directory.display(),
                "the server did not stop cleanly, and the write-ahead log of its database is missing: the latest writes are lost"
            );
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(at(&path))?;
        // Create the file here, so that it and the files next to it are private from the start.
        private_file::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&database)
            .map_err(at(&database))?;
        // Sync the directory too, so that the name of a new file is on disk.
        let _ = folders::sync(directory);
        Ok(Self { database, lock })
    }
}

/// Reads the classes of the store in a directory without locking it: SQLite permits reads during writes. Changes
/// nothing. Blocks during file operations.
///
/// # Errors
/// `File` if there is no store; errors of the database.
pub fn read_classes(directory: &Path) -> std::result::Result<Vec<ClassSchema>, StorageError> {
    schema::all(&read_only(directory)?)
}

/// Opens the database in a directory for reading only, without locking the directory.
///
/// # Errors
/// `File` if there is no store; `Damaged`, `TooNew`; errors of the database.
pub fn read_only(directory: &Path) -> Result<Connection> {
    let file = directory.join(DATABASE);
    fs::metadata(&file).map_err(at(&file))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let found = number("user_version")?;
    if number("application_id")? != APPLICATION {
        return Err(EmbeddedError::Damaged(format!("{} is not a database of this program", file.display())));
    }
    if found > FORMAT {
        return Err(EmbeddedError::TooNew { file: file.clone(), found, known: FORMAT });
    }
    Ok(connection)
}

/// Makes the place for a copy of a database: an empty file that only this user may read, in a directory that is made if need be.
///
/// # Errors
/// `File`, also if there is a database already.
pub fn make_place(directory: &Path) -> Result<PathBuf> {
    folders::private().recursive(true).create(directory).map_err(at(directory))?;
    let file = directory.join(DATABASE);
    private_file::options().write(true).create_new(true).open(&file).map_err(at(&file))?;
    Ok(file)
}

/// Upgrades a database to the format of this version; creates it if the file is empty.
///
/// # Errors
/// `TooNew`; `Damaged` if it is a database of another program; SQLite's.
pub fn prepare(connection: &Connection, file: &Path) -> Result<()> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let found = number("user_version")?;
    let application = number("application_id")?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && found == 0 {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             PRAGMA application_id = {APPLICATION};
             CREATE TABLE _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
             CREATE TABLE _classes (name TEXT PRIMARY KEY, definition TEXT NOT NULL) STRICT;
             CREATE TABLE _indexes (class TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (class, name)) STRICT;
             PRAGMA user_version = {FORMAT};
             COMMIT;"
        ))?;
    } else if application != APPLICATION {
        return Err(EmbeddedError::Damaged(format!("{} is a database of another program", file.display())));
    } else if found > FORMAT {
        return Err(EmbeddedError::TooNew { file: file.to_owned(), found, known: FORMAT });
    } else {
        migrate(connection, found, &STEPS)?;
    }
    super::index::rebuild_folded(connection, &collation_version())?;
    Ok(())
}

/// Upgrades a database from one format to the next.
type Step = fn(&Connection) -> rusqlite::Result<()>;

/// The upgrades; the first is from 1 to 2. Before another format is written, `compat/process/old-store.mjs` makes a database of the last one
/// for the tests.
const STEPS: [Step; 0] = [];

/// Walks from a format to the newest, each step in a transaction of its own.
fn migrate(connection: &Connection, found: i64, steps: &[Step]) -> Result<()> {
    for (step, format) in steps.iter().zip(1_i64..) {
        if format < found {
            continue;
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = step(connection)
            .and_then(|()| connection.execute_batch(&format!("PRAGMA user_version = {}; COMMIT;", format + 1)));
        if let Err(error) = done {
            let _ = connection.execute_batch("ROLLBACK");
            return Err(error.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_step_that_fails_leaves_the_format_before_it() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA user_version = 1").unwrap();
        let second: Step = |connection| connection.execute_batch("ALTER TABLE t ADD COLUMN b DEFAULT 2");
        let third: Step = |connection| connection.execute_batch("UPDATE t SET b = a + b");
        let fails: Step = |connection| connection.execute_batch("UPDATE t SET b = 9; SELECT nonsense");
        let row = || connection.query_row("SELECT a, b FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)));
        migrate(&connection, 1, &[second, fails]).unwrap_err();
        assert_eq!((format(&connection), row().unwrap()), (2, (1, 2)));
        migrate(&connection, 2, &[second, third]).unwrap();
        assert_eq!((format(&connection), row().unwrap()), (3, (1, 3)));
        migrate(&connection, 3, &[second, third]).unwrap();
        assert_eq!((format(&connection), row().unwrap()), (3, (1, 3)));
    }
}
