//! The writer: the only thread that changes the database.
//!
//! Queued writes run together in one transaction, each with its own savepoint, and are acknowledged when that
//! transaction is on disk.
//! A transaction of a caller occupies the thread until it ends or exceeds its time limit.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use super::catalog::Catalog;
use super::db::Db;
use super::error::{EmbeddedError, translate};
use super::files::Presence;
use super::functions::now;
use super::history::History;
use super::names::table;
use crate::model::names::ClassName;
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

/// Time limits of a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the whole transaction.
    pub total: Duration,
    /// Between two steps.
    pub idle: Duration,
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

/// A change of classes or indexes. It runs again if the transaction in which it ran is rolled back.
type Definition = Box<dyn Fn(&Session) -> Result<()> + Send>;

enum Step {
    Work(Box<dyn FnOnce(&Session) + Send>),
    /// A step that is not part of the transaction but cannot wait for its end, because the transaction may wait for it.
    Define(Definition, oneshot::Sender<Result<()>>),
    Commit(oneshot::Sender<Result<()>>),
    Abort(oneshot::Sender<Result<()>>),
    /// The transaction has been dropped.
    Forgotten,
}

/// The channel to the current transaction, if there is one.
type Current = Arc<Mutex<Option<mpsc::Sender<Step>>>>;

/// The context of a write.
#[derive(Debug)]
pub struct Session {
    /// The connection.
    pub db: Db,
    /// Tables known to exist.
    tables: RefCell<HashSet<ClassName>>,
    /// Whether indexes changed since the catalog was read.
    stale: RefCell<bool>,
    catalog: Arc<ArcSwap<Catalog>>,
    presence: Arc<Presence>,
    history: Option<Arc<History>>,
}

impl Session {
    /// The history that is kept of writes, if one is.
    pub fn history(&self) -> Option<&History> {
        self.history.as_deref()
    }

    /// The table of a class, which is created if necessary.
    ///
    /// # Errors
    /// SQLite's.
    pub fn table(&self, class: &ClassName) -> Result<String> {
        let name = table(class);
        if self.tables.borrow().contains(class) {
            return Ok(name);
        }
        for statement in super::schema::table_statements(class) {
            self.db.connection().execute(&statement, []).map_err(translate)?;
        }
        if let Some(history) = &self.history {
            history.follow(self.db.connection(), class)?;
        }
        self.tables.borrow_mut().insert(class.clone());
        Ok(name)
    }

    /// Records that indexes or tables have changed.
    pub fn changed(&self) {
        *self.stale.borrow_mut() = true;
        self.tables.borrow_mut().clear();
    }

    /// The current indexes, including changes of the current transaction.
    ///
    /// # Errors
    /// SQLite's.
    pub fn catalog(&self) -> Result<Arc<Catalog>> {
        if *self.stale.borrow() {
            return Catalog::read(self.db.connection()).map(Arc::new).map_err(translate);
        }
        Ok(self.catalog.load_full())
    }

    fn execute(&self, sql: &str) -> Result<()> {
        self.db.run(sql, []).map(|_| ())
    }

    fn refresh(&self) {
        if self.stale.replace(false)
            && let Ok(catalog) = Catalog::read(self.db.connection())
        {
            self.catalog.store(Arc::new(catalog));
        }
    }

    fn commit(&self) -> Result<()> {
        if self.db.connection().is_autocommit() {
            // SQLite rolled back the transaction: disk full or I/O error.
            return Err(EmbeddedError::Commit("the transaction was undone by the database".to_owned()).into());
        }
        self.presence.check()?;
        let reached = self.history.as_ref().map(|history| history.close_commit(&self.db)).transpose()?;
        self.execute("COMMIT")?;
        self.refresh();
        if let (Some(history), Some(reached)) = (&self.history, reached) {
            history.reach(reached);
        }
        Ok(())
    }

    fn roll_back(&self) {
        if !self.db.connection().is_autocommit() {
            let _ = self.db.connection().execute_batch("ROLLBACK");
        }
        self.tables.borrow_mut().clear();
        self.refresh();
    }

    /// Runs a write with a savepoint.
    fn one<T>(&self, write: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.execute("SAVEPOINT one")?;
        let result = write(self);
        if result.is_err() && !self.db.connection().is_autocommit() {
            self.tables.borrow_mut().clear();
            self.execute("ROLLBACK TO one")?;
        }
        if !self.db.connection().is_autocommit() {
            self.execute("RELEASE one")?;
        }
        result
    }
}

