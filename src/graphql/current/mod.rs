//! The dialect of the current API: for each class a get query, a find query and three mutations; global ids.

mod answer;
mod catalog;
mod class_admin;
mod class_types;
mod descriptions;
mod input;
mod names;
mod operation;
mod plural;
mod resolve;
mod root_field;
mod schema;
mod users;
mod where_input;

use async_graphql::dynamic::SchemaError;
use async_graphql::parser::types::OperationType;
use futures_util::future::BoxFuture;

use super::engine::{Answer, Description, Dialect, Refusal, Schema, SchemaElement, Selected, Selector};
use super::parse::ParseDialect;
use super::parse::config::SchemaConfig;
use super::parse::run::Run;
use super::parse::subscription::Followed;
use crate::model::schema::ClassSchema;

/// The dialect of the current API.
#[derive(Debug, Clone, Copy)]
pub struct Current;

impl Dialect for Current {
    type Catalog = catalog::Roots;
    type Request<'a> = Run<'a>;
    type Field = root_field::RootField;

    fn compile<'a>(
        selector: Selector<'a>,
        roots: &'a catalog::Roots,
        kind: OperationType,
        field: &mut Selected<'a>,
    ) -> Result<Option<Self::Field>, Refusal> {
        root_field::compile(selector, roots, kind, field)
    }

    fn describe(roots: &catalog::Roots, element: SchemaElement<'_>) -> Option<Description> {
        descriptions::describe(roots, element)
    }

    fn answer(run: Self::Request<'_>, field: Box<Self::Field>) -> BoxFuture<'_, Answer> {
        Box::pin(async move { answer::answer(run, &field).await })
    }
}

impl ParseDialect for Current {
    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Schema<catalog::Roots>, SchemaError> {
        schema::build(classes, config)
    }

    fn followed(field: Box<Self::Field>) -> Option<Followed> {
        root_field::followed(*field)
    }
}
