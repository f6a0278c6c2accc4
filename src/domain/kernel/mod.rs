//! The base of all pipelines and features: the parts of the application, the caller, the context of a request, the
//! extension points. It knows no feature.

pub mod afterwards;
pub mod age;
pub mod app;
pub mod audit;
pub mod auth;
pub mod budget;
pub mod caches;
pub mod class_rules;
pub mod classes;
pub mod clp;
pub mod commands;
pub mod context;
pub mod deferred;
pub mod events;
pub mod failure;
pub mod feature;
pub mod follow;
pub mod master_key;
pub mod noting;
pub mod rehearsal;
pub mod rule_state;
pub mod services;
pub mod stages;
pub mod system_classes;
pub mod triggers;
pub mod workers;
