//! Finds rows, counts, plans, distinct values.

use std::collections::HashSet;
use std::time::Duration;

use bson::{Bson, Document, RawBson, RawDocument, doc};
use futures_util::StreamExt as _;
use mongodb::options::{
    Collation, CollationStrength, CountOptions, DistinctOptions, FindOptions as DriverFindOptions, Hint,
};
use mongodb::raw_batch_cursor::RawBatch;
use serde_json::Value as Json;

use super::filter::{self, Nearness};
use super::heavy::heavy;
use super::names::{ALWAYS_READ, column, column_below};
use super::transaction::enter;
use super::{MongoStorage, decode, error, get, plain, present};
use crate::model::object::Object;
use crate::model::query::filter::Resolved;
use crate::model::query::options::{FindOptions, Sort};
use crate::model::rows::JsonRows;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::shape::Shape;
use crate::model::value::Value;
use crate::storage::{Result, StorageError, Transaction};

/// Finds the matching rows.
pub(super) async fn find(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    options: &FindOptions,
    tx: Option<&Transaction>,
) -> Result<Vec<Object>> {
    let mut found = Vec::new();
    let take = |document: &RawDocument| {
        found.push(decode::row(schema, document)?);
        Ok(())
    };
    each(storage, schema, filter, options, tx, take).await?;
    Ok(found)
}

/// Finds the matching rows, as JSON.
pub(super) async fn find_json(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    options: &FindOptions,
    shape: &Shape,
    tx: Option<&Transaction>,
) -> Result<JsonRows> {
    let mut rows = JsonRows::default();
    let mut columns = present::Columns::new(schema, shape);
    each(storage, schema, filter, options, tx, |document| columns.row(document, &mut rows)).await?;
    Ok(rows)
}

/// Calls a function for every matching document.
async fn each(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    options: &FindOptions,
    tx: Option<&Transaction>,
    mut take: impl FnMut(&RawDocument) -> Result<()> + Send,
) -> Result<()> {
    if options.limit == Some(0) {
        return Ok(());
    }
    let mut query = filter::document(schema, filter, Nearness::Ordered)?;
    let rows = storage.rows(&schema.name);
    let driver = driver_options(storage, schema, options)?;
    let mut _place = None;
    if tx.is_none()
        && let Some(id) = get::take_id(&mut query, options)
    {
        // The slot is held until the row has arrived.
        match get::Slot::take(storage, get::ReadKind::of(&rows, &query, options)?) {
            Ok(place) => {
                query.insert("_id", id);
                _place = Some(place);
            }
            Err(kind) => {
                let row = get::together(storage, kind, id, get::Asks { rows, conditions: query, driver }).await?;
                return row.map_or(Ok(()), |row| take(&row));
            }
        }
    }
    let action = rows.find(query).with_options(driver);
    let mut held = enter(tx).await?;
    let explained = |error: mongodb::error::Error| match (error::server(&error), filter::near_field(filter)) {
        (Some((_, text)), Some(field)) if text.contains("unable to find index for $geoNear") => {
            StorageError::NoGeoIndex(field.to_owned())
        }
        _ => error::storage(error),
    };
    storage
        .within(async {
            if let Some(held) = &mut held {
                let session = held.session()?;
                let mut cursor = action.session(&mut *session).batch().await.map_err(explained)?;
                let mut batches = cursor.stream(session);
                while let Some(batch) = batches.next().await {
                    take_batch(&batch.map_err(error::storage)?, &mut take).await?;
                }
            } else {
                let mut batches = action.batch().await.map_err(explained)?;
                while let Some(batch) = batches.next().await {
                    take_batch(&batch.map_err(error::storage)?, &mut take).await?;
                }
            }
            Ok(())
        })
        .await
}

/// Calls a function for every document of a batch.
async fn take_batch(batch: &RawBatch, take: &mut (impl FnMut(&RawDocument) -> Result<()> + Send)) -> Result<()> {
    let rows = batch.doc_slices().map_err(error::storage)?;
    let take_all = || {
        for item in rows {
            let item = item.map_err(|error| StorageError::Other(Box::new(error)))?;
            if let Some(document) = item.as_document() {
                take(document)?;
            }
        }
        Ok(())
    };
    heavy(rows.as_bytes().len(), take_all).await
}

/// Counts the matching rows.
pub(super) async fn count(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    options: &FindOptions,
    tx: Option<&Transaction>,
) -> Result<u64> {
    let query = filter::document(schema, filter, Nearness::Unordered)?;
    let rows = storage.rows(&schema.name);
    let driver = CountOptions::builder()
        .hint(hint(options.hint.as_ref())?)
        .max_time(storage.max_time)
        .collation(options.case_insensitive.then(case_insensitive))
        .selection_criteria(storage.members.selection(options.read_preference)?)
        .comment(options.comment.clone().map(Bson::String))
        .build();
    let mut held = enter(tx).await?;
    let mut action = rows.count_documents(query).with_options(driver);
    if let Some(held) = &mut held {
        action = action.session(held.session()?);
    }
    storage.run(action).await
}

