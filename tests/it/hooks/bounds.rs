//! Hooks that are slow, huge, or call the server again.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::hook_server::{HookServer, Reply};
use crate::server::{answer, each_backend};

#[test]
fn a_hook_that_does_not_answer() {
    each_backend(&json!({"hookTimeoutMs": 300}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "slow").await;
        hooks.trigger(&server, "beforeSave", "Slow").await;
        for name in ["slow", "beforeSave:Slow"] {
            hooks.on(name, |_| Reply { delay: Duration::from_mins(10), ..json!({"success": 1}).into() });
        }
        let started = Instant::now();
        server.post("/functions/slow", &json!({})).await.assert_refused(400, 141);
        server.post("/classes/Slow", &json!({"a": 1})).await.assert_refused(400, 141);
        assert!(started.elapsed() < Duration::from_mins(1));
        // Nothing is skipped: what was refused is not written.
        let found = answer(server.master(Method::GET, "/classes/Slow")).await.json();
        assert_eq!(found, json!({"results": []}));
    });
}

#[test]
fn an_answer_without_end() {
    each_backend(&json!({"hookAnswerBytes": 10_000}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "huge").await;
        hooks.on("huge", |_| json!({"success": "x".repeat(9_000)}));
        assert_eq!(server.post("/functions/huge", &json!({})).await.status, 200);
        hooks.on("huge", |_| json!({"success": "x".repeat(2_000_000)}));
        server.post("/functions/huge", &json!({})).await.assert_refused(400, 141);
    });
}

/// A hook that saves an object of its class, and so on.
fn recursing(hooks: &HookServer, base: &str) {
    let url = format!("{base}/classes/Deep");
    hooks.on_async("beforeSave:Deep", move |call| {
        let url = url.clone();
        async move {
            let left = call["object"]["left"].as_i64().unwrap();
            if left > 0 {
                let body = json!({"left": left - 1});
                let request = reqwest::Client::new().post(url).json(&body).header("X-Parse-Application-Id", "app");
                let saved = answer(request).await;
                if saved.status != 201 {
                    return json!({"error": saved.json()["error"]}).into();
                }
            }
            json!({}).into()
        }
    });
}

#[test]
fn two_hundred_deep() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "Deep").await;
        recursing(&hooks, &server.base);
        let saved = server.post("/classes/Deep", &json!({"left": 200})).await;
        assert_eq!(saved.status, 201, "{saved:?}");
        assert_eq!(hooks.take().len(), 201);
        let count = answer(server.master(Method::GET, "/classes/Deep?count=1&limit=0")).await.json();
        assert_eq!(count["count"], 201);
    });
}

#[test]
fn recursion_without_end() {
    each_backend(&json!({"cloudCalls": 50}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "Deep").await;
        recursing(&hooks, &server.base);
        let refused = server.post("/classes/Deep", &json!({"left": 1_000_000})).await;
        refused.assert_refused(400, 141);
        assert_eq!(refused.json()["error"], "Too many calls of cloud code are in flight.");
        assert_eq!(hooks.take().len(), 50);
        // Nothing is left behind.
        assert_eq!(server.post("/classes/Deep", &json!({"left": 0})).await.status, 201);
    });
    each_backend(&json!({"cloudDepth": 3}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.function(&server, "f").await;
        let call = |depth: &'static str| {
            answer(server.request(Method::POST, "/functions/f").header("X-Parse-Cloud-Depth", depth))
        };
        assert_eq!(call("2").await.status, 200);
        assert_eq!(hooks.take()[0].headers["x-parse-cloud-depth"], "3");
        for deep in ["3", "4294967295"] {
            call(deep).await.assert_refused(400, 141);
        }
        for nonsense in ["-1", "x", "99999999999999999999"] {
            assert_eq!(call(nonsense).await.status, 200);
        }
    });
}

#[test]
fn a_thousand_at_once() {
    each_backend(&json!({"limits": {"connectionsPerAddress": 2000}}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "Many").await;
        hooks.on("beforeSave:Many", |_| Reply { delay: Duration::from_millis(50), ..json!({}).into() });
        let saved = futures_util::future::join_all((0..1000).map(|n| {
            let server = &server;
            async move { server.post("/classes/Many", &json!({"n": n})).await.status }
        }))
        .await;
        assert!(saved.iter().all(|status| *status == 201), "{saved:?}");
        let count = answer(server.master(Method::GET, "/classes/Many?count=1&limit=0")).await.json();
        assert_eq!(count["count"], 1000);
    });
}
