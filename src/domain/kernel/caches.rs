//! Caches of rows: what features keep in memory, and how it goes out of date.

use std::sync::Arc;

use crate::model::names::ClassName;

/// A cache that a feature fills from rows of some classes. It forgets when such a row is written: by the pipelines of this server, or
/// by another server whose writes the store reports.
pub trait Cache: Send + Sync {
    /// The classes whose rows it is filled from. The store reports other servers' writes of these classes alone.
    fn watches(&self) -> &'static [&'static str];

    /// Forgets what a written row puts in doubt. `class`: one of [`Cache::watches`]; `id`: `None` when any row of it may have changed.
    fn forget(&self, class: &str, id: Option<&str>);

    /// Forgets everything.
    fn clear(&self);
}

/// The caches of all features.
#[derive(Default)]
pub struct Caches(Vec<Arc<dyn Cache>>);

impl Caches {
    /// A table of these caches.
    #[must_use]
    pub fn new(caches: Vec<Arc<dyn Cache>>) -> Self {
        Self(caches)
    }

    /// Every class that a cache watches, once.
    #[must_use]
    pub fn watched(&self) -> Vec<ClassName> {
        let mut classes: Vec<&str> = self.0.iter().flat_map(|cache| cache.watches()).copied().collect();
        classes.sort_unstable();
        classes.dedup();
        classes.into_iter().map(ClassName::unchecked).collect()
    }

    /// Has each cache that watches the class forget a row; all rows, when `id` is `None`.
    pub fn forget(&self, class: &str, id: Option<&str>) {
        for cache in self.0.iter().filter(|cache| cache.watches().contains(&class)) {
            cache.forget(class, id);
        }
    }

    /// Has every cache forget everything.
    pub fn clear(&self) {
        self.0.iter().for_each(|cache| cache.clear());
    }
}
