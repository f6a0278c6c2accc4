//! The GraphQL API: decode, call the domain, encode.
//!
//! A request passes [`protocol`] (HTTP), [`document`] (bounds), [`validation`] (by async-graphql, against the schema made in
//! [`schema`]; [`prepared`] remembers what passed), [`job`] and [`plan`] (selections compiled to reads) and [`execute`]. Nothing is run before all of it is understood.
//!
//! What a dialect adds to this is a [`Dialect`]: its schema, and what its root fields do. [`Current`] is that of this room.

pub mod cache;
pub(crate) mod catalog;
mod class_admin;
pub(crate) mod class_types;
mod coerce;
pub(crate) mod config;
mod dialect;
mod document;
pub(crate) mod error;
pub(crate) mod execute;
pub(crate) mod fetch;
mod ids;
pub(crate) mod input;
mod introspect;
mod job;
pub(crate) mod multipart;
pub(crate) mod names;
mod operation;
mod paging;
pub(crate) mod plan;
pub mod playground;
mod plural;
mod prepared;
pub mod protocol;
pub(crate) mod relations;
pub(crate) mod render;
pub(crate) mod resolve;
pub(crate) mod routes;
mod scalars;
pub mod schema;
pub(crate) mod select;
pub(crate) mod text;
pub(crate) mod types;
pub(crate) mod users;
mod validation;
pub(crate) mod where_input;

pub use dialect::{Current, Dialect};
pub use playground::PlaygroundEndpoint;
pub use protocol::GraphQlEndpoint;
