//! The embedded store: SQLite inside the process, for exactly one server.
//!
//! Each class has a table with the text of its rows (`codec.rs`) and indexes over the keys of fields (`keys.rs`,
//! `functions.rs`). One thread writes (`writer.rs`), a few threads read (`readers.rs`). See `docs/storage-embedded.md`.

mod aggregate;
mod backup;
pub mod catalog;
mod codec;
mod db;
mod error;
mod files;
mod filter;
mod functions;
mod history;
mod index;
mod join;
mod keys;
mod names;
mod query;
mod readers;
mod scan;
mod schema;
mod session;
mod text;
mod transaction;
mod write;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

pub use self::backup::{compact, copy, restore};
pub use self::error::EmbeddedError;
pub use self::files::read_classes;
pub use self::history::HistoryOf;

use self::catalog::Catalog;
use self::db::{Db, Limits, Watchdog};
use self::error::translate;
use self::files::{Directory, Presence};
use self::history::History;
use self::query::Search;
use self::readers::Readers;
use self::session::Session;
use self::transaction::{Handle, Patience};
use self::writer::Writer;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::query::options::FindOptions;
use crate::model::query::{Filter, Resolved};
use crate::model::rows::JsonRows;
use crate::model::schema::{ClassSchema, Field, IndexKeys};
use crate::model::shape::Shape;
use crate::model::value::Value;
use crate::storage::{
    After, AggregateOptions, Ancestry, Change, Event, Follower, IndexSpec, Result, RowChange, Storage, StorageError,
    Transaction,
};

/// When a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// After a sync to disk: it survives a power failure.
    #[default]
    Full,
    /// After it was passed to the operating system: it survives a crash of the process, but the last writes can be
    /// lost in a power failure.
    Normal,
}

/// Options of the embedded store.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// When a write is acknowledged.
    pub synchronous: Synchronous,
    /// Number of reader threads, at least 1.
    pub readers: usize,
    /// Maximum number of queued queries, and of queued writes.
    pub queue: usize,
    /// Maximum time of a query.
    pub time_limit: Duration,
    /// Maximum bytes of the rows of a result.
    pub result_bytes: usize,
    /// Maximum time for which a query waits for a reader.
    pub reader_wait: Duration,
    /// Maximum time of a transaction; then it is rolled back.
    pub transaction_timeout: Duration,
    /// Maximum idle time of a transaction; then it is rolled back.
    pub transaction_idle: Duration,
    /// Of which classes the last writes are kept.
    pub history: Option<HistoryOf>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            synchronous: Synchronous::Full,
            readers: cores.clamp(2, 8),
            queue: 4096,
            time_limit: Duration::from_secs(1),
            result_bytes: 64 * 1024 * 1024,
            reader_wait: Duration::from_secs(5),
            transaction_timeout: Duration::from_secs(2),
            transaction_idle: Duration::from_millis(250),
            history: None,
        }
    }
}

/// The embedded store.
#[derive(Debug)]
pub struct EmbeddedStorage {
    readers: Arc<Readers>,
    writer: Writer,
    catalog: Arc<ArcSwap<Catalog>>,
    closed: AtomicBool,
    presence: Arc<Presence>,
    history: Option<Arc<History>>,
    _watchdog: Watchdog,
    directory: std::sync::Mutex<Option<Directory>>,
}

impl EmbeddedStorage {
    /// Opens the store in a directory, which is created if necessary. Blocks during file operations.
    ///
    /// # Errors
    /// [`EmbeddedError`]: in use by another process, created by a newer version, damaged, disk full, no permission.
    pub fn open(directory: &Path, options: &EmbeddedOptions) -> std::result::Result<Self, EmbeddedError> {
        let held = Directory::hold(directory)?;
        let threads = |source| EmbeddedError::File { path: directory.to_owned(), source };
        let watchdog = Watchdog::start().map_err(threads)?;
        let limits = Limits { time: options.time_limit, bytes: options.result_bytes };
        let synchronous = match options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        let open = |write: bool| Db::open(&held.database, write, synchronous, &watchdog, limits);
        let db = open(true)?;
        files::prepare(db.connection(), &held.database)?;
        let history = history::prepare(db.connection(), options.history.as_ref())?;
        let catalog = Arc::new(ArcSwap::from_pointee(Catalog::read(db.connection())?));
        let presence = Arc::new(Presence::of(&held.database));
        // One more for quick jobs.
        let connections = (0..=options.readers.max(1)).map(|_| open(false)).collect::<rusqlite::Result<_>>()?;
        let patience = Patience { total: options.transaction_timeout, idle: options.transaction_idle };
        let kept = (Arc::clone(&presence), history.clone());
        let writer = Writer::start(db, Arc::clone(&catalog), kept, options.queue.max(1), patience).map_err(threads)?;
        let readers = Readers::start(connections, options.queue.max(1), options.reader_wait).map_err(threads)?;
        let readers = Arc::new(readers);
        Ok(Self {
            readers,
            writer,
            catalog,
            closed: AtomicBool::new(false),
            presence,
            history,
            _watchdog: watchdog,
            directory: std::sync::Mutex::new(Some(held)),
        })
    }

