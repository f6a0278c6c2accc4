//! Functions behind web hooks.

use reqwest::Method;
use serde_json::json;

use super::hook_server::{HookServer, Reply};
use crate::server::{answer, each_backend};

#[test]
fn answers_and_errors() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "f").await;
        for (reply, result) in [
            (Reply::from(json!({"success": {"a": [1, null]}})), json!({"result": {"a": [1, null]}})),
            (json!({"success": null}).into(), json!({"result": null})),
            (json!({"success": 1, "error": ""}).into(), json!({"result": 1})),
            (
                json!({"success": {"__type": "Date", "iso": "x"}}).into(),
                json!({"result": {"__type": "Date", "iso": "x"}}),
            ),
            (json!({}).into(), json!({})),
            (json!([1]).into(), json!({})),
            (json!(5).into(), json!({})),
            (Reply::text(""), json!({})),
            (Reply::text("<html>"), json!({})),
            (
                Reply { status: 302, headers: vec![("location", "http://127.0.0.1:1/".into())], ..json!({}).into() },
                json!({}),
            ),
        ] {
            hooks.on("f", move |_| reply.clone());
            let called = server.post("/functions/f", &json!({})).await;
            assert_eq!((called.status, called.json()), (200, result));
        }
        for (reply, message) in [
            (Reply::from(json!({"error": "no"})), Some("no")),
            (json!({"error": {"message": "inner", "code": 1}, "success": 1}).into(), Some("inner")),
            (json!({"error": {"code": 5}}).into(), None),
            (json!({"error": 5}).into(), None),
            (Reply { status: 500, ..json!({"success": "secret words"}).into() }, None),
            (Reply { status: 404, ..Reply::text("secret words") }, None),
        ] {
            hooks.on("f", move |_| reply.clone());
            let called = server.post("/functions/f", &json!({})).await;
            called.assert_refused(400, 141);
            let told = called.json()["error"].as_str().unwrap().to_owned();
            assert!(message.is_none_or(|message| told == message), "{told}");
            assert!(!called.text.contains("secret words"), "{called:?}");
        }
    });
}

/// `adv_6hh7`, `adv_5j86`, `adv_4263`, `adv_vpj2`: names of what every object has, and paths through it, are no functions.
#[test]
fn names_that_are_no_functions() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "f").await;
        hooks.function(&server, "a.b").await;
        for name in [
            "constructor",
            "toString",
            "__proto__",
            "f.prototype.constructor",
            "a.b",
            "F",
            "f'",
            "f%22",
            "f%60",
            "f%00",
        ] {
            let called = server.post(&format!("/functions/{name}"), &json!({})).await;
            called.assert_refused(400, 141);
        }
        assert_eq!(server.post("/jobs/constructor", &json!({})).await.status, 403);
        answer(server.master(Method::POST, "/jobs/constructor")).await.assert_refused(400, 141);
        assert!(hooks.take().is_empty());
    });
}

#[test]
fn a_hook_that_is_not_there() {
    each_backend(&json!({}), |server| async move {
        for (name, url) in
            [("a", "not a url"), ("b", "ftp://127.0.0.1/x"), ("c", "http://127.0.0.1:1/"), ("d", "file:///etc/passwd")]
        {
            let body = json!({"functionName": name, "url": url});
            assert_eq!(answer(server.master(Method::POST, "/hooks/functions").json(&body)).await.status, 200);
            server.post(&format!("/functions/{name}"), &json!({})).await.assert_refused(400, 141);
        }
    });
}

#[test]
fn in_a_batch() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "f").await;
        hooks.on("f", |call| json!({"success": call["params"]}));
        let part = |name: &str| json!({"method": "POST", "path": format!("/parse/functions/{name}"), "body": {"x": 1}});
        let got = server.post("/batch", &json!({"requests": [part("f"), part("g")]})).await.json();
        assert_eq!(got[0], json!({"success": {"result": {"x": 1}}}));
        assert_eq!(got[1]["error"]["code"], 141);
    });
}

#[test]
fn by_graphql() {
    each_backend(&json!({"mountGraphQL": true}), |server| async move {
        let hooks = HookServer::start().await;
        let url = server.base.replace("/parse", "/graphql");
        let ask = |query: &str| {
            let request = reqwest::Client::new().post(&url).json(&json!({"query": query}));
            answer(request.header("X-Parse-Application-Id", "app").header("X-Parse-Cloud-Context", r#"{"c":1}"#))
        };
        let call = "mutation { callCloudCode(input: {functionName: f, params: {a: 1}, clientMutationId: \"m\"}) { result clientMutationId } }";
        // There is no such mutation before there is a function.
        assert_eq!(ask(call).await.json()["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        hooks.function(&server, "f").await;
        hooks.function(&server, "no.name").await;
        hooks.on("f", |call| json!({"success": {"got": call["params"], "context": call["context"]}}));
        let got = ask(call).await.json();
        let payload = &got["data"]["callCloudCode"];
        assert_eq!(
            *payload,
            json!({"result": {"got": {"a": 1}, "context": {"c": 1}}, "clientMutationId": "m"}),
            "{got}"
        );
        hooks.on("f", |_| json!({"error": "no"}));
        let refused = ask(call).await.json();
        assert_eq!(
            (&refused["errors"][0]["message"], &refused["errors"][0]["extensions"]["code"]),
            (&json!("no"), &json!(141))
        );
        let unknown = ask("mutation { callCloudCode(input: {functionName: nope}) { result } }").await;
        assert_eq!(unknown.json()["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    });
}
