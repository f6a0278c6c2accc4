//! Rows asked for by their ids. Those of a collection that are asked for while several are on their way, under the same
//! conditions, are read together. A command is sent after all that it answers were asked, so each sees what was written before.

use std::time::Duration;

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use futures_util::StreamExt as _;
use mongodb::Collection;
use mongodb::options::FindOptions as DriverFindOptions;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::batcher::Batcher;
use super::{MongoStorage, error};
use crate::model::query::options::{FindOptions, ReadPreference};
use crate::storage::Result;

/// Commands on their way at a time for reads that go together; they are short.
pub(super) const COMMANDS: usize = 4;
/// Most ids of one command.
const IDS: usize = 64;

/// Reads that one command can answer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    collection: String,
    /// The conditions besides the id, as bytes.
    conditions: Vec<u8>,
    keys: Option<Vec<String>>,
    preference: Option<ReadPreference>,
}

impl Kind {
    /// The kind of a read; `conditions`: those besides the id.
    pub(super) fn of(rows: &Collection<Document>, conditions: &Document, options: &FindOptions) -> Result<Self> {
        let conditions = RawDocumentBuf::try_from(conditions)
            .map_err(|error| error::storage(mongodb::error::Error::custom(error)))?;
        Ok(Self {
            collection: rows.name().to_owned(),
            conditions: conditions.into_bytes(),
            keys: options.keys.clone(),
            preference: options.read_preference,
        })
    }
}

/// A read that waits for its turn.
pub(super) struct Waiting {
    id: String,
    asks: Asks,
    answer: oneshot::Sender<Result<Option<RawDocumentBuf>>>,
}

/// What a read asks besides the id; reads of a kind ask the same.
pub(super) struct Asks {
    pub rows: Collection<Document>,
    pub conditions: Document,
    pub driver: DriverFindOptions,
}

/// The reads on their way.
pub(super) type Gets = Batcher<Kind, Waiting>;

/// The place of a command on its way, for a read that goes by itself. When that is over, or given up, what waits has the place.
pub(super) struct Place {
    gets: Gets,
    kind: Kind,
    timeout: Duration,
}

impl Place {
    /// A place, if one is free; else the kind back.
    pub(super) fn take(storage: &MongoStorage, kind: Kind) -> std::result::Result<Self, Kind> {
        if storage.gets.begin(&kind) {
            Ok(Self { gets: storage.gets.clone(), kind, timeout: storage.timeout })
        } else {
            Err(kind)
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where there is no runtime any more, nobody waits.
        if self.gets.end(&self.kind)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(drain(self.gets.clone(), self.kind.clone(), self.timeout));
        }
    }
}

/// The id, when a query asks for nothing but the row of one. It is taken out of the query.
pub(super) fn take_id(query: &mut Document, options: &FindOptions) -> Option<String> {
    let plain = options.skip == 0 && !options.case_insensitive && options.hint.is_none() && options.comment.is_none();
    let special = query.keys().any(|key| key == "$text") || options.keys.iter().flatten().any(|key| key == "$score");
    if !plain || special {
        return None;
    }
    match query.get("_id") {
        Some(Bson::String(_)) => match query.remove("_id") {
            Some(Bson::String(id)) => Some(id),
            _ => None,
        },
        _ => None,
    }
}

/// The row with this id that meets the conditions, read together with others.
pub(super) async fn together(
    storage: &MongoStorage,
    kind: Kind,
    id: String,
    asks: Asks,
) -> Result<Option<RawDocumentBuf>> {
    let (answer, answered) = oneshot::channel();
    if storage.gets.put(&kind, Waiting { id, asks, answer }) {
        tokio::spawn(drain(storage.gets.clone(), kind, storage.timeout));
    }
    // What goes before may hang; that counts as time of this operation. Closed only when the runtime goes down.
    storage.within(async { answered.await.unwrap_or_else(|_| Err(error::no_answer())) }).await
}

/// Sends what waits until nothing does.
async fn drain(gets: Gets, kind: Kind, timeout: Duration) {
    while let Some(mut batch) = gets.next(&kind, |waiting| waiting.len().min(IDS)) {
        // Nobody waits any more for what was given up.
        batch.retain(|waiting| !waiting.answer.is_closed());
        let failure = match tokio::time::timeout(timeout, read(&mut batch)).await {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(Some(failure)),
            Err(_) => Some(None),
        };
        for waiting in batch {
            let outcome = match &failure {
                None => Ok(None),
                Some(Some(failure)) => Err(error::storage(failure.clone())),
                Some(None) => Err(error::no_answer()),
            };
            // Whoever asked may be gone.
            let _ = waiting.answer.send(outcome);
        }
    }
}

/// Reads rows in one command and gives them to those who wait for them; who is left has none.
async fn read(batch: &mut Vec<Waiting>) -> mongodb::error::Result<()> {
    let Some(first) = batch.first_mut() else { return Ok(()) };
    let mut query = std::mem::take(&mut first.asks.conditions);
    let mut driver = std::mem::take(&mut first.asks.driver);
    let rows = first.asks.rows.clone();
    let mut ids: Vec<&str> = batch.iter().map(|waiting| waiting.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.as_slice() {
        [id] => query.insert("_id", *id),
        ids => query.insert("_id", doc! { "$in": ids.to_vec() }),
    };
    // As many rows as there can be, all in the first batch: the cursor ends with it.
    driver.limit = i64::try_from(ids.len()).ok();
    driver.batch_size = u32::try_from(ids.len()).ok();
    let mut batches = rows.find(query).with_options(driver).batch().await?;
    while let Some(found) = batches.next().await {
        for document in found?.doc_slices()?.into_iter().flatten() {
            if let Some(document) = document.as_document() {
                give(document, batch);
            }
        }
    }
    Ok(())
}

/// Gives a row to all who asked for it.
fn give(document: &RawDocument, batch: &mut Vec<Waiting>) {
    let Ok(id) = document.get_str("_id") else { return };
    while let Some(place) = batch.iter().position(|waiting| waiting.id == id) {
        let waiting = batch.swap_remove(place);
        let _ = waiting.answer.send(Ok(Some(document.to_owned())));
    }
}
