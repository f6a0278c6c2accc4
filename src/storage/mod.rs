//! The interface of stores: the trait [`Storage`] and its contract.
//!
//! A store handles classes, rows, filters and updates, and contains no rules of Parse. Rows are passed as [`Object`]s
//! in
//! REST terms (`objectId`, `createdAt`, `updatedAt` as dates, pointers as pointers) with columns that clients never
//! see:
//! `_rperm` and `_wperm` (arrays of entities; absent means open to everyone) and internal columns of the domain
//! (`_hashed_password`, `_auth_data_anonymous`, …).
//!
//! - An acknowledged write is durable.
//! - A filter has the same meaning on every store: `conformance.rs` contains the cases.
//! - The store enforces uniqueness: a write that violates a unique index fails with [`StorageError::Duplicate`].

#[cfg(test)]
pub mod conformance;
pub mod mongo;
pub mod observed;
pub mod sqlite;

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::Value as Json;

use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::query::Resolved;
use crate::model::query::options::FindOptions;
use crate::model::rows::JsonRows;
use crate::model::schema::{ClassSchema, Field, IndexKeys};
use crate::model::shape::Shape;
use crate::model::value::Value;

/// An error of a store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A write violates a unique index.
    #[error("duplicate value in index {index}")]
    Duplicate {
        /// Name of the index, such as `_id_` or `username_1`; empty if it is unknown.
        index: String,
    },
    /// A write conflict between transactions; the whole transaction can be retried.
    #[error("write conflict")]
    WriteConflict,
    /// The store cannot be reached, or did not respond in time.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The operation exceeded its time limit.
    #[error("the operation exceeded its time limit")]
    TimedOut,
    /// The disk is full; reads still work.
    #[error("the disk of the database is full")]
    DiskFull(#[source] Box<dyn Error + Send + Sync>),
    /// This store cannot run the request: an invalid pattern, an unknown index, an unsupported stage. The message may
    /// be sent to the client.
    #[error("{0}")]
    Refused(String),
    /// A `$nearSphere` query needs an index; the caller creates it and retries.
    #[error("no geo index for field {0}")]
    NoGeoIndex(String),
    /// The class or field exists already, with another type.
    #[error("field exists already with type {0}")]
    FieldExists(String),
    /// Any other error; the message is only logged.
    #[error("storage failure: {0}")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// Result of a store.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// An open transaction, with data of the store.
#[derive(Clone)]
pub struct Transaction(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Transaction")
    }
}

/// An index to create.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the database's own")]
pub struct IndexSpec {
    /// Its name.
    pub name: String,
    /// Fields in REST terms (may be dotted) or internal columns, with direction or kind.
    pub keys: IndexKeys,
    /// Whether the index is unique.
    pub unique: bool,
    /// Whether the index is sparse: without rows that lack the field.
    pub sparse: bool,
    /// Whether strings are compared by the collation `en_US`, strength 2.
    pub case_insensitive: bool,
    /// For dates: seconds after which the row expires.
    pub expire_after_seconds: Option<u64>,
    /// Only for stores on which this index is the only check of uniqueness (see `docs/storage.md`); not created on
    /// MongoDB.
    pub embedded_only: bool,
}

/// A change by another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A schema document.
    Schema,
    /// A row of a class, or several rows. `id` is `None` if it is unknown (a collection was dropped).
    Row {
        /// The class.
        class: ClassName,
        /// Its `objectId`.
        id: Option<String>,
    },
    /// Events may have been missed: all caches must be cleared.
    Lost,
}

/// Whoever follows what is written to rows.
pub trait Follower: Send + Sync + fmt::Debug {
    /// Patterns of the names of the classes that are followed, for a first choice.
    fn patterns(&self) -> Vec<String>;

    /// Whether a class is followed.
    fn follows(&self, class: &str) -> bool;

    /// Calls a function with a class as it is known now.
    fn with_schema(&self, class: &ClassName, call: &mut dyn FnMut(&ClassSchema));
}

/// What happened to the rows of classes that somebody follows.
#[derive(Debug)]
pub enum Change {
    /// A class was made, changed or removed: whoever follows reads the classes again before it takes the next change.
    Schema,
    /// A row was written.
    Row(Box<RowChange>),
    /// The store gives no news for now. What it has will come later.
    Broken,
    /// The store gives news again.
    Resumed,
    /// Changes were missed.
    Lost,
}

/// One write to a row.
#[derive(Debug)]
pub struct RowChange {
    /// The class.
    pub class: ClassName,
    /// The row's `objectId`.
    pub id: String,
    /// The row before; `None`: there was none, or it is not known ([`RowChange::made`] tells).
    pub before: Option<Object>,
    /// The row after; `None`: it was deleted.
    pub after: Option<Object>,
    /// Whether the row was made.
    pub made: bool,
    /// The place in the order of writes: a number that grows.
    pub position: u64,
    /// Tells it from other writes of the same place; their marks are in their order, too. `None`: there is no other.
    pub mark: Option<Arc<str>>,
    /// When it was written, by the clock of the store.
    pub written_at: Option<Date>,
}

