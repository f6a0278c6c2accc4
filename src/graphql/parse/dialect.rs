//! A dialect of Parse's GraphQL API: builds a schema from classes.

use async_graphql::dynamic::SchemaError;

use super::catalog::Catalog;
use super::config::SchemaConfig;
use super::run::Run;
use super::subscription::Followed;
use crate::graphql::engine::{Dialect, Schema};
use crate::model::schema::ClassSchema;

/// A dialect whose schema shows the classes of an application.
pub trait ParseDialect: for<'a> Dialect<Request<'a> = Run<'a>, Catalog: AsRef<Catalog>> {
    /// Builds the schema of these classes.
    ///
    /// # Errors
    /// If the types do not fit together, which is a bug.
    fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Schema<Self::Catalog>, SchemaError>;

    /// What a root field of a subscription follows; `None`: nothing, as in dialects without subscriptions.
    fn followed(field: Box<Self::Field>) -> Option<Followed>;
}
