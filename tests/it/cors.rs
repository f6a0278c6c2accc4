//! Cross-origin headers are on every answer.

use reqwest::Method;
use serde_json::json;

use crate::server::{answer, each_backend};

#[test]
fn every_answer_has_them() {
    each_backend(
        &json!({"allowOrigin": ["http://a.example", "http://b.example"], "allowHeaders": ["X-Own"]}),
        |server| async move {
            for request in [
                server.bare(Method::OPTIONS, "/classes/Any"),
                server.bare(Method::OPTIONS, "/no/such/route"),
                server.bare(Method::GET, "/classes/Any"),
                server.bare(Method::GET, "/health"),
                server.request(Method::GET, "/nothing"),
                server.request(Method::POST, "/users").body("{"),
                server.bare(Method::GET, "/../elsewhere"),
            ] {
                let got = answer(request.header("Origin", "http://b.example")).await;
                assert_eq!(got.header("access-control-allow-origin"), "http://b.example", "{got:?}");
                assert_eq!(got.header("access-control-allow-methods"), "GET,PUT,POST,DELETE,OPTIONS");
                assert!(got.header("access-control-allow-headers").ends_with(", X-Own"));
                assert_eq!(
                    got.header("access-control-expose-headers"),
                    "X-Parse-Job-Status-Id, X-Parse-Push-Status-Id"
                );
            }
            let preflight = answer(server.bare(Method::OPTIONS, "/users")).await;
            assert_eq!((preflight.status, preflight.text.as_str()), (200, "OK"));
            assert_eq!(preflight.header("access-control-allow-origin"), "http://a.example");
        },
    );
}
