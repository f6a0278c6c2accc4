//! What every pipeline and feature stands on: the server's parts, the caller, the context of a request. Knows no feature.

pub mod age;
pub mod app;
pub mod auth;
pub mod budget;
pub mod context;
