//! Where rows live: the contract every store keeps, in words and as a trait.
//!
//! A store knows classes, rows, filters and updates; it knows no class by name and no rule of Parse. Rows cross this
//! boundary as [`Object`]s in REST terms (`objectId`, `createdAt`, `updatedAt` as dates, pointers as pointers) plus columns
//! that clients never see: `_rperm` and `_wperm` (arrays of entities; absent: open to all) and whatever internal columns
//! the domain keeps (`_hashed_password`, `_auth_data_anonymous`, …).
//!
//! - A write that is acknowledged is durable.
//! - A filter means the same on every store: `conformance.rs` holds the cases.
//! - Uniqueness is the store's: a write that breaks a unique index fails with [`StorageError::Duplicate`].

#[cfg(test)]
pub mod conformance;
pub mod mongo;
pub mod sqlite;

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
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

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A unique index refused a write.
    #[error("duplicate value in index {index}")]
    Duplicate {
        /// Name of the index, as `_id_` or `username_1`; empty when the store does not tell.
        index: String,
    },
    /// Two transactions met; the whole transaction may be tried again.
    #[error("write conflict")]
    WriteConflict,
    /// The store cannot be reached, or did not answer in time.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The operation took longer than it may.
    #[error("the operation exceeded its time limit")]
    TimedOut,
    /// There is no room left for writes; reads go on.
    #[error("the disk of the database is full")]
    DiskFull(#[source] Box<dyn Error + Send + Sync>),
    /// The request asks for what no store, or not this one, can do: a bad pattern, an unknown index, an unsupported stage.
    /// The text may be shown to the client.
    #[error("{0}")]
    Refused(String),
    /// A `$nearSphere` found no index to use; the caller makes one and tries again.
    #[error("no geo index for field {0}")]
    NoGeoIndex(String),
    /// A class or field exists already, with another type.
    #[error("field exists already with type {0}")]
    FieldExists(String),
    /// Anything else; the text is for the log.
    #[error("storage failure: {0}")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// Result of a store.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// A transaction under way; what it holds is the store's own business.
#[derive(Clone)]
pub struct Transaction(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Transaction")
    }
}

/// An index to make.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the database's own")]
pub struct IndexSpec {
    /// Its name.
    pub name: String,
    /// Fields in REST terms (may be dotted) or internal columns, with direction or kind.
    pub keys: IndexKeys,
    /// Whether two rows with the same value are refused.
    pub unique: bool,
    /// Whether rows without the field are left out.
    pub sparse: bool,
    /// Whether text is compared by the collation `en_US`, strength 2.
    pub case_insensitive: bool,
    /// For dates: seconds after which the row goes away.
    pub expire_after_seconds: Option<u64>,
    /// Only meant for stores where this index alone makes uniqueness hold (see `docs/storage.md`); MongoDB leaves it out.
    pub embedded_only: bool,
}

/// What an outside process changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A schema document.
    Schema,
    /// A row of a class, or rows of it. `id` is missing when it is not known (a collection was dropped).
    Row {
        /// The class.
        class: ClassName,
        /// Its `objectId`.
        id: Option<String>,
    },
    /// Events may have been missed: everything cached is in doubt.
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
    Row(RowChange),
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
    /// When it was written, by the clock of the store.
    pub written_at: Option<Date>,
}

/// Options of an aggregation.
#[derive(Debug, Clone, Default)]
pub struct AggregateOptions {
    /// Index to use.
    pub hint: Option<Json>,
    /// Remark for the database's log.
    pub comment: Option<String>,
    /// Which member to ask.
    pub read_preference: Option<crate::model::query::options::ReadPreference>,
    /// Return the plan instead of rows.
    pub explain: Option<String>,
    /// Field names and values are the database's own, without translation.
    pub raw_values: bool,
    /// Field names are the database's own, without translation.
    pub raw_field_names: bool,
}

/// Everything above a member in two relations, as pairs, so that the caller can leave out owners that do not exist any more.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ancestry {
    /// Owners of the member itself.
    pub direct: Vec<String>,
    /// Pairs of an owner and its member, where the member is an owner found before.
    pub nested: Vec<(String, String)>,
}

impl Ancestry {
    /// All owners, each once, in no order.
    #[must_use]
    pub fn owners(&self) -> HashSet<&str> {
        self.direct.iter().chain(self.nested.iter().map(|(owner, _)| owner)).map(String::as_str).collect()
    }

    /// The owners that can be reached from the member over owners that `exists` accepts, each once, in no order.
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

/// A store. All methods may be called at the same time from many tasks.
///
/// `tx`: when given, the operation is part of that transaction.
#[async_trait]
pub trait Storage: Send + Sync + fmt::Debug {
    /// Whether the store answers; bounded in time.
    async fn ping(&self) -> Result<()>;

    /// All classes, default columns included.
    async fn classes(&self) -> Result<Vec<ClassSchema>>;

    /// Makes a class. `Duplicate` when it exists.
    async fn create_class(&self, schema: &ClassSchema) -> Result<()>;

    /// Adds a field, atomically: nothing happens if it exists with the same type, `FieldExists` if with another.
    async fn add_field(&self, class: &ClassName, name: &str, field: &Field) -> Result<()>;

