//! A GraphQL engine: from the text of a request to the body of its answer.
//!
//! It knows types, documents, selections and values. What the fields of a schema mean is a [`Dialect`]'s affair, who may do what
//! the caller's: the engine is told in a [`Policy`].
//!
//! A request passes [`request`] (or [`multipart`]), `document` (bounds that are checked before anything is parsed), `validation` (by
//! async-graphql against the [`Schema`]; `prepared` remembers what passed), `operation` (the operation, its variables and its root
//! fields, compiled by the dialect) and [`execute`]. Nothing is run before all of it is understood.

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
mod text;
pub(crate) mod types;
mod validation;

pub use describe::{Description, Place};
pub use dialect::Dialect;
pub use error::{INTERNAL, Refusal, field_error};
pub use execute::{Answer, Step, TOGETHER, gather};
pub use executor::{EngineExecutor, Serve};
pub use leaf::{Leaf, project};
pub use operation::{Policy, run};
pub use persisted::PersistedQueries;
pub use request::GraphQlRequest;
pub use scalars::{plain, shown};
pub use schema::Schema;
pub use select::{Selected, Selector};
pub use text::Text;
