//! Reads rows by their ids. While several reads with the same conditions are in flight for a collection, further ones
//! are batched. A batched read is sent only after every request in it has arrived, so each one sees all earlier
//! acknowledged writes.

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

/// Maximum number of commands in flight for reads of one kind; they are short.
pub(super) const COMMANDS: usize = 4;
/// Maximum number of ids in a command.
const IDS: usize = 64;

/// Reads that can be batched into one command.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct ReadKind {
    collection: String,
    /// The conditions other than the id, as bytes.
    conditions: Vec<u8>,
    keys: Option<Vec<String>>,
    preference: Option<ReadPreference>,
}

impl ReadKind {
    /// The kind of a read; `conditions` are those other than the id.
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

/// A queued read.
pub(super) struct Waiting {
    id: String,
    asks: Asks,
    answer: oneshot::Sender<Result<Option<RawDocumentBuf>>>,
}

/// The parameters of a read other than the id, which are equal for reads of a kind.
pub(super) struct Asks {
    pub rows: Collection<Document>,
    pub conditions: Document,
    pub driver: DriverFindOptions,
}

/// The reads in flight.
pub(super) type Gets = Batcher<ReadKind, Waiting>;

/// The slot of a read that is sent alone. When it ends or is cancelled, queued reads get the slot.
pub(super) struct Slot {
    gets: Gets,
    kind: ReadKind,
    timeout: Duration,
}

impl Slot {
    /// Reserves a slot if one is free; otherwise returns the kind.
    pub(super) fn take(storage: &MongoStorage, kind: ReadKind) -> std::result::Result<Self, ReadKind> {
        if storage.gets.begin(&kind) {
            Ok(Self { gets: storage.gets.clone(), kind, timeout: storage.timeout })
        } else {
            Err(kind)
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Without a runtime there are no waiting requests.
        if self.gets.end(&self.kind)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(drain(self.gets.clone(), self.kind.clone(), self.timeout));
        }
    }
}

/// The id, if a query is for the row with one id. The id is removed from the query.
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

/// Reads the row with this id that matches the conditions, batched with others.
pub(super) async fn together(
    storage: &MongoStorage,
    kind: ReadKind,
    id: String,
    asks: Asks,
) -> Result<Option<RawDocumentBuf>> {
    let (answer, answered) = oneshot::channel();
    if storage.gets.put(&kind, Waiting { id, asks, answer }) {
        tokio::spawn(drain(storage.gets.clone(), kind, storage.timeout));
    }
    // The time in the queue counts towards the timeout of this operation. The channel is closed only when the runtime
    // stops.
    storage.within(async { answered.await.unwrap_or_else(|_| Err(error::no_answer())) }).await
}

/// Sends batches until the queue is empty.
async fn drain(gets: Gets, kind: ReadKind, timeout: Duration) {
    while let Some(mut batch) = gets.next(&kind, |waiting| waiting.len().min(IDS)) {
        // Skip cancelled reads.
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
            // The request may have been cancelled.
            let _ = waiting.answer.send(outcome);
        }
    }
}

/// Reads rows with one command and passes them to the waiting requests; those without a row get none.
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
    // The first batch is large enough for all rows, so the cursor ends with it.
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

/// Passes a row to all requests for it.
fn give(document: &RawDocument, batch: &mut Vec<Waiting>) {
    let Ok(id) = document.get_str("_id") else { return };
    while let Some(place) = batch.iter().position(|waiting| waiting.id == id) {
        let waiting = batch.swap_remove(place);
        let _ = waiting.answer.send(Ok(Some(document.to_owned())));
    }
}