/// A caller's transaction: the channel to the thread that runs its steps. It is rolled back if it is dropped before
/// it ends.
#[derive(Debug)]
pub struct Handle {
    steps: mpsc::Sender<Step>,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Step")
    }
}

impl Handle {
    /// Runs a step of the transaction.
    ///
    /// # Errors
    /// `TimedOut` if the transaction has already ended; errors of `work`.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Session) -> Result<T> + Send + 'static) -> Result<T> {
        let (give, take) = oneshot::channel();
        let step = Step::Work(Box::new(move |session: &Session| {
            let _ = give.send(session.one(work));
        }));
        self.steps.send(step).map_err(|_| StorageError::TimedOut)?;
        take.await.map_err(|_| StorageError::TimedOut)?
    }

    async fn end(&self, step: impl FnOnce(oneshot::Sender<Result<()>>) -> Step) -> Result<()> {
        let (give, take) = oneshot::channel();
        self.steps.send(step(give)).map_err(|_| StorageError::TimedOut)?;
        take.await.map_err(|_| StorageError::TimedOut)?
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// `TimedOut` if it has already ended.
    pub async fn commit(&self) -> Result<()> {
        self.end(Step::Commit).await
    }

    /// Rolls back the transaction.
    ///
    /// # Errors
    /// `TimedOut` if it has already been rolled back.
    pub async fn abort(&self) -> Result<()> {
        self.end(Step::Abort).await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.steps.send(Step::Forgotten);
    }
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
        (presence, history): (Arc<Presence>, Option<Arc<History>>),
        most: usize,
        patience: Patience,
    ) -> std::io::Result<Self> {
        let (tasks, queue) = mpsc::sync_channel(most);
        let session =
            Session { db, tables: RefCell::default(), stale: RefCell::new(false), catalog, presence, history };
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

/// An error and its causes in one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = inner.source();
    }
    text
}

/// Runs the steps of a transaction until it ends, is dropped, or exceeds its time limit.
fn transaction(session: &Session, give: oneshot::Sender<Handle>, patience: Patience, current: &Current) {
    if session.execute("BEGIN IMMEDIATE").is_err() {
        return;
    }
    let (steps, queue) = mpsc::channel();
    let show = |steps| *current.lock().unwrap_or_else(PoisonError::into_inner) = steps;
    show(Some(steps.clone()));
    let mut defined = Vec::new();
    if give.send(Handle { steps }).is_ok() {
        serve(session, &queue, patience, &mut defined);
    } else {
        session.roll_back();
    }
    // Whoever reads classes waits for this transaction until what it rolled back is there again.
    for change in defined {
        let _ = define_alone(session, &change);
    }
    show(None);
    for step in queue.try_iter() {
        if let Step::Define(change, reply) = step {
            let _ = reply.send(define_alone(session, &change));
        }
    }
}

/// Changes classes in a transaction of its own.
fn define_alone(session: &Session, change: &Definition) -> Result<()> {
    let done = session.execute("BEGIN IMMEDIATE").and_then(|()| session.one(|session| change(session)));
    done.and_then(|()| session.commit()).inspect_err(|error| {
        session.roll_back();
        tracing::warn!(error = %describe(error), "failed to change classes");
    })
}

/// Runs the steps of a transaction. Changes that remain in `defined` were rolled back with it.
fn serve(session: &Session, queue: &mpsc::Receiver<Step>, patience: Patience, defined: &mut Vec<Definition>) {
    let end = now() + patience.total;
    loop {
        let left = end.saturating_duration_since(now()).min(patience.idle);
        match queue.recv_timeout(left.max(Duration::from_millis(1))) {
            Ok(Step::Work(work)) if now() < end => work(session),
            Ok(Step::Define(change, reply)) => {
                let done = session.one(|session| change(session));
                if done.is_ok() {
                    defined.push(change);
                }
                let _ = reply.send(done);
            }
            Ok(Step::Commit(reply)) => {
                let result = session.commit();
                match &result {
                    Ok(()) => defined.clear(),
                    Err(_) => session.roll_back(),
                }
                let _ = reply.send(result);
                return;
            }
            Ok(Step::Abort(reply)) => {
                session.roll_back();
                let _ = reply.send(Ok(()));
                return;
            }
            Ok(Step::Work(_) | Step::Forgotten) | Err(_) => {
                session.roll_back();
                return;
            }
        }
    }
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
