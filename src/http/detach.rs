//! Runs writes to their end, even if the client disconnects.

use std::future::Future;
use std::panic::resume_unwind;

use futures_util::future::Either;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::error::{ParseError, Result};
use crate::traces;

/// Runs the work of a request. If it `writes`, it starts at once, in a task of its own, and runs to its end even if the client
/// disconnects; shutdown waits for `tasks`. A panic is propagated to the caller.
///
/// # Errors
/// The errors of the work; 1 if the runtime stops before it is done.
// Not `async`: such a function holds its argument twice, and `work` is most of what a request keeps in memory.
pub fn run<T, F>(tasks: &TaskTracker, writes: bool, work: F) -> impl Future<Output = Result<T>> + use<T, F>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    if writes { Either::Left(outcome(tasks.spawn(traces::carry(work).in_current_span()))) } else { Either::Right(work) }
}

async fn outcome<T>(task: JoinHandle<Result<T>>) -> Result<T> {
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(ParseError::internal(error)),
        },
    }
}
