//! What other processes change, by change stream: of which rows what caches hold goes out of date.

use bson::{Document, RawBson, doc};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use mongodb::Database;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken};

use super::feed::{self, Feed};
use super::{MongoStorage, SCHEMA_COLLECTION, decode};
use crate::model::names::ClassName;
use crate::model::value::Value;
use crate::storage::{Event, Result};

/// The events; `None` if the database has no change streams.
pub(super) async fn watch(storage: &MongoStorage, classes: &[ClassName]) -> Result<Option<BoxStream<'static, Event>>> {
    if feed::wire_version(storage).await?.is_none() {
        return Ok(None);
    }
    let source =
        Source { database: storage.database.clone(), prefix: storage.prefix.clone(), classes: classes.to_vec() };
    feed::follow(storage, source).await.map(Some)
}

struct Source {
    database: Database,
    prefix: String,
    classes: Vec<ClassName>,
}

impl Feed for Source {
    type Document = Document;
    type Item = Event;

    fn open(
        &self,
        token: Option<ResumeToken>,
    ) -> BoxFuture<'_, mongodb::error::Result<ChangeStream<ChangeStreamEvent<Document>>>> {
        let mut names: Vec<String> = self.classes.iter().map(|class| format!("{}{class}", self.prefix)).collect();
        names.push(format!("{}{SCHEMA_COLLECTION}", self.prefix));
        let pipeline = [
            doc! { "$match": { "$or": [
                { "ns.coll": { "$in": names } },
                { "ns.coll": { "$exists": false } },
            ] } },
            // Request only names and ids.
            doc! { "$project": { "fullDocument": 0, "updateDescription": 0 } },
        ];
        Box::pin(async move { self.database.watch().pipeline(pipeline).resume_after(token).await })
    }

    fn item(&mut self, change: ChangeStreamEvent<Document>) -> BoxFuture<'_, Option<Event>> {
        Box::pin(std::future::ready(self.event(change)))
    }

    /// While the stream is broken, what is cached is in doubt.
    fn broken() -> Option<Event> {
        Some(Event::Lost)
    }

    fn resumed() -> Option<Event> {
        None
    }

    fn lost() -> Event {
        Event::Lost
    }
}

impl Source {
    fn event(&self, change: ChangeStreamEvent<Document>) -> Option<Event> {
        let Some(collection) = change.ns.and_then(|namespace| namespace.coll) else { return Some(Event::Lost) };
        let class = collection.strip_prefix(&self.prefix)?;
        if class == SCHEMA_COLLECTION {
            return Some(Event::Schema);
        }
        let id = match change.operation_type {
            OperationType::Insert | OperationType::Update | OperationType::Replace | OperationType::Delete => {
                change.document_key.as_ref().and_then(|key| key.get("_id")).and_then(|id| {
                    match decode::id(RawBson::try_from(id.clone()).ok()?.as_raw_bson_ref()) {
                        Value::String(id) => Some(id),
                        _ => None,
                    }
                })
            }
            _ => None,
        };
        Some(Event::Row { class: ClassName::unchecked(class), id })
    }
}
