//! How requests are read: what Parse's clients send, and what it may cost.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::raw::{exchange, status};
use crate::server::{Answer, TestServer, answer, each_backend};

async fn body(server: &TestServer, method: Method, path: &str, text: &str) -> Answer {
    answer(server.master(method, path).header("Content-Type", "application/json").body(text.to_owned())).await
}

#[test]
fn an_empty_list_is_an_empty_object() {
    each_backend(&json!({}), |server| async move {
        assert_eq!(body(&server, Method::POST, "/classes/Thing", "[]").await.status, 201);
        assert_eq!(body(&server, Method::POST, "/events/Opened", "[]").await.status, 200);
        let made =
            body(&server, Method::POST, "/schemas/Other", r#"{"className":"Other","fields":[],"indexes":[]}"#).await;
        assert_eq!(made.status, 200, "{made:?}");
        body(&server, Method::POST, "/classes/Thing", "[1]").await.assert_refused(400, 107);
        let requests = json!([
            {"method": "POST", "path": "/parse/classes/Thing", "body": []},
            {"method": "POST", "path": "/parse/classes/Thing", "body": "x"},
            {"method": "POST", "path": "/parse/classes/Thing", "body": {"a": 1}},
        ]);
        let got = answer(server.master(Method::POST, "/batch").json(&json!({ "requests": requests }))).await.json();
        assert!(got[0]["success"]["objectId"].is_string(), "{got}");
        assert_eq!(got[1]["error"]["code"], 105, "{got}");
        assert!(got[2]["success"]["objectId"].is_string(), "{got}");
    });
}

#[test]
fn queries_with_brackets() {
    each_backend(&json!({}), |server| async move {
        for a in ["x", "y", "z"] {
            assert_eq!(server.post("/classes/Thing", &json!({"a": a, "b": 1})).await.status, 201);
        }
        let found = |path: &'static str| {
            let server = server.clone();
            async move { server.get(path).await.json()["results"].as_array().cloned().unwrap_or_default() }
        };
        assert_eq!(found("/classes/Thing?where[a]=x").await.len(), 1);
        assert_eq!(found("/classes/Thing?where%5Ba%5D[$in][]=x&where[a][$in][]=y").await.len(), 2);
        let rows = found("/classes/Thing?keys[]=a").await;
        assert!(rows.iter().all(|row| row.get("a").is_some() && row.get("b").is_none()), "{rows:?}");
        assert_eq!(answer(server.master(Method::GET, "/cloud_code/jobs?per_page=50")).await.json(), json!([]));
    });
}

/// Names of headers have no case, but the PHP SDK looks for `X-Parse-Job-Status-Id` letter by letter.
#[test]
fn headers_are_written_as_express_writes_them() {
    each_backend(&json!({}), |server| async move {
        let post = "POST /parse/classes/Thing HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        let got = exchange(server.running.addr, post.as_bytes()).await;
        for header in ["\r\nLocation: ", "\r\nX-Request-Id: ", "\r\nContent-Type: "] {
            assert!(got.contains(header), "{header:?}: {got}");
        }
    });
}

/// Node takes these characters in an address; hyper does not.
#[test]
fn unencoded_addresses_and_refusals_of_the_http_layer() {
    each_backend(&json!({}), |server| async move {
        assert_eq!(server.post("/classes/Thing", &json!({"a": "<x>"})).await.status, 201);
        let addr = server.running.addr;
        let get =
            "GET /parse/classes/Thing?where={\"a\":\"<x>\"} HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\n";
        let post = "POST /parse/classes/Thing HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: 26\r\n\r\n{\"a\":\"GET /\\\"<> HTTP/1.1\"}";
        // On a kept connection, after a body that looks like a request.
        let got = exchange(addr, format!("{post}{get}Connection: close\r\n\r\n").as_bytes()).await;
        assert!(got.starts_with("HTTP/1.1 201"), "{got}");
        let got = exchange(addr, format!("{get}Connection: close\r\n\r\n").as_bytes()).await;
        assert!(got.starts_with("HTTP/1.1 200") && got.contains("\"a\":\"<x>\""), "{got}");
        let large = format!("GET /parse/health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000));
        for (bytes, expected) in [("GET /parse/a b HTTP/1.1\r\n\r\n", 400), (large.as_str(), 431)] {
            let got = exchange(addr, bytes.as_bytes()).await;
            assert_eq!(status(&got), expected, "{got}");
            assert!(got.contains("access-control-allow-origin: *") && got.contains("\"error\":"), "{got}");
        }
    });
}

#[test]
fn limits_see_the_path_that_is_meant() {
    let limit = |path: &str| json!({"requestPath": path, "requestTimeWindow": 60000, "requestCount": 1, "includeInternalRequests": true});
    let options = json!({"rateLimit": [limit("/classes/Limited"), limit("/health"), limit("/apps/*path")]});
    each_backend(&options, |server| async move {
        for (first, second) in [
            ("/classes/Limited", "/CLASSES/%4Cimited/"),
            ("/health", "/Health"),
            ("/apps/x/verify_email", "/apps/x/verify%5Femail"),
        ] {
            assert_ne!(server.get(first).await.status, 429, "{first}");
            assert_eq!(server.get(second).await.status, 429, "{second}");
        }
    });
}

#[test]
fn bodies_of_strangers_are_not_parsed() {
    each_backend(&json!({}), |server| async move {
        let many = format!("{{\"a\":[{}1]}}", "{\"a\":1},".repeat(1_500_000));
        let bare = |text: &str| {
            answer(
                server
                    .bare(Method::POST, "/classes/Thing")
                    .header("Content-Type", "application/json")
                    .body(text.to_owned()),
            )
        };
        let got = bare(&many).await;
        assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})));
        bare("{\"a\":").await.assert_refused(400, 107);
        let known = many.replacen('{', "{\"_ApplicationId\":\"app\",", 1);
        bare(&known).await.assert_refused(400, 107);
        let with_keys: Json = json!({"_ApplicationId": "app", "_method": "GET", "limit": 1});
        assert_eq!(bare(&with_keys.to_string()).await.status, 200);
    });
}
