//! The store on MongoDB, in the layout of parse-server 9, so that both servers can use one database.
//!
//! - `encode`, `decode`, `names`: convert rows and values to documents and back.
//! - `filter`, `update`, `aggregate`: convert conditions, updates and pipelines to MongoDB's language.
//! - `schema`, `index`: the collection `_SCHEMA` and the indexes.
//! - `find`, `insert`, `write`, `relation`, `transaction`, `watch`: the operations.
//!
//! Every operation ends within the server selection timeout and [`MongoOptions::timeout`], whatever the network does.

mod aggregate;
mod batcher;
mod changes;
mod connect;
mod decode;
mod encode;
mod error;
mod feed;
mod filter;
mod find;
mod get;
mod heavy;
mod index;
mod insert;
mod members;
mod names;
mod plain;
mod present;
mod relation;
mod scan;
mod schema;
#[cfg(test)]
mod tests;
mod transaction;
mod update;
mod watch;
mod write;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use bson::Document;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, TryFutureExt as _};
use indexmap::IndexMap;
use mongodb::{Client, Collection, Database};
use serde_json::Value as Json;

pub use connect::{CommandListener, ImagesOf, MongoOptions};

use super::{
    After, AggregateOptions, Ancestry, Change, Event, Follower, IndexSpec, Result, RowChange, Storage, Transaction,
};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::query::filter::Resolved;
use crate::model::query::options::FindOptions;
use crate::model::rows::JsonRows;
use crate::model::schema::{ClassSchema, Field, IndexKeys};
use crate::model::shape::Shape;
use crate::model::value::Value;

/// Name of the collection of classes.
const SCHEMA_COLLECTION: &str = "_SCHEMA";

/// The store on MongoDB.
pub struct MongoStorage {
    client: Client,
    database: Database,
    prefix: String,
    timeout: Duration,
    max_time: Duration,
    batch_size: u32,
    inserts: insert::Inserts,
    gets: get::Gets,
    members: members::Members,
    /// Of which classes the rows before and after each write are kept.
    images: Option<ImagesOf>,
}

impl fmt::Debug for MongoStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MongoStorage").field("database", &self.database.name()).finish_non_exhaustive()
    }
}

impl MongoStorage {
    /// The database, for those who keep other things in it than rows.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The name of a class's collection.
    fn collection_name(&self, class: &str) -> String {
        format!("{}{class}", self.prefix)
    }

    /// The rows of a class.
    fn rows(&self, class: &ClassName) -> Collection<Document> {
        self.database.collection(&self.collection_name(class.as_str()))
    }

    /// The classes.
    fn schemas(&self) -> Collection<Document> {
        self.database.collection(&self.collection_name(SCHEMA_COLLECTION))
    }

    /// Runs one action of the driver, for [`MongoOptions::timeout`] at most.
    fn run<T, A>(&self, action: A) -> impl Future<Output = Result<T>> + use<T, A>
    where
        A: IntoFuture<Output = mongodb::error::Result<T>>,
    {
        limited(self.timeout, action.into_future().map_err(error::storage))
    }

    /// As [`MongoStorage::run`], for actions on any number of rows: they may take ten times as long.
    fn run_long<T, A>(&self, action: A) -> impl Future<Output = Result<T>> + use<T, A>
    where
        A: IntoFuture<Output = mongodb::error::Result<T>>,
    {
        limited(self.timeout * 10, action.into_future().map_err(error::storage))
    }

    /// Does several things, for [`MongoOptions::timeout`] at most together.
    fn within<T, W: Future<Output = Result<T>>>(&self, work: W) -> impl Future<Output = Result<T>> + use<T, W> {
        limited(self.timeout, work)
    }
}

/// Does something, and gives up after a time.
// Not `async`: such a function holds its argument twice.
fn limited<T>(most: Duration, work: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
    tokio::time::timeout(most, work).map(|outcome| outcome.unwrap_or_else(|_| Err(error::no_answer())))
}

impl Storage for MongoStorage {
    fn ping(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(connect::ping(self))
    }

