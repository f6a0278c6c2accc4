//! Access to the store with [`Scoped`] filters, which limit it to the rows that the caller may reach. Storage errors
//! become
//! Parse errors here, except where the caller must know which unique index was violated.

use std::future::Future;
use std::sync::Arc;

use crate::domain::kernel::audit::What;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::noting::{id_in, note_write};
use crate::domain::permissions::Scoped;
use crate::error::Result;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::rows::JsonRows;
use crate::model::schema::{FieldType, IndexKeys};
use crate::model::shape::Shape;
use crate::model::value::Value;
use crate::storage::{IndexSpec, StorageError};

/// Finds rows.
///
/// # Errors
/// As [`failure`].
pub async fn find(cx: &Context, class: &Class, scope: &Scoped, options: &FindOptions) -> Result<Vec<Object>> {
    if scope.is_never() || options.limit == Some(0) {
        return Ok(Vec::new());
    }
    let (storage, transaction) = (&cx.app.storage, cx.transaction.as_ref());
    with_indexes(cx, class, scope, || storage.find(&class.schema, scope.filter(), options, transaction)).await
}

/// Like [`find`], with the rows as JSON text.
///
/// # Errors
/// As [`failure`].
pub async fn find_json(
    cx: &Context,
    class: &Class,
    scope: &Scoped,
    options: &FindOptions,
    shape: &Arc<Shape>,
) -> Result<JsonRows> {
    if scope.is_never() || options.limit == Some(0) {
        return Ok(JsonRows::default());
    }
    let (storage, transaction) = (&cx.app.storage, cx.transaction.as_ref());
    with_indexes(cx, class, scope, || storage.find_json(&class.schema, scope.filter(), options, shape, transaction))
        .await
}

/// Runs a query. If it needs an index that is created on demand, creates the index and runs the query again.
async fn with_indexes<T, F>(cx: &Context, class: &Class, scope: &Scoped, search: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = crate::storage::Result<T>>,
{
    index_searched_text(cx, class, scope).await?;
    match search().await {
        Err(StorageError::NoGeoIndex(field)) => {
            create_index_on_demand(cx, class, &field, "2d").await?;
            search().await.map_err(failure)
        }
        found => found.map_err(failure),
    }
}

/// Creates the index that a query needs (`F_2d`, `F_2dsphere`, `F_text`), as parse-server does.
///
/// # Errors
/// As [`failure`].
pub async fn create_index_on_demand(cx: &Context, class: &Class, field: &str, kind: &str) -> Result<()> {
    cx.admit_write()?;
    let mut keys = serde_json::Map::new();
    keys.insert(field.to_owned(), kind.into());
    let index = IndexSpec {
        name: format!("{field}_{kind}"),
        keys,
        unique: false,
        sparse: false,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    };
    cx.app.storage.create_indexes(&class.schema, &[index]).await.map_err(failure)
}

/// Creates the index of a text search and adds it to the class. A class has at most one such index, which all its text
/// searches use.
async fn index_searched_text(cx: &Context, class: &Class, scope: &Scoped) -> Result<()> {
    let Some(field) = searched_text(scope.filter()) else { return Ok(()) };
    let is_text = |keys: &IndexKeys| keys.values().any(|kind| kind == "text");
    let known = class.schema.fields.get(field).is_some_and(|field| field.kind == FieldType::String);
    if !known || !class.stored || class.schema.indexes.values().any(is_text) {
        return Ok(());
    }
    create_index_on_demand(cx, class, field, "text").await?;
    let real = cx.app.storage.indexes(&class.schema.name).await.map_err(failure)?;
    cx.app.storage.set_listed_indexes(&class.schema.name, &real).await.map_err(failure)?;
    cx.reload_schemas().await.map(|_| ())
}

/// The field of the `$text` search in a condition.
fn searched_text(filter: &Resolved) -> Option<&str> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) | Filter::Nor(parts) => parts.iter().find_map(searched_text),
        Filter::Field { path, constraint: Constraint::Text(_) } => Some(path),
        Filter::Field { .. } | Filter::All | Filter::Never => None,
        Filter::Unresolved(never) => match *never {},
    }
}

/// Finds the first row.
///
/// # Errors
/// As [`failure`].
pub async fn find_one(cx: &Context, class: &Class, scope: &Scoped) -> Result<Option<Object>> {
    let options = FindOptions { limit: Some(1), ..FindOptions::default() };
    Ok(find(cx, class, scope, &options).await?.pop())
}

/// Counts rows.
///
/// # Errors
/// As [`failure`].
pub async fn count(cx: &Context, class: &Class, scope: &Scoped, options: &FindOptions) -> Result<u64> {
    if scope.is_never() {
        return Ok(0);
    }
    index_searched_text(cx, class, scope).await?;
    cx.app.storage.count(&class.schema, scope.filter(), options, cx.transaction.as_ref()).await.map_err(failure)
}

