//! Transactions: a session of the driver, used by one operation at a time.

use std::sync::Arc;

use mongodb::ClientSession;
use tokio::sync::{Mutex, MutexGuard};

use super::{MongoStorage, error};
use crate::storage::{Result, StorageError, Transaction};

/// The content of a [`Transaction`]; the session is `None` after it has ended.
struct Open(Mutex<Option<ClientSession>>);

/// The session of a transaction, locked for one operation.
pub(super) struct Held<'a>(MutexGuard<'a, Option<ClientSession>>);

impl Held<'_> {
    /// The session.
    pub(super) fn session(&mut self) -> Result<&mut ClientSession> {
        self.0.as_mut().ok_or_else(|| StorageError::Refused("The transaction has ended".to_owned()))
    }
}

fn open(tx: &Transaction) -> Result<&Open> {
    tx.0.downcast_ref().ok_or_else(|| StorageError::Refused("The transaction is another store's".to_owned()))
}

/// Waits until no other operation uses the transaction.
pub(super) async fn enter(tx: Option<&Transaction>) -> Result<Option<Held<'_>>> {
    match tx {
        Some(tx) => Ok(Some(Held(open(tx)?.0.lock().await))),
        None => Ok(None),
    }
}

/// Begins a transaction. If the database does not support transactions, the first operation fails.
pub(super) async fn begin(storage: &MongoStorage) -> Result<Transaction> {
    let mut session = storage.run(storage.client.start_session()).await?;
    storage.run(session.start_transaction()).await?;
    Ok(Transaction(Arc::new(Open(Mutex::new(Some(session))))))
}

/// Commits. Retries if the response is lost, which is safe.
pub(super) async fn commit(storage: &MongoStorage, tx: Transaction) -> Result<()> {
    let Some(mut session) = open(&tx)?.0.lock().await.take() else {
        return Err(StorageError::Refused("The transaction has ended".to_owned()));
    };
    storage
        .within(async {
            loop {
                match session.commit_transaction().await {
                    Ok(()) => return Ok(()),
                    Err(error) if error::commit_may_be_repeated(&error) && !error::is_final(&error) => {
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                    Err(error) => return Err(error::storage(error)),
                }
            }
        })
        .await
}

/// Rolls back the transaction.
pub(super) async fn abort(storage: &MongoStorage, tx: Transaction) -> Result<()> {
    match open(&tx)?.0.lock().await.take() {
        Some(mut session) => storage.run(session.abort_transaction()).await,
        None => Ok(()),
    }
}
