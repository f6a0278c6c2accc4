//! Traits of external services, and their implementations.

pub mod audit;
pub mod auth;
pub mod backup;
pub mod cloud;
pub mod dashboard;
pub mod email;
pub mod files;
pub mod http;
pub mod images;
pub mod internet;
pub mod otlp;
pub mod push;
pub mod redis;
