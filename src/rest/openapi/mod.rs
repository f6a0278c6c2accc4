//! The OpenAPI document, which poem-openapi builds from the [declarations](super::route::Route) of the routes.

pub mod answers;
mod fields;
pub mod headers;
mod names;
mod page;
pub mod parameters;
mod refusals;
pub mod served;
mod typed;
mod yaml;

use std::collections::HashMap;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{
    MetaApi, MetaOperation, MetaOperationParam, MetaParamIn, MetaPath, MetaSecurityScheme, Registry,
};
use poem_openapi::types::Type as _;
use poem_openapi::{OpenApi, OpenApiService, Tags};
use serde_json::{Map, Value as Json, json};

use super::describe;
use super::route::{About, Access, Form, Route};

pub use typed::typed;
pub use yaml::of as to_yaml;

/// Areas of the API, in the order of the document.
#[derive(Debug, Clone, Copy, Tags)]
pub enum Tag {
    /// Sign up, log in, users.
    Users,
    /// Sessions of users.
    Sessions,
    /// Objects of any class.
    Classes,
    /// Roles.
    Roles,
    /// Installations of apps on devices.
    Installations,
    /// Several requests.
    Batch,
    /// Classes, their fields, permissions and indexes.
    Schemas,
    /// Administration, with the master key.
    Administration,
    /// Functions, jobs, hooks.
    Cloud,
    /// Push messages.
    Push,
    /// Files.
    Files,
    /// The state of the server.
    Health,
}

/// The headers that identify the caller: scheme, header, description.
const SCHEMES: [(&str, &str, &str); 4] = [
    ("applicationId", "X-Parse-Application-Id", "Application id. Every request needs it."),
    (
        "restApiKey",
        "X-Parse-REST-API-Key",
        "REST API key, if the server has one. Other clients send theirs as X-Parse-Javascript-Key, X-Parse-Client-Key or X-Parse-Windows-Key.",
    ),
    ("sessionToken", "X-Parse-Session-Token", "Session token of a user."),
    (
        "masterKey",
        "X-Parse-Master-Key",
        "Master key, which bypasses all permission checks. Never put it into a client app. The read-only master key is sent in this header too.",
    ),
];

/// The security schemes of a caller; each entry is a set that is needed together.
const fn callers(access: Access) -> &'static [&'static [&'static str]] {
    match access {
        Access::Public | Access::OptionalKey => &[],
        Access::Application => &[
            &["applicationId"],
            &["applicationId", "restApiKey"],
            &["applicationId", "sessionToken"],
            &["applicationId", "restApiKey", "sessionToken"],
            &["applicationId", "masterKey"],
        ],
        Access::Session => &[
            &["applicationId", "sessionToken"],
            &["applicationId", "restApiKey", "sessionToken"],
            &["applicationId", "masterKey"],
        ],
        Access::Master | Access::MasterByHandler => &[&["applicationId", "masterKey"]],
    }
}

/// The routes as poem-openapi describes them. Requests are dispatched by the [router](super::router).
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<MetaApi> {
        let mut paths: Vec<MetaPath> = Vec::new();
        for route in super::routes() {
            let Some(about) = &route.about else { continue };
            let operation = operation(&route, about);
            // A parameter that matches the rest of the path is a normal parameter here.
            let path = route.path.replace("{*", "{");
            match paths.iter_mut().find(|known| known.path == path) {
                Some(known) => known.operations.push(operation),
                None => paths.push(MetaPath { path, operations: vec![operation] }),
            }
        }
        vec![MetaApi { paths }]
    }

    fn register(registry: &mut Registry) {
        for (scheme, header, description) in SCHEMES {
            let meta = MetaSecurityScheme {
                ty: "apiKey",
                description: Some(description),
                name: Some(header),
                key_in: Some("header"),
                scheme: None,
                bearer_format: None,
                flows: None,
                openid_connect_url: None,
            };
            registry.create_security_scheme(scheme, meta);
        }
        describe::Error::register(registry);
        for about in super::routes().iter().filter_map(|route| route.about.as_ref()) {
            about.tag.register(registry);
            about.response.register(registry);
            if let Some(Form { register, .. }) = about.request {
                register(registry);
            }
        }
    }

    fn add_routes(self, _table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}

