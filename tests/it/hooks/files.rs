//! Triggers on files as web hooks: what they are told, and what they may refuse.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::hook_server::{HookServer, Reply};
use crate::raw;
use crate::server::{Answer, TestServer, answer, each_backend};

const ALL: [&str; 6] = ["beforeSave", "afterSave", "beforeDelete", "afterDelete", "beforeFind", "afterFind"];

fn open() -> Json {
    json!({"fileUpload": {"enableForPublic": true}, "preserveFileName": true, "maxUploadSize": "64kb"})
}

async fn hooks(server: &TestServer) -> HookServer {
    let hooks = HookServer::start().await;
    for trigger in ALL {
        hooks.trigger(server, trigger, "@File").await;
    }
    hooks
}

async fn upload(server: &TestServer, name: &str, bytes: impl Into<reqwest::Body>) -> Answer {
    let request = server.request(Method::POST, &format!("/files/{name}")).header("Content-Type", "text/plain");
    answer(request.body(bytes)).await
}

async fn download(server: &TestServer, name: &str) -> Answer {
    answer(server.bare(Method::GET, &format!("/files/app/{name}"))).await
}

/// The name of each call, and what it was told of the file, without what other triggers are told, too.
fn told(hooks: &HookServer) -> Vec<(String, Json)> {
    let others = ["triggerName", "master", "isReadOnly", "log", "headers", "ip", "installationId"];
    let mut calls = Vec::new();
    for call in hooks.take() {
        let mut body = call.body.as_object().unwrap().clone();
        let finds = call.name.contains("Find");
        assert_eq!((body.contains_key("headers"), body.contains_key("ip")), (!finds, !finds), "{}", call.name);
        body.retain(|key, _| !others.contains(&key.as_str()));
        calls.push((call.name.trim_end_matches(":@File").to_owned(), Json::Object(body)));
    }
    calls
}

#[test]
fn hooks_are_told_of_files_and_never_get_their_bytes() {
    each_backend(&open(), |server| async move {
        let hooks = hooks(&server).await;
        assert_eq!(upload(&server, "a.txt", "hello").await.status, 201);
        let url = format!("{}/files/app/a.txt", server.base);
        let (given, stored) =
            (json!({"__type": "File", "name": "a.txt"}), json!({"__type": "File", "name": "a.txt", "url": url}));
        assert_eq!(
            told(&hooks),
            [
                ("beforeSave".to_owned(), json!({"file": given, "fileSize": 5})),
                ("afterSave".to_owned(), json!({"file": stored, "fileSize": 5})),
            ]
        );
        let find = json!({"file": given});
        let mut found = find.clone();
        found["forceDownload"] = false.into();
        found["responseHeaders"] = json!({"X-Content-Type-Options": "nosniff"});
        assert_eq!(download(&server, "a.txt").await.text, "hello");
        assert_eq!(told(&hooks), [("beforeFind".to_owned(), find.clone()), ("afterFind".to_owned(), found)]);
        assert_eq!(download(&server, "none.txt").await.status, 404);
        assert_eq!(told(&hooks), [("beforeFind".to_owned(), json!({"file": {"__type": "File", "name": "none.txt"}}))]);
        let metadata = answer(server.bare(Method::GET, "/files/app/metadata/a.txt")).await;
        assert_eq!(metadata.json(), json!({"metadata": {}}));
        assert_eq!(told(&hooks), [("beforeFind".to_owned(), find.clone()), ("afterFind".to_owned(), find)]);
        assert_eq!(answer(server.master(Method::DELETE, "/files/a.txt")).await.status, 200);
        let gone = json!({"file": stored, "fileSize": null});
        assert_eq!(told(&hooks), [("beforeDelete".to_owned(), gone.clone()), ("afterDelete".to_owned(), gone)]);
        // A body that does not say its length is measured; that of a stream is not.
        let pieces = async |name: &str, header: &str| {
            let head =
                format!("POST /parse/files/{name} HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\n{header}");
            let body = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
            let got = raw::exchange(server.running.addr, format!("{head}{body}").as_bytes()).await;
            assert_eq!(raw::status(&got), 201, "{got}");
        };
        pieces("b.txt", "").await;
        assert_eq!(told(&hooks)[0].1["fileSize"], 5);
        pieces("c.txt", "X-Parse-Upload-Mode: stream\r\n").await;
        let calls = told(&hooks);
        assert!(calls.iter().all(|(_, body)| body["stream"] == true && body["fileSize"] == Json::Null), "{calls:?}");
        assert_eq!(download(&server, "c.txt").await.text, "hello");
    });
}

