//! Parse code that both dialects share: classes and their configuration, reading and rendering objects, sessions, the
//! HTTP endpoint.

pub(super) mod cache;
pub(super) mod catalog;
pub(super) mod config;
pub(super) mod custom;
pub(super) mod describe;
mod dialect;
pub(super) mod endpoint;
pub(super) mod error;
pub(super) mod fetch;
pub(super) mod gate;
pub(super) mod geo;
pub(super) mod ids;
mod paging;
pub(super) mod plan;
pub(super) mod relations;
pub(super) mod render;
pub(super) mod run;
#[cfg(test)]
pub(super) mod samples;
pub(super) mod scalars;
pub(super) mod service;
pub(super) mod session;
pub(super) mod subscription;
pub(super) mod uploads;

pub use dialect::ParseDialect;
