//! The server accepts and returns exactly the values that the document of an app describes.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer, each_backend};

/// Tells where a value has not the form that a document gives it, for as much of JSON schema as documents use.
fn faults(document: &Json, schema: &Json, value: &Json, at: &str, found: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        return faults(document, document.pointer(target.trim_start_matches('#')).unwrap(), value, at, found);
    }
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        let fitting = forms.iter().filter(|form| {
            let mut inner = Vec::new();
            faults(document, form, value, at, &mut inner);
            inner.is_empty()
        });
        let count = fitting.count();
        if count != 1 {
            found.push(format!("{at}: {value} has {count} of the forms {forms:?}"));
        }
    }
    let right = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let listed = schema["enum"].as_array().is_none_or(|values| values.contains(value));
    if !right || !listed {
        found.push(format!("{at}: {value} is not {schema}"));
    }
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            faults(document, &schema["items"], item, &format!("{at}[{index}]"), found);
        }
    }
    if let Some(map) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !map.contains_key(name.as_str().unwrap()) {
                found.push(format!("{at}: {name} is missing in {value}"));
            }
        }
        let known = schema["properties"].as_object();
        for (name, value) in map {
            let at = format!("{at}.{name}");
            match (known.and_then(|known| known.get(name)), &schema["additionalProperties"]) {
                (Some(form), _) => faults(document, form, value, &at, found),
                (None, Json::Object(_)) => faults(document, &schema["additionalProperties"], value, &at, found),
                (None, Json::Bool(true)) => {}
                // What is not described is no fault in OpenAPI, but one of ours.
                (None, _) if known.is_some() => found.push(format!("{at} is not described")),
                (None, _) => {}
            }
        }
    }
}

struct Typed<'a> {
    server: &'a TestServer,
    document: Json,
}

impl Typed<'_> {
    #[track_caller]
    fn assert_has_form(&self, name: &str, value: &Json) {
        let mut found = Vec::new();
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        faults(&self.document, &schema, value, name, &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }

    async fn call(&self, method: Method, path: &str, body: Option<(&str, Json)>, gives: &str) -> Json {
        let request = self.server.master(method.clone(), path);
        let request = match body {
            None => request,
            Some((form, body)) => {
                self.assert_has_form(form, &body);
                request.json(&body)
            }
        };
        let got: Answer = answer(request).await;
        assert!(got.status < 300, "{method} {path}: {got:?}");
        self.assert_has_form(gives, &got.json());
        got.json()
    }
}

fn pointer(class: &str, id: &str) -> Json {
    json!({ "__type": "Pointer", "className": class, "objectId": id })
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap()
}

async fn define(server: &TestServer) {
    for class in [
        json!({ "className": "Player", "fields": { "name": { "type": "String" } } }),
        json!({ "className": "Every", "fields": {
            "number": { "type": "Number" }, "text": { "type": "String" }, "truth": { "type": "Boolean" },
            "date": { "type": "Date" }, "player": { "type": "Pointer", "targetClass": "Player" },
            "missing": { "type": "Pointer", "targetClass": "Missing" }, "owner": { "type": "Pointer", "targetClass": "_User" },
            "fans": { "type": "Relation", "targetClass": "Player" }, "file": { "type": "File" },
            "place": { "type": "GeoPoint" }, "area": { "type": "Polygon" }, "raw": { "type": "Bytes" },
            "list": { "type": "Array" }, "map": { "type": "Object" },
            "rank": { "type": "Number", "required": true, "defaultValue": 1 },
        } }),
    ] {
        let made = answer(server.master(Method::POST, "/schemas").json(&class)).await;
        assert_eq!(made.status, 200, "{made:?}");
    }
}

