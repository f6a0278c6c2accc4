//! The GraphQL API: decode, call the domain, encode.
//!
//! A request passes [`protocol`] (HTTP), [`document`] (bounds), [`validation`] (by async-graphql, against the schema made in
//! [`schema`]), [`job`] and [`plan`] (selections compiled to reads) and [`execute`]. Nothing is run before all of it is understood.

pub mod cache;
pub mod catalog;
mod class_admin;
mod class_types;
mod coerce;
mod config;
mod document;
mod error;
mod execute;
mod fetch;
mod ids;
mod input;
mod introspect;
mod job;
mod multipart;
mod names;
mod operation;
mod paging;
mod plan;
pub mod playground;
mod plural;
pub mod protocol;
mod relations;
mod render;
mod resolve;
mod scalars;
pub mod schema;
mod select;
mod types;
mod users;
mod validation;
mod where_input;

pub use playground::PlaygroundEndpoint;
pub use protocol::GraphQlEndpoint;
