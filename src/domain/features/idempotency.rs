//! Deduplicates requests by `X-Parse-Request-Id`: the first one inserts a row with its id, and a unique index refuses
//! the second.

use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::Scoped;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::query::{Constraint, Filter};
use crate::storage::StorageError;

/// Records a request id for `idempotencyOptions.ttl` seconds. The unique index decides between two concurrent requests.
///
/// # Errors
/// 159 if a request with the same id was received before.
pub async fn remember(cx: &Context, id: &str) -> Result<()> {
    cx.admit_write()?;
    let class = cx.class(&ClassName::unchecked(names::IDEMPOTENCY));
    let now = cx.now();
    let mut row = Object::new();
    row.insert("objectId", cx.app.random.alphanumeric(usize::from(cx.app.options.database.object_id_size)));
    row.insert("createdAt", now);
    row.insert("updatedAt", now);
    row.insert("reqId", id);
    row.insert("expire", now.plus_seconds(cx.app.options.server.idempotency.ttl));
    match store::insert(cx, &class, row.clone()).await {
        Err(StorageError::Duplicate { .. }) => {}
        result => return result.map_err(failure),
    }
    // The store removes expired rows with a delay.
    let expired = Filter::eq("reqId", id).and(Filter::field("expire", Constraint::Lt(now.into())));
    if store::delete(cx, &class, &Scoped::internal(expired, "an id that may be used again")).await? == 0 {
        return Err(duplicate());
    }
    match store::insert(cx, &class, row).await {
        Err(StorageError::Duplicate { .. }) => Err(duplicate()),
        result => result.map_err(failure),
    }
}

fn duplicate() -> ParseError {
    ParseError::new(ErrorCode::DuplicateRequest, "Duplicate request")
}
