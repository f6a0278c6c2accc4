//! Inserts rows. While inserts into a collection are in flight, further ones are batched.

use std::time::Duration;

use bson::RawDocumentBuf;
use mongodb::Collection;
use mongodb::error::ErrorKind;
use tokio::sync::oneshot;

use super::batcher::Batcher;
use super::transaction::enter;
use super::{MongoStorage, encode, error};
use crate::model::object::Object;
use crate::model::schema::ClassSchema;
use crate::storage::{Result, StorageError, Transaction};

/// Maximum number of commands in flight for one collection.
pub(super) const COMMANDS: usize = 8;
/// Maximum number of rows in a command.
const ROWS: usize = 500;
/// Maximum bytes of the rows in a command, well below the limit of a message.
const BYTES: usize = 8 << 20;

/// Inserts a row. Without an `objectId` it gets an `ObjectId` of the driver as `_id`.
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
        // A row of the maximum size or more is sent alone, so that its error does not affect others.
        return storage.run(rows.insert_one(&document)).await.map(|_| ());
    }
    let (answer, answered) = oneshot::channel();
    if storage.inserts.put(&rows.name().to_owned(), Waiting { document, answer }) {
        tokio::spawn(drain(storage.inserts.clone(), rows, storage.timeout));
    }
    // The time in the queue counts towards the timeout of this operation. The channel is closed only when the runtime
    // stops.
    storage.within(async { answered.await.unwrap_or_else(|_| Err(error::no_answer())) }).await
}

/// A queued row and the request that waits for it.
pub(super) struct Waiting {
    document: RawDocumentBuf,
    answer: oneshot::Sender<Result<()>>,
}

/// The inserts in flight, by collection.
pub(super) type Inserts = Batcher<String, Waiting>;

/// Sends batches until the queue is empty.
async fn drain(inserts: Inserts, rows: Collection<RawDocumentBuf>, timeout: Duration) {
    let collection = rows.name().to_owned();
    while let Some(mut batch) = inserts.next(&collection, fitting) {
        // Inserts that were cancelled before they were sent are not stored.
        batch.retain(|row| !row.answer.is_closed());
        send(&rows, timeout, batch).await;
    }
}

/// The number of rows that fit into one command.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut bytes = 0;
    let fitting = waiting.iter().take(ROWS).take_while(|row| {
        bytes += row.document.as_bytes().len();
        bytes <= BYTES
    });
    fitting.count()
}

/// Sends rows in one command and reports the result of each to its request.
async fn send(rows: &Collection<RawDocumentBuf>, timeout: Duration, batch: Vec<Waiting>) {
    if batch.len() <= 1 {
        return send_singly(rows, timeout, batch).await;
    }
    let documents = batch.iter().map(|row| &row.document);
    let outcome = tokio::time::timeout(timeout, rows.insert_many(documents).ordered(false)).await;
    let failure = match outcome {
        Ok(Ok(_)) => return batch.into_iter().for_each(|row| tell(row.answer, Ok(()))),
        // A row that the database server cannot parse makes it refuse the whole command.
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
    // The request may have been cancelled; the row is stored anyway.
    let _ = answer.send(outcome);
}