/// After which writes to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// After all writes of this place in the order …
    pub position: u64,
    /// … or, if this is given, after the write of that place that has this mark.
    pub mark: Option<Arc<str>>,
}

/// Options of an aggregation.
#[derive(Debug, Clone, Default)]
pub struct AggregateOptions {
    /// Index to use.
    pub hint: Option<Json>,
    /// Comment for the database's log.
    pub comment: Option<String>,
    /// Read preference.
    pub read_preference: Option<crate::model::query::options::ReadPreference>,
    /// Return the plan instead of rows.
    pub explain: Option<String>,
    /// Use the database's field names and values, without translation.
    pub raw_values: bool,
    /// Use the database's field names, without translation.
    pub raw_field_names: bool,
}

/// The owners above a member in two relations, as pairs, so that the caller can leave out owners that no longer exist.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ancestry {
    /// Direct owners of the member.
    pub direct: Vec<String>,
    /// Pairs of an owner and its member, which is an owner that was found before.
    pub nested: Vec<(String, String)>,
}

impl Ancestry {
    /// All owners without duplicates, in no order.
    #[must_use]
    pub fn owners(&self) -> HashSet<&str> {
        self.direct.iter().chain(self.nested.iter().map(|(owner, _)| owner)).map(String::as_str).collect()
    }

    /// The owners that can be reached from the member through owners that `exists` accepts, without duplicates, in no
    /// order.
    #[must_use]
    pub fn reachable(&self, exists: impl Fn(&str) -> bool) -> HashSet<&str> {
        let mut above: HashMap<&str, Vec<&str>> = HashMap::new();
        for (owner, member) in &self.nested {
            above.entry(member).or_default().push(owner);
        }
        let mut reached = HashSet::new();
        let mut next: Vec<&str> = self.direct.iter().map(String::as_str).collect();
        while let Some(owner) = next.pop() {
            if exists(owner) && reached.insert(owner) {
                next.extend(above.get(owner).into_iter().flatten());
            }
        }
        reached
    }
}

