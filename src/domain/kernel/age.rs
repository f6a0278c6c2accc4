//! The age of a cache: what was read before something was forgotten must not be kept after it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Grows whenever a cache forgets something. A reader notes it before it asks the store, and keeps the answer only if it is
/// still the same: else the answer may be older than the change that made the cache forget.
#[derive(Debug, Default)]
pub struct Age(AtomicU64);

impl Age {
    /// The age now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// To be called before an entry is removed.
    pub fn grow(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
