//! Caches of rows in features, and their invalidation.

use std::sync::Arc;

use crate::model::names::ClassName;

/// A cache that a feature fills from rows of some classes. Writes of such rows invalidate it: by the pipelines of this
/// server, and by other servers if the store reports their writes.
pub trait Cache: Send + Sync {
    /// The classes whose rows it contains. The store reports writes by other servers only for these classes.
    fn watches(&self) -> &'static [&'static str];

    /// Removes the entries that a written row invalidates. `class`: one of [`Cache::watches`]; `id`: `None` if any
    /// row may have changed.
    fn forget(&self, class: &str, id: Option<&str>);

    /// Removes all entries.
    fn clear(&self);
}

/// The caches of all features.
#[derive(Default)]
pub struct Caches(Vec<Arc<dyn Cache>>);

impl Caches {
    /// Collects the caches.
    #[must_use]
    pub fn new(caches: Vec<Arc<dyn Cache>>) -> Self {
        Self(caches)
    }

    /// The classes that the caches watch, without duplicates.
    #[must_use]
    pub fn watched(&self) -> Vec<ClassName> {
        let mut classes: Vec<&str> = self.0.iter().flat_map(|cache| cache.watches()).copied().collect();
        classes.sort_unstable();
        classes.dedup();
        classes.into_iter().map(ClassName::unchecked).collect()
    }

    /// Invalidates a row in each cache that watches the class; all rows if `id` is `None`.
    pub fn forget(&self, class: &str, id: Option<&str>) {
        for cache in self.0.iter().filter(|cache| cache.watches().contains(&class)) {
            cache.forget(class, id);
        }
    }

    /// Clears all caches.
    pub fn clear(&self) {
        self.0.iter().for_each(|cache| cache.clear());
    }
}
