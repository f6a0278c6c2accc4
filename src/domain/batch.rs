//! Several requests in one transaction.

use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::rehearsal::Rehearsal;
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;
use crate::storage::StorageError;

/// The context in which the before triggers of a transaction's parts run, identity providers are asked, and passwords are hashed, before
/// the transaction begins; `None` if the parts need none of it. `classes`: those of the objects. `before`: the context of the last attempt.
#[must_use]
pub fn rehearse<'a>(
    cx: &Context,
    mut classes: impl Iterator<Item = &'a str>,
    before: Option<&Context>,
) -> Option<Context> {
    if cx.app.triggers.is_empty() && !classes.any(|class| cx.app.rules.of(&ClassName::unchecked(class)).rehearses()) {
        return None;
    }
    let known = before.and_then(Context::rehearsal);
    Some(cx.with_rehearsal(known.map(Rehearsal::again).unwrap_or_default()))
}

/// The context of the part with this number, from the context of [`rehearse`] or [`begin`].
#[must_use]
pub fn part(cx: &Context, number: usize) -> Context {
    match cx.rehearsal() {
        Some(rehearsal) => cx.with_rehearsal(rehearsal.of_part(number)),
        None => cx.clone(),
    }
}

/// Begins a transaction. Everything done with the returned context is part of it. `cx` may be a context of
/// [`rehearse`].
///
/// # Errors
/// If the store cannot begin one (MongoDB needs a replica set).
pub async fn begin(cx: &Context) -> Result<Context> {
    let transaction = cx.app.storage.begin().await.map_err(failure)?;
    let inside = cx.in_transaction(transaction);
    Ok(match cx.rehearsal() {
        Some(rehearsal) => inside.with_rehearsal(rehearsal.over()),
        None => inside,
    })
}

/// Begins a transaction for the writes of one object, where the store has cheap ones and the request has no transaction
/// yet. Everything done with the returned context is part of it.
///
/// # Errors
/// If the store cannot begin one.
pub async fn begin_for_one(cx: &Context) -> Result<Option<Context>> {
    if cx.transaction.is_some() {
        return Ok(None);
    }
    let transaction = cx.app.storage.begin_for_one().await.map_err(failure)?;
    Ok(transaction.map(|transaction| cx.in_transaction(transaction)))
}

/// Ends a transaction of [`begin_for_one`]: commits it if the writes succeeded. The caller invalidates the caches of the
/// object.
///
/// # Errors
/// That of the writes, or of the commit; then nothing has been written.
pub async fn end_for_one<T>(cx: &Context, written: Result<T>) -> Result<T> {
    match (&cx.transaction, written) {
        (Some(transaction), Ok(written)) => {
            cx.app.storage.commit(transaction.clone()).await.map_err(failure)?;
            if let Some(deferred) = cx.deferred() {
                deferred.run().await;
            }
            Ok(written)
        }
        (_, written) => {
            abort(cx).await;
            written
        }
    }
}

/// Commits the context's transaction.
///
/// # Errors
/// If the commit fails; then the transaction has no effect.
pub async fn commit(cx: &Context) -> Result<()> {
    match &cx.transaction {
        Some(transaction) => {
            let committed = cx.app.storage.commit(transaction.clone()).await.map_err(failure);
            // Entries that were invalidated at each write may have been cached again before the commit.
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

/// Rolls back the context's transaction.
pub async fn abort(cx: &Context) {
    if let Some(transaction) = &cx.transaction
        && let Err(error) = cx.app.storage.abort(transaction.clone()).await
    {
        // The store rolls back a transaction that is never committed.
        tracing::warn!(%error, "failed to abort a transaction");
    }
}

/// Whether the error is a write conflict between transactions, after which the whole transaction can be retried.
#[must_use]
pub fn is_conflict(error: &ParseError) -> bool {
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<StorageError>());
    matches!(source, Some(StorageError::WriteConflict))
}
