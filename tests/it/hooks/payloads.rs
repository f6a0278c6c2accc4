//! What web hooks are told.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::hook_server::HookServer;
use crate::server::{answer, each_backend};

/// The body without what differs from request to request.
fn told(body: &Json) -> Json {
    let mut body = body.clone();
    for key in ["headers", "log", "ip"] {
        body.as_object_mut().unwrap().remove(key);
    }
    body
}

#[test]
fn callers() {
    each_backend(&json!({"webhookKey": "hook-key", "readOnlyMasterKey": "ro"}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "f").await;
        let user = server.post("/users", &json!({"username": "u", "password": "p", "n": 1})).await.json();
        let token = user["sessionToken"].as_str().unwrap();
        let request = || server.request(Method::POST, "/functions/f");
        for (request, expected) in [
            (request(), json!({"master": false, "isReadOnly": false})),
            (request().header("X-Parse-Master-Key", "master"), json!({"master": true, "isReadOnly": false})),
            (request().header("X-Parse-Master-Key", "ro"), json!({"master": true, "isReadOnly": true})),
            (request().header("X-Parse-Maintenance-Key", "maint"), json!({"master": false, "isReadOnly": false})),
        ] {
            answer(request).await;
            let call = hooks.take().remove(0);
            assert_eq!(call.headers["x-parse-webhook-key"], "hook-key");
            let mut expected = expected;
            expected["params"] = json!({});
            expected["functionName"] = "f".into();
            expected["context"] = json!({});
            assert_eq!(told(&call.body), expected);
            assert_eq!(call.body["ip"], "127.0.0.1");
            assert_eq!(call.body["headers"]["x-parse-application-id"], "app");
        }
        answer(request().header("X-Parse-Session-Token", token).header("X-Parse-Cloud-Context", r#"{"a":1}"#)).await;
        let call = hooks.take().remove(0).body;
        assert_eq!(call["context"], json!({"a": 1}));
        let told = &call["user"];
        assert_eq!((&told["username"], &told["sessionToken"], &told["n"]), (&json!("u"), &json!(token), &json!(1)));
        let fields: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert!(fields.iter().all(|field| !field.starts_with('_') && *field != "password"), "{fields:?}");
        for bad in ["[1]", "nope", "5"] {
            answer(request().header("X-Parse-Cloud-Context", bad)).await.assert_refused(400, 107);
        }
        assert!(hooks.take().is_empty());
    });
}

#[test]
fn parameters() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "f").await;
        let date = json!({"__type": "Date", "iso": "2024-05-06T07:08:09.010Z"});
        let body = json!({"a": 1, "b": 2, "d": date, "o": {"list": [date]}, "g": {"__type": "GeoPoint", "latitude": 1, "longitude": 2}});
        answer(server.request(Method::POST, "/functions/f?b=query&c=3").json(&body)).await;
        assert_eq!(
            hooks.take()[0].body["params"],
            json!({
                "a": 1, "b": "query", "c": "3", "d": date["iso"], "o": {"list": [date["iso"]]}, "g": body["g"],
            })
        );
        let body = json!({"_ApplicationId": "app", "_InstallationId": "i", "_context": {"c": 2}, "_ClientVersion": "js9", "a": 1});
        answer(server.bare(Method::POST, "/functions/f").json(&body)).await;
        let call = hooks.take().remove(0).body;
        assert_eq!(
            (&call["params"], &call["installationId"], &call["context"]),
            (&json!({"a": 1}), &json!("i"), &json!({"c": 2}))
        );
    });
}

#[test]
fn what_is_hidden_from_the_caller_is_hidden_from_its_triggers() {
    let options =
        |exempt: bool| json!({"protectedFields": {"Secret": {"*": ["hush"]}}, "protectedFieldsTriggerExempt": exempt});
    for exempt in [false, true] {
        each_backend(&options(exempt), |server| async move {
            let hooks = HookServer::start().await;
            let made = server.post("/classes/Secret", &json!({"hush": "h", "n": 1})).await.json();
            for trigger in ["beforeSave", "afterSave", "beforeDelete"] {
                hooks.trigger(&server, trigger, "Secret").await;
            }
            let path = format!("/classes/Secret/{}", made["objectId"].as_str().unwrap());
            assert_eq!(answer(server.request(Method::PUT, &path).json(&json!({"n": 2}))).await.status, 200);
            for call in hooks.take() {
                for object in ["object", "original"] {
                    assert_eq!(call.body[object].get("hush").is_some(), exempt, "{call:?}");
                }
            }
            answer(server.request(Method::DELETE, &path)).await;
            assert!(hooks.take()[0].body["object"].get("hush").is_none());
        });
    }
}
