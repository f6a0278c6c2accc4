//! The store on MongoDB, in the layout of parse-server 9, so that both servers can use one database.
//!
//! - `encode`, `decode`, `names`: convert rows and values to documents and back.
//! - `filter`, `update`, `aggregate`: convert conditions, updates and pipelines to MongoDB's language.
//! - `schema`, `index`: the collection `_SCHEMA` and the indexes.
//! - `find`, `insert`, `write`, `relation`, `transaction`, `watch`: the operations.
//!
//! Every operation ends within [`MongoOptions::timeout`], whatever the network does.

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
    async fn run<T>(&self, action: impl IntoFuture<Output = mongodb::error::Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.timeout, action.into_future()).await {
            Ok(result) => result.map_err(error::storage),
            Err(_) => Err(error::no_answer()),
        }
    }

    /// As [`MongoStorage::run`], for actions on any number of rows: they may take ten times as long.
    async fn run_long<T>(&self, action: impl IntoFuture<Output = mongodb::error::Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.timeout * 10, action.into_future()).await {
            Ok(result) => result.map_err(error::storage),
            Err(_) => Err(error::no_answer()),
        }
    }

    /// Does several things, for [`MongoOptions::timeout`] at most together.
    async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(error::no_answer()),
        }
    }
}

impl Storage for MongoStorage {
    fn ping(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { connect::ping(self).await })
    }

    fn classes(&self) -> BoxFuture<'_, Result<Vec<ClassSchema>>> {
        Box::pin(async move { schema::classes(self).await })
    }

    fn create_class<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::create_class(self, schema).await })
    }

    fn add_field<'a>(&'a self, class: &'a ClassName, name: &'a str, field: &'a Field) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::add_field(self, class, name, field).await })
    }

    fn set_field_options<'a>(
        &'a self,
        class: &'a ClassName,
        name: &'a str,
        field: &'a Field,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::set_field_options(self, class, name, field).await })
    }

    fn delete_fields<'a>(&'a self, schema: &'a ClassSchema, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::delete_fields(self, schema, names).await })
    }

    fn set_permissions<'a>(
        &'a self,
        class: &'a ClassName,
        permissions: Option<&'a serde_json::Map<String, Json>>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::set_permissions(self, class, permissions).await })
    }

    fn set_listed_indexes<'a>(
        &'a self,
        class: &'a ClassName,
        indexes: &'a IndexMap<String, IndexKeys>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::set_listed_indexes(self, class, indexes).await })
    }

    fn delete_class<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { schema::delete_class(self, class).await })
    }

    fn create_indexes<'a>(&'a self, schema: &'a ClassSchema, indexes: &'a [IndexSpec]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { index::create(self, schema, indexes).await })
    }

    fn drop_indexes<'a>(&'a self, class: &'a ClassName, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { index::drop(self, class, names).await })
    }

    fn indexes<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<IndexMap<String, IndexKeys>>> {
        Box::pin(async move { index::list(self, class).await })
    }

    fn insert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        row: Object,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { insert::insert(self, schema, row, tx).await })
    }

    fn update_one<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(async move { write::update_one(self, schema, filter, update, tx).await })
    }

    fn update_many<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { write::update_many(self, schema, filter, update, tx).await })
    }

    fn upsert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { write::upsert(self, schema, filter, update, tx).await })
    }

    fn delete<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { write::delete(self, schema, filter, tx).await })
    }

    fn find<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<Object>>> {
        Box::pin(async move { find::find(self, schema, filter, options, tx).await })
    }

    fn find_json<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        shape: &'a Arc<Shape>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<JsonRows>> {
        Box::pin(async move { find::find_json(self, schema, filter, options, shape, tx).await })
    }

    fn count<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { find::count(self, schema, filter, options, tx).await })
    }

    fn explain<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        verbosity: &'a str,
    ) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move { find::explain(self, schema, filter, options, verbosity).await })
    }

    fn distinct<'a>(
        &'a self,
        schema: &'a ClassSchema,
        field: &'a str,
        filter: &'a Resolved,
    ) -> BoxFuture<'a, Result<Vec<Value>>> {
        Box::pin(async move { find::distinct(self, schema, field, filter).await })
    }

    fn aggregate<'a>(
        &'a self,
        schema: &'a ClassSchema,
        pipeline: Vec<Json>,
        options: &'a AggregateOptions,
    ) -> BoxFuture<'a, Result<Vec<Json>>> {
        Box::pin(async move { aggregate::aggregate(self, schema, pipeline, options).await })
    }

    fn link<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { relation::link(self, join, owner, members, tx).await })
    }

    fn unlink<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { relation::unlink(self, join, owner, members, tx).await })
    }

    fn members<'a>(
        &'a self,
        join: &'a ClassName,
        owners: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move { relation::pairs(self, join, relation::OWNER, Some(owners), tx).await })
    }

    fn owners<'a>(
        &'a self,
        join: &'a ClassName,
        members: Option<&'a [String]>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move { relation::pairs(self, join, relation::MEMBER, members, tx).await })
    }

    fn ancestors<'a>(
        &'a self,
        direct: &'a ClassName,
        nested: &'a ClassName,
        member: &'a str,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Ancestry>> {
        Box::pin(async move { relation::ancestors(self, direct, nested, member, tx).await })
    }

    fn stored_classes(&self) -> BoxFuture<'_, Result<Vec<ClassName>>> {
        Box::pin(async move { scan::classes(self).await })
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        scan::rows(self, schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        scan::pairs(self, join)
    }

    fn index_specs<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<Vec<IndexSpec>>> {
        Box::pin(async move { index::specs(self, schema).await })
    }

    fn begin(&self) -> BoxFuture<'_, Result<Transaction>> {
        Box::pin(async move { transaction::begin(self).await })
    }

    fn commit(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { transaction::commit(self, tx).await })
    }

    fn abort(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { transaction::abort(self, tx).await })
    }

    fn watch<'a>(&'a self, classes: &'a [ClassName]) -> BoxFuture<'a, Result<Option<BoxStream<'static, Event>>>> {
        Box::pin(async move { watch::watch(self, classes).await })
    }

    fn changes(&self, follower: Arc<dyn Follower>) -> BoxFuture<'_, Result<Option<BoxStream<'static, Change>>>> {
        Box::pin(async move { changes::changes(self, follower).await })
    }

    fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> BoxFuture<'_, Result<Option<BoxStream<'static, Result<RowChange>>>>> {
        Box::pin(async move { changes::changes_between(self, follower, after, until, oldest).await })
    }

    fn position(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { changes::position(self).await })
    }

    fn keep_images<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { changes::keep_images(self, class).await })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            connect::close(self).await;
        })
    }
}
