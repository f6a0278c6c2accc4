//! A caller's transaction: its steps run one after the other on the writer's thread, which it occupies until it ends or exceeds its time limit.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use super::error::describe;
use super::functions::now;
use super::session::Session;
use crate::storage::{Result, StorageError};

/// Time limits of a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the whole transaction.
    pub total: Duration,
    /// Between two steps.
    pub idle: Duration,
}

/// A change of classes or indexes. It runs again if the transaction in which it ran is rolled back.
pub(super) type Definition = Box<dyn Fn(&Session) -> Result<()> + Send>;

pub(super) enum Step {
    Work(Box<dyn FnOnce(&Session) + Send>),
    /// A step that is not part of the transaction but cannot wait for its end, because the transaction may wait for it.
    Define(Definition, oneshot::Sender<Result<()>>),
    Commit(oneshot::Sender<Result<()>>),
    Abort(oneshot::Sender<Result<()>>),
    /// The transaction has been dropped.
    Forgotten,
}

/// The channel to the current transaction, if there is one.
pub(super) type Current = Arc<Mutex<Option<mpsc::Sender<Step>>>>;

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

/// Runs the steps of a transaction until it ends, is dropped, or exceeds its time limit.
pub(super) fn transaction(session: &Session, give: oneshot::Sender<Handle>, patience: Patience, current: &Current) {
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
