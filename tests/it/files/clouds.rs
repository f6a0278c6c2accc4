//! What clients may name files and say about them, on each store behind the server: kept as it is, or refused with a reason.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::places::{azure_setting, gcs_setting, s3_setting, unique};
use crate::server::{Answer, TestServer, answer, each_backend};

/// Uploads a text with the master key, in the form that SDKs send.
async fn upload(server: &TestServer, name: &str, content_type: &str, data: &Json) -> Answer {
    let body = json!({
        "_ApplicationId": "app",
        "_MasterKey": "master",
        "_ContentType": content_type,
        "base64": "aGVsbG8=",
        "fileData": data,
    });
    answer(server.bare(Method::POST, &format!("/files/{name}")).json(&body)).await
}

async fn get(server: &TestServer, path: &str) -> Answer {
    answer(server.bare(Method::GET, &format!("/files/app/{path}"))).await
}

/// An upload that must succeed, and that comes back with its metadata.
async fn kept(server: &TestServer, name: &str, content_type: &str, data: Json) {
    let sent = upload(server, name, content_type, &data).await;
    assert_eq!(sent.status, 201, "{data}: {sent:?}");
    let stored = sent.json()["name"].as_str().unwrap().replace(' ', "%20");
    let got = get(server, &stored).await;
    assert_eq!((got.status, got.text.as_str()), (200, "hello"), "{data}");
    let metadata = get(server, &format!("metadata/{stored}")).await;
    assert_eq!(metadata.json()["metadata"], data["metadata"], "{data}");
}

#[test]
fn object_stores_refuse_what_is_no_header() {
    for setting in [s3_setting(&json!({})), azure_setting(), gcs_setting()] {
        let has_tags = setting["module"] != "@parse/gcs-files-adapter";
        each_backend(&json!({"filesAdapter": setting}), |server| async move {
            let good = json!({"metadata": {"author": "me", "number": "7"}, "tags": {"kind": "a picture"}, "directory": "in/here"});
            kept(&server, "a%20b@c~d.txt", "text/plain", good).await;
            // Types that no header can have.
            for content_type in ["x/y; name=Zoë", "x/y\nX-Other: 1", "x/y\u{7f}"] {
                kept(&server, "bytes.unknown", content_type, json!({"metadata": {"a": "b"}})).await;
            }
            for metadata in [
                json!({"author": "Zoë"}),
                json!({"作者": "me"}),
                json!({"a b": "c"}),
                json!({"a": "b\r\nX-Other: 1"}),
                json!({"a\0": "b"}),
                json!({"": "b"}),
                json!({"a": "x".repeat(10_000)}),
            ] {
                upload(&server, "a.txt", "text/plain", &json!({"metadata": metadata})).await.assert_refused(400, 130);
            }
            let many: serde_json::Map<_, _> = (0..11).map(|number| (format!("t{number}"), json!("x"))).collect();
            for tags in [json!({"kind": "Bücher"}), json!({"a": "x".repeat(300)}), json!({"": "a"}), Json::Object(many)]
            {
                let sent = upload(&server, "a.txt", "text/plain", &json!({"tags": tags})).await;
                assert_eq!(sent.status, if has_tags { 400 } else { 201 }, "{tags}: {sent:?}");
            }
            let sent = upload(&server, "a.txt", "text/plain", &json!({"directory": "d".repeat(256)})).await;
            assert!(sent.status == 201 || sent.json()["code"] == 122, "{sent:?}");
            for name in
                ["x".repeat(2000), "%C3%BC.txt".to_owned(), "a%5Cb".to_owned(), "a%0Ab".to_owned(), "a%3Fb".to_owned()]
            {
                assert_eq!(get(&server, &name).await.status, 404, "{name}");
                assert_eq!(get(&server, &format!("metadata/{name}")).await.json(), json!({}), "{name}");
                let gone = answer(server.master(Method::DELETE, &format!("/files/{name}"))).await;
                gone.assert_refused(400, 153);
            }
        });
    }
}

#[test]
fn own_stores_keep_any_text() {
    // The adapter's folder is below `files` in the working directory.
    let path = format!("../target/tmp/{}", unique());
    for setting in [
        json!({}),
        json!({"filesAdapter": {"module": "@parse/fs-files-adapter", "options": {"filesSubDirectory": path}}}),
    ] {
        let loses_metadata = setting["filesAdapter"].is_object();
        each_backend(&setting, |server| async move {
            for metadata in [
                json!({"author": "Zoë"}),
                json!({"作者": "我"}),
                json!({"a": "b\r\nX-Other: 1"}),
                json!({"": {"deep": [1, null]}}),
            ] {
                let data =
                    json!({"metadata": if loses_metadata { json!({}) } else { metadata }, "tags": {"Bücher": "ü"}});
                kept(&server, "a.txt", "text/plain", data).await;
            }
            kept(&server, "bytes.unknown", "x/y; name=Zoë", json!({"metadata": {}})).await;
            let long = upload(&server, "a.txt", "text/plain", &json!({"directory": "d".repeat(256)})).await;
            assert!(long.status == 201 || long.json()["code"] == 122, "{long:?}");
            let nul = upload(&server, "a.txt", "text/plain", &json!({"metadata": {"a\0": "b"}})).await;
            assert!(nul.status == 201 || nul.json()["code"] == 130, "{nul:?}");
            assert_eq!(get(&server, &"x".repeat(2000)).await.status, 404);
        });
    }
}