#[test]
fn hooks_refuse() {
    each_backend(&open(), |server| async move {
        let hooks = hooks(&server).await;
        assert_eq!(upload(&server, "kept.txt", "hello").await.status, 201);
        hooks.on("beforeSave:@File", |_| json!({"error": "no"}));
        let refused = upload(&server, "no.txt", "hello").await;
        assert_eq!((refused.status, refused.json()), (400, json!({"code": 130, "error": "no"})));
        assert_eq!(download(&server, "no.txt").await.status, 404);
        // What an answer says of the file has no effect.
        hooks.on(
            "beforeSave:@File",
            |call| json!({"success": {"file": {"name": "other.txt"}, "name": call["file"]["name"]}}),
        );
        assert_eq!(upload(&server, "yes.txt", "hello").await.json()["name"], "yes.txt");
        hooks.on("afterSave:@File", |_| json!({"error": "late"}));
        let late = upload(&server, "late.txt", "hello").await;
        assert_eq!((late.status, late.json()), (400, json!({"code": 130, "error": "late"})));
        assert_eq!(download(&server, "late.txt").await.text, "hello");
        for trigger in ["beforeFind", "afterFind"] {
            hooks.on(&format!("{trigger}:@File"), |_| json!({"error": {"code": 777, "message": "hidden"}}));
            for path in ["/files/app/kept.txt", "/files/app/metadata/kept.txt"] {
                let refused = answer(server.bare(Method::GET, path)).await;
                assert_eq!((refused.status, refused.json()), (403, json!({"code": 141, "error": "hidden"})), "{path}");
            }
            for condition in [("If-None-Match", "*"), ("Range", "bytes=0-0"), ("Range", "bytes=100-")] {
                let request = server.bare(Method::GET, "/files/app/kept.txt").header(condition.0, condition.1);
                assert_eq!(answer(request).await.status, 403, "{condition:?}");
            }
            hooks.on(&format!("{trigger}:@File"), |_| json!({}));
        }
        hooks.on("beforeDelete:@File", |_| json!({"error": "stays"}));
        let refused = answer(server.master(Method::DELETE, "/files/kept.txt")).await;
        assert_eq!((refused.status, refused.json()), (400, json!({"code": 153, "error": "stays"})));
        assert_eq!(download(&server, "kept.txt").await.status, 200);
        hooks.on("beforeDelete:@File", |_| json!({}));
        hooks.on("afterDelete:@File", |_| json!({"error": "gone"}));
        let refused = answer(server.master(Method::DELETE, "/files/kept.txt")).await;
        assert_eq!((refused.status, refused.json()), (400, json!({"code": 153, "error": "gone"})));
        assert_eq!(download(&server, "kept.txt").await.status, 404);
        assert_eq!(answer(server.master(Method::DELETE, "/files/kept.txt")).await.json()["error"], "FileNotFound");
    });
}

#[test]
fn a_hook_that_cannot_be_asked_lets_nothing_through() {
    each_backend(&open(), |server| async move {
        let hooks = hooks(&server).await;
        assert_eq!(upload(&server, "kept.txt", "hello").await.status, 201);
        for trigger in ALL {
            hooks.on(&format!("{trigger}:@File"), |_| Reply { status: 500, ..Reply::text("down") });
        }
        assert_eq!(upload(&server, "a.txt", "hello").await.status, 400);
        assert_eq!(download(&server, "kept.txt").await.status, 403);
        assert_eq!(answer(server.master(Method::DELETE, "/files/kept.txt")).await.status, 400);
        // Callers who may not do it anyway reach no hook.
        hooks.take();
        assert_eq!(answer(server.request(Method::DELETE, "/files/kept.txt")).await.status, 403);
        assert_eq!(upload(&server, "a.html", "hello").await.status, 400);
        let large = server.request(Method::POST, "/files/a.txt").body(vec![b'a'; 65 * 1024]);
        assert_eq!(answer(large).await.status, 413);
        assert!(hooks.take().is_empty());
    });
}
