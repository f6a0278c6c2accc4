//! The writer: the only thread that changes the database.
//!
//! Queued writes run together in one transaction, each with its own savepoint, and are acknowledged when that
//! transaction is on disk.
//! A transaction of a caller occupies the thread until it ends or exceeds its time limit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use super::catalog::Catalog;
use super::db::Db;
use super::error::{EmbeddedError, describe, translate};
use super::files::Presence;
use super::functions::now;
use super::history::History;
use super::session::Session;
use super::transaction::{Current, Handle, Patience, Step, transaction};
use crate::storage::{Result, StorageError};

/// Maximum number of writes in a commit.
const GROUP: usize = 256;
/// Maximum time for which writes are collected before their commit.
const GATHER: Duration = Duration::from_millis(20);
/// Interval of deleting expired rows.
const SWEEP: Duration = Duration::from_mins(1);

/// The error of a failed commit, which applies to every write in it.
#[derive(Debug, Clone)]
struct Undone {
    text: String,
    disk_full: bool,
    gone: Option<PathBuf>,
}

impl Undone {
    fn of(error: &StorageError) -> Self {
        let gone = match error {
            StorageError::Unavailable(source) => match source.downcast_ref() {
                Some(EmbeddedError::Gone(file)) => Some(file.clone()),
                _ => None,
            },
            _ => None,
        };
        Self { text: describe(error), disk_full: matches!(error, StorageError::DiskFull(_)), gone }
    }

    fn error(self) -> StorageError {
        match self.gone {
            Some(file) => EmbeddedError::Gone(file).into(),
            None if self.disk_full => EmbeddedError::DiskFull.into(),
            None => EmbeddedError::Commit(self.text).into(),
        }
    }
}

/// Called after the commit of a write, or its failure.
type Reply = Box<dyn FnOnce(Option<Undone>) + Send>;
/// A write. It gets the session, or the error why there is none, and returns whether to keep its changes, and the
/// reply.
type Work = Box<dyn FnOnce(std::result::Result<&Session, Undone>) -> (bool, Reply) + Send>;

enum Task {
    Write(Work),
    Begin(oneshot::Sender<Handle>, Patience),
}

/// The channel to the writer.
#[derive(Debug)]
pub struct Writer {
    current: Current,
    /// Whether the last write failed because the disk is full.
    disk_full: Arc<AtomicBool>,
    patience: Patience,
    tasks: Mutex<Option<mpsc::SyncSender<Task>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Task")
    }
}

