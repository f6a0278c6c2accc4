//! What the server does. Knows no HTTP, no GraphQL and no database.
//!
//! Features (`users`, `sessions`, `roles`, …) call pipelines (`write`, `read`, `delete`); pipelines call `permissions` and `schema`;
//! all of them stand on the `kernel`.

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
pub mod write;

#[cfg(test)]
mod tests;
