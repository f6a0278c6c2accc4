//! The REST API: decode, call one domain function, encode.
//!
//! Each area declares its [routes](route::Route). These declarations are used to [match](router) and [admit](request)
//! requests and to build the [OpenAPI document](openapi).

mod about;
mod batch;
mod body_keys;
pub mod call;
mod classes;
mod cloud;
mod config;
pub mod describe;
mod files;
mod idempotency;
pub mod inside;
mod installations;
pub mod openapi;
pub mod probes;
mod push;
pub mod reply;
pub mod request;
mod resource;
mod roles;
pub mod route;
pub mod router;
mod schemas;
mod sessions;
mod users;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::domain::kernel::app::App;
use crate::http::gate::Gate;
use crate::http::gate::operations::Operations;
use crate::model::schema::ClassSchema;
use request::{Rest, RestEndpoint};
use route::Route;
use router::Router;

pub use crate::domain::features::server_info::PARSE_SERVER_VERSION;
pub use openapi::document;

/// The routes of the API, in the order of the document.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        users::routes(),
        sessions::routes(),
        classes::routes(),
        roles::routes(),
        installations::routes(),
        batch::routes(),
        schemas::routes(),
        config::routes(),
        cloud::routes(),
        push::routes(),
        files::routes(),
        probes::routes(),
        about::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The operations of the API, for protocols whose calls count as them.
#[must_use]
pub fn operations() -> Operations {
    let mut operations = Operations::default();
    for route in routes() {
        operations.add(route.operation, route.method(), &route.path, route.object);
    }
    operations
}

/// The endpoint of everything below the mount path: the API, its OpenAPI documents, and routes of other modules.
///
/// # Errors
/// A message that names the invalid pattern in the options.
pub fn endpoint(app: &Arc<App>, gate: &Arc<Gate>, others: Vec<Route>) -> Result<RestEndpoint, String> {
    let mut all = routes();
    all.extend(openapi::served::routes(&app.options));
    all.extend(others);
    let rest = Rest {
        gate: gate.clone(),
        idempotency: idempotency::IdempotentPaths::new(&app.options.server.idempotency.paths)?,
        router: Router::new(all),
        app: app.clone(),
    };
    Ok(RestEndpoint(Arc::new(rest)))
}

/// The OpenAPI document with the classes of an application.
#[must_use]
pub fn typed_document(mount_path: &str, classes: &[ClassSchema]) -> Json {
    openapi::typed(document(mount_path), classes)
}