impl Writer {
    /// Starts the thread. At most `most` writes are queued; a transaction that exceeds `patience` is rolled back.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        db: Db,
        catalog: Arc<ArcSwap<Catalog>>,
        guards: (Arc<Presence>, Option<Arc<History>>),
        most: usize,
        patience: Patience,
    ) -> std::io::Result<Self> {
        let (tasks, queue) = mpsc::sync_channel(most);
        let session = Session::new(db, catalog, guards);
        let current = Current::default();
        let shown = Arc::clone(&current);
        let disk_full = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&disk_full);
        let thread =
            thread::Builder::new().name("db-write".to_owned()).spawn(move || work(&session, &queue, &shown, &told))?;
        Ok(Self { current, disk_full, patience, tasks: Mutex::new(Some(tasks)), thread: Mutex::new(Some(thread)) })
    }

    /// Fails while the disk is full. If the last write failed because of that, checks again with a write that changes
    /// nothing.
    ///
    /// # Errors
    /// `DiskFull`; `Unavailable` if the store is closed or the queue is full.
    pub async fn check_disk(&self) -> Result<()> {
        if !self.disk_full.load(Ordering::Relaxed) {
            return Ok(());
        }
        let write = |session: &Session| {
            let version: i64 =
                session.db.connection().query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(translate)?;
            session.db.connection().pragma_update(None, "user_version", version).map_err(translate)
        };
        self.run(write).await
    }

    fn send(&self, task: Task) -> Result<()> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.as_ref().ok_or(EmbeddedError::Closed)?.try_send(task).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => EmbeddedError::Busy.into(),
            mpsc::TrySendError::Disconnected(_) => EmbeddedError::Closed.into(),
        })
    }

    /// Runs a write, which is on disk when this returns.
    ///
    /// # Cancel safety
    /// The write continues if the caller is cancelled.
    ///
    /// # Errors
    /// `Unavailable` if the queue is full or the store is closed; errors of the write.
    pub async fn run<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (give, take) = oneshot::channel();
        self.send(Task::Write(Box::new(move |session: std::result::Result<&Session, Undone>| {
            let result = match session {
                Ok(session) => session.one(write),
                Err(undone) => Err(undone.error()),
            };
            let keep = result.is_ok();
            let reply: Reply = Box::new(move |failure: Option<Undone>| {
                let _ = give.send(match failure {
                    Some(undone) if keep => Err(undone.error()),
                    _ => result,
                });
            });
            (keep, reply)
        })))?;
        take.await.map_err(|_| EmbeddedError::Closed)?
    }

    /// Changes classes or indexes. Does not wait for the current transaction: the change runs inside it, and again if
    /// it is rolled back.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub async fn define(&self, change: impl Fn(&Session) -> Result<()> + Send + 'static) -> Result<()> {
        let (give, take) = oneshot::channel();
        let step = Step::Define(Box::new(change), give);
        match self.offer(step) {
            None => take.await.map_err(|_| EmbeddedError::Closed)?,
            Some(Step::Define(change, _)) => self.run(move |session| change(session)).await,
            Some(_) => Err(EmbeddedError::Closed.into()),
        }
    }

    /// Waits for the end of the current transaction, if there is one: what was defined inside it is on disk then.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub async fn settle(&self) -> Result<()> {
        let open = self.current.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if open { self.run(|_| Ok(())).await } else { Ok(()) }
    }

    /// Reads classes inside the current transaction, which may have changed them; `None` if there is none.
    pub async fn peek<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Session) -> Result<T> + Send + 'static,
    ) -> Option<Result<T>> {
        let (give, take) = oneshot::channel();
        let step = Step::Work(Box::new(move |session: &Session| {
            let _ = give.send(session.one(read));
        }));
        match self.offer(step) {
            None => take.await.ok(),
            Some(_) => None,
        }
    }

    /// Passes a step to the current transaction; returns the step if there is none.
    fn offer(&self, step: Step) -> Option<Step> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(steps) => steps.send(step).err().map(|refused| refused.0),
            None => Some(step),
        }
    }

    /// Begins a transaction after earlier ones have ended.
    ///
    /// # Errors
    /// `Unavailable` if the store is closed or the queue is full.
    pub async fn begin(&self) -> Result<Handle> {
        self.begin_with(self.patience).await
    }

    /// Like [`Writer::begin`], for steps of the server itself: only the time of the whole transaction is limited, because
    /// between two steps nothing happens that could be slow, however busy the machine is.
    ///
    /// # Errors
    /// As [`Writer::begin`].
    pub async fn begin_without_pause(&self) -> Result<Handle> {
        self.begin_with(Patience { idle: self.patience.total, ..self.patience }).await
    }

    async fn begin_with(&self, patience: Patience) -> Result<Handle> {
        let (give, take) = oneshot::channel();
        self.send(Task::Begin(give, patience))?;
        take.await.map_err(|_| EmbeddedError::Closed.into())
    }

    /// Accepts no more writes; returns the thread, which ends after the queued writes.
    pub fn stop(&self) -> Option<JoinHandle<()>> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The thread ends when its queue is empty and all senders have been dropped.
        drop(tasks);
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn work(session: &Session, queue: &mpsc::Receiver<Task>, current: &Current, disk_full: &AtomicBool) {
    let mut swept = now();
    let mut next = None;
    loop {
        let task = match next.take() {
            Some(task) => task,
            None => match queue.recv_timeout(SWEEP) {
                Ok(task) => task,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    sweep(session);
                    swept = now();
                    continue;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            },
        };
        match task {
            Task::Write(write) => next = group(session, write, queue, disk_full),
            Task::Begin(give, patience) => transaction(session, give, patience, current),
        }
        if now().duration_since(swept) > SWEEP {
            sweep(session);
            swept = now();
        }
    }
    let _ = session.db.connection().execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
}

/// Runs a write and the queued ones after it, and commits them; returns the task that must run next.
fn group(session: &Session, first: Work, queue: &mpsc::Receiver<Task>, disk_full: &AtomicBool) -> Option<Task> {
    if let Err(error) = session.execute("BEGIN IMMEDIATE") {
        let (_, reply) = first(Err(Undone::of(&error)));
        session.roll_back();
        reply(None);
        return None;
    }
    let started = now();
    let mut replies = Vec::new();
    let mut next = None;
    let mut write = first;
    let mut any = false;
    loop {
        let (keep, reply) = write(Ok(session));
        any |= keep;
        replies.push(reply);
        if replies.len() >= GROUP || now().duration_since(started) > GATHER || session.db.connection().is_autocommit() {
            break;
        }
        match queue.try_recv() {
            Ok(Task::Write(more)) => write = more,
            Ok(other) => {
                next = Some(other);
                break;
            }
            Err(_) => break,
        }
    }
    let failure = if any || session.db.connection().is_autocommit() { session.commit().err() } else { None };
    if failure.is_some() || !any {
        session.roll_back();
    }
    let failure = failure.as_ref().map(Undone::of);
    if let Some(undone) = &failure {
        tracing::error!(error = %undone.text, "writes were rolled back");
    }
    if any || failure.is_some() {
        disk_full.store(failure.as_ref().is_some_and(|undone| undone.disk_full), Ordering::Relaxed);
    }
    for reply in replies {
        reply(failure.clone());
    }
    next
}

/// Deletes expired rows.
fn sweep(session: &Session) {
    if session.execute("BEGIN IMMEDIATE").is_err() {
        return;
    }
    let done = session
        .catalog()
        .and_then(|catalog| super::write::remove_expired(session, &catalog))
        .and_then(|()| session.history().map_or(Ok(()), |history| history.sweep(&session.db)))
        .and_then(|()| session.commit());
    if let Err(error) = done {
        tracing::warn!(error = %describe(&error), "failed to delete expired rows");
        session.roll_back();
    }
}
