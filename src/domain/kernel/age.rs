//! The age of a cache, which prevents caching a value that was read before an invalidation.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that grows with every invalidation of a cache. A reader remembers it before it reads from the store, and
/// caches the result only if the age is still the same. Otherwise the result may be older than the change that caused
/// the invalidation.
#[derive(Debug, Default)]
pub struct Age(AtomicU64);

impl Age {
    /// The current age.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Must be called before an entry is removed.
    pub fn grow(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
