//! Batch requests.

use reqwest::Method;
use serde_json::json;

use crate::server::{answer, each_backend};

#[test]
fn parts_answer_in_their_order() {
    each_backend(&json!({}), |server| async move {
        let got = server
            .post(
                "/batch",
                &json!({"requests": [
                    {"method": "POST", "path": "/parse/classes/Part", "body": {"n": 1}},
                    {"method": "GET", "path": "/parse/classes/Part/none"},
                    {"method": "post", "path": "/parse/Classes/Part/", "body": {"n": 2}},
                ]}),
            )
            .await;
        assert_eq!(got.status, 200, "{got:?}");
        let parts = got.json();
        assert!(parts[0]["success"]["objectId"].is_string() && parts[2]["success"]["objectId"].is_string(), "{parts}");
        assert_eq!(parts[1], json!({"error": {"code": 101, "error": "Object not found."}}));
        assert_eq!(server.post("/batch", &json!({"requests": []})).await.json(), json!([]));
    });
}

#[test]
fn what_a_batch_may_not_be() {
    each_backend(&json!({"requestComplexity": {"batchRequestLimit": 2}}), |server| async move {
        let part = json!({"method": "GET", "path": "/parse/classes/X"});
        for (requests, message) in [
            (json!(null), "requests must be an array"),
            (json!([{"method": "GET"}]), "batch request path must be a string"),
            (json!([{"method": "GET", "path": "/elsewhere/x"}]), "cannot route batch path /elsewhere/x"),
            (json!([{"method": "GET", "path": "/parse/nothing"}]), "cannot route GET /nothing"),
            (
                json!([{"method": "POST", "path": "/parse/Batch/", "body": {"requests": []}}]),
                "nested batch requests are not allowed",
            ),
            (json!([part, part, part]), "Batch request contains 3 sub-requests, which exceeds the limit of 2."),
        ] {
            let got = server.post("/batch", &json!({"requests": requests})).await;
            got.assert_refused(400, 107);
            assert_eq!(got.json()["error"], message);
        }
        let got = answer(server.master(Method::POST, "/batch").json(&json!({"requests": [part, part, part]}))).await;
        assert_eq!(got.status, 200, "{got:?}");
    });
}

#[test]
fn a_transaction_is_all_or_nothing() {
    each_backend(&json!({}), |server| async move {
        let made = server.post("/classes/Txn", &json!({"n": 0})).await.json();
        let path = format!("/parse/classes/Txn/{}", made["objectId"].as_str().unwrap());
        let good = server
            .post(
                "/batch",
                &json!({"transaction": true, "requests": [
                    {"method": "PUT", "path": path, "body": {"n": 5}},
                    {"method": "POST", "path": "/parse/classes/Txn", "body": {"n": 6}},
                ]}),
            )
            .await;
        assert_eq!(good.status, 200, "{good:?}");
        let bad = server
            .post(
                "/batch",
                &json!({"transaction": true, "requests": [
                    {"method": "POST", "path": "/parse/classes/Txn", "body": {"n": 7}},
                    {"method": "PUT", "path": "/parse/classes/Txn/zzzzzzzzzz", "body": {"n": 8}},
                ]}),
            )
            .await;
        bad.assert_refused(404, 101);
        let found = server.get("/classes/Txn?order=n&keys=n").await.json();
        let numbers: Vec<_> =
            found["results"].as_array().unwrap().iter().map(|row| row["n"].as_i64().unwrap()).collect();
        assert_eq!(numbers, [5, 6]);
    });
}