/// The server's plan of a find.
pub(super) async fn explain(
    storage: &MongoStorage,
    schema: &ClassSchema,
    filter: &Resolved,
    options: &FindOptions,
    verbosity: &str,
) -> Result<Json> {
    let mut command = doc! {
        "find": storage.collection_name(schema.name.as_str()),
        "filter": filter::document(schema, filter, Nearness::Ordered)?,
    };
    if !options.sort.is_empty() {
        command.insert("sort", sort(schema, &options.sort));
    }
    if let Some(keys) = &options.keys {
        command.insert("projection", projection(schema, keys));
    }
    if options.skip > 0 {
        command.insert("skip", i64::try_from(options.skip).unwrap_or(i64::MAX));
    }
    if let Some(limit) = options.limit.filter(|limit| *limit > 0) {
        command.insert("limit", i64::try_from(limit).unwrap_or(i64::MAX));
    }
    match hint(options.hint.as_ref())? {
        Some(Hint::Name(name)) => command.insert("hint", name),
        Some(Hint::Keys(keys)) => command.insert("hint", keys),
        _ => None,
    };
    if options.case_insensitive {
        command.insert("collation", doc! { "locale": "en_US", "strength": 2 });
    }
    if let Some(comment) = &options.comment {
        command.insert("comment", comment);
    }
    command.insert("maxTimeMS", millis(storage.max_time));
    let mut action = storage.database.run_command(doc! { "explain": command, "verbosity": verbosity });
    if let Some(criteria) = storage.members.selection(options.read_preference)? {
        action = action.selection_criteria(criteria);
    }
    Ok(plain::json(Bson::Document(storage.run(action).await?)))
}

/// The distinct values of a field.
pub(super) async fn distinct(
    storage: &MongoStorage,
    schema: &ClassSchema,
    field: &str,
    filter: &Resolved,
) -> Result<Vec<Value>> {
    let query = filter::document(schema, filter, Nearness::Unordered)?;
    let rows = storage.rows(&schema.name);
    let column = column(schema, field);
    let options = DistinctOptions::builder().max_time(storage.max_time).build();
    let values = storage.run(rows.distinct(column.as_ref(), query).with_options(options)).await?;
    let pointer = match schema.kind(field) {
        Some(FieldType::Pointer(class)) => Some(class),
        _ => None,
    };
    let mut found = Vec::with_capacity(values.len());
    for value in values {
        let value = RawBson::try_from(value).map_err(|error| StorageError::Other(Box::new(error)))?;
        let value = match (pointer, &value) {
            (Some(class), RawBson::String(text)) => decode::pointer(class, text),
            _ => decode::value(value.as_raw_bson_ref()),
        };
        if !value.is_null() {
            found.push(value);
        }
    }
    Ok(found)
}

fn driver_options(storage: &MongoStorage, schema: &ClassSchema, options: &FindOptions) -> Result<DriverFindOptions> {
    // With a batch as large as the limit, no second batch is needed.
    let batch = options.limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(u32::MAX).min(storage.batch_size);
    Ok(DriverFindOptions::builder()
        .batch_size(batch)
        .sort((!options.sort.is_empty()).then(|| sort(schema, &options.sort)))
        .projection(options.keys.as_deref().map(|keys| projection(schema, keys)))
        .skip((options.skip > 0).then_some(options.skip))
        .limit(options.limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX)))
        .collation(options.case_insensitive.then(case_insensitive))
        .hint(hint(options.hint.as_ref())?)
        .comment(options.comment.clone().map(Bson::String))
        .selection_criteria(storage.members.selection(options.read_preference)?)
        .max_time(storage.max_time)
        .build())
}

/// The maximum `maxTimeMS` is a 32-bit number.
pub(super) fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

/// The collation of case-insensitive look-ups.
pub(super) fn case_insensitive() -> Collation {
    Collation::builder().locale("en_US").strength(CollationStrength::Secondary).build()
}

/// An index by name or keys.
pub(super) fn hint(hint: Option<&Json>) -> Result<Option<Hint>> {
    Ok(match hint {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => Some(Hint::Name(name.clone())),
        Some(Json::Object(keys)) => Some(Hint::Keys(plain::document(keys)?)),
        Some(_) => return Err(StorageError::Refused("The hint must be a text or an object".to_owned())),
    })
}

fn sort(schema: &ClassSchema, order: &[Sort]) -> Document {
    let mut sort = Document::new();
    for Sort { path, descending } in order {
        let (column, direction) = if path == "$score" {
            ("score".into(), Bson::Document(doc! { "$meta": "textScore" }))
        } else {
            (column_below(schema, path), Bson::Int32(if *descending { -1 } else { 1 }))
        };
        // Skip a field that is already a sort key.
        if !sort.contains_key(&column) {
            sort.insert(column, direction);
        }
    }
    sort
}

fn projection(schema: &ClassSchema, keys: &[String]) -> Document {
    let mut columns: Vec<String> = ALWAYS_READ.iter().map(|column| (*column).to_owned()).collect();
    let mut score = false;
    for key in keys {
        if key == "$score" {
            score = true;
            continue;
        }
        let first = key.split('.').next().unwrap_or(key);
        let column = match schema.kind(first) {
            // Relations have no column, and permissions always come.
            Some(FieldType::Relation(_) | FieldType::Acl) => continue,
            // A path below a pointer is in another row.
            Some(FieldType::Pointer(_)) => column(schema, first).into_owned(),
            _ => column_below(schema, key).into_owned(),
        };
        // With an invalid column name the database server would refuse the whole query.
        if column.is_empty()
            || column.starts_with('$')
            || column.split('.').any(|name| name.is_empty() || name.starts_with('$'))
            || column.contains('\0')
        {
            continue;
        }
        columns.push(column);
    }
    let mut projection = Document::new();
    let asked: HashSet<&str> = columns.iter().map(String::as_str).collect();
    for column in &columns {
        // The database server refuses a field together with a path inside it; the field contains both.
        let covered =
            column.match_indices('.').any(|(at, _)| column.get(..at).is_some_and(|outer| asked.contains(outer)));
        if !covered {
            projection.insert(column, 1);
        }
    }
    if score {
        projection.insert("score", doc! { "$meta": "textScore" });
    }
    projection
}
