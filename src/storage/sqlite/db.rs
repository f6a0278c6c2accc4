//! A connection to the database file, with time limits for statements.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{CachedStatement, Connection, InterruptHandle, OpenFlags};

use super::error::{EmbeddedError, is_missing_table, translate};
use super::functions::{self, RowScore, RowTest, Running};
use crate::storage::{Result, StorageError};

/// Interval at which the watchdog checks running statements.
const LOOK: Duration = Duration::from_millis(50);

/// A running statement: its deadline and the handle to interrupt it.
struct Slot {
    deadline: Mutex<Option<Instant>>,
    handle: InterruptHandle,
}

/// Interrupts statements that exceed their time limit, until it is dropped.
pub struct Watchdog {
    slots: Arc<Mutex<Vec<Weak<Slot>>>>,
    _stop: mpsc::Sender<()>,
}

impl std::fmt::Debug for Watchdog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Watchdog")
    }
}

impl Watchdog {
    /// Starts its thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start() -> std::io::Result<Self> {
        let slots: Arc<Mutex<Vec<Weak<Slot>>>> = Arc::default();
        let (stop, stopped) = mpsc::channel::<()>();
        let watched = Arc::clone(&slots);
        thread::Builder::new().name("db-watchdog".to_owned()).spawn(move || {
            while stopped.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
                let mut slots = watched.lock().unwrap_or_else(PoisonError::into_inner);
                slots.retain(|slot| {
                    let Some(slot) = slot.upgrade() else { return false };
                    // Hold the lock during the interrupt, so that it never hits the next statement.
                    let deadline = slot.deadline.lock().unwrap_or_else(PoisonError::into_inner);
                    if deadline.is_some_and(|deadline| deadline <= functions::now()) {
                        slot.handle.interrupt();
                    }
                    true
                });
            }
        })?;
        Ok(Self { slots, _stop: stop })
    }

    fn watch(&self, connection: &Connection) -> Arc<Slot> {
        let slot = Arc::new(Slot { deadline: Mutex::new(None), handle: connection.get_interrupt_handle() });
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&slot));
        slot
    }
}

/// The processor time that this thread has used.
#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// On other systems the processor time is unknown, so every query counts as having run all the time.
#[cfg(not(target_os = "linux"))]
fn processor_time() -> Duration {
    functions::now().duration_since(*FIRST_SEARCH)
}

#[cfg(not(target_os = "linux"))]
static FIRST_SEARCH: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(functions::now);

/// Limits of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum time of a query.
    pub time: Duration,
    /// Maximum bytes of a result as text.
    pub bytes: usize,
}

/// A connection with the functions of this store.
pub struct Db {
    connection: Connection,
    slot: Arc<Slot>,
    limits: Limits,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Db")
    }
}

impl Db {
    /// Opens the file.
    ///
    /// # Errors
    /// SQLite's.
    pub fn open(
        file: &Path,
        write: bool,
        synchronous: &str,
        watchdog: &Watchdog,
        limits: Limits,
    ) -> rusqlite::Result<Self> {
        let mode = if write {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let connection = Connection::open_with_flags(file, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "cache_size", -16_000)?;
        connection.pragma_update(None, "temp_store", "FILE")?;
        // Indexes use the functions of this store; other code in the schema must not run.
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        if !write {
            connection.pragma_update(None, "query_only", true)?;
        }
        functions::register(&connection)?;
        let slot = watchdog.watch(&connection);
        Ok(Self { connection, slot, limits })
    }

    /// The connection itself.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Limits of queries.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Runs a query within its time limit, with its test and score for rows.
    ///
    /// # Errors
    /// `TimedOut`, and errors of `search`.
    pub fn search<T>(
        &self,
        test: Option<RowTest>,
        score: Option<RowScore>,
        search: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let deadline = functions::now() + self.limits.time;
        let begun = processor_time();
        let _running = Running::begin(test, score, Some(deadline));
        self.arm(Some(deadline));
        let result = search(self);
        self.arm(None);
        match result {
            // Most of the time the query did not get the processor: the machine is overloaded, and a retry can succeed.
            Err(StorageError::TimedOut) if processor_time().saturating_sub(begun) < self.limits.time / 2 => {
                Err(EmbeddedError::Starved.into())
            }
            result => result,
        }
    }

    fn arm(&self, deadline: Option<Instant>) {
        *self.slot.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// Prepares a statement, or takes it from the cache; `None` if its table does not exist.
    ///
    /// # Errors
    /// SQLite's.
    pub fn prepare(&self, sql: &str) -> Result<Option<CachedStatement<'_>>> {
        match self.connection.prepare_cached(sql) {
            Ok(statement) => Ok(Some(statement)),
            Err(error) if is_missing_table(&error) => Ok(None),
            Err(error) => Err(translate(error)),
        }
    }

    /// Runs a statement on existing tables; returns the number of changed rows.
    ///
    /// # Errors
    /// SQLite's.
    pub fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(parameters)).map_err(translate)
    }
}