    /// Replaces the options (required, default) of a field that exists.
    async fn set_field_options(&self, class: &ClassName, name: &str, field: &Field) -> Result<()>;

    /// Removes fields: from the class, and from its rows.
    async fn delete_fields(&self, schema: &ClassSchema, names: &[String]) -> Result<()>;

    /// Stores the permissions of a class; `None`: it has none of its own any more.
    async fn set_permissions(
        &self,
        class: &ClassName,
        permissions: Option<&serde_json::Map<String, Json>>,
    ) -> Result<()>;

    /// Stores what the class lists as its indexes; does not touch the indexes themselves.
    async fn set_listed_indexes(
        &self,
        class: &ClassName,
        indexes: &indexmap::IndexMap<String, IndexKeys>,
    ) -> Result<()>;

    /// Removes a class with its rows. Nothing happens when there is none.
    async fn delete_class(&self, class: &ClassName) -> Result<()>;

    /// Makes indexes that are not there yet, without blocking writers where the store can.
    async fn create_indexes(&self, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()>;

    /// Drops indexes by name.
    async fn drop_indexes(&self, class: &ClassName, names: &[String]) -> Result<()>;

    /// The real indexes of a class as `name → keys`, in the database's terms (`_id_` included).
    async fn indexes(&self, class: &ClassName) -> Result<indexmap::IndexMap<String, IndexKeys>>;

    /// Stores a new row.
    async fn insert(&self, schema: &ClassSchema, row: Object, tx: Option<&Transaction>) -> Result<()>;

    /// Changes the first match, atomically, and gives the row as it is afterwards; `None` when nothing matches.
    async fn update_one(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<Option<Object>>;

    /// Changes all matches; gives their number.
    async fn update_many(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<u64>;

    /// Changes the first match, or makes a row out of the filter's equalities and the update.
    async fn upsert(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<()>;

    /// Deletes all matches; gives their number.
    async fn delete(&self, schema: &ClassSchema, filter: &Resolved, tx: Option<&Transaction>) -> Result<u64>;

    /// The rows that match.
    async fn find(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<Vec<Object>>;

    /// As [`Storage::find`], the rows written as JSON in the shape in which they are read; the fields asked for are whole ones.
    async fn find_json(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        shape: &Arc<Shape>,
        tx: Option<&Transaction>,
    ) -> Result<JsonRows>;

    /// How many rows match; of `options` only hint, comment, case and read preference count.
    async fn count(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<u64>;

    /// How the store would run a find (or ran it): its own words as JSON.
    async fn explain(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        verbosity: &str,
    ) -> Result<Json>;

    /// The different values of a field over the matches.
    async fn distinct(&self, schema: &ClassSchema, field: &str, filter: &Resolved) -> Result<Vec<Value>>;

    /// Runs a pipeline in MongoDB's language (field names in REST terms unless options say otherwise); rows as REST JSON.
    async fn aggregate(
        &self,
        schema: &ClassSchema,
        pipeline: Vec<Json>,
        options: &AggregateOptions,
    ) -> Result<Vec<Json>>;

    /// Puts members into a relation; those that are there stay.
    async fn link(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()>;

    /// Takes members out of a relation; strangers do not matter.
    async fn unlink(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()>;

    /// The members of these owners' relations, as pairs `(owner, member)`.
    async fn members(
        &self,
        join: &ClassName,
        owners: &[String],
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>>;

    /// The owners in whose relation one of these is, as pairs `(owner, member)`; `None`: all owners that have members.
    async fn owners(
        &self,
        join: &ClassName,
        members: Option<&[String]>,
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>>;

    /// The owners in whose `direct` relation the member is, the owners in whose `nested` relation one of these is, and so on to the
    /// end. One query, whatever the depth; cycles end.
    async fn ancestors(
        &self,
        direct: &ClassName,
        nested: &ClassName,
        member: &str,
        tx: Option<&Transaction>,
    ) -> Result<Ancestry>;

    /// Begins a transaction.
    async fn begin(&self) -> Result<Transaction>;

    /// Makes a transaction's writes lasting.
    async fn commit(&self, tx: Transaction) -> Result<()>;

    /// Undoes a transaction's writes.
    async fn abort(&self, tx: Transaction) -> Result<()>;

    /// What other processes change of the schema and of rows of these classes, where the store can tell; `None`: it cannot, and caches
    /// must expire.
    async fn watch(&self, classes: &[ClassName]) -> Result<Option<BoxStream<'static, Event>>>;

    /// Every write to rows of the classes followed, by whatever process, in order, with the rows before and after; `None`: the store
    /// cannot tell.
    async fn changes(&self, _follower: Arc<dyn Follower>) -> Result<Option<BoxStream<'static, Change>>> {
        Ok(None)
    }

    /// The place in the order of writes that has been reached: what is written from now on comes after it.
    async fn position(&self) -> Result<u64> {
        Ok(0)
    }

    /// Has the store keep the rows before and after each write of a class, for [`Storage::changes`].
    async fn keep_images(&self, _class: &ClassName) -> Result<()> {
        Ok(())
    }

    /// Stops the store in good order; later calls fail.
    async fn close(&self);
}