/// Updates one row; `None` if none matches.
///
/// # Errors
/// The error of the store, so that the caller knows which unique index was violated.
pub async fn update_one(
    cx: &Context,
    class: &Class,
    scope: &Scoped,
    update: &Update,
) -> Result<Option<Object>, StorageError> {
    if scope.is_never() {
        return Ok(None);
    }
    let row = cx.app.storage.update_one(&class.schema, scope.filter(), update, cx.transaction.as_ref()).await?;
    if let Some(row) = &row {
        note_write(cx, What::Update, &class.schema.name, row.get_str("objectId"), columns(update), None).await;
    }
    Ok(row)
}

/// The columns that an update writes.
fn columns(update: &Update) -> impl Iterator<Item = &str> {
    update.0.iter().map(|(path, _)| path.as_str())
}

/// Updates all rows; returns their number.
///
/// # Errors
/// As [`failure`].
pub async fn update_many(cx: &Context, class: &Class, scope: &Scoped, update: &Update) -> Result<u64> {
    if scope.is_never() {
        return Ok(0);
    }
    let transaction = cx.transaction.as_ref();
    let count =
        cx.app.storage.update_many(&class.schema, scope.filter(), update, transaction).await.map_err(failure)?;
    if count > 0 {
        note_write(cx, What::Update, &class.schema.name, id_in(scope.filter()), columns(update), Some(count)).await;
    }
    Ok(count)
}

/// Updates the first row, or inserts one from the filter's equalities and the update.
///
/// # Errors
/// As [`failure`].
pub async fn upsert(cx: &Context, class: &Class, scope: &Scoped, update: &Update) -> Result<()> {
    cx.app.storage.upsert(&class.schema, scope.filter(), update, cx.transaction.as_ref()).await.map_err(failure)?;
    note_write(cx, What::Update, &class.schema.name, id_in(scope.filter()), columns(update), None).await;
    Ok(())
}

/// Inserts a row.
///
/// # Errors
/// The error of the store, so that the caller knows which unique index was violated.
pub async fn insert(cx: &Context, class: &Class, row: Object) -> Result<(), StorageError> {
    let Some(noted) = cx.app.auditor.as_ref().map(|_| row.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>())
    else {
        return cx.app.storage.insert(&class.schema, row, cx.transaction.as_ref()).await;
    };
    let id = row.get_str("objectId").map(str::to_owned);
    cx.app.storage.insert(&class.schema, row, cx.transaction.as_ref()).await?;
    let fields = noted.iter().map(String::as_str);
    note_write(cx, What::Create, &class.schema.name, id.as_deref(), fields, None).await;
    Ok(())
}

/// Deletes all rows; returns their number.
///
/// # Errors
/// As [`failure`].
pub async fn delete(cx: &Context, class: &Class, scope: &Scoped) -> Result<u64> {
    if scope.is_never() {
        return Ok(0);
    }
    let count = cx.app.storage.delete(&class.schema, scope.filter(), cx.transaction.as_ref()).await.map_err(failure)?;
    if count > 0 {
        let id = id_in(scope.filter());
        note_write(cx, What::Delete, &class.schema.name, id, std::iter::empty(), Some(count)).await;
    }
    Ok(count)
}

/// The condition that a row has this id.
#[must_use]
pub fn by_id(id: &str) -> Resolved {
    Filter::eq("objectId", id)
}

/// The condition that a row has one of these ids.
#[must_use]
pub fn by_ids(ids: impl IntoIterator<Item = String>) -> Resolved {
    let mut ids: Vec<Value> = ids.into_iter().map(Value::String).collect();
    match (ids.pop(), ids.is_empty()) {
        (Some(only), true) => Filter::eq("objectId", only),
        (last, _) => {
            ids.extend(last);
            Filter::field("objectId", Constraint::In(ids))
        }
    }
}

/// Takes an object that is gone out of the relations of one field, whoever has it there: with ids that clients choose, a later object with
/// its id would be a member.
///
/// # Errors
/// As [`failure`].
pub async fn leave_relations(cx: &Context, class: &ClassName, field: &str, member: &str) -> Result<()> {
    let (join, members) = (class.join(field), [member.to_owned()]);
    let pairs = cx.app.storage.owners(&join, Some(&members), cx.transaction.as_ref()).await.map_err(failure)?;
    for (owner, _) in pairs {
        change_relation(cx, class, field, &owner, &[], &members).await?;
    }
    Ok(())
}

/// Adds members to relations and removes members.
///
/// # Errors
/// As [`failure`].
pub async fn change_relation(
    cx: &Context,
    class: &ClassName,
    field: &str,
    owner: &str,
    add: &[String],
    remove: &[String],
) -> Result<()> {
    let join = class.join(field);
    let transaction = cx.transaction.as_ref();
    if !add.is_empty() {
        cx.app.storage.link(&join, owner, add, transaction).await.map_err(failure)?;
    }
    if !remove.is_empty() {
        cx.app.storage.unlink(&join, owner, remove, transaction).await.map_err(failure)?;
    }
    note_write(cx, What::Update, class, Some(owner), std::iter::once(field), None).await;
    Ok(())
}
