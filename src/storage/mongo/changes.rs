//! Every write to rows of some classes, by change stream, with the rows before and after.
//!
//! MongoDB 6.0 and later keeps the documents before and after each write of collections that ask for it
//! (`changeStreamPreAndPostImages`), for as long as its history reaches back.

use std::sync::Arc;

use bson::{Document, RawDocumentBuf, Timestamp, doc};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use mongodb::Database;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken, UpdateDescription};
use mongodb::options::{FullDocumentBeforeChangeType, FullDocumentType};
use tracing::warn;

use super::feed::{self, Feed};
use super::names::POINTER;
use super::{MongoStorage, SCHEMA_COLLECTION, decode, error};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::storage::{Change, Follower, Result, RowChange};

/// The protocol of MongoDB 6.0, the first that keeps documents before a write.
const KEEPS_IMAGES: i32 = 17;
/// The collection does not exist.
const NAMESPACE_NOT_FOUND: i32 = 26;

/// The changes; `None` where the database cannot give them with the rows before.
pub(super) async fn changes(
    storage: &MongoStorage,
    follower: Arc<dyn Follower>,
) -> Result<Option<BoxStream<'static, Change>>> {
    if feed::wire_version(storage).await?.is_none_or(|version| version < KEEPS_IMAGES) {
        return Ok(None);
    }
    let source = Source { database: storage.database.clone(), prefix: storage.prefix.clone(), follower };
    feed::follow(storage, source).await.map(Some)
}

/// The time of the last write that the database has applied.
pub(super) async fn position(storage: &MongoStorage) -> Result<u64> {
    let answer = storage.run(storage.database.run_command(doc! { "ping": 1 })).await?;
    Ok(answer.get_timestamp("operationTime").map_or(0, place))
}

fn place(time: Timestamp) -> u64 {
    u64::from(time.time) << 32 | u64::from(time.increment)
}

/// Has the database keep the documents before and after each write of a class; makes its collection, if need be.
pub(super) async fn keep_images(storage: &MongoStorage, class: &ClassName) -> Result<()> {
    let name = storage.collection_name(class.as_str());
    let images = doc! { "enabled": true };
    let change = doc! { "collMod": &name, "changeStreamPreAndPostImages": images.clone() };
    let missing = match storage.database.run_command(change.clone()).await {
        Ok(_) => return Ok(()),
        Err(error) => error::has_code(&error, &[NAMESPACE_NOT_FOUND]),
    };
    if missing {
        let make = doc! { "create": &name, "changeStreamPreAndPostImages": images };
        if storage.database.run_command(make).await.is_ok() {
            return Ok(());
        }
        // Somebody else has just made it.
    }
    storage.run(storage.database.run_command(change)).await.map(|_| ())
}

/// As [`keep_images`]; where it is not possible, the log says so.
pub(super) async fn keep_images_if_possible(storage: &MongoStorage, class: &ClassName) {
    if let Err(error) = keep_images(storage, class).await {
        warn!(%error, %class, "MongoDB does not keep the rows before writes: live queries do not know them");
    }
}

struct Source {
    database: Database,
    prefix: String,
    follower: Arc<dyn Follower>,
}

impl Feed for Source {
    type Document = RawDocumentBuf;
    type Item = Change;

    fn open(
        &self,
        token: Option<ResumeToken>,
    ) -> BoxFuture<'_, mongodb::error::Result<ChangeStream<ChangeStreamEvent<RawDocumentBuf>>>> {
        let schema = format!("{}{SCHEMA_COLLECTION}", self.prefix);
        let mut wanted = vec![doc! { "ns.coll": schema }, doc! { "ns.coll": { "$exists": false } }];
        wanted.push(self.classes());
        let pipeline = [doc! { "$match": { "$or": wanted } }];
        Box::pin(async move {
            let watch = self.database.watch().pipeline(pipeline).resume_after(token);
            let watch = watch.full_document(FullDocumentType::WhenAvailable);
            let watch = watch.full_document_before_change(FullDocumentBeforeChangeType::WhenAvailable);
            Ok(watch.await?.with_type())
        })
    }

    fn item(&mut self, change: ChangeStreamEvent<RawDocumentBuf>) -> BoxFuture<'_, Option<Change>> {
        Box::pin(self.change(change))
    }

    fn broken() -> Option<Change> {
        Some(Change::Broken)
    }

    fn resumed() -> Option<Change> {
        Some(Change::Resumed)
    }

    fn lost() -> Change {
        Change::Lost
    }
}

impl Source {
    /// Chooses classes in the database, where their patterns mean the same to it.
    fn classes(&self) -> Document {
        let patterns = self.follower.patterns();
        let plain = |pattern: &String| {
            pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'*'))
        };
        if !patterns.iter().chain([&self.prefix]).all(plain) {
            return doc! { "ns.coll": { "$exists": true } };
        }
        doc! { "ns.coll": { "$regex": format!("^{}(?:{})$", self.prefix, patterns.join("|")) } }
    }

    async fn change(&self, change: ChangeStreamEvent<RawDocumentBuf>) -> Option<Change> {
        let collection = change.ns.and_then(|namespace| namespace.coll)?;
        let class = collection.strip_prefix(&self.prefix)?;
        if class == SCHEMA_COLLECTION {
            return Some(Change::Schema);
        }
        if !self.follower.follows(class) {
            return None;
        }
        let made = match change.operation_type {
            OperationType::Insert => true,
            OperationType::Update | OperationType::Replace | OperationType::Delete => false,
            _ => return None,
        };
        if change.update_description.as_ref().is_some_and(is_internal) {
            return None;
        }
        let key = change.document_key?;
        let mut after = change.full_document;
        if after.is_none() && change.operation_type != OperationType::Delete {
            let rows = self.database.collection::<RawDocumentBuf>(&collection);
            let id = key.get("_id")?.clone();
            // Deleted in the meantime: that comes next.
            after = Some(rows.find_one(doc! { "_id": id }).await.ok().flatten()?);
        }
        let class = ClassName::unchecked(class);
        let (before, after) =
            (self.row(&class, change.full_document_before_change.as_ref()), self.row(&class, after.as_ref()));
        let id = before.as_ref().or(after.as_ref())?.get_str("objectId")?.to_owned();
        let position = change.cluster_time.map_or(0, place);
        let written_at = change.wall_time.map(|time| Date::from_millis(time.timestamp_millis()));
        Some(Change::Row(Box::new(RowChange { class, id, before, after, made, position, written_at })))
    }

    fn row(&self, class: &ClassName, document: Option<&RawDocumentBuf>) -> Option<Object> {
        let document = document?;
        let mut row = None;
        self.follower.with_schema(class, &mut |schema| {
            row = decode::row(schema, document).map_err(|error| warn!(%error, %class, "a row cannot be read")).ok();
        });
        row
    }
}

/// Whether an update touched nothing but what the server keeps in a row for itself, such as the count of failed log ins.
fn is_internal(update: &UpdateDescription) -> bool {
    let shown = |path: &str| {
        let column = path.split('.').next().unwrap_or(path);
        !column.starts_with('_')
            || column.starts_with(POINTER)
            || matches!(column, "_rperm" | "_wperm" | "_updated_at" | "_created_at" | "_acl")
    };
    let truncated = update.truncated_arrays.iter().flatten();
    !update.updated_fields.keys().any(|path| shown(path))
        && !update.removed_fields.iter().any(|path| shown(path))
        && !truncated.map(|array| array.field.as_str()).any(shown)
}
