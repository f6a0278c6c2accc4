//! What writes on the writer's connection have in common: tables, indexes, savepoints, commits.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::catalog::Catalog;
use super::db::Db;
use super::error::{EmbeddedError, translate};
use super::files::Presence;
use super::history::History;
use super::names::table;
use crate::model::names::ClassName;
use crate::storage::Result;

/// The context of a write.
#[derive(Debug)]
pub struct Session {
    /// The connection.
    pub db: Db,
    /// Tables known to exist.
    tables: RefCell<HashSet<ClassName>>,
    /// Whether indexes changed since the catalog was read.
    stale: RefCell<bool>,
    catalog: Arc<ArcSwap<Catalog>>,
    presence: Arc<Presence>,
    history: Option<Arc<History>>,
}

impl Session {
    /// The context of writes on a connection.
    pub fn new(
        db: Db,
        catalog: Arc<ArcSwap<Catalog>>,
        (presence, history): (Arc<Presence>, Option<Arc<History>>),
    ) -> Self {
        Self { db, tables: RefCell::default(), stale: RefCell::new(false), catalog, presence, history }
    }

    /// The history that is kept of writes, if one is.
    pub fn history(&self) -> Option<&History> {
        self.history.as_deref()
    }

    /// The table of a class, which is created if necessary.
    ///
    /// # Errors
    /// SQLite's.
    pub fn table(&self, class: &ClassName) -> Result<String> {
        let name = table(class);
        if self.tables.borrow().contains(class) {
            return Ok(name);
        }
        for statement in super::schema::table_statements(class) {
            self.db.connection().execute(&statement, []).map_err(translate)?;
        }
        if let Some(history) = &self.history {
            history.follow(self.db.connection(), class)?;
        }
        self.tables.borrow_mut().insert(class.clone());
        Ok(name)
    }

    /// Records that indexes or tables have changed.
    pub fn changed(&self) {
        *self.stale.borrow_mut() = true;
        self.tables.borrow_mut().clear();
    }

    /// The current indexes, including changes of the current transaction.
    ///
    /// # Errors
    /// SQLite's.
    pub fn catalog(&self) -> Result<Arc<Catalog>> {
        if *self.stale.borrow() {
            return Catalog::read(self.db.connection()).map(Arc::new).map_err(translate);
        }
        Ok(self.catalog.load_full())
    }

    pub(super) fn execute(&self, sql: &str) -> Result<()> {
        self.db.run(sql, []).map(|_| ())
    }

    fn refresh(&self) {
        if self.stale.replace(false)
            && let Ok(catalog) = Catalog::read(self.db.connection())
        {
            self.catalog.store(Arc::new(catalog));
        }
    }

    pub(super) fn commit(&self) -> Result<()> {
        if self.db.connection().is_autocommit() {
            // SQLite rolled back the transaction: disk full or I/O error.
            return Err(EmbeddedError::Commit("the transaction was undone by the database".to_owned()).into());
        }
        self.presence.check()?;
        let reached = self.history.as_ref().map(|history| history.close_commit(&self.db)).transpose()?;
        self.execute("COMMIT")?;
        self.refresh();
        if let (Some(history), Some(reached)) = (&self.history, reached) {
            history.reach(reached);
        }
        Ok(())
    }

    pub(super) fn roll_back(&self) {
        if !self.db.connection().is_autocommit() {
            let _ = self.db.connection().execute_batch("ROLLBACK");
        }
        self.tables.borrow_mut().clear();
        self.refresh();
    }

    /// Runs a write with a savepoint.
    pub(super) fn one<T>(&self, write: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.execute("SAVEPOINT one")?;
        let result = write(self);
        if result.is_err() && !self.db.connection().is_autocommit() {
            self.tables.borrow_mut().clear();
            self.execute("ROLLBACK TO one")?;
        }
        if !self.db.connection().is_autocommit() {
            self.execute("RELEASE one")?;
        }
        result
    }
}
