//! The features of the server, one module each, which registers with the kernel by one [`Feature`] record. Features
//! call pipelines; no pipeline imports a feature. [`all`] is the only list of them.

pub mod analytics;
pub mod audiences;
pub mod audit;
pub mod backup;
pub mod dashboard;
pub mod files;
pub mod functions;
pub mod global_config;
pub mod graphql_config;
pub mod health;
pub mod hooks;
pub mod idempotency;
pub mod installations;
pub mod jobs;
pub mod live_query;
pub mod logs;
pub mod push;
pub mod roles;
pub mod schemas;
pub mod security;
pub mod server_info;
pub mod sessions;
pub mod users;

use crate::config::Options;
use crate::domain::kernel::feature::Feature;
pub use crate::domain::kernel::services::Services;

/// All features of a server with these options.
#[must_use]
pub fn all(options: &Options, services: Services) -> Vec<Feature> {
    let channels = services.channels.clone();
    let hooks = hooks::feature(services.web_hooks.clone());
    let analytics = analytics::feature(services.analytics.clone());
    vec![
        audit::feature(&services),
        backup::feature(options, &services),
        dashboard::feature(options, &services),
        files::feature(options, &services),
        push::feature(options, &services),
        users::feature(options, services),
        sessions::feature(options),
        roles::feature(options),
        installations::feature(),
        schemas::feature(),
        global_config::feature(),
        graphql_config::feature(),
        audiences::feature(),
        analytics,
        hooks,
        jobs::feature(),
        security::feature(),
        health::feature(),
        logs::feature(),
        live_query::feature(options, channels),
    ]
}
