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
use crate::model::measures::samples::{self, Measured};
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

    fn observed<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        class: Option<&'a ClassName>,
        run: BoxFuture<'a, Result<T>>,
    ) -> BoxFuture<'a, Result<T>> {
        let run = self.measured(operation, run);
        match self.traced {
            // Without traces no future has room for a span.
            None => Box::pin(run),
            Some(system) => Box::pin(traced(system, operation, class, run)),
        }
    }

    async fn measured<T>(&self, operation: &'static str, run: BoxFuture<'_, Result<T>>) -> Result<T> {
        if !self.measured {
            return run.await;
        }
        let started = Instant::now();
        let done = run.await;
        let of = Measured::Operation { name: operation, done: done.is_ok() };
        samples::note(of, started.elapsed().as_secs_f64());
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
        self.store.ping()
    }

    fn classes(&self) -> BoxFuture<'_, Result<Vec<ClassSchema>>> {
        self.observed("classes", None, self.store.classes())
    }

    fn create_class<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<()>> {
        self.observed("createClass", Some(&schema.name), self.store.create_class(schema))
    }

    fn add_field<'a>(&'a self, class: &'a ClassName, name: &'a str, field: &'a Field) -> BoxFuture<'a, Result<()>> {
        self.observed("addField", Some(class), self.store.add_field(class, name, field))
    }

    fn set_field_options<'a>(
        &'a self,
        class: &'a ClassName,
        name: &'a str,
        field: &'a Field,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("setFieldOptions", Some(class), self.store.set_field_options(class, name, field))
    }

    fn delete_fields<'a>(&'a self, schema: &'a ClassSchema, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        self.observed("deleteFields", Some(&schema.name), self.store.delete_fields(schema, names))
    }

    fn set_permissions<'a>(
        &'a self,
        class: &'a ClassName,
        permissions: Option<&'a Map<String, Json>>,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("setPermissions", Some(class), self.store.set_permissions(class, permissions))
    }

    fn set_listed_indexes<'a>(
        &'a self,
        class: &'a ClassName,
        indexes: &'a IndexMap<String, IndexKeys>,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("setListedIndexes", Some(class), self.store.set_listed_indexes(class, indexes))
    }

    fn delete_class<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        self.observed("deleteClass", Some(class), self.store.delete_class(class))
    }

    fn create_indexes<'a>(&'a self, schema: &'a ClassSchema, indexes: &'a [IndexSpec]) -> BoxFuture<'a, Result<()>> {
        self.observed("createIndexes", Some(&schema.name), self.store.create_indexes(schema, indexes))
    }

    fn drop_indexes<'a>(&'a self, class: &'a ClassName, names: &'a [String]) -> BoxFuture<'a, Result<()>> {
        self.observed("dropIndexes", Some(class), self.store.drop_indexes(class, names))
    }

    fn indexes<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<indexmap::IndexMap<String, IndexKeys>>> {
        self.observed("indexes", Some(class), self.store.indexes(class))
    }

    fn insert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        row: Object,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("insert", Some(&schema.name), self.store.insert(schema, row, tx))
    }

    fn update_one<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Option<Object>>> {
        self.observed("updateOne", Some(&schema.name), self.store.update_one(schema, filter, update, tx))
    }

    fn update_many<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        self.observed("updateMany", Some(&schema.name), self.store.update_many(schema, filter, update, tx))
    }

    fn upsert<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        update: &'a Update,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("upsert", Some(&schema.name), self.store.upsert(schema, filter, update, tx))
    }

    fn delete<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        self.observed("delete", Some(&schema.name), self.store.delete(schema, filter, tx))
    }

    fn find<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<Object>>> {
        self.observed("find", Some(&schema.name), self.store.find(schema, filter, options, tx))
    }

    fn find_json<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        shape: &'a Arc<Shape>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<JsonRows>> {
        self.observed("find", Some(&schema.name), self.store.find_json(schema, filter, options, shape, tx))
    }

    fn count<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<u64>> {
        self.observed("count", Some(&schema.name), self.store.count(schema, filter, options, tx))
    }

    fn explain<'a>(
        &'a self,
        schema: &'a ClassSchema,
        filter: &'a Resolved,
        options: &'a FindOptions,
        verbosity: &'a str,
    ) -> BoxFuture<'a, Result<Json>> {
        self.observed("explain", Some(&schema.name), self.store.explain(schema, filter, options, verbosity))
    }

    fn distinct<'a>(
        &'a self,
        schema: &'a ClassSchema,
        field: &'a str,
        filter: &'a Resolved,
    ) -> BoxFuture<'a, Result<Vec<Value>>> {
        self.observed("distinct", Some(&schema.name), self.store.distinct(schema, field, filter))
    }

    fn aggregate<'a>(
        &'a self,
        schema: &'a ClassSchema,
        pipeline: Vec<Json>,
        options: &'a AggregateOptions,
    ) -> BoxFuture<'a, Result<Vec<Json>>> {
        self.observed("aggregate", Some(&schema.name), self.store.aggregate(schema, pipeline, options))
    }

    fn link<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("link", Some(join), self.store.link(join, owner, members, tx))
    }

    fn unlink<'a>(
        &'a self,
        join: &'a ClassName,
        owner: &'a str,
        members: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<()>> {
        self.observed("unlink", Some(join), self.store.unlink(join, owner, members, tx))
    }

    fn members<'a>(
        &'a self,
        join: &'a ClassName,
        owners: &'a [String],
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        self.observed("members", Some(join), self.store.members(join, owners, tx))
    }

    fn owners<'a>(
        &'a self,
        join: &'a ClassName,
        members: Option<&'a [String]>,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Vec<(String, String)>>> {
        self.observed("owners", Some(join), self.store.owners(join, members, tx))
    }

    fn ancestors<'a>(
        &'a self,
        direct: &'a ClassName,
        nested: &'a ClassName,
        member: &'a str,
        tx: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Ancestry>> {
        self.observed("ancestors", Some(direct), self.store.ancestors(direct, nested, member, tx))
    }

    fn stored_classes(&self) -> BoxFuture<'_, Result<Vec<ClassName>>> {
        self.observed("storedClasses", None, self.store.stored_classes())
    }

    fn all_rows<'a>(&'a self, schema: &ClassSchema) -> BoxStream<'a, Result<Object>> {
        self.store.all_rows(schema)
    }

    fn all_pairs<'a>(&'a self, join: &ClassName) -> BoxStream<'a, Result<(String, String)>> {
        self.store.all_pairs(join)
    }

    fn index_specs<'a>(&'a self, schema: &'a ClassSchema) -> BoxFuture<'a, Result<Vec<IndexSpec>>> {
        self.observed("indexSpecs", Some(&schema.name), self.store.index_specs(schema))
    }

    fn damage(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.store.damage()
    }

    fn begin(&self) -> BoxFuture<'_, Result<Transaction>> {
        self.observed("begin", None, self.store.begin())
    }

    fn begin_for_one(&self) -> BoxFuture<'_, Result<Option<Transaction>>> {
        self.observed("begin", None, self.store.begin_for_one())
    }

    fn commit(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        self.observed("commit", None, self.store.commit(tx))
    }

    fn abort(&self, tx: Transaction) -> BoxFuture<'_, Result<()>> {
        self.observed("abort", None, self.store.abort(tx))
    }

    fn watch<'a>(&'a self, classes: &'a [ClassName]) -> BoxFuture<'a, Result<Option<BoxStream<'static, Event>>>> {
        self.store.watch(classes)
    }

    fn changes(&self, follower: Arc<dyn Follower>) -> BoxFuture<'_, Result<Option<BoxStream<'static, Change>>>> {
        self.store.changes(follower)
    }

    fn changes_between(
        &self,
        follower: Arc<dyn Follower>,
        after: After,
        until: u64,
        oldest: Date,
    ) -> BoxFuture<'_, Result<Option<BoxStream<'static, Result<RowChange>>>>> {
        self.store.changes_between(follower, after, until, oldest)
    }

    fn position(&self) -> BoxFuture<'_, Result<u64>> {
        self.store.position()
    }

    fn history(&self) -> Option<&str> {
        self.store.history()
    }

    fn settle_classes(&self) -> BoxFuture<'_, Result<()>> {
        self.store.settle_classes()
    }

    fn keep_images<'a>(&'a self, class: &'a ClassName) -> BoxFuture<'a, Result<()>> {
        self.store.keep_images(class)
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close()
    }
}
