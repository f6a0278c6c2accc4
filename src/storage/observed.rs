//! A store whose operations are counted for metrics, and are spans of traces.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::{
    After, AggregateOptions, Ancestry, Change, Event, Follower, IndexSpec, Result, RowChange, Storage, StorageError,
    Transaction,
};
use crate::model::date::Date;
use crate::model::measures::samples::{self, Measured, Sample};
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

/// Another store, whose operations are counted, and are spans of the request that they serve. What streams is neither.
#[derive(Debug)]
pub struct Observed {
    store: Arc<dyn Storage>,
    measured: bool,
    /// What OpenTelemetry calls the database.
    traced: Option<&'static str>,
}

impl Observed {
    /// `measured`: whether operations are counted. `traced`: what OpenTelemetry calls the database; `None`: there are no spans.
    #[must_use]
    pub fn new(store: Arc<dyn Storage>, measured: bool, traced: Option<&'static str>) -> Self {
        Self { store, measured, traced }
    }

    async fn observed<T>(
        &self,
        operation: &'static str,
        class: Option<&ClassName>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let run = self.measured(operation, run);
        match self.traced {
            None => run.await,
            // Somewhere else, so that without traces no future has room for a span.
            Some(system) => Box::pin(traced(system, operation, class, run)).await,
        }
    }

    async fn measured<T>(&self, operation: &'static str, run: impl Future<Output = Result<T>> + Send) -> Result<T> {
        if !self.measured {
            return run.await;
        }
        let started = Instant::now();
        let done = run.await;
        let of = Measured::Operation { name: operation, done: done.is_ok() };
        samples::note(Sample { of, seconds: started.elapsed().as_secs_f64() });
        done
    }
}

