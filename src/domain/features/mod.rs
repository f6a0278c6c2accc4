//! What the server offers, one module per feature. Features call pipelines; no pipeline and no other feature imports them
//! except through the kernel.

pub mod audiences;
pub mod global_config;
pub mod graphql_config;
pub mod health;
pub mod idempotency;
pub mod installations;
pub mod logs;
pub mod push;
pub mod roles;
pub mod schemas;
pub mod security;
pub mod sessions;
pub mod users;
