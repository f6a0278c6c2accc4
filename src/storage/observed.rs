//! A store whose operations are counted for metrics, and are spans of traces.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
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

impl Storage for Observed {
    fn ping(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.store.ping().await })
    }

    fn classes(&self) -> BoxFuture<'_, Result<Vec<ClassSchema>>> {
        Box::pin(async move { self.observed("classes", None, self.store.classes()).await })
    }

    fn create_class<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("createClass", Some(&schema.name), self.store.create_class(schema)).await })
    }

    fn add_field<'a>(&'a self, class: &'a ClassName, name: &'a str, field: &'a Field) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("addField", Some(class), self.store.add_field(class, name, field)).await })
    }

    fn set_field_options<'a>(
        &'a self,
        class: &'a ClassName,
        name: &'a str,
        field: &'a Field,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.observed("setFieldOptions", Some(class), self.store.set_field_options(class, name, field)).await
        })
    }

    fn delete_fields<'a>(&'a self, schema: &'a ClassSchema, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.observed("deleteFields", Some(&schema.name), self.store.delete_fields(schema, names)).await
        })
    }

    fn set_permissions<'a>(
        &'a self,
        class: &'a ClassName,
        permissions: Option<&'a Map<String, Json>>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.observed("setPermissions", Some(class), self.store.set_permissions(class, permissions)).await
        })
    }

    fn set_listed_indexes<'a>(
        &'a self,
        class: &'a ClassName,
        indexes: &'a IndexMap<String, IndexKeys>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.observed("setListedIndexes", Some(class), self.store.set_listed_indexes(class, indexes)).await
        })
    }

    fn delete_class<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("deleteClass", Some(class), self.store.delete_class(class)).await })
    }

    fn create_indexes<'a>(&'a self, schema: &'a ClassSchema, indexes: &'a [IndexSpec]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.observed("createIndexes", Some(&schema.name), self.store.create_indexes(schema, indexes)).await
        })
    }

    fn drop_indexes<'a>(&'a self, class: &'a ClassName, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("dropIndexes", Some(class), self.store.drop_indexes(class, names)).await })
    }

    fn indexes<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<indexmap::IndexMap<String, IndexKeys>>> {
        Box::pin(async move { self.observed("indexes", Some(class), self.store.indexes(class)).await })
    }

    fn insert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        row: Object,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("insert", Some(&schema.name), self.store.insert(schema, row, tx)).await })
    }

    fn update_one<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        Box::pin(async move {
            self.observed("updateOne", Some(&schema.name), self.store.update_one(schema, filter, update, tx)).await
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
            self.observed("updateMany", Some(&schema.name), self.store.update_many(schema, filter, update, tx)).await
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
            self.observed("upsert", Some(&schema.name), self.store.upsert(schema, filter, update, tx)).await
        })
    }

    fn delete<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(
            async move { self.observed("delete", Some(&schema.name), self.store.delete(schema, filter, tx)).await },
        )
    }

    fn find<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<Object>>> {
        Box::pin(async move {
            self.observed("find", Some(&schema.name), self.store.find(schema, filter, options, tx)).await
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
            self.observed("find", Some(&schema.name), self.store.find_json(schema, filter, options, shape, tx)).await
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
            self.observed("count", Some(&schema.name), self.store.count(schema, filter, options, tx)).await
        })
    }

    fn explain<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        verbosity: &'a str,
    ) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move {
            self.observed("explain", Some(&schema.name), self.store.explain(schema, filter, options, verbosity)).await
        })
    }

    fn distinct<'a>(
        &'a self,
        schema: &'a ClassSchema,
        field: &'a str,
        filter: &'a Resolved,
    ) -> BoxFuture<'a, Result<Vec<Value>>> {
        Box::pin(async move {
            self.observed("distinct", Some(&schema.name), self.store.distinct(schema, field, filter)).await
        })
    }

    fn aggregate<'a>(
        &'a self,
        schema: &'a ClassSchema,
        pipeline: Vec<Json>,
        options: &'a AggregateOptions,
    ) -> BoxFuture<'a, Result<Vec<Json>>> {
        Box::pin(async move {
            self.observed("aggregate", Some(&schema.name), self.store.aggregate(schema, pipeline, options)).await
        })
    }

    fn link<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("link", Some(join), self.store.link(join, owner, members, tx)).await })
    }

    fn unlink<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.observed("unlink", Some(join), self.store.unlink(join, owner, members, tx)).await })
    }

    fn members<'a>(
        &'a self,
        join: &'a ClassName,
        owners: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move { self.observed("members", Some(join), self.store.members(join, owners, tx)).await })
    }

    fn owners<'a>(
        &'a self,
        join: &'a ClassName,
        members: Option<&'a [String]>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        Box::pin(async move { self.observed("owners", Some(join), self.store.owners(join, members, tx)).await })
    }

    fn ancestors<'a>(
        &'a self,
        direct: &'a ClassName,
        nested: &'a ClassName,
        member: &'a str,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Ancestry>> {
        Box::pin(async move {
            self.observed("ancestors", Some(direct), self.store.ancestors(direct, nested, member, tx)).await
        })
    }

    fn stored_classes(&self) -> BoxFuture<'_, Result<Vec<ClassName>>> {
        Box::pin(async move { self.observed("storedClasses", None, self.store.stored_classes()).await })
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        self.store.all_rows(schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        self.store.all_pairs(join)
    }

    fn index_specs<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<Vec<IndexSpec>>> {
        Box::pin(async move { self.observed("indexSpecs", Some(&schema.name), self.store.index_specs(schema)).await })
    }

    fn damage(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move { self.store.damage().await })
    }

    fn begin(&self) -> BoxFuture<'_, Result<Transaction>> {
        Box::pin(async move { self.observed("begin", None, self.store.begin()).await })
    }

    fn begin_for_one(&self) -> BoxFuture<'_, Result<Option<Transaction>>> {
        Box::pin(async move { self.observed("begin", None, self.store.begin_for_one()).await })
    }

    fn commit(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.observed("commit", None, self.store.commit(tx)).await })
    }

    fn abort(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.observed("abort", None, self.store.abort(tx)).await })
    }

    fn watch<'a>(&'a self, classes: &'a [ClassName]) -> BoxFuture<'a, Result<Option<BoxStream<'static, Event>>>> {
        Box::pin(async move { self.store.watch(classes).await })
    }

    fn changes(&self, follower: Arc<dyn Follower>) -> BoxFuture<'_, Result<Option<BoxStream<'static, Change>>>> {
        Box::pin(async move { self.store.changes(follower).await })
    }

    fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> BoxFuture<'_, Result<Option<BoxStream<'static, Result<RowChange>>>>> {
        Box::pin(async move { self.store.changes_between(follower, after, until, oldest).await })
    }

    fn position(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { self.store.position().await })
    }

    fn history(&self) -> Option<&str> {
        self.store.history()
    }

    fn settle_classes(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.store.settle_classes().await })
    }

    fn keep_images<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.store.keep_images(class).await })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.store.close().await;
        })
    }
}
