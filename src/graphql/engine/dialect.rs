//! The interface between the engine and a dialect, which compiles and executes the root fields.

use async_graphql::parser::types::OperationType;
use futures_util::future::BoxFuture;

use super::describe::{Description, SchemaElement};
use super::error::Refusal;
use super::execute::Answer;
use super::select::{Selected, Selector};

/// A dialect defines the root fields of a schema. Limits, validation, introspection and order of execution are the
/// engine's.
pub trait Dialect: Send + Sync + 'static {
    /// The dialect's data about a schema, besides its types.
    type Catalog: std::fmt::Debug + Send + Sync + 'static;

    /// The context of a request, which its fields receive.
    type Request<'a>: Copy + Send;

    /// A compiled root field.
    type Field: Send;

    /// Compiles a root field of a kind of operation and consumes its arguments. `None`, without consuming them, for fields that every schema
    /// has (`__typename`, introspection).
    ///
    /// # Errors
    /// 400 if arguments are invalid.
    fn compile<'a>(
        selector: Selector<'a>,
        catalog: &'a Self::Catalog,
        kind: OperationType,
        field: &mut Selected<'a>,
    ) -> Result<Option<Self::Field>, Refusal>;

    /// Describes a part of the schema for introspection; `None` for parts that every schema has.
    fn describe(catalog: &Self::Catalog, element: SchemaElement<'_>) -> Option<Description>;

    /// Runs a root field.
    fn answer(request: Self::Request<'_>, field: Box<Self::Field>) -> BoxFuture<'_, Answer>;
}
