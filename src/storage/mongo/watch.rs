//! What other processes change, by change stream.

use std::time::Duration;

use bson::{Document, RawBson, doc};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken};
use mongodb::error::ErrorKind;
use mongodb::{Client, Database};
use tracing::{debug, warn};

use super::{MongoStorage, SCHEMA_COLLECTION, decode, error};
use crate::model::names::ClassName;
use crate::model::value::Value;
use crate::storage::{Event, Result};

/// Pauses between attempts to open a stream again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a server may keep silent; it answers once a second.
const SILENCE: Duration = Duration::from_secs(10);

type Changes = ChangeStream<ChangeStreamEvent<Document>>;

/// The events; `None` where the database has no change streams.
pub(super) async fn watch(storage: &MongoStorage, classes: &[ClassName]) -> Result<Option<BoxStream<'static, Event>>> {
    let hello = storage.run(storage.database.run_command(doc! { "hello": 1 })).await?;
    let sharded = hello.get_str("msg").is_ok_and(|message| message == "isdbgrid");
    if !hello.contains_key("setName") && !sharded {
        return Ok(None);
    }
    let source = Source {
        client: storage.client.clone(),
        database: storage.database.clone(),
        prefix: storage.prefix.clone(),
        classes: classes.to_vec(),
    };
    let changes = storage.run(source.open(None)).await?;
    let watcher = Watcher { source, changes: Some(changes), token: None, pause: FIRST_PAUSE };
    Ok(Some(stream::unfold(watcher, Watcher::next).boxed()))
}

struct Source {
    // Keeps the connections alive as long as the stream is.
    #[expect(dead_code, reason = "held for its effect alone")]
    client: Client,
    database: Database,
    prefix: String,
    classes: Vec<ClassName>,
}

impl Source {
    async fn open(&self, token: Option<ResumeToken>) -> mongodb::error::Result<Changes> {
        let mut names: Vec<String> = self.classes.iter().map(|class| format!("{}{class}", self.prefix)).collect();
        names.push(format!("{}{SCHEMA_COLLECTION}", self.prefix));
        let pipeline = [
            doc! { "$match": { "$or": [
                { "ns.coll": { "$in": names } },
                { "ns.coll": { "$exists": false } },
            ] } },
            // Only names and ids travel.
            doc! { "$project": { "fullDocument": 0, "updateDescription": 0 } },
        ];
        self.database.watch().pipeline(pipeline).resume_after(token).await
    }

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

struct Watcher {
    source: Source,
    changes: Option<Changes>,
    token: Option<ResumeToken>,
    pause: Duration,
}

impl Watcher {
    /// The next event. After a break the stream goes on where it was; while it cannot, what is cached is in doubt, so a
    /// break itself is an event.
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            let Some(changes) = &mut self.changes else {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                let opened = tokio::time::timeout(SILENCE, self.source.open(self.token.clone())).await;
                let Ok(opened) = opened else { continue };
                match opened {
                    Ok(changes) => {
                        self.changes = Some(changes);
                        self.pause = FIRST_PAUSE;
                        if self.token.is_none() {
                            return Some((Event::Lost, self));
                        }
                    }
                    Err(error) if matches!(*error.kind, ErrorKind::Shutdown) => return None,
                    Err(error) => {
                        debug!(%error, "the change stream cannot be opened again yet");
                        // The server answered, and will not resume there: the history is gone.
                        if error::server(&error).is_some() {
                            self.token = None;
                        }
                    }
                }
                continue;
            };
            // Without news the server answers once a second; when it does not answer at all, the connection is dead.
            let answer = tokio::time::timeout(SILENCE, changes.next_if_any()).await;
            self.token = changes.resume_token().or(self.token);
            match answer {
                Ok(Ok(Some(change))) => {
                    if matches!(change.operation_type, OperationType::Invalidate | OperationType::DropDatabase) {
                        self.changes = None;
                        self.token = None;
                        return Some((Event::Lost, self));
                    }
                    if let Some(event) = self.source.event(change) {
                        return Some((event, self));
                    }
                }
                Ok(Ok(None)) if changes.is_alive() => {}
                Ok(Ok(None)) => {
                    self.changes = None;
                    self.token = None;
                    return Some((Event::Lost, self));
                }
                Ok(Err(error)) if matches!(*error.kind, ErrorKind::Shutdown) => return None,
                Ok(Err(error)) => {
                    warn!(%error, "the change stream broke and is opened again");
                    self.changes = None;
                    return Some((Event::Lost, self));
                }
                Err(_) => {
                    warn!("the change stream gets no answer and is opened again");
                    self.changes = None;
                    return Some((Event::Lost, self));
                }
            }
        }
    }
}
