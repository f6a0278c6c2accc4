//! `/hooks`: declaring functions and triggers.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::hook_server::HookServer;
use crate::server::{Answer, TestServer, answer, each_backend, each_backend_twice};

async fn post(server: &TestServer, body: Json) -> Answer {
    answer(server.master(Method::POST, "/hooks/functions").json(&body)).await
}

async fn put(server: &TestServer, path: &str, body: Json) -> Answer {
    answer(server.master(Method::PUT, path).json(&body)).await
}

async fn get(server: &TestServer, path: &str) -> Answer {
    answer(server.master(Method::GET, path)).await
}

#[test]
fn a_hook_comes_and_goes() {
    each_backend(&json!({}), |server| async move {
        let function = json!({"functionName": "f", "url": "http://127.0.0.1:1/f"});
        let trigger = json!({"className": "C", "triggerName": "afterSave", "url": "http://127.0.0.1:1/t"});
        for declaration in [&function, &trigger] {
            assert_eq!(post(&server, declaration.clone()).await.json(), *declaration);
        }
        assert_eq!(get(&server, "/hooks/functions").await.json(), json!([function]));
        assert_eq!(get(&server, "/hooks/triggers").await.json(), json!([trigger]));
        assert_eq!(get(&server, "/hooks/triggers/C/afterSave").await.json(), trigger);
        assert_eq!(post(&server, function.clone()).await.json()["error"], "function name: f already exists");
        assert_eq!(post(&server, trigger).await.json()["error"], "class C already has trigger afterSave");
        let moved = put(&server, "/hooks/functions/f", json!({"url": "http://127.0.0.1:1/g"})).await;
        assert_eq!(moved.json(), json!({"functionName": "f", "url": "http://127.0.0.1:1/g"}));
        assert_eq!(get(&server, "/hooks/functions/f").await.json(), moved.json());
        for (path, status) in [
            ("/hooks/functions/f", 200),
            ("/hooks/functions/f", 404),
            ("/hooks/triggers/C/afterSave", 200),
            ("/hooks/triggers/C/beforeDinner", 404),
        ] {
            assert_eq!(put(&server, path, json!({"__op": "Delete"})).await.status, status, "{path}");
        }
        assert_eq!(get(&server, "/hooks/functions").await.json(), json!([]));
        get(&server, "/hooks/functions/f").await.assert_refused(400, 143);
        put(&server, "/hooks/functions/f", json!({"url": "x"})).await.assert_refused(400, 143);
    });
}

#[test]
fn what_is_no_declaration() {
    each_backend(&json!({"readOnlyMasterKey": "ro"}), |server| async move {
        let url = "http://127.0.0.1:1/x";
        for bad in [
            json!({}),
            json!({"functionName": "f"}),
            json!({"functionName": "", "url": url}),
            json!({"functionName": {"$ne": null}, "url": url}),
            json!({"functionName": "f", "url": {"a": 1}}),
            json!({"functionName": "f", "url": ""}),
            json!({"className": "C", "url": url}),
            json!({"className": "C", "triggerName": "beforeDinner", "url": url}),
            json!({"className": ["C"], "triggerName": "beforeSave", "url": url}),
            json!({"className": "C", "triggerName": "beforeLogin", "url": url}),
            json!({"className": "_Session", "triggerName": "beforeSave", "url": url}),
            json!({"className": "_User", "triggerName": "afterLogout", "url": url}),
            json!({"className": "_PushStatus", "triggerName": "beforeSave", "url": url}),
        ] {
            let refused = post(&server, bad.clone()).await;
            assert_eq!((refused.status, refused.json()["code"].as_i64()), (400, Some(143)), "{bad}: {refused:?}");
        }
        assert_eq!(get(&server, "/hooks/functions").await.json(), json!([]));
        let body = json!({"functionName": "f", "url": url});
        let client = answer(server.request(Method::POST, "/hooks/functions").json(&body)).await;
        assert_eq!(client.status, 403, "{client:?}");
        assert_eq!(server.get("/hooks/triggers").await.status, 403);
        // adv_vc89: the read-only key changes nothing.
        let read_only = |method, path| server.request(method, path).header("X-Parse-Master-Key", "ro");
        answer(read_only(Method::POST, "/hooks/functions").json(&body)).await.assert_refused(400, 119);
        answer(read_only(Method::POST, "/hooks/triggers").json(&body)).await.assert_refused(400, 119);
        answer(read_only(Method::PUT, "/hooks/functions/f").json(&body)).await.assert_refused(400, 119);
        let delete = json!({"__op": "Delete"});
        answer(read_only(Method::PUT, "/hooks/triggers/C/beforeSave").json(&delete)).await.assert_refused(400, 119);
        assert_eq!(answer(read_only(Method::GET, "/hooks/functions")).await.json(), json!([]));
        server.get("/classes/_Hooks").await.assert_refused(400, 119);
    });
}

#[test]
fn two_that_declare_the_same_at_once() {
    each_backend_twice(&json!({}), |servers| async move {
        let body = json!({"functionName": "f", "url": "http://127.0.0.1:1/f"});
        let made = futures_util::future::join_all((0..20).map(|number| {
            let server = &servers[number % servers.len()];
            post(server, body.clone())
        }))
        .await;
        assert_eq!(made.iter().filter(|made| made.status == 200).count(), 1, "{made:?}");
        assert!(made.iter().filter(|made| made.status != 200).all(|made| made.json()["code"] == 143), "{made:?}");
        assert_eq!(get(&servers[0], "/hooks/functions").await.json(), json!([body]));
    });
}

#[test]
fn a_hook_holds_on_all_servers() {
    each_backend_twice(&json!({}), |servers| async move {
        let hooks = HookServer::start().await;
        hooks.on("f", |_| json!({"success": "here"}));
        let (one, other) = (&servers[0], servers.last().unwrap());
        hooks.function(one, "f").await;
        let mut called = other.post("/functions/f", &json!({})).await;
        for _ in 0..200 {
            if called.status == 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
            called = other.post("/functions/f", &json!({})).await;
        }
        assert_eq!(called.json(), json!({"result": "here"}));
        put(one, "/hooks/functions/f", json!({"__op": "Delete"})).await;
        let mut called = other.post("/functions/f", &json!({})).await;
        for _ in 0..200 {
            if called.status != 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
            called = other.post("/functions/f", &json!({})).await;
        }
        assert_eq!(called.json()["error"], "Invalid function: \"f\"");
    });
}
