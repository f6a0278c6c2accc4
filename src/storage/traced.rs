//! A store whose operations are spans of traces.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{
    After, AggregateOptions, Ancestry, Change, Event, Follower, IndexSpec, Result, RowChange, Storage, StorageError,
    Transaction,
};
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
use crate::traces::{self, Kind};

/// Another store, with a span for each operation of a request. What streams, and what no request does, has none.
#[derive(Debug)]
pub struct Traced {
    store: Arc<dyn Storage>,
    system: &'static str,
}

impl Traced {
    /// `system`: what OpenTelemetry calls the database.
    #[must_use]
    pub fn new(store: Arc<dyn Storage>, system: &'static str) -> Self {
        Self { store, system }
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        class: Option<&ClassName>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let mut span = traces::child(Kind::Client, || match class {
            Some(class) => format!("{operation} {class}").into(),
            None => operation.into(),
        });
        if !span.is_recorded() {
            return run.await;
        }
        span.set("db.system.name", self.system);
        span.set("db.operation.name", operation);
        if let Some(class) = class {
            span.set("db.collection.name", class.as_str().to_owned());
        }
        let done = run.await;
        if let Err(error) = &done {
            span.fail(kind(error));
        }
        done
    }
}

/// The name of a kind of error.
const fn kind(error: &StorageError) -> &'static str {
    match error {
        StorageError::Duplicate { .. } => "Duplicate",
        StorageError::WriteConflict => "WriteConflict",
        StorageError::Unavailable(_) => "Unavailable",
        StorageError::TimedOut => "TimedOut",
        StorageError::DiskFull(_) => "DiskFull",
        StorageError::Refused(_) => "Refused",
        StorageError::NoGeoIndex(_) => "NoGeoIndex",
        StorageError::FieldExists(_) => "FieldExists",
        StorageError::Other(_) => "Other",
    }
}

#[async_trait]
impl Storage for Traced {
    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    async fn classes(&self) -> Result<Vec<ClassSchema>> {
        self.timed("classes", None, self.store.classes()).await
    }

    async fn create_class(&self, schema: &ClassSchema) -> Result<()> {
        self.timed("createClass", Some(&schema.name), self.store.create_class(schema)).await
    }

    async fn add_field(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        self.timed("addField", Some(class), self.store.add_field(class, name, field)).await
    }

    async fn set_field_options(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        self.timed("setFieldOptions", Some(class), self.store.set_field_options(class, name, field)).await
    }

    async fn delete_fields(&self, schema: &ClassSchema, names: &[String]) -> Result<()> {
        self.timed("deleteFields", Some(&schema.name), self.store.delete_fields(schema, names)).await
    }

    async fn set_permissions(&self, class: &ClassName, permissions: Option<&Map<String, Json>>) -> Result<()> {
        self.timed("setPermissions", Some(class), self.store.set_permissions(class, permissions)).await
    }

    async fn set_listed_indexes(&self, class: &ClassName, indexes: &IndexMap<String, IndexKeys>) -> Result<()> {
        self.timed("setListedIndexes", Some(class), self.store.set_listed_indexes(class, indexes)).await
    }

    async fn delete_class(&self, class: &ClassName) -> Result<()> {
        self.timed("deleteClass", Some(class), self.store.delete_class(class)).await
    }

