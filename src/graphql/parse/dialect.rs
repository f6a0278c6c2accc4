//! A dialect of Parse's GraphQL API: a schema made from classes.

use async_graphql::dynamic::SchemaError;

use super::catalog::Catalog;
use super::config::SchemaConfig;
use super::run::Run;
use crate::graphql::engine::{Dialect, Schema};
use crate::model::schema::ClassSchema;

/// A dialect whose schema shows the classes of an application.
pub trait ParseDialect: for<'a> Dialect<Request<'a> = Run<'a>, Catalog: AsRef<Catalog>> {
    /// Makes the schema of these classes.
    ///
    /// # Errors
    /// When the types do not fit together: a fault of ours.
    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Schema<Self::Catalog>, SchemaError>;
}