#[test]
fn objects_have_the_form_the_document_says() {
    each_backend(&json!({}), |server| async move {
        define(&server).await;
        let document = answer(server.master(Method::GET, "/openapi.json")).await.json();
        let typed = Typed { server: &server, document };
        let player = typed
            .call(Method::POST, "/classes/Player", Some(("PlayerCreate", json!({ "name": "bea" }))), "ParseCreated")
            .await;
        let player = pointer("Player", text(&player, "objectId"));
        let user = json!({ "username": "ann", "password": "correct horse", "email": "ann@example.com", "ACL": { "*": { "read": true } } });
        let user = typed.call(Method::POST, "/users", Some(("SignUp", user)), "SignedUp").await;
        let owner = pointer("_User", text(&user, "objectId"));

        let full = json!({
            "number": 1.5, "text": "x", "truth": true,
            "date": { "__type": "Date", "iso": "2020-02-03T04:05:06.789Z" },
            "player": player, "missing": pointer("Missing", "gone"), "owner": owner,
            "fans": { "__op": "AddRelation", "objects": [player] },
            "file": { "__type": "File", "name": "a.txt" },
            "place": { "__type": "GeoPoint", "latitude": 40.5, "longitude": -30 },
            "area": { "__type": "Polygon", "coordinates": [[0, 0], [0, 1], [1, 1], [0, 0]] },
            "raw": { "__type": "Bytes", "base64": "aGVsbG8=" },
            "list": [1, "a", null, { "b": [] }], "map": { "k": { "l": 1 } },
            "ACL": { "*": { "read": true }, "role:Admins": { "read": true, "write": true } },
        });
        let made = typed.call(Method::POST, "/classes/Every", Some(("EveryCreate", full)), "ParseCreated").await;
        let one = format!("/classes/Every/{}", text(&made, "objectId"));
        let bare = json!({ "number": null, "text": null, "truth": null, "date": null, "file": null, "place": null, "area": null, "raw": null, "list": null, "map": null });
        typed.call(Method::POST, "/classes/Every", Some(("EveryCreate", bare)), "ParseCreated").await;
        typed.call(Method::POST, "/classes/Every", Some(("EveryCreate", json!({}))), "ParseCreated").await;

        typed.call(Method::GET, &one, None, "Every").await;
        let included = typed.call(Method::GET, &format!("{one}?include=player,owner"), None, "Every").await;
        assert_eq!((&included["player"]["__type"], &included["owner"]["username"]), (&json!("Object"), &json!("ann")));
        typed.call(Method::GET, &format!("{one}?keys=number&excludeKeys=createdAt"), None, "Every").await;
        let all = typed.call(Method::GET, "/classes/Every?count=1&includeAll=true", None, "EveryList").await;
        assert_eq!((all["count"].as_i64(), all["results"].as_array().unwrap().len()), (Some(3), 3));
        typed.call(Method::GET, "/classes/Every?limit=0&count=1", None, "EveryList").await;

        for change in [
            json!({}),
            json!({ "number": { "__op": "Increment", "amount": 2 }, "rank": { "__op": "Increment", "amount": -1 } }),
            json!({ "list": { "__op": "Add", "objects": [{ "x": 1 }, 2] } }),
            json!({ "list": { "__op": "AddUnique", "objects": [2] } }),
            json!({ "list": { "__op": "Remove", "objects": [2] } }),
            json!({ "fans": { "__op": "RemoveRelation", "objects": [player] } }),
            json!({ "text": "y", "date": { "__type": "Date", "iso": "2021-02-03T04:05:06Z" }, "map": {}, "player": player }),
            json!({ "number": null, "date": null, "place": null, "list": null }),
            json!({
                "number": { "__op": "Delete" }, "text": { "__op": "Delete" }, "truth": { "__op": "Delete" },
                "date": { "__op": "Delete" }, "player": { "__op": "Delete" }, "file": { "__op": "Delete" },
                "place": { "__op": "Delete" }, "area": { "__op": "Delete" }, "raw": { "__op": "Delete" },
                "list": { "__op": "Delete" }, "map": { "__op": "Delete" }, "ACL": { "*": { "read": true } },
            }),
        ] {
            typed.call(Method::PUT, &one, Some(("EveryUpdate", change)), "ParseUpdated").await;
            typed.call(Method::GET, &one, None, "Every").await;
        }
        typed.call(Method::DELETE, &one, None, "Nothing").await;
    });
}

