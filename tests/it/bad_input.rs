//! Malformed input always gets a Parse error with a 4xx status, and the server keeps running.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::raw;
use crate::server::{answer, each_backend};

/// Bodies that are not a JSON object, or contain impossible values.
#[test]
fn bodies() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let wide = format!("{{\"where\":{}1{}}}", "{\"$or\":[".repeat(100), "]}".repeat(100));
    each_backend(&json!({}), |server| {
        let (deep, wide) = (deep.clone(), wide.clone());
        async move {
            let bodies: Vec<Vec<u8>> = vec![
                b"{".into(),
                b"{\"a\":}".into(),
                b"[{}]".into(),
                b"1".into(),
                b"\"text\"".into(),
                b"null".into(),
                b"{\"a\":1}{\"b\":2}".into(),
                b"{\"a\":\"\xff\xfe\"}".into(),
                b"{\"\xc3\x28\":1}".into(),
                b"{\"a\":1e999}".into(),
                b"{\"a\":NaN}".into(),
                b"{\"a\":\"\\ud800\"}".into(),
                b"\0\0\0".into(),
                b"{\"a\0\":1}".into(),
                b"username=a&password=b".into(),
                deep.clone().into(),
                wide.clone().into(),
            ];
            for path in [
                "/users",
                "/login",
                "/classes/Bad",
                "/batch",
                "/sessions",
                "/challenge",
                "/verifyPassword",
                "/requestPasswordReset",
            ] {
                for body in &bodies {
                    for kind in ["application/json", "text/plain"] {
                        let request =
                            server.request(Method::POST, path).header("Content-Type", kind).body(body.clone());
                        let got = answer(request).await;
                        let sent = String::from_utf8_lossy(body.get(..40.min(body.len())).unwrap()).into_owned();
                        assert_eq!(got.status, 400, "{path} {sent}: {got:?}");
                        assert!(
                            got.json()["code"].is_i64() && got.json()["error"].is_string(),
                            "{path} {sent}: {got:?}"
                        );
                    }
                }
            }
        }
    });
}

/// Values of the wrong type where text, objects or lists belong.
#[test]
fn wrong_types() {
    each_backend(&json!({}), |server| async move {
        let strange = [
            json!(null),
            json!(true),
            json!(1),
            json!(1e308),
            json!(-0.0),
            json!([]),
            json!({}),
            json!({"$ne": null}),
            json!({"$gt": ""}),
            json!({"__op": "Delete"}),
            json!({"__type": "Pointer"}),
            json!("\u{0}"),
            json!(""),
        ];
        for value in &strange {
            for (path, body) in [
                ("/users", json!({"username": value, "password": value})),
                ("/users", json!({"username": "u", "password": value})),
                ("/users", json!({"username": value, "password": "p"})),
                ("/users", json!({"authData": {"anonymous": {"id": value}}, "username": value})),
                ("/login", json!({"username": value, "password": value})),
                ("/login", json!({"username": "u", "password": value})),
                ("/verifyPassword", json!({"username": value, "password": "p"})),
                ("/requestPasswordReset", json!({"email": value})),
                ("/verificationEmailRequest", json!({"email": value})),
                ("/challenge", json!({"challengeData": value, "username": value})),
                ("/batch", json!({"requests": value})),
                ("/batch", json!({"requests": [value]})),
                ("/batch", json!({"requests": [{"path": value, "method": value, "body": value}]})),
                ("/classes/Bad", json!({"ACL": value, "": value, "a.b": value, "$x": value})),
            ] {
                let got = server.post(path, &body).await;
                // Any text will do as an id or a name; a batch answers for its parts.
                let fine = got.status < 300 && (path == "/batch" || value.is_string());
                assert!(
                    fine || (400..500).contains(&got.status) && got.json()["error"].is_string(),
                    "{path} {body}: {got:?}"
                );
            }
            for parameter in
                ["where", "order", "limit", "skip", "keys", "include", "count", "hint", "explain", "readPreference"]
            {
                let query = [(parameter, value.to_string())];
                let got = answer(server.request(Method::GET, "/classes/Bad").query(&query)).await;
                assert!(got.status == 200 || (400..500).contains(&got.status), "{query:?}: {got:?}");
                let body = json!({"_method": "GET", parameter: value});
                let got = server.post("/classes/Bad", &body).await;
                assert!(got.status == 200 || (400..500).contains(&got.status), "{body}: {got:?}");
            }
        }
    });
}

/// Pointers to classes that cannot exist keep no one from reading the objects that hold them.
#[test]
fn pointers_to_no_class() {
    each_backend(&json!({}), |server| async move {
        for (number, class) in ["a$b", "$", ".a", "a b", ""].into_iter().enumerate() {
            let pointer = json!({"__type": "Pointer", "className": class, "objectId": "some$id"});
            let path = format!("/classes/Holder{number}");
            let mut fields = vec![("list", json!({"list": [pointer]}))];
            if !class.is_empty() {
                fields.push(("to", json!({"to": pointer})));
            }
            for (field, body) in fields {
                let made = server.post(&path, &body).await;
                assert_eq!(made.status, 201, "{body}: {made:?}");
                let one = format!("{path}/{}", made.json()["objectId"].as_str().unwrap());
                let read = answer(server.request(Method::GET, &one)).await;
                assert_eq!(read.json()[field], body[field], "{read:?}");
                for query in [("include", field), ("includeAll", "true")] {
                    let read = answer(server.request(Method::GET, &path).query(&[query])).await;
                    assert_eq!(read.status, 200, "{class:?} {query:?}: {read:?}");
                    assert!(!read.json()["results"].as_array().unwrap().is_empty(), "{read:?}");
                }
            }
        }
        for class in ["a$b", "%24", ".a", "a%20b"] {
            answer(server.master(Method::DELETE, &format!("/classes/{class}/x"))).await.assert_refused(404, 101);
            let purged = answer(server.master(Method::DELETE, &format!("/purge/{class}"))).await;
            assert_eq!(purged.status, 200, "{class}: {purged:?}");
        }
    });
}

