//! The early dialect of GraphQL: operations in the groups `objects`, `files` and `users`, names as classes have them.
//!
//! It has its own [`schema`], [`job`]s (root fields and the members of groups, compiled) and [`resolve`]rs, and its own words for
//! filters and bodies ([`input`]); everything else is the machinery of [`crate::graphql`].

mod input;
mod job;
mod resolve;
mod schema;

use async_graphql::dynamic::SchemaError;
use futures_util::future::BoxFuture;

use crate::graphql::Dialect;
use crate::graphql::catalog::Catalog;
use crate::graphql::config::SchemaConfig;
use crate::graphql::error::Refusal;
use crate::graphql::execute::Answer;
use crate::graphql::plan::Compiler;
use crate::graphql::resolve::Run;
use crate::graphql::schema::Built;
use crate::graphql::select::Selected;
use crate::model::schema::ClassSchema;

/// The early dialect.
#[derive(Debug, Clone, Copy)]
pub struct Legacy;

impl Dialect for Legacy {
    type Job = job::Job;

    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Built, SchemaError> {
        schema::build(classes, config)
    }

    fn compile<'a>(
        compiler: &mut Compiler<'a>,
        catalog: &Catalog,
        mutation: bool,
        field: &mut Selected<'a>,
    ) -> Result<Option<job::Job>, Refusal> {
        job::compile(compiler, catalog, mutation, field)
    }

    fn answer(run: Run<'_>, job: Box<job::Job>) -> BoxFuture<'_, Answer> {
        Box::pin(async move { resolve::answer(run, &job).await })
    }
}
