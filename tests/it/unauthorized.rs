//! Every operation of the OpenAPI document is called without credentials: by default it is refused.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{answer, each_backend};

/// Operations that anybody may call. This list may only shrink.
const OPEN: [&str; 1] = ["getHealth"];

/// Operations that need the master key, but refuse clients in their own way.
const REFUSED_OTHERWISE: [&str; 1] = ["logInAs"];

fn operations(document: &Json) -> Vec<(Method, String, String, bool)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} has no operationId"))
                .to_owned();
            let master = operation["security"][0].get("masterKey").is_some();
            let path = path.replace("{className}", "Any").replace("{objectId}", "none").replace(['{', '}'], "x");
            operations.push((Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path, id, master));
        }
    }
    operations
}

#[test]
fn nobody_gets_in() {
    each_backend(&json!({}), |server| async move {
        let operations = operations(&reparse::rest::document("/parse"));
        assert!(operations.len() > 50, "{}", operations.len());
        for (method, path, id, master) in operations {
            if OPEN.contains(&id.as_str()) {
                continue;
            }
            for request in [
                server.bare(method.clone(), &path),
                server
                    .bare(method.clone(), &path)
                    .header("X-Parse-Application-Id", "nope")
                    .header("X-Parse-Master-Key", "master"),
            ] {
                let got = answer(request.json(&json!({}))).await;
                assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})), "{id}");
            }
            if master {
                let got = answer(server.request(method, &path).json(&json!({}))).await;
                let expected = if REFUSED_OTHERWISE.contains(&id.as_str()) { 400 } else { 403 };
                assert_eq!(
                    (got.status, got.json()["error"].as_str()),
                    (expected, Some("Permission denied")),
                    "{id}: {got:?}"
                );
            }
        }
    });
}
