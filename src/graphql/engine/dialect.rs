//! What the engine asks of a dialect: how the fields of its root are compiled, and what they do.

use futures_util::future::BoxFuture;

use super::describe::{Description, Place};
use super::error::Refusal;
use super::execute::Answer;
use super::select::{Selected, Selector};

/// A dialect: the meaning of a schema's root fields. Bounds, validation, introspection and order of execution are the same for all.
pub trait Dialect: Send + Sync + 'static {
    /// What the dialect knows of a schema besides its types.
    type Catalog: std::fmt::Debug + Send + Sync + 'static;

    /// What its fields are given to work with: one request's context.
    type Request<'a>: Copy + Send;

    /// A root field, compiled.
    type Field: Send;

    /// Compiles a root field and takes its arguments; `None`, and nothing taken, for those that every schema has (`__typename`,
    /// introspection).
    ///
    /// # Errors
    /// 400 when arguments do not fit.
    fn compile<'a>(
        selector: Selector<'a>,
        catalog: &'a Self::Catalog,
        mutation: bool,
        field: &mut Selected<'a>,
    ) -> Result<Option<Self::Field>, Refusal>;

    /// Describes a part of the schema, for introspection; `None` for what every schema has.
    fn describe(catalog: &Self::Catalog, place: Place<'_>) -> Option<Description>;

    /// Runs a root field.
    fn answer(request: Self::Request<'_>, field: Box<Self::Field>) -> BoxFuture<'_, Answer>;
}
