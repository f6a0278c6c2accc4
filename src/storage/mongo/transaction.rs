//! Transactions: a session of the driver, used by one operation after the other.

use std::sync::Arc;

use mongodb::ClientSession;
use tokio::sync::{Mutex, MutexGuard};

use super::{MongoStorage, error};
use crate::storage::{Result, StorageError, Transaction};

/// What a [`Transaction`] holds; the session is gone once it has ended.
struct Open(Mutex<Option<ClientSession>>);

/// A transaction's session, for one operation.
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

/// Waits until the transaction, if there is one, does nothing else.
pub(super) async fn enter(tx: Option<&Transaction>) -> Result<Option<Held<'_>>> {
    match tx {
        Some(tx) => Ok(Some(Held(open(tx)?.0.lock().await))),
        None => Ok(None),
    }
}

/// Begins a transaction. Whether the database has transactions shows with the first operation.
pub(super) async fn begin(storage: &MongoStorage) -> Result<Transaction> {
    let mut session = storage.run(storage.client.start_session()).await?;
    storage.run(session.start_transaction()).await?;
    Ok(Transaction(Arc::new(Open(Mutex::new(Some(session))))))
}

/// Commits; when the answer got lost, asks again, which is safe.
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

/// Undoes the transaction.
pub(super) async fn abort(storage: &MongoStorage, tx: Transaction) -> Result<()> {
    match open(&tx)?.0.lock().await.take() {
        Some(mut session) => storage.run(session.abort_transaction()).await,
        None => Ok(()),
    }
}
