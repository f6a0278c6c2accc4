//! How far the telling of writes has come, and what is known of writes besides.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::domain::kernel::app::App;
use crate::domain::kernel::failure::failure;
use crate::error::Result;
use crate::model::names::ClassName;
use crate::storage::RowChange;

/// How far the source has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The name of the store's order of writes, if the store is the source.
    pub store: OnceLock<String>,
    /// Whether the store gives no news for now.
    pub broken: AtomicBool,
    /// Writes of this server that were told.
    pub position: AtomicU64,
    /// Milliseconds between the last write and its telling.
    pub lag: AtomicI64,
    notes: Mutex<Noted>,
}

/// What this server knows of writes that it hears of from the store.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Relations that get members as a row is made, by the row's id.
    pub relations: HashMap<String, Vec<String>>,
    /// Classes that are emptied, or were: until which place.
    pub purges: HashMap<ClassName, Option<u64>>,
}

impl Noted {
    /// Whether a row is deleted with all others of its class.
    pub fn purges(&mut self, row: &RowChange) -> bool {
        if row.after.is_some() {
            return false;
        }
        let over = match self.purges.get(&row.class) {
            None => return false,
            Some(until) => until.is_some_and(|until| row.position > until),
        };
        if over {
            self.purges.remove(&row.class);
        }
        !over
    }
}

impl Progress {
    pub fn notes(&self) -> MutexGuard<'_, Noted> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place in the order of writes: what is written from now on comes after it.
    pub async fn position(&self, app: &App) -> Result<u64> {
        if self.store.get().is_some() {
            app.storage.position().await.map_err(failure)
        } else {
            Ok(self.position.load(Ordering::Acquire))
        }
    }
}
