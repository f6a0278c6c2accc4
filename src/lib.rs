//! reparse: a server that speaks the Parse REST and GraphQL APIs.
//!
//! ```text
//! rest/   graphql/                     protocol adapters: decode, call one domain function, encode
//!     \       |
//!          domain/                     what the server does; knows no HTTP, no GraphQL, no BSON
//!         /   |    \
//!   model/  storage/  adapters/        pure data  |  storage trait  |  traits for outside services
//! ```
//!
//! Requests go down as values and results come back up; lower layers never call upper ones. Only [`server`] chooses
//! implementations.

pub mod adapters;
pub mod bounded_cache;
pub mod clock;
pub mod commands;
pub mod config;
pub mod dashboard;
pub mod domain;
pub mod error;
pub mod graphql;
pub mod http;
pub mod live_query;
pub mod logging;
pub mod model;
pub mod pages;
pub mod private_file;
pub mod program;
pub mod random;
pub mod rest;
pub mod server;
pub mod storage;
pub mod system;
pub mod traces;
