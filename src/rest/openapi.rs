//! The document: tags, security schemes, and what the framework cannot say by itself.

mod fields;
mod headers;
mod names;
mod page;
mod refusals;
mod served;
mod typed;
mod yaml;

use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{OpenApi, OpenApiService, Tags};
use serde_json::{Value as Json, json};

pub use served::Documents;
pub use typed::typed;
pub use yaml::of as to_yaml;

/// Areas of the API.
#[derive(Tags)]
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
    /// Several requests in one.
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

/// The areas in the order of the document.
const ORDER: [&str; 12] = [
    "Users",
    "Sessions",
    "Classes",
    "Roles",
    "Installations",
    "Batch",
    "Schemas",
    "Administration",
    "Cloud",
    "Push",
    "Files",
    "Health",
];

/// Declares the headers that tell who is calling.
pub fn register_security(registry: &mut Registry) {
    for (scheme, header, description) in [
        ("applicationId", "X-Parse-Application-Id", "Identifies the application. Every request needs it."),
        (
            "restApiKey",
            "X-Parse-REST-API-Key",
            "The REST key, where the server is configured with one. Other clients send theirs as X-Parse-Javascript-Key, X-Parse-Client-Key or X-Parse-Windows-Key.",
        ),
        ("sessionToken", "X-Parse-Session-Token", "Token of a user's session."),
        (
            "masterKey",
            "X-Parse-Master-Key",
            "The master key: no permission is checked. Never in a client app. The read-only master key comes in this header, too.",
        ),
    ] {
        let scheme_meta = MetaSecurityScheme {
            ty: "apiKey",
            description: Some(description),
            name: Some(header),
            key_in: Some("header"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(scheme, scheme_meta);
    }
}

/// A query parameter: name, [form](form), description.
type Parameter = (&'static str, &'static str, &'static str);

/// Query parameters of every operation that lists objects.
const FIND: [Parameter; 16] = [
    ("where", "string", "Constraints, as JSON."),
    ("order", "string", "Fields to sort by, comma between them, `-` before those that descend."),
    ("limit", "natural", "How many objects at most (default 100)."),
    ("skip", "natural", "How many objects to leave out at the start."),
    ("keys", "string", "Fields to return, comma between them."),
    ("excludeKeys", "string", "Fields not to return, comma between them."),
    ("include", "string", "Pointers to replace by their objects, comma between them."),
    ("includeAll", "boolean", "Replace all pointers by their objects, one level."),
    ("count", "natural", "1: tell how many objects match."),
    ("redirectClassNameForKey", "string", "Query the class that this relation field leads to."),
    ("readPreference", "member", "Which member of a replica set to ask."),
    ("includeReadPreference", "member", "Which one to ask for included objects."),
    ("subqueryReadPreference", "member", "Which one to ask for the queries within constraints."),
    ("hint", "string", "Index to use."),
    (
        "explain",
        "boolean",
        "Answer with the plan of the query instead; with the master key alone unless configured otherwise.",
    ),
    ("comment", "string", "Goes to the log of the database with the query."),
];

/// Query parameters of a log in by GET.
const LOG_IN: [Parameter; 3] = [
    ("username", "string", "Name, or e-mail address."),
    ("email", "string", "E-mail address."),
    ("password", "string", "Password."),
];

/// Query parameters of an aggregation.
const AGGREGATE: [Parameter; 7] = [
    ("pipeline", "string", "Stages in MongoDB's language, as a JSON array."),
    ("where", "string", "Constraints that come before the pipeline, as JSON."),
    ("distinct", "string", "A field whose different values are asked for, instead of a pipeline."),
    ("hint", "string", "Index to use."),
    ("explain", "boolean", "Answer with the plan instead."),
    ("comment", "string", "Goes to the log of the database with the pipeline."),
    ("readPreference", "member", "Which member of a replica set to ask."),
];

/// Query parameters of the log.
const LOGS: [Parameter; 5] = [
    ("from", "string", "Earliest moment, ISO 8601 (default: a week before `until`)."),
    ("until", "string", "Latest moment, ISO 8601 (default: now)."),
    ("size", "natural", "How many lines at most (default 10)."),
    ("order", "direction", "Oldest (`asc`) or newest (`desc`, the default) first."),
    ("level", "level", "`error`: errors alone."),
];

/// Query parameters of every operation that gives one object.
const GET: [&str; 6] =
    ["keys", "excludeKeys", "include", "readPreference", "includeReadPreference", "subqueryReadPreference"];

/// The form of a parameter's values.
fn form(kind: &str) -> Json {
    match kind {
        "natural" => json!({ "type": "integer", "minimum": 0 }),
        "member" => json!({
            "type": "string", "enum": ["PRIMARY", "PRIMARY_PREFERRED", "SECONDARY", "SECONDARY_PREFERRED", "NEAREST"],
        }),
        "direction" => json!({ "type": "string", "enum": ["asc", "desc"] }),
        "level" => json!({ "type": "string", "enum": ["info", "error"] }),
        plain => json!({ "type": plain }),
    }
}

/// The document of an API, with parameters and security put right.
#[must_use]
pub fn document<T: OpenApi>(service: &OpenApiService<T, ()>) -> Json {
    let mut document: Json = serde_json::from_str(&service.spec()).unwrap_or_else(|_| json!({}));
    if let Some(info) = document.get_mut("info").and_then(Json::as_object_mut) {
        let url = "https://www.apache.org/licenses/LICENSE-2.0";
        info.insert("license".to_owned(), json!({ "name": "Apache-2.0", "url": url }));
    }
    if let Some(tags) = document.get_mut("tags").and_then(Json::as_array_mut) {
        // As they are declared: what is used first, first.
        let rank = |tag: &Json| ORDER.iter().position(|name| tag.get("name").and_then(Json::as_str) == Some(name));
        tags.sort_by_key(rank);
    }
    let Some(paths) = document.get_mut("paths").and_then(Json::as_object_mut) else { return document };
    for (path, operations) in paths {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            amend(path, operation);
            headers::add(method, path, operation);
        }
    }
    refusals::share(&mut document);
    document
}

fn amend(path: &str, operation: &mut Json) {
    let id = operation.get("operationId").and_then(Json::as_str).unwrap_or_default().to_owned();
    let Some(operation) = operation.as_object_mut() else { return };
    // The framework lists schemes as alternatives; all that an operation names are needed together.
    let named = |scheme: &str| {
        let schemes = operation.get("security").and_then(Json::as_array).into_iter().flatten();
        schemes.filter_map(Json::as_object).any(|names| names.contains_key(scheme))
    };
    let callers = if named("masterKey") {
        json!([{ "applicationId": [], "masterKey": [] }])
    } else if named("sessionToken") {
        json!([
            { "applicationId": [], "sessionToken": [] },
            { "applicationId": [], "restApiKey": [], "sessionToken": [] },
            { "applicationId": [], "masterKey": [] },
        ])
    } else if named("applicationId") {
        json!([
            { "applicationId": [] },
            { "applicationId": [], "restApiKey": [] },
            { "applicationId": [], "sessionToken": [] },
            { "applicationId": [], "restApiKey": [], "sessionToken": [] },
            { "applicationId": [], "masterKey": [] },
        ])
    } else {
        json!([])
    };
    operation.insert("security".to_owned(), callers);
    let wanted: Vec<_> = if id.starts_with("find") || id == "listJobSchedules" {
        FIND.iter().collect()
    } else if id.starts_with("get") && path.ends_with("{objectId}") {
        FIND.iter().filter(|(name, _, _)| GET.contains(name)).collect()
    } else if id.ends_with("ByQuery") {
        LOG_IN.iter().collect()
    } else if id == "aggregate" {
        AGGREGATE.iter().collect()
    } else if id == "getLogs" {
        LOGS.iter().collect()
    } else {
        Vec::new()
    };
    if wanted.is_empty() {
        return;
    }
    if let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
        parameters.extend(wanted.into_iter().map(|(name, kind, about)| {
            json!({ "name": name, "in": "query", "required": false, "description": about, "schema": form(kind) })
        }));
    }
}
