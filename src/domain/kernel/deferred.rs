//! Work that is deferred until a transaction has been committed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The deferred work of the parts of a transaction, in order. It is dropped if the transaction is not committed.
#[derive(Clone, Default)]
pub struct Deferred(Arc<Mutex<Vec<Task>>>);

impl fmt::Debug for Deferred {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Deferred")
    }
}

impl Deferred {
    /// Adds work.
    pub fn push(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(task));
    }

    /// Runs the work.
    pub async fn run(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            task.await;
        }
    }
}
