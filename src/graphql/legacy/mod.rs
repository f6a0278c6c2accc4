//! The dialect of the legacy API: operations in the groups `objects`, `files` and `users`, class names unchanged.
//!
//! It has its own `schema`, `member`s (compiled root fields and members of groups), resolvers, and conversion of
//! filters and bodies (`input`).

mod descriptions;
mod input;
mod member;
mod resolve;
mod schema;

use async_graphql::dynamic::SchemaError;
use async_graphql::parser::types::OperationType;
use futures_util::future::BoxFuture;

use super::engine::{Answer, Description, Dialect, Refusal, Schema, SchemaElement, Selected, Selector};
use super::parse::ParseDialect;
use super::parse::catalog::Catalog;
use super::parse::config::SchemaConfig;
use super::parse::run::Run;
use super::parse::subscription::Followed;
use crate::model::schema::ClassSchema;

/// The legacy dialect.
#[derive(Debug, Clone, Copy)]
pub struct Legacy;

impl Dialect for Legacy {
    type Catalog = Catalog;
    type Request<'a> = Run<'a>;
    type Field = member::RootField;

    fn compile<'a>(
        selector: Selector<'a>,
        catalog: &'a Catalog,
        kind: OperationType,
        field: &mut Selected<'a>,
    ) -> Result<Option<Self::Field>, Refusal> {
        member::compile(selector, catalog, kind == OperationType::Mutation, field)
    }

    fn describe(catalog: &Catalog, element: SchemaElement<'_>) -> Option<Description> {
        descriptions::describe(catalog, element)
    }

    fn answer(run: Self::Request<'_>, field: Box<Self::Field>) -> BoxFuture<'_, Answer> {
        Box::pin(async move { resolve::answer(run, &field).await })
    }
}

impl ParseDialect for Legacy {
    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Schema<Catalog>, SchemaError> {
        schema::build(classes, config)
    }

    fn followed(_: Box<Self::Field>) -> Option<Followed> {
        None
    }
}
