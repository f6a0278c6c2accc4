//! The application logic of the server, independent of HTTP, GraphQL and the database.
//!
//! Features (`users`, `sessions`, `roles`, …) call pipelines (`write`, `read`, `delete`). Pipelines call `schema` and
//! `permissions`. All of them use the `kernel`.

pub mod aggregate;
pub mod batch;
pub mod classes;
pub mod delete;
pub mod features;
pub mod kernel;
pub mod permissions;
pub mod read;
pub mod schema;
pub mod start;
pub mod store;
pub mod triggers;
pub mod upkeep;
pub mod write;

#[cfg(test)]
mod tests;
