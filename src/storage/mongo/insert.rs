//! New rows. Rows of a collection that arrive while others of it are on their way are sent together: under load, and for a
//! batch, many rows cost the database one command. Nothing waits while the collection is idle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bson::RawDocumentBuf;
use mongodb::Collection;
use mongodb::error::ErrorKind;
use tokio::sync::oneshot;

use super::transaction::enter;
use super::{MongoStorage, encode, error};
use crate::model::object::Object;
use crate::model::schema::ClassSchema;
use crate::storage::{Result, StorageError, Transaction};

/// Commands on their way for one collection at a time. Fewer would let single rows wait for each other without need, more
/// would leave less to be sent together.
const COMMANDS: usize = 8;
/// Most rows of one command.
const ROWS: usize = 500;
/// Most bytes of the rows of one command; well below what a message may hold.
const BYTES: usize = 8 << 20;

/// Stores a new row. Without an `objectId` it gets an `ObjectId` of the driver's as `_id`.
pub(super) async fn insert(
    storage: &MongoStorage,
    schema: &ClassSchema,
    row: Object,
    tx: Option<&Transaction>,
) -> Result<()> {
    let document = encode::row(schema, row)?;
    let document =
        RawDocumentBuf::try_from(&document).map_err(|error| error::storage(mongodb::error::Error::custom(error)))?;
    let rows = storage.rows(&schema.name).clone_with_type::<RawDocumentBuf>();
    if let Some(mut held) = enter(tx).await? {
        let action = rows.insert_one(&document).session(held.session()?);
        return storage.run(action).await.map(|_| ());
    }
    if document.as_bytes().len() > BYTES {
        // As large as a row may be, or larger: its refusal must not be that of others.
        return storage.run(rows.insert_one(&document)).await.map(|_| ());
    }
    let (answer, answered) = oneshot::channel();
    storage.inserts.put(rows, storage.timeout, Waiting { document, answer });
    // Closed only when the runtime goes down.
    answered.await.unwrap_or_else(|_| Err(error::no_answer()))
}

/// A row on its way, and who waits for it.
struct Waiting {
    document: RawDocumentBuf,
    answer: oneshot::Sender<Result<()>>,
}

/// What is on its way for one collection.
#[derive(Default)]
struct Lane {
    waiting: Vec<Waiting>,
    commands: usize,
}

/// The inserts on their way, by collection.
#[derive(Default, Clone)]
pub(super) struct Inserts(Arc<Mutex<HashMap<String, Lane>>>);

impl Inserts {
    fn lanes(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, rows: Collection<RawDocumentBuf>, timeout: Duration, row: Waiting) {
        let mut lanes = self.lanes();
        if !lanes.contains_key(rows.name()) {
            lanes.insert(rows.name().to_owned(), Lane::default());
        }
        let Some(lane) = lanes.get_mut(rows.name()) else { return };
        lane.waiting.push(row);
        if lane.commands < COMMANDS {
            lane.commands += 1;
            drop(lanes);
            // A task of its own: it goes on when the request that began it is gone.
            tokio::spawn(self.clone().drain(rows, timeout));
        }
    }

    /// Sends what waits until nothing does.
    async fn drain(self, rows: Collection<RawDocumentBuf>, timeout: Duration) {
        while let Some(batch) = self.next(rows.name()) {
            send(&rows, timeout, batch).await;
        }
    }

    /// The rows of the next command; `None` ends the sender. An idle collection leaves nothing behind.
    fn next(&self, collection: &str) -> Option<Vec<Waiting>> {
        let mut lanes = self.lanes();
        let lane = lanes.get_mut(collection)?;
        if lane.waiting.is_empty() {
            lane.commands = lane.commands.saturating_sub(1);
            if lane.commands == 0 {
                lanes.remove(collection);
            }
            return None;
        }
        let mut bytes = 0;
        let fitting = lane.waiting.iter().take(ROWS).take_while(|row| {
            bytes += row.document.as_bytes().len();
            bytes <= BYTES
        });
        let count = fitting.count().max(1);
        let rest = lane.waiting.split_off(count);
        Some(std::mem::replace(&mut lane.waiting, rest))
    }
}

/// Sends rows in one command and tells each what became of it.
async fn send(rows: &Collection<RawDocumentBuf>, timeout: Duration, batch: Vec<Waiting>) {
    if batch.len() == 1 {
        return send_singly(rows, timeout, batch).await;
    }
    let documents = batch.iter().map(|row| &row.document);
    let outcome = tokio::time::timeout(timeout, rows.insert_many(documents).ordered(false)).await;
    let failure = match outcome {
        Ok(Ok(_)) => return batch.into_iter().for_each(|row| tell(row.answer, Ok(()))),
        // One row that the database cannot even read makes it refuse them all.
        Ok(Err(failure)) if matches!(*failure.kind, ErrorKind::Command(_)) => {
            return send_singly(rows, timeout, batch).await;
        }
        Ok(Err(failure)) => failure,
        Err(_) => return batch.into_iter().for_each(|row| tell(row.answer, Err(error::no_answer()))),
    };
    let refused = match &*failure.kind {
        ErrorKind::InsertMany(errors) if errors.write_concern_error.is_none() => errors.write_errors.as_deref(),
        _ => None,
    };
    for (at, row) in batch.into_iter().enumerate() {
        let outcome = match refused {
            Some(refused) => match refused.iter().find(|refused| refused.index == at) {
                Some(refused) => Err(error::from_server(refused.code, &refused.message, &failure)),
                None => Ok(()),
            },
            None => Err(error::storage(failure.clone())),
        };
        tell(row.answer, outcome);
    }
}

async fn send_singly(rows: &Collection<RawDocumentBuf>, timeout: Duration, batch: Vec<Waiting>) {
    for row in batch {
        let outcome = match tokio::time::timeout(timeout, rows.insert_one(&row.document)).await {
            Ok(outcome) => outcome.map(|_| ()).map_err(error::storage),
            Err(_) => Err(error::no_answer()),
        };
        tell(row.answer, outcome);
    }
}

fn tell(answer: oneshot::Sender<Result<()>>, outcome: Result<(), StorageError>) {
    // Whoever asked may be gone; the row is stored all the same.
    let _ = answer.send(outcome);
}
