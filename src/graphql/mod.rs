//! The GraphQL API: decode, call the domain, encode.
//!
//! `engine` executes GraphQL and contains nothing of Parse. `parse` contains what both dialects need of Parse: classes,
//! reads, rendering, the HTTP endpoint. The dialects [`Current`] and [`Legacy`] define the schemas and the root fields;
//! neither uses the other.

mod current;
mod engine;
mod legacy;
mod parse;
pub mod playground;

pub use current::Current;
pub use legacy::Legacy;
pub use parse::ParseDialect;
pub use parse::custom::CustomSchema;
pub use parse::endpoint::{GraphQlEndpoint, wants_graphql_socket};
pub use parse::service::Service;
pub use playground::PlaygroundEndpoint;
