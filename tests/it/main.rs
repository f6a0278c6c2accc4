//! Black-box tests: the whole server, over real HTTP, on every store.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod accounts;
mod administration;
mod architecture;
mod bad_input;
mod batch;
mod bounds;
mod bulk;
mod cloud;
mod cors;
mod credentials;
mod docs;
mod fields;
mod files;
mod graphql;
mod graphql_legacy;
mod hooks;
mod jobs;
mod large;
mod limits;
mod live_query;
mod logs;
mod openapi_app;
mod openapi_document;
mod openapi_values;
mod push;
mod push_senders;
mod raw;
mod requests;
mod roles;
mod server;
mod stopping;
mod together;
mod unauthorized;
