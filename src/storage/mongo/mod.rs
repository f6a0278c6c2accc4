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

use async_trait::async_trait;
use bson::Document;
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

#[async_trait]
impl Storage for MongoStorage {
    async fn ping(&self) -> Result<()> {
        connect::ping(self).await
    }

    async fn classes(&self) -> Result<Vec<ClassSchema>> {
        schema::classes(self).await
    }

    async fn create_class(&self, schema: &ClassSchema) -> Result<()> {
        schema::create_class(self, schema).await
    }

    async fn add_field(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        schema::add_field(self, class, name, field).await
    }

    async fn set_field_options(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        schema::set_field_options(self, class, name, field).await
    }

    async fn delete_fields(&self, schema: &ClassSchema, names: &[String]) -> Result<()> {
        schema::delete_fields(self, schema, names).await
    }

    async fn set_permissions(
        &self,
        class: &ClassName,
        permissions: Option<&serde_json::Map<String, Json>>,
    ) -> Result<()> {
        schema::set_permissions(self, class, permissions).await
    }

    async fn set_listed_indexes(&self, class: &ClassName, indexes: &IndexMap<String, IndexKeys>) -> Result<()> {
        schema::set_listed_indexes(self, class, indexes).await
    }

    async fn delete_class(&self, class: &ClassName) -> Result<()> {
        schema::delete_class(self, class).await
    }

    async fn create_indexes(&self, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()> {
        index::create(self, schema, indexes).await
    }

    async fn drop_indexes(&self, class: &ClassName, names: &[String]) -> Result<()> {
        index::drop(self, class, names).await
    }

    async fn indexes(&self, class: &ClassName) -> Result<IndexMap<String, IndexKeys>> {
        index::list(self, class).await
    }

    async fn insert(&self, schema: &ClassSchema, row: Object, tx: Option<&Transaction>) -> Result<()> {
        insert::insert(self, schema, row, tx).await
    }

    async fn update_one(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<Option<Object>> {
        write::update_one(self, schema, filter, update, tx).await
    }

    async fn update_many(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        write::update_many(self, schema, filter, update, tx).await
    }

    async fn upsert(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<()> {
        write::upsert(self, schema, filter, update, tx).await
    }

    async fn delete(&self, schema: &ClassSchema, filter: &Resolved, tx: Option<&Transaction>) -> Result<u64> {
        write::delete(self, schema, filter, tx).await
    }

    async fn find(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<Vec<Object>> {
        find::find(self, schema, filter, options, tx).await
    }

    async fn find_json(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        shape: &Arc<Shape>,
        tx: Option<&Transaction>,
    ) -> Result<JsonRows> {
        find::find_json(self, schema, filter, options, shape, tx).await
    }

    async fn count(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        find::count(self, schema, filter, options, tx).await
    }

    async fn explain(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        verbosity: &str,
    ) -> Result<Json> {
        find::explain(self, schema, filter, options, verbosity).await
    }

    async fn distinct(&self, schema: &ClassSchema, field: &str, filter: &Resolved) -> Result<Vec<Value>> {
        find::distinct(self, schema, field, filter).await
    }

    async fn aggregate(
        &self,
        schema: &ClassSchema,
        pipeline: Vec<Json>,
        options: &AggregateOptions,
    ) -> Result<Vec<Json>> {
        aggregate::aggregate(self, schema, pipeline, options).await
    }

    async fn link(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        relation::link(self, join, owner, members, tx).await
    }

    async fn unlink(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        relation::unlink(self, join, owner, members, tx).await
    }

    async fn members(
        &self,
        join: &ClassName,
        owners: &[String],
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        relation::pairs(self, join, relation::OWNER, Some(owners), tx).await
    }

    async fn owners(
        &self,
        join: &ClassName,
        members: Option<&[String]>,
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        relation::pairs(self, join, relation::MEMBER, members, tx).await
    }

    async fn ancestors(
        &self,
        direct: &ClassName,
        nested: &ClassName,
        member: &str,
        tx: Option<&Transaction>,
    ) -> Result<Ancestry> {
        relation::ancestors(self, direct, nested, member, tx).await
    }

    async fn stored_classes(&self) -> Result<Vec<ClassName>> {
        scan::classes(self).await
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        scan::rows(self, schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        scan::pairs(self, join)
    }

    async fn index_specs(&self, schema: &ClassSchema) -> Result<Vec<IndexSpec>> {
        index::specs(self, schema).await
    }

    async fn begin(&self) -> Result<Transaction> {
        transaction::begin(self).await
    }

    async fn commit(&self, tx: Transaction) -> Result<()> {
        transaction::commit(self, tx).await
    }

    async fn abort(&self, tx: Transaction) -> Result<()> {
        transaction::abort(self, tx).await
    }

    async fn watch(&self, classes: &[ClassName]) -> Result<Option<BoxStream<'static, Event>>> {
        watch::watch(self, classes).await
    }

    async fn changes(&self, follower: Arc<dyn Follower>) -> Result<Option<BoxStream<'static, Change>>> {
        changes::changes(self, follower).await
    }

    async fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> Result<Option<BoxStream<'static, Result<RowChange>>>> {
        changes::changes_between(self, follower, after, until, oldest).await
    }

    async fn position(&self) -> Result<u64> {
        changes::position(self).await
    }

    async fn keep_images(&self, class: &ClassName) -> Result<()> {
        changes::keep_images(self, class).await
    }

    async fn close(&self) {
        connect::close(self).await;
    }
}
