//! New rows. Those of a collection that arrive while others of it are on their way are sent together.

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

/// Commands on their way for one collection at a time.
pub(super) const COMMANDS: usize = 8;
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
    if storage.inserts.put(&rows.name().to_owned(), Waiting { document, answer }) {
        tokio::spawn(drain(storage.inserts.clone(), rows, storage.timeout));
    }
    // What goes before may hang; that counts as time of this operation. Closed only when the runtime goes down.
    storage.within(async { answered.await.unwrap_or_else(|_| Err(error::no_answer())) }).await
}

/// A row on its way, and who waits for it.
pub(super) struct Waiting {
    document: RawDocumentBuf,
    answer: oneshot::Sender<Result<()>>,
}

/// The inserts on their way, by collection.
pub(super) type Inserts = Batcher<String, Waiting>;

/// Sends what waits until nothing does.
async fn drain(inserts: Inserts, rows: Collection<RawDocumentBuf>, timeout: Duration) {
    let collection = rows.name().to_owned();
    while let Some(mut batch) = inserts.next(&collection, fitting) {
        // What was given up before it was sent is not stored.
        batch.retain(|row| !row.answer.is_closed());
        send(&rows, timeout, batch).await;
    }
}

/// How many of the rows go into one command.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut bytes = 0;
    let fitting = waiting.iter().take(ROWS).take_while(|row| {
        bytes += row.document.as_bytes().len();
        bytes <= BYTES
    });
    fitting.count()
}

/// Sends rows in one command and tells each what became of it.
async fn send(rows: &Collection<RawDocumentBuf>, timeout: Duration, batch: Vec<Waiting>) {
    if batch.len() <= 1 {
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
