//! The delete pipeline: admit, scope, delete, tell the class's rules.

use crate::domain::kernel::commands::Delete;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::{Operation, admit, scope};
use crate::domain::store;
use crate::error::Result;
use crate::model::query::Filter;

/// Deletes one row.
///
/// # Errors
/// 101 when there is none within reach, 119 when the class refuses, and what the class's rules say.
pub async fn delete(cx: &Context, delete: Delete) -> Result<()> {
    let Delete { class: class_name, id } = delete;
    let (class_name, id) = (&class_name, id.as_str());
    admit::refuse_caller(cx, class_name, Operation::Delete)?;
    // a class that nobody has made has no rows: 101, also where clients may not make classes
    let rules = cx.app.rules.of(class_name);
    rules.before_delete(cx, id).await?;
    let class = cx.class(class_name);
    scope::admit(cx, &class, Operation::Delete).await?;
    // what a caller cannot read at all, such as another's session, is out of reach here as well
    let row = Filter::eq("objectId", id).and(rules.read_filter(cx)?);
    let scope = scope::scope(cx, &class, Operation::Delete, row, None).await?;
    if store::delete(cx, &class, &scope).await? == 0 {
        return Err(rules.undeletable(cx));
    }
    cx.app.caches.forget(class_name.as_str(), Some(id));
    rules.after_delete(cx, id).await
}