fn operation(route: &Route, about: &About) -> MetaOperation {
    let named = route.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let named = named.map(|name| name.trim_start_matches('*'));
    let mut params: Vec<MetaOperationParam> = named.map(path_parameter).collect();
    params.extend(about.query.iter().flat_map(|list| list.iter()).map(parameters::meta));
    let mut headers = about.headers.clone();
    headers.sort_unstable();
    params.extend(headers.into_iter().map(headers::meta));
    MetaOperation {
        method: route.method(),
        tags: vec![about.tag.name()],
        summary: Some(about.summary),
        description: about.description,
        external_docs: None,
        params,
        request: about.request.map(Form::request),
        responses: about.response.responses(),
        deprecated: false,
        security: callers(route.access)
            .iter()
            .map(|schemes| schemes.iter().map(|scheme| (*scheme, Vec::new())).collect())
            .collect(),
        operation_id: Some(route.operation),
        code_samples: Vec::new(),
    }
}

fn path_parameter(name: &str) -> MetaOperationParam {
    MetaOperationParam {
        name: name.to_owned(),
        schema: String::schema_ref(),
        in_type: MetaParamIn::Path,
        description: None,
        required: true,
        deprecated: false,
        explode: true,
        style: None,
    }
}

/// The document of the API without the classes of an application. `mount_path` is the path of the API.
#[must_use]
pub fn document(mount_path: &str) -> Json {
    let about = "The Parse REST API. Objects belong to classes. Fields, and classes if the server allows it, are created when they are first used.";
    let service = OpenApiService::new(Described, "reparse", env!("CARGO_PKG_VERSION"))
        .description(about)
        .server(if mount_path.is_empty() { "/" } else { mount_path });
    let mut document: Json = serde_json::from_str(&service.spec()).unwrap_or_else(|_| json!({}));
    if let Some(info) = document.get_mut("info").and_then(Json::as_object_mut) {
        let url = "https://www.apache.org/licenses/LICENSE-2.0";
        info.insert("license".to_owned(), json!({ "name": "Apache-2.0", "url": url }));
    }
    if let Some(tags) = document.get_mut("tags").and_then(Json::as_array_mut) {
        // The registry sorts paths by name; restore the order of the routes.
        let order: Vec<&str> =
            super::routes().iter().filter_map(|route| Some(route.about.as_ref()?.tag.name())).collect();
        tags.sort_by_key(|tag| order.iter().position(|name| tag.get("name").and_then(Json::as_str) == Some(name)));
    }
    let paths = document.get_mut("paths").and_then(Json::as_object_mut).into_iter().flat_map(Map::values_mut);
    let operations = paths.filter_map(Json::as_object_mut).flat_map(Map::values_mut);
    operations.filter_map(Json::as_object_mut).for_each(tidy);
    refusals::share(&mut document);
    document
}

/// Makes the document reproducible and short: security schemes in a fixed order (the registry's is random), an empty
/// `security` for public operations (a missing one would mean any scheme), no default values of attributes.
fn tidy(operation: &mut Map<String, Json>) {
    let security = operation.entry("security").or_insert_with(|| json!([]));
    for schemes in security.as_array_mut().into_iter().flatten() {
        let order = SCHEMES.iter().filter(|(scheme, ..)| schemes.get(scheme).is_some());
        *schemes = order.map(|(scheme, ..)| ((*scheme).to_owned(), json!([]))).collect::<Map<_, _>>().into();
    }
    let parameters = operation.get_mut("parameters").and_then(Json::as_array_mut).into_iter().flatten();
    for parameter in parameters.filter_map(Json::as_object_mut) {
        parameter.retain(|key, value| {
            !(key == "deprecated" && *value == json!(false) || key == "explode" && *value == json!(true))
        });
        if let Some(minimum) = parameter.get_mut("schema").and_then(|schema| schema.get_mut("minimum")) {
            *minimum = json!(0);
        }
    }
}
