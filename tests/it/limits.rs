//! Rate limits and the list of allowed routes, however a call is put.

use reqwest::Method;
use serde_json::json;

use crate::server::{Answer, TestServer, answer, each_backend};

/// Ways to say "log in".
async fn log_in(server: &TestServer, way: usize) -> Answer {
    let body = json!({"username": "u", "password": "p"});
    let request = match way {
        0 => server.request(Method::POST, "/login").json(&body),
        1 => server.request(Method::POST, "/LOGIN/").json(&body),
        2 => server.request(Method::GET, "/login").query(&[("username", "u"), ("password", "p")]),
        3 => server.request(Method::POST, "/login").json(&json!({"_method": "GET", "username": "u", "password": "p"})),
        4 => server
            .bare(Method::POST, "//Login")
            .json(&json!({"_ApplicationId": "app", "username": "u", "password": "p"})),
        5 => server.request(Method::POST, "/login").header("X-Forwarded-For", "7.7.7.7").json(&body),
        _ => server
            .request(Method::POST, "/batch")
            .json(&json!({"requests": [{"method": "POST", "path": "/parse/login", "body": body}]})),
    };
    answer(request).await
}

#[test]
fn all_ways_share_one_counter() {
    let limit = json!({"rateLimit": [{"requestPath": "/login", "requestTimeWindow": 60000, "requestCount": 2, "includeInternalRequests": true, "errorResponseMessage": "Slow down."}]});
    each_backend(&limit, |server| async move {
        for way in 0..7 {
            for used in 0..2 {
                let got = log_in(&server, if used == 0 { 0 } else { way }).await;
                assert!(!got.text.contains("Slow down."), "way {way}: {got:?}");
            }
            let got = log_in(&server, way).await;
            assert!(got.text.contains("Slow down."), "way {way}: {got:?}");
            if way < 6 {
                got.assert_refused(429, 100);
                assert!(got.header("retry-after").parse::<u32>().unwrap() <= 60);
            }
            server.clock.advance(60_001);
        }
        for _ in 0..4 {
            let got =
                answer(server.master(Method::POST, "/login").json(&json!({"username": "u", "password": "p"}))).await;
            assert_eq!(got.status, 404, "{got:?}");
        }
    });
}

#[test]
fn only_listed_routes() {
    each_backend(&json!({"routeAllowList": ["classes/Open.*", "batch", "users"]}), |server| async move {
        assert_eq!(server.get("/classes/Open").await.status, 200);
        for refused in ["/classes/Secret", "/users/x", "/login", "/health", "/config"] {
            server.get(refused).await.assert_refused(400, 119);
        }
        assert_eq!(answer(server.master(Method::GET, "/classes/Secret")).await.status, 200);
        let got = server.post("/batch", &json!({"requests": [{"method": "GET", "path": "/parse/classes/Secret"}, {"method": "GET", "path": "/parse/classes/Open"}]})).await;
        assert_eq!(got.json()[0]["error"]["code"], 119, "{got:?}");
        assert_eq!(got.json()[1]["success"]["results"], json!([]), "{got:?}");
    });
}

#[test]
fn a_trusted_proxy_names_the_caller() {
    let options = json!({
        "trustProxy": 1,
        "rateLimit": [{"requestPath": "/classes/*path", "requestTimeWindow": 60000, "requestCount": 1, "zone": "ip"}],
    });
    each_backend(&options, |server| async move {
        let call = async |forwarded: &str| {
            answer(server.request(Method::GET, "/classes/X").header("X-Forwarded-For", forwarded)).await.status
        };
        assert_eq!(call("1.1.1.1").await, 200);
        assert_eq!(call("9.9.9.9, 1.1.1.1").await, 429);
        assert_eq!(call("127.0.0.1, 1.1.1.1").await, 429);
        assert_eq!(call("1.1.1.2").await, 200);
        // Whoever claims to be this machine is counted like any other.
        assert_eq!(call("127.0.0.1").await, 200);
        assert_eq!(call("127.0.0.1").await, 429);
    });
}
