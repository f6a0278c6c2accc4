//! Code of the app, wherever it runs: functions, triggers, jobs, adapters and option callbacks.

pub mod handler;
pub mod module;
pub mod node;
pub mod webhook;