    fn search(&self, schema: &ClassSchema, filter: &Resolved, options: &FindOptions) -> Result<Search> {
        Search::new(schema, &self.catalog.load().table(&schema.name), filter, options)
    }

    fn stop(&self) -> Vec<std::thread::JoinHandle<()>> {
        let mut threads = self.readers.stop();
        threads.extend(self.writer.stop());
        threads
    }

    async fn read<T: Send + 'static>(
        &self,
        tx: Option<&Transaction>,
        read: impl FnOnce(&Db) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match tx {
            Some(tx) => handle(tx)?.run(move |session| read(&session.db)).await,
            None => self.readers.run(read).await,
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        tx: Option<&Transaction>,
        write: impl FnOnce(&Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match tx {
            Some(tx) => handle(tx)?.run(write).await,
            None => self.writer.run(write).await,
        }
    }
}

impl Drop for EmbeddedStorage {
    fn drop(&mut self) {
        if !self.closed.swap(true, Ordering::SeqCst) {
            for thread in self.stop() {
                let _ = thread.join();
            }
        }
    }
}

fn handle(tx: &Transaction) -> Result<&Handle> {
    tx.0.downcast_ref().ok_or_else(|| StorageError::Refused("the transaction is of another store".to_owned()))
}

/// Options of a search for one row.
fn first() -> FindOptions {
    FindOptions { limit: Some(1), ..FindOptions::default() }
}

#[async_trait]
impl Storage for EmbeddedStorage {
    async fn ping(&self) -> Result<()> {
        self.presence.check()?;
        self.writer.check_disk().await?;
        self.readers.run_quick(|db| db.connection().query_row("SELECT 1", [], |_| Ok(())).map_err(translate)).await
    }

    async fn classes(&self) -> Result<Vec<ClassSchema>> {
        match self.writer.peek(|session| schema::all(session.db.connection())).await {
            Some(classes) => classes,
            None => self.readers.run(|db| schema::all(db.connection())).await,
        }
    }

    async fn create_class(&self, schema: &ClassSchema) -> Result<()> {
        let schema = schema.clone();
        self.writer.define(move |session| schema::create(session, &schema)).await
    }

    async fn add_field(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        let (class, name, field) = (class.clone(), name.to_owned(), field.clone());
        self.writer.define(move |session| schema::add_field(session, &class, &name, &field)).await
    }

    async fn set_field_options(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        let (class, name, field) = (class.clone(), name.to_owned(), field.clone());
        self.writer
            .define(move |session| {
                schema::change(session, &class, |schema| {
                    if let Some(known) = schema.fields.get_mut(&name) {
                        known.required = field.required;
                        known.default.clone_from(&field.default);
                    }
                })
            })
            .await
    }

    async fn delete_fields(&self, schema: &ClassSchema, names: &[String]) -> Result<()> {
        let (class, names) = (schema.name.clone(), names.to_vec());
        self.writer.define(move |session| schema::delete_fields(session, &class, &names)).await
    }

    async fn set_permissions(&self, class: &ClassName, permissions: Option<&Map<String, Json>>) -> Result<()> {
        let (class, permissions) = (class.clone(), permissions.cloned());
        self.writer
            .define(move |session| {
                schema::change(session, &class, |schema| schema.permissions.clone_from(&permissions))
            })
            .await
    }

