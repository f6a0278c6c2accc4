//! What sets one dialect of GraphQL apart from another: its schema, and what its root fields do.

use async_graphql::dynamic::SchemaError;
use futures_util::future::BoxFuture;

use super::catalog::Catalog;
use super::config::SchemaConfig;
use super::error::Refusal;
use super::execute::{self, Answer};
use super::job::{self, Job};
use super::plan::Compiler;
use super::resolve::Run;
use super::schema::{self, Built};
use super::select::Selected;
use crate::model::schema::ClassSchema;

/// A dialect. Protocol, bounds, validation, introspection and order of execution are the same for all.
pub trait Dialect: Send + Sync + 'static {
    /// A field of the root, compiled.
    type Job: Send;

    /// Makes the schema of these classes.
    ///
    /// # Errors
    /// When the types do not fit together: a fault of ours.
    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Built, SchemaError>;

    /// Compiles a field of the root, and takes its arguments; `None`, and nothing taken, for those that are no field of the schema (`__typename`, introspection).
    ///
    /// # Errors
    /// 400 when arguments do not fit.
    fn compile<'a>(
        compiler: &mut Compiler<'a>,
        catalog: &Catalog,
        mutation: bool,
        field: &mut Selected<'a>,
    ) -> Result<Option<Self::Job>, Refusal>;

    /// Runs a field of the root.
    fn answer(run: Run<'_>, job: Box<Self::Job>) -> BoxFuture<'_, Answer>;
}

/// The dialect of the current API.
#[derive(Debug, Clone, Copy)]
pub struct Current;

impl Dialect for Current {
    type Job = Job;

    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Built, SchemaError> {
        schema::build(classes, config)
    }

    fn compile<'a>(
        compiler: &mut Compiler<'a>,
        catalog: &Catalog,
        mutation: bool,
        field: &mut Selected<'a>,
    ) -> Result<Option<Job>, Refusal> {
        job::compile(compiler, catalog, mutation, field)
    }

    fn answer(run: Run<'_>, job: Box<Job>) -> BoxFuture<'_, Answer> {
        Box::pin(async move { execute::answer(run, &job).await })
    }
}