/// Routes and methods that are none, and paths that no one means well with.
#[test]
fn unknown_routes() {
    each_backend(&json!({}), |server| async move {
        for (method, path) in [
            (Method::GET, "/nothing"),
            (Method::PUT, "/users"),
            (Method::PATCH, "/classes/X"),
            (Method::DELETE, "/classes/X"),
            (Method::GET, "/classes"),
            (Method::GET, "/classes/X/1/2"),
            (Method::GET, "/classes//x"),
            (Method::GET, "/"),
            (Method::GET, ""),
            (Method::POST, "/scriptlog"),
            (Method::GET, "/classes/%ff%fe"),
            (Method::from_bytes(b"BREW").unwrap(), "/users"),
        ] {
            let got = answer(server.request(method.clone(), path)).await;
            assert_eq!(
                got.status,
                if method == Method::GET || method == Method::POST || method == Method::PUT || method == Method::DELETE
                {
                    404
                } else {
                    got.status
                },
                "{method} {path}: {got:?}"
            );
            assert!((400..500).contains(&got.status) && got.json()["error"].is_string(), "{method} {path}: {got:?}");
        }
        for path in [
            "/classes/..%2f..%2fetc",
            "/classes/%00",
            "/classes/X/%00",
            "/classes/a%20b",
            "/users/%F0%9F%92%A9",
            "/classes/_SCHEMA",
            "/classes/system.users",
            "/classes/$x",
            "/purge/%00",
            "/schemas/%00",
            "/aggregate/%00",
            "/sessions/%00",
            "/roles/..",
            "/functions/%00",
        ] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
                for request in [server.request(method.clone(), path), server.master(method.clone(), path)] {
                    let got = answer(request.json(&json!({}))).await;
                    assert!(got.status < 500, "{method} {path}: {got:?}");
                    got.json();
                }
            }
        }
    });
}

/// Bodies above the limit are refused, whether their length is announced or not.
#[test]
fn oversize() {
    each_backend(&json!({"maxUploadSize": "1kb"}), |server| async move {
        let body = json!({"a": "x".repeat(5000)}).to_string();
        let got = answer(server.request(Method::POST, "/classes/Big").body(body.clone())).await;
        assert_eq!((got.status, got.json()), (413, json!({"error": "request entity too large"})));
        let chunked = format!(
            "POST /parse/classes/Big HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        let got = raw::exchange(server.running.addr, chunked.as_bytes()).await;
        assert_eq!(raw::status(&got), 413, "{got}");
        let small = server.post("/classes/Big", &json!({"a": "x".repeat(500)})).await;
        assert_eq!(small.status, 201, "{small:?}");
    });
}

/// What breaks HTTP itself.
#[test]
fn broken_http() {
    each_backend(&json!({"requestTimeoutMs": 1000}), |server| async move {
        let huge = format!("GET /parse/health HTTP/1.1\r\nHost: x\r\nX-Big: {}\r\n\r\n", "x".repeat(200_000));
        let many = format!("GET /parse/health HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(500));
        let long = format!("GET /parse/{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000));
        for bytes in [
            b"GET /parse/health HTTP/1.1\r\nHost: x\r\nX-Evil: a\nInjected: b\0c\r\nConnection: close\r\n\r\n"
                .as_slice(),
            b"GET /parse/he\0alth HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /parse/\xff\xfe HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nConnection: close\r\n\r\n",
            b"\0\0\0\0\r\n\r\n",
            b"POST /parse/users HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /parse/users HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            huge.as_bytes(),
            many.as_bytes(),
            long.as_bytes(),
        ] {
            let got = raw::exchange(server.running.addr, bytes).await;
            let status = raw::status(&got);
            assert!(
                status == 0 || (400..500).contains(&status),
                "{:?}: {got}",
                String::from_utf8_lossy(&bytes[..60.min(bytes.len())])
            );
        }
        // A body that never comes is not waited for.
        let slow =
            b"POST /parse/users HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: 100\r\n\r\n{";
        let got = raw::exchange(server.running.addr, slow).await;
        assert_eq!(raw::status(&got), 408, "{got}");
        // Neither are headers.
        let got = raw::exchange(server.running.addr, b"GET /parse/health HTT").await;
        assert!(matches!(raw::status(&got), 0 | 408), "{got}");
        assert_eq!(server.get("/health").await.status, 200);
    });
}

/// A `Host` that is no host does not come back in a `Location`.
#[test]
fn host_header() {
    each_backend(&json!({}), |server| async move {
        let body = "{}";
        for host in ["evil.example/<script>", "a b", "x@y"] {
            let bytes = format!(
                "POST /parse/classes/Host HTTP/1.1\r\nHost: {host}\r\nX-Parse-Application-Id: app\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let got = raw::exchange(server.running.addr, bytes.as_bytes()).await.to_ascii_lowercase();
            assert!(!got.contains("location: http://e") && !got.contains("<script"), "{got}");
        }
    });
}

/// Who connects and says nothing does not keep the connection.
#[test]
fn a_silent_client_is_disconnected() {
    each_backend(&json!({"limits": {"headerTimeoutMs": 300}}), |server| async move {
        let mut client = tokio::net::TcpStream::connect(server.running.addr).await.unwrap();
        let mut bytes = [0; 10];
        let end = client.read(&mut bytes);
        let end = tokio::time::timeout(Duration::from_secs(20), end).await.expect("the server keeps the connection");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    });
}
