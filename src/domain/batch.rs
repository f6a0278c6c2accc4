//! Several requests in one transaction.

use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::error::{ParseError, Result};
use crate::storage::StorageError;

/// Begins a transaction: what is done with the context returned is part of it.
///
/// # Errors
/// When the store cannot begin one (MongoDB needs a replica set).
pub async fn begin(cx: &Context) -> Result<Context> {
    let transaction = cx.app.storage.begin().await.map_err(failure)?;
    Ok(cx.in_transaction(transaction))
}

/// Makes lasting what was done in the context's transaction.
///
/// # Errors
/// When the store cannot; then nothing was done.
pub async fn commit(cx: &Context) -> Result<()> {
    match &cx.transaction {
        Some(transaction) => {
            let committed = cx.app.storage.commit(transaction.clone()).await.map_err(failure);
            // What was forgotten at each write may have been read again before the commit.
            cx.app.caches.clear();
            committed
        }
        None => Ok(()),
    }
}

/// Undoes what was done in the context's transaction.
pub async fn abort(cx: &Context) {
    if let Some(transaction) = &cx.transaction
        && let Err(error) = cx.app.storage.abort(transaction.clone()).await
    {
        // The store undoes by itself what is never committed.
        tracing::warn!(%error, "a transaction could not be aborted");
    }
}

/// Whether the error says that two transactions met: the whole transaction may be tried again.
#[must_use]
pub fn is_conflict(error: &ParseError) -> bool {
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<StorageError>());
    matches!(source, Some(StorageError::WriteConflict))
}
