//! A GraphQL engine: executes the text of a request and writes the body of the response.
//!
//! It handles types, documents, selections and values. A [`Dialect`] defines the fields of a schema; the calling code
//! passes the caller's permissions as a [`Policy`].
//!
//! A request passes through [`request`] (or [`multipart`]), `document` (limits that are checked before parsing),
//! `validation` (by async-graphql against the [`Schema`]; `prepared` caches valid documents), `operation` (the
//! operation, its variables and its root fields, compiled by the dialect) and [`execute`]. Nothing runs before the
//! whole operation has been compiled.

mod coerce;
pub(crate) mod describe;
mod dialect;
mod document;
mod error;
mod execute;
mod executor;
mod generations;
mod introspect;
mod leaf;
pub(crate) mod multipart;
mod operation;
mod persisted;
mod prepared;
pub(crate) mod request;
mod scalars;
mod schema;
mod select;
mod shape;
mod text;
pub(crate) mod types;
mod validation;

pub use describe::{Description, SchemaElement};
pub use dialect::Dialect;
pub use document::Bounds;
pub use error::{INTERNAL, Refusal, field_error};
pub use execute::{Answer, Step, TOGETHER, body, gather};
pub use executor::{EngineExecutor, Responses, Serve};
pub use leaf::{Leaf, project};
pub use operation::{Operation, Policy, compile, run};
pub use persisted::PersistedQueries;
pub use request::GraphQlRequest;
pub use scalars::{plain, shown};
pub use schema::Schema;
pub use select::{Selected, Selector};
pub use shape::Shape;
pub use text::Text;
