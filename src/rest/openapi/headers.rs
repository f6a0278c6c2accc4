//! Headers that some operations look at, besides those that tell who is calling.

use poem::http::Method;
use serde_json::{Value as Json, json};

use crate::rest::idempotency;

/// A header: name, description, operations.
type Header = (&'static str, &'static str, fn(&Method, &str, &str) -> bool);

const HEADERS: [Header; 3] = [
    (
        "X-Parse-Installation-Id",
        "The installation that calls, by an id that the client made up for itself. A new session belongs to it.",
        |_, _, id| {
            let signing =
                matches!(id, "signUp" | "updateUser" | "logIn" | "logInByQuery" | "logInAs" | "createSession");
            signing || matches!(id, "createInstallation" | "updateInstallation")
        },
    ),
    (
        "X-Parse-Request-Id",
        "Names the request: sent again, it is refused (159) instead of carried out again, where the server is configured so.",
        |method, path, _| idempotency::is_route(method, path),
    ),
    ("X-Parse-Cloud-Context", "A JSON object that triggers get to see.", |method, path, _| {
        *method != Method::GET
            && ["/classes/", "/users", "/roles", "/installations", "/functions/"]
                .iter()
                .any(|head| path.starts_with(head))
    }),
];

/// Adds them to an operation.
pub fn add(method: &str, path: &str, operation: &mut Json) {
    let Ok(method) = Method::from_bytes(method.to_ascii_uppercase().as_bytes()) else { return };
    let id = operation.get("operationId").and_then(Json::as_str).unwrap_or_default().to_owned();
    let Some(operation) = operation.as_object_mut() else { return };
    for (name, about, concerns) in &HEADERS {
        if concerns(&method, path, &id)
            && let Some(parameters) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()
        {
            let form = json!({ "type": "string" });
            parameters
                .push(json!({ "name": name, "in": "header", "required": false, "description": about, "schema": form }));
        }
    }
}
