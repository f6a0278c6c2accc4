//! Runs writes to their end, even if the client disconnects.

use std::future::Future;
use std::panic::resume_unwind;

use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::error::{ParseError, Result};
use crate::traces;

/// Runs the work of a request. If it `writes`, it runs to its end even if the client disconnects; shutdown waits for
/// `tasks`. A panic is propagated to the caller.
///
/// # Errors
/// The errors of the work; 1 if the runtime stops before it is done.
pub async fn run<T, F>(tasks: &TaskTracker, writes: bool, work: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    if !writes {
        return work.await;
    }
    match tasks.spawn(traces::carry(work).in_current_span()).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(ParseError::internal(error)),
        },
    }
}