#[test]
fn classes_with_routes_of_their_own_have_it_too() {
    each_backend(&json!({}), |server| async move {
        define(&server).await;
        let nick = json!({ "className": "_User", "fields": { "nick": { "type": "String" }, "best": { "type": "Pointer", "targetClass": "Every" } } });
        assert_eq!(answer(server.master(Method::PUT, "/schemas/_User").json(&nick)).await.status, 200);
        let document = answer(server.master(Method::GET, "/openapi.json")).await.json();
        let typed = Typed { server: &server, document };
        let best = typed.call(Method::POST, "/classes/Every", Some(("EveryCreate", json!({}))), "ParseCreated").await;
        let best = pointer("Every", text(&best, "objectId"));
        let ann = json!({ "username": "ann", "password": "correct horse", "nick": "a", "best": best });
        server.post("/users", &ann).await;
        let log_in = typed
            .call(
                Method::POST,
                "/login",
                Some(("LogIn", json!({ "username": "ann", "password": "correct horse" }))),
                "User",
            )
            .await;
        let one = format!("/users/{}", text(&log_in, "objectId"));
        typed.call(Method::GET, &one, None, "User").await;
        let included = typed.call(Method::GET, &format!("{one}?include=best"), None, "User").await;
        assert_eq!(included["best"]["__type"], "Object");
        typed.call(Method::GET, "/users?count=1", None, "UserList").await;
        typed
            .call(
                Method::PUT,
                &one,
                Some(("UserUpdate", json!({ "nick": { "__op": "Delete" }, "password": "other horse" }))),
                "Updated",
            )
            .await;
        typed
            .call(
                Method::POST,
                "/login",
                Some(("LogIn", json!({ "username": "ann", "password": "other horse" }))),
                "User",
            )
            .await;
        typed.call(Method::GET, "/sessions", None, "SessionList").await;

        let me = answer(
            server.request(Method::GET, "/users/me").header("X-Parse-Session-Token", text(&log_in, "sessionToken")),
        )
        .await;
        let fresh = if me.status == 200 {
            me
        } else {
            server.post("/login", &json!({ "username": "ann", "password": "other horse" })).await
        };
        let token = text(&fresh.json(), "sessionToken").to_owned();
        for (path, form) in [("/users/me", "User"), ("/sessions/me", "Session"), ("/sessions", "SessionList")] {
            let got = answer(server.request(Method::GET, path).header("X-Parse-Session-Token", &token)).await;
            assert_eq!(got.status, 200, "{got:?}");
            typed.assert_has_form(form, &got.json());
        }

        let role = json!({ "name": "Admins", "ACL": { "*": { "read": true } }, "users": { "__op": "AddRelation", "objects": [pointer("_User", text(&log_in, "objectId"))] } });
        let role = typed.call(Method::POST, "/roles", Some(("RoleCreate", role)), "Created").await;
        let one = format!("/roles/{}", text(&role, "objectId"));
        typed.call(Method::GET, &one, None, "Role").await;
        typed.call(Method::GET, "/roles", None, "RoleList").await;
        typed
            .call(
                Method::PUT,
                &one,
                Some(("RoleUpdate", json!({ "ACL": { "*": { "read": true, "write": true } } }))),
                "Updated",
            )
            .await;

        let installation = json!({ "deviceType": "ios", "installationId": "one", "channels": ["a"] });
        let installation =
            typed.call(Method::POST, "/installations", Some(("InstallationCreate", installation)), "Created").await;
        let one = format!("/installations/{}", text(&installation, "objectId"));
        typed.call(Method::GET, &one, None, "Installation").await;
        typed.call(Method::GET, "/installations", None, "InstallationList").await;
        typed
            .call(
                Method::PUT,
                &one,
                Some(("InstallationUpdate", json!({ "channels": { "__op": "AddUnique", "objects": ["b"] } }))),
                "Updated",
            )
            .await;
    });
}

/// The check itself finds what is wrong.
#[test]
fn faults_are_found() {
    let date = json!({ "type": "object", "required": ["iso"], "properties": { "iso": { "type": "string" } } });
    let form = json!({ "type": "object", "required": ["a"], "properties": {
        "a": { "type": "number" },
        "b": { "oneOf": [{ "type": "string", "nullable": true }, { "$ref": "#/d" }] },
        "c": { "type": "string", "enum": ["x"] },
        "l": { "type": "array", "items": { "$ref": "#/d" } },
    } });
    let document = json!({ "d": date });
    for (value, wrong) in [
        (json!({ "a": 1, "b": null, "c": "x", "l": [{ "iso": "" }] }), 0),
        (json!({ "a": 1, "b": { "iso": "" } }), 0),
        (json!({ "a": null, "b": 1, "c": "y", "l": [{}, { "iso": 1 }], "z": 1 }), 6),
        (json!({}), 1),
        (json!(1), 1),
    ] {
        let mut found = Vec::new();
        faults(&document, &form, &value, "", &mut found);
        assert_eq!(found.len(), wrong, "{value}: {found:#?}");
    }
}
