//! Updates and deletes rows.

use bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::filter::{self, Nearness};
use super::transaction::enter;
use super::{MongoStorage, decode, update};
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::query::filter::Resolved;
use crate::model::query::options::FindOptions;
use crate::model::schema::ClassSchema;
use crate::storage::{Result, StorageError, Transaction};

/// Updates the first matching row and returns it after the update.
pub(super) async fn update_one(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    update: &Update,
    tx: Option<&Transaction>,
) -> Result<Option<Object>> {
    let changes = update::document(schema, update)?;
    if changes.is_empty() {
        let options = FindOptions { limit: Some(1), ..FindOptions::default() };
        // Boxed, because it is rare and takes more memory than the update.
        return Ok(Box::pin(super::find::find(storage, schema, filter, &options, tx)).await?.pop());
    }
    let query = filter::document(schema, filter, Nearness::Unordered)?;
    let rows = storage.rows(&schema.name).clone_with_type::<bson::RawDocumentBuf>();
    let mut held = enter(tx).await?;
    let mut action = rows.find_one_and_update(query, changes).return_document(ReturnDocument::After);
    if let Some(held) = &mut held {
        action = action.session(held.session()?);
    }
    match storage.run(action).await? {
        Some(document) => decode::row(schema, &document).map(Some),
        None => Ok(None),
    }
}

/// Updates all matching rows.
pub(super) async fn update_many(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    update: &Update,
    tx: Option<&Transaction>,
) -> Result<u64> {
    let changes = update::document(schema, update)?;
    if changes.is_empty() {
        return super::find::count(storage, schema, filter, &FindOptions::default(), tx).await;
    }
    let query = filter::document(schema, filter, Nearness::Unordered)?;
    let rows = storage.rows(&schema.name);
    let mut held = enter(tx).await?;
    let mut action = rows.update_many(query, changes);
    if let Some(held) = &mut held {
        action = action.session(held.session()?);
    }
    Ok(storage.run_long(action).await?.matched_count)
}

/// Updates the first matching row or inserts one. If two requests insert the same row at once, one of them retries and
/// finds the row of the other.
pub(super) async fn upsert(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    update: &Update,
    tx: Option<&Transaction>,
) -> Result<()> {
    let query = filter::document(schema, filter, Nearness::Unordered)?;
    let mut changes = update::document(schema, update)?;
    if changes.is_empty() {
        changes = doc! { "$set": Document::new() };
    }
    let rows = storage.rows(&schema.name);
    let mut held = enter(tx).await?;
    let mut tries = if tx.is_some() { 1 } else { 3 };
    loop {
        tries -= 1;
        let mut action = rows.update_one(query.clone(), changes.clone()).upsert(true);
        if let Some(held) = &mut held {
            action = action.session(held.session()?);
        }
        match storage.run(action).await {
            Err(StorageError::Duplicate { .. }) if tries > 0 => {}
            result => return result.map(|_| ()),
        }
    }
}

/// Deletes all matching rows.
pub(super) async fn delete(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    tx: Option<&Transaction>,
) -> Result<u64> {
    let query = filter::document(schema, filter, Nearness::Unordered)?;
    let rows = storage.rows(&schema.name);
    let mut held = enter(tx).await?;
    let mut action = rows.delete_many(query);
    if let Some(held) = &mut held {
        action = action.session(held.session()?);
    }
    Ok(storage.run_long(action).await?.deleted_count)
}
