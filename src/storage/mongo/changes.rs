//! Every write to rows of some classes, by change stream, with the rows before and after.
//!
//! MongoDB 6.0 and later keeps the documents before and after each write of collections that ask for it
//! (`changeStreamPreAndPostImages`), for as long as its history reaches back.

use std::sync::Arc;

use bson::{Document, RawDocumentBuf, Timestamp, doc};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use mongodb::Database;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken, UpdateDescription};
use mongodb::options::{FullDocumentBeforeChangeType, FullDocumentType};
use tracing::warn;

use super::feed::{self, Feed, SILENCE};
use super::names::POINTER;
use super::{MongoStorage, SCHEMA_COLLECTION, decode, error};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::storage::{After, Change, Follower, Result, RowChange};

/// The protocol of MongoDB 6.0, the first that keeps documents before a write.
const KEEPS_IMAGES: i32 = 17;
/// The history does not reach back to the time or the token.
const HISTORY_LOST: i32 = 286;
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

/// The writes after some and up to a place; `None`: the history of the database, or what is wanted of it, does not reach back so far.
pub(super) async fn changes_between(
    storage: &MongoStorage,
    follower: Arc<dyn Follower>,
    after: After,
    until: u64,
    oldest: Date,
) -> Result<Option<BoxStream<'static, Result<RowChange>>>> {
    if i64::from(time(after.position).time) < oldest.millis() / 1000 {
        return Ok(None);
    }
    let source = Source { database: storage.database.clone(), prefix: storage.prefix.clone(), follower };
    let opened = tokio::time::timeout(SILENCE, source.watch(None, Some(time(after.position)))).await;
    let changes = match opened.map_err(|_| error::no_answer())? {
        Ok(changes) => changes,
        Err(error) if error::has_code(&error, &[HISTORY_LOST]) => return Ok(None),
        Err(error) => return Err(error::storage(error)),
    };
    let past = Past { source, changes, after, until };
    Ok(Some(stream::try_unfold(past, Past::next).boxed()))
}

/// A part of the history that is read once.
struct Past {
    source: Source,
    changes: ChangeStream<ChangeStreamEvent<RawDocumentBuf>>,
    after: After,
    until: u64,
}

impl Past {
    async fn next(mut self) -> Result<Option<(RowChange, Self)>> {
        loop {
            let answer = tokio::time::timeout(SILENCE, self.changes.next_if_any()).await;
            let Some(change) = answer.map_err(|_| error::no_answer())?.map_err(error::storage)? else {
                if !self.changes.is_alive() || self.is_read() {
                    return Ok(None);
                }
                continue;
            };
            let position = change.cluster_time.map_or(0, place);
            if position > self.until {
                return Ok(None);
            }
            let is_known = position < self.after.position
                || position == self.after.position
                    && self.after.mark.as_deref().is_none_or(|last| mark(&change.id).is_none_or(|mark| *mark <= *last));
            if is_known {
                continue;
            }
            if let Some(Change::Row(row)) = self.source.change(change).await {
                return Ok(Some((*row, self)));
            }
        }
    }

    /// Whether the database has looked at everything up to the end: its token says how far it has come.
    fn is_read(&self) -> bool {
        let token = self.changes.resume_token();
        token.as_ref().and_then(mark).and_then(|mark| time_of(&mark)).is_some_and(|time| time >= self.until)
    }
}

/// The text of a token; texts are in the order of the changes.
fn mark(token: &ResumeToken) -> Option<String> {
    let token = bson::serialize_to_bson(token).ok()?;
    Some(token.as_document()?.get_str("_data").ok()?.to_owned())
}

/// The time in a token's text, with which it begins: the byte 82, seconds, increment.
fn time_of(mark: &str) -> Option<u64> {
    let time = mark.strip_prefix("82")?.get(..16)?;
    u64::from_str_radix(time, 16).ok()
}

/// The time of the last write that the database has applied.
pub(super) async fn position(storage: &MongoStorage) -> Result<u64> {
    let answer = storage.run(storage.database.run_command(doc! { "ping": 1 })).await?;
    Ok(answer.get_timestamp("operationTime").map_or(0, place))
}

#[expect(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
const fn time(place: u64) -> Timestamp {
    Timestamp { time: (place >> 32) as u32, increment: place as u32 }
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
        self.watch(token, None)
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
    /// Opens the change stream after a token, or at a time.
    fn watch(
        &self,
        token: Option<ResumeToken>,
        from: Option<Timestamp>,
    ) -> BoxFuture<'_, mongodb::error::Result<ChangeStream<ChangeStreamEvent<RawDocumentBuf>>>> {
        let schema = format!("{}{SCHEMA_COLLECTION}", self.prefix);
        let mut wanted = vec![doc! { "ns.coll": schema }, doc! { "ns.coll": { "$exists": false } }];
        wanted.push(self.classes());
        let pipeline = [doc! { "$match": { "$or": wanted } }];
        Box::pin(async move {
            let watch = self.database.watch().pipeline(pipeline);
            let watch = match from {
                Some(time) => watch.start_at_operation_time(time),
                None => watch.resume_after(token),
            };
            let watch = watch.full_document(FullDocumentType::WhenAvailable);
            let watch = watch.full_document_before_change(FullDocumentBeforeChangeType::WhenAvailable);
            Ok(watch.await?.with_type())
        })
    }

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
        let mark = mark(&change.id).map(Arc::from);
        let written_at = change.wall_time.map(|time| Date::from_millis(time.timestamp_millis()));
        Some(Change::Row(Box::new(RowChange { class, id, before, after, made, position, mark, written_at })))
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
