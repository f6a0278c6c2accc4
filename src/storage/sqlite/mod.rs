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
use futures_util::future::BoxFuture;
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

impl Storage for EmbeddedStorage {
    fn ping(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.presence.check()?;
            self.writer.check_disk().await?;
            self.readers.run_quick(|db| db.connection().query_row("SELECT 1", [], |_| Ok(())).map_err(translate)).await
        })
    }

    fn classes(&self) -> BoxFuture<'_, Result<Vec<ClassSchema>>> {
        Box::pin(async move {
            match self.writer.peek(|session| schema::all(session.db.connection())).await {
                Some(classes) => classes,
                None => self.readers.run(|db| schema::all(db.connection())).await,
            }
        })
    }

    fn create_class<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let schema = schema.clone();
            self.writer.define(move |session| schema::create(session, &schema)).await
        })
    }

    fn add_field<'a>(&'a self, class: &'a ClassName, name: &'a str, field: &'a Field) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (class, name, field) = (class.clone(), name.to_owned(), field.clone());
            self.writer.define(move |session| schema::add_field(session, &class, &name, &field)).await
        })
    }

    fn set_field_options<'a>(
        &'a self,
        class: &'a ClassName,
        name: &'a str,
        field: &'a Field,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
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
        })
    }

    fn delete_fields<'a>(&'a self, schema: &'a ClassSchema, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (class, names) = (schema.name.clone(), names.to_vec());
            self.writer.define(move |session| schema::delete_fields(session, &class, &names)).await
        })
    }

    fn set_permissions<'a>(
        &'a self,
        class: &'a ClassName,
        permissions: Option<&'a Map<String, Json>>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (class, permissions) = (class.clone(), permissions.cloned());
            self.writer
                .define(move |session| {
                    schema::change(session, &class, |schema| schema.permissions.clone_from(&permissions))
                })
                .await
        })
    }

    fn set_listed_indexes<'a>(
        &'a self,
        class: &'a ClassName,
        indexes: &'a IndexMap<String, IndexKeys>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (class, indexes) = (class.clone(), indexes.clone());
            self.writer
                .define(move |session| schema::change(session, &class, |schema| schema.indexes.clone_from(&indexes)))
                .await
        })
    }

    fn settle_classes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.writer.settle())
    }

    fn delete_class<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let class = class.clone();
            self.writer.define(move |session| schema::delete(session, &class)).await
        })
    }

    fn create_indexes<'a>(&'a self, schema: &'a ClassSchema, indexes: &'a [IndexSpec]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // A join table always has its two indexes.
            if schema.name.is_join() {
                return Ok(());
            }
            let (schema, indexes) = (schema.clone(), indexes.to_vec());
            self.writer.define(move |session| index::create(session, &schema, &indexes)).await
        })
    }

    fn drop_indexes<'a>(&'a self, class: &'a ClassName, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (class, names) = (class.clone(), names.to_vec());
            self.writer.define(move |session| index::drop(session, &class, &names)).await
        })
    }

    fn indexes<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<IndexMap<String, IndexKeys>>> {
        Box::pin(async move { Ok(index::list(&self.catalog.load(), class)) })
    }

    fn insert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        row: Object,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let class = schema.name.clone();
            self.write(tx, move |session| write::insert(session, &class, &row)).await
        })
    }

    fn update_one<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(async move {
            let search = self.search(schema, filter, &first())?;
            let (class, update) = (schema.name.clone(), write::null_pointers(schema, update));
            self.write(tx, move |session| write::update(session, &class, search, &update, true).map(|(_, row)| row))
                .await
        })
    }

    fn update_many<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let search = self.search(schema, filter, &FindOptions::default())?;
            let (class, update) = (schema.name.clone(), write::null_pointers(schema, update));
            self.write(tx, move |session| {
                write::update(session, &class, search, &update, false).map(|(count, _)| count)
            })
            .await
        })
    }

    fn upsert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let search = self.search(schema, filter, &first())?;
            let (class, fresh, update) =
                (schema.name.clone(), write::equalities(filter), write::null_pointers(schema, update));
            self.write(tx, move |session| write::upsert(session, &class, search, &fresh, &update)).await
        })
    }

    fn delete<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let search = match filter {
                Filter::All => None,
                other => Some(self.search(schema, other, &FindOptions::default())?),
            };
            let class = schema.name.clone();
            self.write(tx, move |session| write::delete(session, &class, search)).await
        })
    }

    fn find<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<Object>>> {
        Box::pin(async move {
            if let Some(hint) = &options.hint {
                index::check_hint(&self.catalog.load(), &schema.name, hint)?;
            }
            let search = self.search(schema, filter, options)?;
            let quick = tx.is_none() && search.is_by_id();
            let read = move |db: &Db| search.rows(db);
            if quick { self.readers.run_quick(read).await } else { self.read(tx, read).await }
        })
    }

    fn find_json<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        shape: &'a Arc<Shape>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<JsonRows>> {
        Box::pin(async move {
            if let Some(hint) = &options.hint {
                index::check_hint(&self.catalog.load(), &schema.name, hint)?;
            }
            let search = self.search(schema, filter, options)?;
            let shape = shape.clone();
            let quick = tx.is_none() && search.is_by_id();
            let read = move |db: &Db| search.json_rows(db, &shape);
            if quick { self.readers.run_quick(read).await } else { self.read(tx, read).await }
        })
    }

    fn count<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            if let Some(hint) = &options.hint {
                index::check_hint(&self.catalog.load(), &schema.name, hint)?;
            }
            let search = self.search(schema, filter, options)?;
            self.read(tx, move |db| search.count(db)).await
        })
    }

    fn explain<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        _verbosity: &'a str,
    ) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move {
            if let Some(hint) = &options.hint {
                index::check_hint(&self.catalog.load(), &schema.name, hint)?;
            }
            let search = self.search(schema, filter, options)?;
            self.read(None, move |db| search.explain(db)).await
        })
    }

    fn distinct<'a>(
        &'a self,
        schema: &'a ClassSchema,
        field: &'a str,
        filter: &'a Resolved,
    ) -> BoxFuture<'a, Result<Vec<Value>>> {
        Box::pin(async move {
            let search = self.search(schema, filter, &FindOptions::default())?;
            let field = field.to_owned();
            self.read(None, move |db| search.distinct(db, &field)).await
        })
    }

    fn aggregate<'a>(
        &'a self,
        schema: &'a ClassSchema,
        pipeline: Vec<Json>,
        options: &'a AggregateOptions,
    ) -> BoxFuture<'a, Result<Vec<Json>>> {
        Box::pin(async move {
            let catalog = self.catalog.load();
            if let Some(hint) = &options.hint {
                index::check_hint(&catalog, &schema.name, hint)?;
            }
            let pipeline = aggregate::Pipeline::new(schema, &catalog.table(&schema.name), pipeline, options)?;
            self.read(None, move |db| pipeline.run(db)).await
        })
    }

    fn link<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (join, owner, members) = (join.clone(), owner.to_owned(), members.to_vec());
            self.write(tx, move |session| join::link(session, &join, &owner, &members)).await
        })
    }

    fn unlink<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (join, owner, members) = (join.clone(), owner.to_owned(), members.to_vec());
            self.write(tx, move |session| join::unlink(session, &join, &owner, &members)).await
        })
    }

    fn members<'a>(
        &'a self,
        join: &'a ClassName,
        owners: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move {
            let (join, owners) = (join.clone(), owners.to_vec());
            self.read(tx, move |db| db.search(None, None, |db| join::pairs(db, &join, "owner", Some(&owners)))).await
        })
    }

    fn owners<'a>(
        &'a self,
        join: &'a ClassName,
        members: Option<&'a [String]>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move {
            let (join, members) = (join.clone(), members.map(<[String]>::to_vec));
            self.read(tx, move |db| db.search(None, None, |db| join::pairs(db, &join, "member", members.as_deref())))
                .await
        })
    }

    fn ancestors<'a>(
        &'a self,
        direct: &'a ClassName,
        nested: &'a ClassName,
        member: &'a str,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Ancestry>> {
        Box::pin(async move {
            let (direct, nested, member) = (direct.clone(), nested.clone(), member.to_owned());
            self.read(tx, move |db| db.search(None, None, |db| join::ancestors(db, &direct, &nested, &member))).await
        })
    }

    fn stored_classes(&self) -> BoxFuture<'_, Result<Vec<ClassName>>> {
        Box::pin(self.readers.run(scan::classes))
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        scan::rows(&self.readers, schema.name.clone())
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        scan::pairs(&self.readers, join.clone())
    }

    fn index_specs<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<Vec<IndexSpec>>> {
        Box::pin(async move { Ok(index::specs(&self.catalog.load(), &schema.name)) })
    }

    fn damage(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(self.readers.run(backup::damage))
    }

    fn begin(&self) -> BoxFuture<'_, Result<Transaction>> {
        Box::pin(async move { self.writer.begin().await.map(|handle| Transaction(Arc::new(handle))) })
    }

    fn begin_for_one(&self) -> BoxFuture<'_, Result<Option<Transaction>>> {
        Box::pin(
            async move { self.writer.begin_without_pause().await.map(|handle| Some(Transaction(Arc::new(handle)))) },
        )
    }

    fn commit(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { handle(&tx)?.commit().await })
    }

    fn abort(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { handle(&tx)?.abort().await })
    }

    fn watch<'a>(&'a self, _classes: &'a [ClassName]) -> BoxFuture<'a, Result<Option<BoxStream<'static, Event>>>> {
        Box::pin(async move {
            // Only this process can use the directory, so there are no changes by others.
            Ok(None)
        })
    }

    fn changes(&self, follower: Arc<dyn Follower>) -> BoxFuture<'_, Result<Option<BoxStream<'static, Change>>>> {
        Box::pin(
            async move { Ok(self.history.as_ref().map(|history| history.changes(self.readers.clone(), follower))) },
        )
    }

    fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> BoxFuture<'_, Result<Option<BoxStream<'static, Result<RowChange>>>>> {
        Box::pin(async move {
            let read = move |db: &Db| history::between(db, &*follower, &after, until, oldest);
            let changes = self.readers.run(read).await?;
            Ok(changes.map(|changes| stream::iter(changes.into_iter().map(Ok)).boxed()))
        })
    }

    fn position(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { Ok(self.history.as_ref().map_or(0, |history| history.position())) })
    }

    fn history(&self) -> Option<&str> {
        self.history.as_ref().map(|history| history.name.as_str())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
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
        })
    }
}

#[cfg(test)]
mod tests;
