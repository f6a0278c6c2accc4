//! Several requests in one transaction.

use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::rehearsal::Rehearsal;
use crate::error::{ParseError, Result};
use crate::storage::StorageError;

/// The context in which the triggers of a transaction's parts are asked before it begins; `None`: the app has no code.
#[must_use]
pub fn rehearse(cx: &Context) -> Option<Context> {
    (!cx.app.triggers.is_empty()).then(|| cx.with_rehearsal(Rehearsal::default()))
}

/// The context of one part, by its number, of what [`rehearse`] or [`begin`] gave.
#[must_use]
pub fn part(cx: &Context, number: usize) -> Context {
    match cx.rehearsal() {
        Some(rehearsal) => cx.with_rehearsal(rehearsal.of_part(number)),
        None => cx.clone(),
    }
}

/// Begins a transaction: what is done with the context returned is part of it. `cx` may be one of [`rehearse`].
///
/// # Errors
/// When the store cannot begin one (MongoDB needs a replica set).
pub async fn begin(cx: &Context) -> Result<Context> {
    let transaction = cx.app.storage.begin().await.map_err(failure)?;
    let inside = cx.in_transaction(transaction);
    Ok(match cx.rehearsal() {
        Some(rehearsal) => inside.with_rehearsal(rehearsal.over()),
        None => inside,
    })
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
            if committed.is_ok()
                && let Some(deferred) = cx.deferred()
            {
                deferred.run().await;
            }
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
