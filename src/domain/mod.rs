//! What the server does. Knows no HTTP, no GraphQL and no database.
//!
//! Features (`users`, `sessions`, `roles`, …) call pipelines (`write`, `read`, `delete`); these call `permissions` and `schema`;
//! these call `store`. Pipelines know no feature: they call [`write::rules::ClassRules`] from the table in [`app::App`].

pub mod age;
pub mod aggregate;
pub mod app;
pub mod audiences;
pub mod auth;
pub mod batch;
pub mod classes;
pub mod context;
pub mod delete;
pub mod global_config;
pub mod graphql_config;
pub mod health;
pub mod idempotency;
pub mod installations;
pub mod logs;
pub mod permissions;
pub mod read;
pub mod roles;
pub mod schema;
pub mod schemas;
pub mod security;
pub mod sessions;
pub mod store;
pub mod users;
pub mod write;
