//! The GraphQL API: decode, call the domain, encode.
//!
//! `engine` runs GraphQL and knows nothing of Parse. `parse` holds what Parse adds for every dialect: classes, reading, writing out,
//! the HTTP endpoint. The dialects, [`Current`] and [`Legacy`], say what schemas look like and what root fields do; neither uses the
//! other.

mod current;
mod engine;
mod legacy;
mod parse;
pub mod playground;

pub use current::Current;
pub use legacy::Legacy;
pub use parse::ParseDialect;
pub use parse::endpoint::GraphQlEndpoint;
pub use parse::service::{Caller, Service};
pub use playground::PlaygroundEndpoint;