/// Runs an operation in a span of its own, if the request has one.
async fn traced<T>(
    system: &'static str,
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
    span.set("db.system.name", system);
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
impl Storage for Observed {
    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    async fn classes(&self) -> Result<Vec<ClassSchema>> {
        self.observed("classes", None, self.store.classes()).await
    }

    async fn create_class(&self, schema: &ClassSchema) -> Result<()> {
        self.observed("createClass", Some(&schema.name), self.store.create_class(schema)).await
    }

    async fn add_field(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        self.observed("addField", Some(class), self.store.add_field(class, name, field)).await
    }

    async fn set_field_options(&self, class: &ClassName, name: &str, field: &Field) -> Result<()> {
        self.observed("setFieldOptions", Some(class), self.store.set_field_options(class, name, field)).await
    }

    async fn delete_fields(&self, schema: &ClassSchema, names: &[String]) -> Result<()> {
        self.observed("deleteFields", Some(&schema.name), self.store.delete_fields(schema, names)).await
    }

    async fn set_permissions(&self, class: &ClassName, permissions: Option<&Map<String, Json>>) -> Result<()> {
        self.observed("setPermissions", Some(class), self.store.set_permissions(class, permissions)).await
    }

    async fn set_listed_indexes(&self, class: &ClassName, indexes: &IndexMap<String, IndexKeys>) -> Result<()> {
        self.observed("setListedIndexes", Some(class), self.store.set_listed_indexes(class, indexes)).await
    }

    async fn delete_class(&self, class: &ClassName) -> Result<()> {
        self.observed("deleteClass", Some(class), self.store.delete_class(class)).await
    }

    async fn create_indexes(&self, schema: &ClassSchema, indexes: &[IndexSpec]) -> Result<()> {
        self.observed("createIndexes", Some(&schema.name), self.store.create_indexes(schema, indexes)).await
    }

    async fn drop_indexes(&self, class: &ClassName, names: &[String]) -> Result<()> {
        self.observed("dropIndexes", Some(class), self.store.drop_indexes(class, names)).await
    }

    async fn indexes(&self, class: &ClassName) -> Result<indexmap::IndexMap<String, IndexKeys>> {
        self.observed("indexes", Some(class), self.store.indexes(class)).await
    }

    async fn insert(&self, schema: &ClassSchema, row: Object, tx: Option<&Transaction>) -> Result<()> {
        self.observed("insert", Some(&schema.name), self.store.insert(schema, row, tx)).await
    }

    async fn update_one(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<Option<Object>> {
        self.observed("updateOne", Some(&schema.name), self.store.update_one(schema, filter, update, tx)).await
    }

    async fn update_many(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        self.observed("updateMany", Some(&schema.name), self.store.update_many(schema, filter, update, tx)).await
    }

    async fn upsert(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        update: &Update,
        tx: Option<&Transaction>,
    ) -> Result<()> {
        self.observed("upsert", Some(&schema.name), self.store.upsert(schema, filter, update, tx)).await
    }

    async fn delete(&self, schema: &ClassSchema, filter: &Resolved, tx: Option<&Transaction>) -> Result<u64> {
        self.observed("delete", Some(&schema.name), self.store.delete(schema, filter, tx)).await
    }

    async fn find(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<Vec<Object>> {
        self.observed("find", Some(&schema.name), self.store.find(schema, filter, options, tx)).await
    }

    async fn find_json(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        shape: &Arc<Shape>,
        tx: Option<&Transaction>,
    ) -> Result<JsonRows> {
        self.observed("find", Some(&schema.name), self.store.find_json(schema, filter, options, shape, tx)).await
    }

    async fn count(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        tx: Option<&Transaction>,
    ) -> Result<u64> {
        self.observed("count", Some(&schema.name), self.store.count(schema, filter, options, tx)).await
    }

    async fn explain(
        &self,
        schema: &ClassSchema,
        filter: &Resolved,
        options: &FindOptions,
        verbosity: &str,
    ) -> Result<Json> {
        self.observed("explain", Some(&schema.name), self.store.explain(schema, filter, options, verbosity)).await
    }

    async fn distinct(&self, schema: &ClassSchema, field: &str, filter: &Resolved) -> Result<Vec<Value>> {
        self.observed("distinct", Some(&schema.name), self.store.distinct(schema, field, filter)).await
    }

    async fn aggregate(
        &self,
        schema: &ClassSchema,
        pipeline: Vec<Json>,
        options: &AggregateOptions,
    ) -> Result<Vec<Json>> {
        self.observed("aggregate", Some(&schema.name), self.store.aggregate(schema, pipeline, options)).await
    }

    async fn link(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        self.observed("link", Some(join), self.store.link(join, owner, members, tx)).await
    }

    async fn unlink(&self, join: &ClassName, owner: &str, members: &[String], tx: Option<&Transaction>) -> Result<()> {
        self.observed("unlink", Some(join), self.store.unlink(join, owner, members, tx)).await
    }

    async fn members(
        &self,
        join: &ClassName,
        owners: &[String],
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        self.observed("members", Some(join), self.store.members(join, owners, tx)).await
    }

    async fn owners(
        &self,
        join: &ClassName,
        members: Option<&[String]>,
        tx: Option<&Transaction>,
    ) -> Result<Vec<(String, String)>> {
        self.observed("owners", Some(join), self.store.owners(join, members, tx)).await
    }

    async fn ancestors(
        &self,
        direct: &ClassName,
        nested: &ClassName,
        member: &str,
        tx: Option<&Transaction>,
    ) -> Result<Ancestry> {
        self.observed("ancestors", Some(direct), self.store.ancestors(direct, nested, member, tx)).await
    }

    async fn stored_classes(&self) -> Result<Vec<ClassName>> {
        self.observed("storedClasses", None, self.store.stored_classes()).await
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        self.store.all_rows(schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        self.store.all_pairs(join)
    }

    async fn index_specs(&self, schema: &ClassSchema) -> Result<Vec<IndexSpec>> {
        self.observed("indexSpecs", Some(&schema.name), self.store.index_specs(schema)).await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        self.store.damage().await
    }

    async fn begin(&self) -> Result<Transaction> {
        self.observed("begin", None, self.store.begin()).await
    }

    async fn begin_for_one(&self) -> Result<Option<Transaction>> {
        self.observed("begin", None, self.store.begin_for_one()).await
    }

    async fn commit(&self, tx: Transaction) -> Result<()> {
        self.observed("commit", None, self.store.commit(tx)).await
    }

    async fn abort(&self, tx: Transaction) -> Result<()> {
        self.observed("abort", None, self.store.abort(tx)).await
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
