//! Code of the app that the server runs for it: functions, triggers, jobs, adapters and option callbacks.

pub mod node;
