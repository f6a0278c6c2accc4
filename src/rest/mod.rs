//! The REST API: decode, call one domain function, encode.

#![expect(clippy::unused_async, reason = "the framework wants asynchronous handlers")]

mod batch;
mod body_keys;
mod classes;
mod cloud;
mod config;
pub mod describe;
mod error;
mod files;
mod health;
mod idempotency;
mod installations;
pub mod openapi;
mod pages;
mod payload;
mod push;
pub mod request;
mod roles;
pub mod routes;
mod schemas;
mod sessions;
mod users;

use std::sync::Arc;

use poem::IntoEndpoint as _;
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value as Json;

use crate::domain::kernel::app::App;
use crate::http::gate::Gate;
use crate::model::schema::ClassSchema;
use request::{Rest, RestEndpoint};
use routes::Routes;

pub use crate::domain::features::server_info::PARSE_SERVER_VERSION;

fn apis() -> impl OpenApi + 'static {
    (
        users::UsersApi,
        sessions::SessionsApi,
        classes::ClassesApi,
        roles::RolesApi,
        installations::InstallationsApi,
        batch::BatchApi,
        schemas::SchemasApi,
        config::ConfigApi,
        cloud::CloudApi,
        push::PushApi,
        files::FilesApi,
        health::HealthApi,
    )
}

fn routes_of<T: OpenApi>(_apis: &T) -> Routes {
    Routes::new(T::meta())
}

fn service<T: OpenApi>(apis: T) -> OpenApiService<T, ()> {
    OpenApiService::new(apis, "reparse", env!("CARGO_PKG_VERSION"))
        .description("The Parse REST API. Objects belong to classes; classes, and fields of them, come into being when they are first used, if the server allows it.")
}

/// The endpoint that serves everything below the mount path, behind a gate.
///
/// # Errors
/// A text naming the pattern of the options that is none.
pub fn endpoint(app: &Arc<App>, gate: &Arc<Gate>) -> Result<RestEndpoint, String> {
    let apis = apis();
    let routes = routes_of(&apis);
    let rest = Rest {
        gate: gate.clone(),
        idempotency: idempotency::Idempotency::new(&app.options.server.idempotency.paths)?,
        documents: openapi::Documents::new(&app.options),
        pages: pages::Pages::open(app)?,
        app: app.clone(),
        endpoint: service(apis).into_endpoint(),
        routes,
    };
    Ok(RestEndpoint(Arc::new(rest)))
}

/// The document of the API, without the classes of an application. `mount_path` is where the API is served.
#[must_use]
pub fn document(mount_path: &str) -> Json {
    openapi::document(&service(apis()).server(if mount_path.is_empty() { "/" } else { mount_path }))
}

/// The document of the API with the classes of an application.
#[must_use]
pub fn typed_document(mount_path: &str, classes: &[ClassSchema]) -> Json {
    openapi::typed(document(mount_path), classes)
}