    async fn set_listed_indexes(&self, class: &ClassName, indexes: &IndexMap<String, IndexKeys>) -> Result<()> {
        let (class, indexes) = (class.clone(), indexes.clone());
        self.writer
            .define(move |session| schema::change(session, &class, |schema| schema.indexes.clone_from(&indexes)))
            .await
    }

    async fn settle_classes(&self) -> Result<()> {
        self.writer.settle().await
    }

    async fn delete_class(&self, class: &ClassName) -> Result<()> {
        let class = class.clone();
        self.writer.define(move |session| schema::delete(session, &class)).await
    }

    async fn create_indexes(&self, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()> {
        // A join table always has its two indexes.
        if schema.name.is_join() {
            return Ok(());
        }
        let (schema, indexes) = (schema.clone(), indexes.to_vec());
        self.writer.define(move |session| index::create(session, &schema, &indexes)).await
    }

    async fn drop_indexes(&self, class: &ClassName, names: &[String]) -> Result<()> {
        let (class, names) = (class.clone(), names.to_vec());
        self.writer.define(move |session| index::drop(session, &class, &names)).await
    }

    async fn indexes(&self, class: &ClassName) -> Result<IndexMap<String, IndexKeys>> {
        Ok(index::list(&self.catalog.load(), class))
    }

    async fn insert(&self, schema: &ClassSchema, row: Object, tx: Option<&Transaction>) -> Result<()> {
        let class = schema.name.clone();
        self.write(tx, move |session| write::insert(session, &class, &row)).await
    }

    async fn update_one(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<Option<Object>> {
        let search = self.search(schema, filter, &first())?;
        let (class, update) = (schema.name.clone(), write::null_pointers(schema, update));
        self.write(tx, move |session| write::update(session, &class, search, &update, true).map(|(_, row)| row)).await
    }

    async fn update_many(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        let search = self.search(schema, filter, &FindOptions::default())?;
        let (class, update) = (schema.name.clone(), write::null_pointers(schema, update));
        self.write(tx, move |session| write::update(session, &class, search, &update, false).map(|(count, _)| count))
            .await
    }

    async fn upsert(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<()> {
        let search = self.search(schema, filter, &first())?;
        let (class, fresh, update) =
            (schema.name.clone(), write::equalities(filter), write::null_pointers(schema, update));
        self.write(tx, move |session| write::upsert(session, &class, search, &fresh, &update)).await
    }

    async fn delete(&self, schema: &ClassSchema, filter: &Resolved, tx: Option<&Transaction>) -> Result<u64> {
        let search = match filter {
            Filter::All => None,
            other => Some(self.search(schema, other, &FindOptions::default())?),
        };
        let class = schema.name.clone();
        self.write(tx, move |session| write::delete(session, &class, search)).await
    }

    async fn find(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<Vec<Object>> {
        if let Some(hint) = &options.hint {
            index::check_hint(&self.catalog.load(), &schema.name, hint)?;
        }
        let search = self.search(schema, filter, options)?;
        let quick = tx.is_none() && search.is_by_id();
        let read = move |db: &Db| search.rows(db);
        if quick { self.readers.run_quick(read).await } else { self.read(tx, read).await }
    }

    async fn find_json(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        shape: &Arc<Shape>,
        tx: Option<&Transaction>,
    ) -> Result<JsonRows> {
        if let Some(hint) = &options.hint {
            index::check_hint(&self.catalog.load(), &schema.name, hint)?;
        }
        let search = self.search(schema, filter, options)?;
        let shape = shape.clone();
        let quick = tx.is_none() && search.is_by_id();
        let read = move |db: &Db| search.json_rows(db, &shape);
        if quick { self.readers.run_quick(read).await } else { self.read(tx, read).await }
    }

    async fn count(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        if let Some(hint) = &options.hint {
            index::check_hint(&self.catalog.load(), &schema.name, hint)?;
        }
        let search = self.search(schema, filter, options)?;
        self.read(tx, move |db| search.count(db)).await
    }

    async fn explain(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        _verbosity: &str,
    ) -> Result<Json> {
        if let Some(hint) = &options.hint {
            index::check_hint(&self.catalog.load(), &schema.name, hint)?;
        }
        let search = self.search(schema, filter, options)?;
        self.read(None, move |db| search.explain(db)).await
    }

    async fn distinct(&self, schema: &ClassSchema, field: &str, filter: &Resolved) -> Result<Vec<Value>> {
        let search = self.search(schema, filter, &FindOptions::default())?;
        let field = field.to_owned();
        self.read(None, move |db| search.distinct(db, &field)).await
    }

    async fn aggregate(
        &self,
        schema: &ClassSchema,
        pipeline: Vec<Json>,
        options: &AggregateOptions,
    ) -> Result<Vec<Json>> {
        let catalog = self.catalog.load();
        if let Some(hint) = &options.hint {
            index::check_hint(&catalog, &schema.name, hint)?;
        }
        let pipeline = aggregate::Pipeline::new(schema, &catalog.table(&schema.name), pipeline, options)?;
        self.read(None, move |db| pipeline.run(db)).await
    }

    async fn link(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        let (join, owner, members) = (join.clone(), owner.to_owned(), members.to_vec());
        self.write(tx, move |session| join::link(session, &join, &owner, &members)).await
    }

    async fn unlink(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        let (join, owner, members) = (join.clone(), owner.to_owned(), members.to_vec());
        self.write(tx, move |session| join::unlink(session, &join, &owner, &members)).await
    }

    async fn members(
        &self,
        join: &ClassName,
        owners: &[String],
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        let (join, owners) = (join.clone(), owners.to_vec());
        self.read(tx, move |db| db.search(None, None, |db| join::pairs(db, &join, "owner", Some(&owners)))).await
    }

    async fn owners(
        &self,
        join: &ClassName,
        members: Option<&[String]>,
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        let (join, members) = (join.clone(), members.map(<[String]>::to_vec));
        self.read(tx, move |db| db.search(None, None, |db| join::pairs(db, &join, "member", members.as_deref()))).await
    }

    async fn ancestors(
        &self,
        direct: &ClassName,
        nested: &ClassName,
        member: &str,
        tx: Option<&Transaction>,
    ) -> Result<Ancestry> {
        let (direct, nested, member) = (direct.clone(), nested.clone(), member.to_owned());
        self.read(tx, move |db| db.search(None, None, |db| join::ancestors(db, &direct, &nested, &member))).await
    }

    async fn stored_classes(&self) -> Result<Vec<ClassName>> {
        self.readers.run(scan::classes).await
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        scan::rows(&self.readers, schema.name.clone())
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        scan::pairs(&self.readers, join.clone())
    }

    async fn index_specs(&self, schema: &ClassSchema) -> Result<Vec<IndexSpec>> {
        Ok(index::specs(&self.catalog.load(), &schema.name))
    }

    async fn damage(&self) -> Result<Vec<String>> {
        self.readers.run(backup::damage).await
    }

    async fn begin(&self) -> Result<Transaction> {
        self.writer.begin().await.map(|handle| Transaction(Arc::new(handle)))
    }

    async fn begin_for_one(&self) -> Result<Option<Transaction>> {
        self.writer.begin_without_pause().await.map(|handle| Some(Transaction(Arc::new(handle))))
    }

    async fn commit(&self, tx: Transaction) -> Result<()> {
        handle(&tx)?.commit().await
    }

    async fn abort(&self, tx: Transaction) -> Result<()> {
        handle(&tx)?.abort().await
    }

    async fn watch(&self, _classes: &[ClassName]) -> Result<Option<BoxStream<'static, Event>>> {
        // Only this process can use the directory, so there are no changes by others.
        Ok(None)
    }

    async fn changes(&self, follower: Arc<dyn Follower>) -> Result<Option<BoxStream<'static, Change>>> {
        Ok(self.history.as_ref().map(|history| history.changes(self.readers.clone(), follower)))
    }

    async fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> Result<Option<BoxStream<'static, Result<RowChange>>>> {
        let read = move |db: &Db| history::between(db, &*follower, &after, until, oldest);
        let changes = self.readers.run(read).await?;
        Ok(changes.map(|changes| stream::iter(changes.into_iter().map(Ok)).boxed()))
    }

    async fn position(&self) -> Result<u64> {
        Ok(self.history.as_ref().map_or(0, |history| history.position()))
    }

    fn history(&self) -> Option<&str> {
        self.history.as_ref().map(|history| history.name.as_str())
    }

    async fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        let threads = self.stop();
        let _ = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        })
        .await;
        self.directory.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests;