    async fn create_indexes(&self, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()> {
        self.timed("createIndexes", Some(&schema.name), self.store.create_indexes(schema, indexes)).await
    }

    async fn drop_indexes(&self, class: &ClassName, names: &[String]) -> Result<()> {
        self.timed("dropIndexes", Some(class), self.store.drop_indexes(class, names)).await
    }

    async fn indexes(&self, class: &ClassName) -> Result<indexmap::IndexMap<String, IndexKeys>> {
        self.timed("indexes", Some(class), self.store.indexes(class)).await
    }

    async fn insert(&self, schema: &ClassSchema, row: Object, tx: Option<&Transaction>) -> Result<()> {
        self.timed("insert", Some(&schema.name), self.store.insert(schema, row, tx)).await
    }

    async fn update_one(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<Option<Object>> {
        self.timed("updateOne", Some(&schema.name), self.store.update_one(schema, filter, update, tx)).await
    }

    async fn update_many(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        self.timed("updateMany", Some(&schema.name), self.store.update_many(schema, filter, update, tx)).await
    }

    async fn upsert(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<()> {
        self.timed("upsert", Some(&schema.name), self.store.upsert(schema, filter, update, tx)).await
    }

    async fn delete(&self, schema: &ClassSchema, filter: &Resolved, tx: Option<&Transaction>) -> Result<u64> {
        self.timed("delete", Some(&schema.name), self.store.delete(schema, filter, tx)).await
    }

    async fn find(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<Vec<Object>> {
        self.timed("find", Some(&schema.name), self.store.find(schema, filter, options, tx)).await
    }

    async fn find_json(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        shape: &Arc<Shape>,
        tx: Option<&Transaction>,
    ) -> Result<JsonRows> {
        self.timed("find", Some(&schema.name), self.store.find_json(schema, filter, options, shape, tx)).await
    }

    async fn count(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        self.timed("count", Some(&schema.name), self.store.count(schema, filter, options, tx)).await
    }

    async fn explain(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        verbosity: &str,
    ) -> Result<Json> {
        self.timed("explain", Some(&schema.name), self.store.explain(schema, filter, options, verbosity)).await
    }

    async fn distinct(&self, schema: &ClassSchema, field: &str, filter: &Resolved) -> Result<Vec<Value>> {
        self.timed("distinct", Some(&schema.name), self.store.distinct(schema, field, filter)).await
    }

    async fn aggregate(
        &self,
        schema: &ClassSchema,
        pipeline: Vec<Json>,
        options: &AggregateOptions,
    ) -> Result<Vec<Json>> {
        self.timed("aggregate", Some(&schema.name), self.store.aggregate(schema, pipeline, options)).await
    }

    async fn link(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        self.timed("link", Some(join), self.store.link(join, owner, members, tx)).await
    }

    async fn unlink(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        self.timed("unlink", Some(join), self.store.unlink(join, owner, members, tx)).await
    }

    async fn members(
        &self,
        join: &ClassName,
        owners: &[String],
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        self.timed("members", Some(join), self.store.members(join, owners, tx)).await
    }

    async fn owners(
        &self,
        join: &ClassName,
        members: Option<&[String]>,
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        self.timed("owners", Some(join), self.store.owners(join, members, tx)).await
    }

    async fn ancestors(
        &self,
        direct: &ClassName,
        nested: &ClassName,
        member: &str,
        tx: Option<&Transaction>,
    ) -> Result<Ancestry> {
        self.timed("ancestors", Some(direct), self.store.ancestors(direct, nested, member, tx)).await
    }

    async fn stored_classes(&self) -> Result<Vec<ClassName>> {
        self.timed("storedClasses", None, self.store.stored_classes()).await
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        self.store.all_rows(schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        self.store.all_pairs(join)
    }

    async fn index_specs(&self, schema: &ClassSchema) -> Result<Vec<IndexSpec>> {
        self.timed("indexSpecs", Some(&schema.name), self.store.index_specs(schema)).await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        self.store.damage().await
    }

    async fn begin(&self) -> Result<Transaction> {
        self.timed("begin", None, self.store.begin()).await
    }

    async fn begin_for_one(&self) -> Result<Option<Transaction>> {
        self.timed("begin", None, self.store.begin_for_one()).await
    }

    async fn commit(&self, tx: Transaction) -> Result<()> {
        self.timed("commit", None, self.store.commit(tx)).await
    }

    async fn abort(&self, tx: Transaction) -> Result<()> {
        self.timed("abort", None, self.store.abort(tx)).await
    }

    async fn watch(&self, classes: &[ClassName]) -> Result<Option<BoxStream<'static, Event>>> {
        self.store.watch(classes).await
    }

    async fn changes(&self, follower: Arc<dyn Follower>) -> Result<Option<BoxStream<'static, Change>>> {
        self.store.changes(follower).await
    }

    async fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> Result<Option<BoxStream<'static, Result<RowChange>>>> {
        self.store.changes_between(follower, after, until, oldest).await
    }

    async fn position(&self) -> Result<u64> {
        self.store.position().await
    }

    fn history(&self) -> Option<&str> {
        self.store.history()
    }

    async fn settle_classes(&self) -> Result<()> {
        self.store.settle_classes().await
    }

    async fn keep_images(&self, class: &ClassName) -> Result<()> {
        self.store.keep_images(class).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
