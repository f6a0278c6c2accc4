//! Work that outlives its client: a write is carried through even when nobody waits for the answer.

use std::future::Future;
use std::panic::resume_unwind;

use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::error::{ParseError, Result};

/// Runs work of a request. If it `writes`, it runs to its end even when the client leaves; a stopping server waits for
/// `tasks`. A panic goes on in the caller.
///
/// # Errors
/// Those of the work; 1 when the runtime stops before it is done.
pub async fn run<T, F>(tasks: &TaskTracker, writes: bool, work: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    if !writes {
        return work.await;
    }
    match tasks.spawn(work.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(ParseError::internal(error)),
        },
    }
}