    fn classes(&self) -> BoxFuture<'_, Result<Vec<ClassSchema>>> {
        Box::pin(schema::classes(self))
    }

    fn create_class<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::create_class(self, schema))
    }

    fn add_field<'a>(&'a self, class: &'a ClassName, name: &'a str, field: &'a Field) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::add_field(self, class, name, field))
    }

    fn set_field_options<'a>(
        &'a self,
        class: &'a ClassName,
        name: &'a str,
        field: &'a Field,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::set_field_options(self, class, name, field))
    }

    fn delete_fields<'a>(&'a self, schema: &'a ClassSchema, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::delete_fields(self, schema, names))
    }

    fn set_permissions<'a>(
        &'a self,
        class: &'a ClassName,
        permissions: Option<&'a serde_json::Map<String, Json>>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::set_permissions(self, class, permissions))
    }

    fn set_listed_indexes<'a>(
        &'a self,
        class: &'a ClassName,
        indexes: &'a IndexMap<String, IndexKeys>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::set_listed_indexes(self, class, indexes))
    }

    fn delete_class<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(schema::delete_class(self, class))
    }

    fn create_indexes<'a>(&'a self, schema: &'a ClassSchema, indexes: &'a [IndexSpec]) -> BoxFuture<'a, Result<()>> {
        Box::pin(index::create(self, schema, indexes))
    }

    fn drop_indexes<'a>(&'a self, class: &'a ClassName, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(index::drop(self, class, names))
    }

    fn indexes<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<IndexMap<String, IndexKeys>>> {
        Box::pin(index::list(self, class))
    }

    fn insert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        row: Object,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(insert::insert(self, schema, row, tx))
    }

    fn update_one<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(write::update_one(self, schema, filter, update, tx))
    }

    fn update_many<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(write::update_many(self, schema, filter, update, tx))
    }

    fn upsert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(write::upsert(self, schema, filter, update, tx))
    }

    fn delete<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(write::delete(self, schema, filter, tx))
    }

    fn find<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<Object>>> {
        Box::pin(find::find(self, schema, filter, options, tx))
    }

    fn find_json<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        shape: &'a Arc<Shape>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<JsonRows>> {
        Box::pin(find::find_json(self, schema, filter, options, shape, tx))
    }

    fn count<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(find::count(self, schema, filter, options, tx))
    }

    fn explain<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        verbosity: &'a str,
    ) -> BoxFuture<'a, Result<Json>> {
        Box::pin(find::explain(self, schema, filter, options, verbosity))
    }

    fn distinct<'a>(
        &'a self,
        schema: &'a ClassSchema,
        field: &'a str,
        filter: &'a Resolved,
    ) -> BoxFuture<'a, Result<Vec<Value>>> {
        Box::pin(find::distinct(self, schema, field, filter))
    }

    fn aggregate<'a>(
        &'a self,
        schema: &'a ClassSchema,
        pipeline: Vec<Json>,
        options: &'a AggregateOptions,
    ) -> BoxFuture<'a, Result<Vec<Json>>> {
        Box::pin(aggregate::aggregate(self, schema, pipeline, options))
    }

    fn link<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(relation::link(self, join, owner, members, tx))
    }

    fn unlink<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(relation::unlink(self, join, owner, members, tx))
    }

    fn members<'a>(
        &'a self,
        join: &'a ClassName,
        owners: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(relation::pairs(self, join, relation::OWNER, Some(owners), tx))
    }

    fn owners<'a>(
        &'a self,
        join: &'a ClassName,
        members: Option<&'a [String]>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(relation::pairs(self, join, relation::MEMBER, members, tx))
    }

    fn ancestors<'a>(
        &'a self,
        direct: &'a ClassName,
        nested: &'a ClassName,
        member: &'a str,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Ancestry>> {
        Box::pin(relation::ancestors(self, direct, nested, member, tx))
    }

    fn stored_classes(&self) -> BoxFuture<'_, Result<Vec<ClassName>>> {
        Box::pin(scan::classes(self))
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        scan::rows(self, schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        scan::pairs(self, join)
    }

    fn index_specs<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<Vec<IndexSpec>>> {
        Box::pin(index::specs(self, schema))
    }

    fn begin(&self) -> BoxFuture<'_, Result<Transaction>> {
        Box::pin(transaction::begin(self))
    }

    fn commit(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(transaction::commit(self, tx))
    }

    fn abort(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(transaction::abort(self, tx))
    }

    fn watch<'a>(&'a self, classes: &'a [ClassName]) -> BoxFuture<'a, Result<Option<BoxStream<'static, Event>>>> {
        Box::pin(watch::watch(self, classes))
    }

    fn changes(&self, follower: Arc<dyn Follower>) -> BoxFuture<'_, Result<Option<BoxStream<'static, Change>>>> {
        Box::pin(changes::changes(self, follower))
    }

    fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> BoxFuture<'_, Result<Option<BoxStream<'static, Result<RowChange>>>>> {
        Box::pin(changes::changes_between(self, follower, after, until, oldest))
    }

    fn position(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(changes::position(self))
    }

    fn keep_images<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(changes::keep_images(self, class))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            connect::close(self).await;
        })
    }
}