/// A store. All methods may be called concurrently.
///
/// With `tx` the operation is part of that transaction.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Whether the store responds, within a time limit.
    fn ping(&self) -> BoxFuture<'_, Result<()>>;

    /// All classes, default columns included.
    fn classes(&self) -> BoxFuture<'_, Result<Vec<ClassSchema>>>;

    /// Creates a class. `Duplicate` if it exists.
    fn create_class<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<()>>;

    /// Adds a field atomically. Does nothing if it exists with the same type; `FieldExists` if it exists with another
    /// type.
    fn add_field<'a>(&'a self, class: &'a ClassName, name: &'a str, field: &'a Field) -> BoxFuture<'a, Result<()>>;

    /// Replaces the options (required, default) of an existing field.
    fn set_field_options<'a>(
        &'a self,
        class: &'a ClassName,
        name: &'a str,
        field: &'a Field,
    ) -> BoxFuture<'a, Result<()>>;

    /// Deletes fields of the class and of its rows.
    fn delete_fields<'a>(&'a self, schema: &'a ClassSchema, names: &'a [String]) -> BoxFuture<'a, Result<()>>;

    /// Sets the permissions of a class; `None` removes them.
    fn set_permissions<'a>(
        &'a self,
        class: &'a ClassName,
        permissions: Option<&'a serde_json::Map<String, Json>>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Sets the list of indexes of a class, without changing the indexes themselves.
    fn set_listed_indexes<'a>(
        &'a self,
        class: &'a ClassName,
        indexes: &'a indexmap::IndexMap<String, IndexKeys>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Waits until earlier changes of classes and indexes survive a crash. They do when they return, unless the store made them while a
    /// transaction of somebody else occupied it.
    fn settle_classes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// Deletes a class and its rows. Does nothing if it does not exist.
    fn delete_class<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>>;

    /// Creates missing indexes, without blocking writes if the store can.
    fn create_indexes<'a>(&'a self, schema: &'a ClassSchema, indexes: &'a [IndexSpec]) -> BoxFuture<'a, Result<()>>;

    /// Drops indexes by name.
    fn drop_indexes<'a>(&'a self, class: &'a ClassName, names: &'a [String]) -> BoxFuture<'a, Result<()>>;

    /// The existing indexes of a class as `name → keys`, in the database's terms (including `_id_`).
    fn indexes<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<indexmap::IndexMap<String, IndexKeys>>>;

    /// Inserts a row.
    fn insert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        row: Object,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Updates the first matching row atomically and returns the row after the update; `None` if none matches.
    fn update_one<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Option<Object>>>;

    /// Updates all matching rows; returns their number.
    fn update_many<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>>;

    /// Updates the first matching row, or inserts one from the filter's equalities and the update.
    fn upsert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Deletes all matching rows; returns their number.
    fn delete<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>>;

    /// Finds the matching rows.
    fn find<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<Object>>>;

    /// Like [`Storage::find`], with the rows as JSON in the given shape. Requested fields must be top-level fields.
    fn find_json<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        shape: &'a Arc<Shape>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<JsonRows>>;

    /// Counts the matching rows. Of `options`, only hint, comment, case and read preference are used.
    fn count<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>>;

    /// The store's plan of a query, as JSON in its own format.
    fn explain<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        verbosity: &'a str,
    ) -> BoxFuture<'a, Result<Json>>;

    /// The distinct values of a field in the matching rows.
    fn distinct<'a>(
        &'a self,
        schema: &'a ClassSchema,
        field: &'a str,
        filter: &'a Resolved,
    ) -> BoxFuture<'a, Result<Vec<Value>>>;

    /// Runs a MongoDB aggregation pipeline (field names in REST terms unless the options say otherwise); returns rows
    /// as REST
    /// JSON.
    fn aggregate<'a>(
        &'a self,
        schema: &'a ClassSchema,
        pipeline: Vec<Json>,
        options: &'a AggregateOptions,
    ) -> BoxFuture<'a, Result<Vec<Json>>>;

    /// Adds members to a relation; existing members are unaffected.
    fn link<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Removes members from a relation; ids that are not members are ignored.
    fn unlink<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>>;

    /// The members of the relations of these owners, as pairs `(owner, member)`.
    fn members<'a>(
        &'a self,
        join: &'a ClassName,
        owners: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>>;

    /// The owners whose relation contains one of these members, as pairs `(owner, member)`; `None`: all owners with
    /// members.
    fn owners<'a>(
        &'a self,
        join: &'a ClassName,
        members: Option<&'a [String]>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>>;

    /// The owners whose `direct` relation contains the member, the owners whose `nested` relation contains one of
    /// these, and so on. One query regardless of the depth; cycles are handled.
    fn ancestors<'a>(
        &'a self,
        direct: &'a ClassName,
        nested: &'a ClassName,
        member: &'a str,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Ancestry>>;

    /// The classes that have a place for rows, relations (`_Join:…`) included, whether or not they have a schema.
    fn stored_classes(&self) -> BoxFuture<'_, Result<Vec<ClassName>>>;

    /// All rows of a class, with internal columns, in the order in which the store keeps them. Not at one moment: what is written
    /// meanwhile may be among them.
    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>>;

    /// All pairs `(owner, member)` of a relation.
    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>>;

    /// The indexes of a class as they would be created again, without that of the `objectId`.
    fn index_specs<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<Vec<IndexSpec>>>;

    /// What the store finds damaged in its own structures, one sentence each. Reads everything.
    fn damage(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move { Ok(Vec::new()) })
    }

    /// Begins a transaction.
    fn begin(&self) -> BoxFuture<'_, Result<Transaction>>;

    /// Begins a transaction for the writes of one object: its row, and what belongs to it. `None` if the store has no
    /// transactions that are cheap enough for that; then the order of the writes must leave nothing that hurts a retry.
    fn begin_for_one(&self) -> BoxFuture<'_, Result<Option<Transaction>>> {
        Box::pin(async move { Ok(None) })
    }

    /// Commits a transaction.
    fn commit(&self, tx: Transaction) -> BoxFuture<'_, Result<()>>;

    /// Rolls back a transaction.
    fn abort(&self, tx: Transaction) -> BoxFuture<'_, Result<()>>;

    /// Watches for changes of the schema and of rows of these classes by other processes. `None` if the store cannot;
    /// then caches must rely on expiry.
    fn watch<'a>(&'a self, classes: &'a [ClassName]) -> BoxFuture<'a, Result<Option<BoxStream<'static, Event>>>>;

    /// Every write to rows of the classes followed, by whatever process, in order, with the rows before and after; `None`: the store
    /// cannot tell.
    fn changes(&self, _follower: Arc<dyn Follower>) -> BoxFuture<'_, Result<Option<BoxStream<'static, Change>>>> {
        Box::pin(async move { Ok(None) })
    }

    /// The writes that [`Storage::changes`] told, or would have told, after some and up to a place that has been reached; `None`: the
    /// store does not know them any more, or they began before `oldest`.
    fn changes_between(
        &self,
        _follower: Arc<dyn Follower>,
        _after: After,
        _until: u64,
        _oldest: Date,
    ) -> BoxFuture<'_, Result<Option<BoxStream<'static, Result<RowChange>>>>> {
        Box::pin(async move { Ok(None) })
    }

    /// The place in the order of writes that has been reached: what is written from now on comes after it.
    fn position(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { Ok(0) })
    }

    /// The name of the order of writes, where another database has another one in which the same places mean other writes.
    fn history(&self) -> Option<&str> {
        None
    }

    /// Has the store keep the rows before and after each write of a class, for [`Storage::changes`].
    fn keep_images<'a>(&'a self, _class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }

    /// Closes the store gracefully; later calls fail.
    fn close(&self) -> BoxFuture<'_, ()>;
}
