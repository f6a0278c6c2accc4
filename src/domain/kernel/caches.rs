//! Caches of rows: what features keep in memory, and how it goes out of date.

use std::sync::Arc;

use async_trait::async_trait;

use super::app::App;
use crate::error::Result;
use crate::model::names::ClassName;

/// A cache that a feature fills from rows of some classes. It forgets when such a row is written: by the pipelines of this server, or
/// by another server whose writes the store reports.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The classes whose rows it is filled from. The store reports other servers' writes of these classes alone.
    fn watches(&self) -> &'static [&'static str];

    /// Forgets what a written row puts in doubt. `class`: one of [`Cache::watches`]; `id`: `None` when any row of it may have changed.
    fn forget(&self, class: &str, id: Option<&str>);

    /// Forgets everything.
    fn clear(&self);

    /// Reads what must be in memory before anybody asks for it. Runs at the start, and after the cache may have forgotten something.
    /// `blind`: nobody tells of changes by other servers, so there may have been some.
    ///
    /// # Errors
    /// When the store cannot be read; everything stays as it is.
    async fn refresh(&self, _app: &Arc<App>, _blind: bool) -> Result<()> {
        Ok(())
    }
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

    /// Has every cache read what must be in memory.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn refresh(&self, app: &Arc<App>, blind: bool) -> Result<()> {
        for cache in &self.0 {
            cache.refresh(app, blind).await?;
        }
        Ok(())
    }

    /// Has every cache forget everything.
    pub fn clear(&self) {
        self.0.iter().for_each(|cache| cache.clear());
    }
}
