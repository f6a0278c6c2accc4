//! What is no push is refused before anything is written.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{each_store, push, row_when};
use crate::server::{answer, each_backend};

#[test]
fn requests_that_are_no_pushes() {
    each_store(&json!({}), async |server, service| {
        let deep = (0..90).fold(json!(1), |inner, _| json!({ "a": inner }));
        for bad in [
            json!({}),
            json!({"where": {}, "channels": ["a"]}),
            json!({"where": null}),
            json!({"where": "x"}),
            json!({"where": [1]}),
            json!({"channels": null}),
            json!({"where": {}, "data": "x"}),
            json!({"where": {}, "data": [1]}),
            json!({"where": {}, "data": {"badge": "abc"}}),
            json!({"where": {}, "data": {"badge": "7"}}),
            json!({"where": {}, "data": {"badge": true}}),
            json!({"where": {}, "data": {"badge": {"__op": "Increment", "amount": "1"}}}),
            json!({"where": {}, "data": {"badge": {"__op": "Delete"}}}),
            json!({"where": {}, "expiration_time": "soon"}),
            json!({"where": {}, "expiration_time": null}),
            json!({"where": {}, "expiration_time": 1e300}),
            json!({"where": {}, "expiration_time": {}}),
            json!({"where": {}, "push_time": [1]}),
            json!({"where": {}, "push_time": true}),
            json!({"where": {}, "expiration_interval": "60"}),
            json!({"where": {}, "expiration_interval": -1}),
            json!({"where": {}, "expiration_interval": null}),
            json!({"where": {}, "expiration_interval": 1, "expiration_time": 1_900_000_000}),
            json!({"where": {"deviceType": "toaster"}}),
            json!({"where": {"deviceType": {"$in": ["ios", "toaster"]}}, "data": deep}),
        ] {
            answer(server.master(Method::POST, "/push").json(&bad)).await.assert_refused(400, 115);
        }
        let large = json!({"where": {}, "data": {"alert": "x".repeat(7 << 20)}});
        answer(server.master(Method::POST, "/push").json(&large)).await.assert_refused(400, 116);
        assert_eq!(answer(server.request(Method::POST, "/push").json(&json!({"where": {}}))).await.status, 403);
        let maintenance = server.request(Method::POST, "/push").header("X-Parse-Maintenance-Key", "maint");
        assert_eq!(answer(maintenance.json(&json!({"where": {}}))).await.status, 403);
        let rows = answer(server.master(Method::GET, "/classes/_PushStatus")).await;
        assert_eq!(rows.json(), json!({"results": []}));
        assert!(service.take().is_empty());
    });
}

#[test]
fn conditions_that_are_none_fail_in_the_row() {
    each_store(&json!({}), async |server, service| {
        for bad in [
            json!({"channels": "a"}),
            json!({"where": {"a": {"$what": 1}}}),
            json!({"where": {"$or": 1}}),
            json!({"where": {"a": {"$inQuery": 1}}}),
            json!({"channels": "a", "data": {"badge": "Increment"}}),
        ] {
            let row = row_when(&server, &push(&server, &bad).await, "failed").await;
            assert!(row["errorMessage"]["message"].is_string(), "{row}");
            assert_eq!((&row["numSent"], row.get("count")), (&json!(0), None), "{row}");
        }
        assert!(service.take().is_empty());
    });
}

#[test]
fn nothing_is_configured() {
    each_backend(&json!({}), async |server| {
        let refused = answer(server.master(Method::POST, "/push").json(&json!({"where": {}}))).await;
        refused.assert_refused(400, 115);
        assert_eq!(refused.json()["error"], "Missing push configuration");
        let push = &answer(server.master(Method::GET, "/serverInfo")).await.json()["features"]["push"];
        let expected =
            [("immediatePush", false), ("scheduledPush", false), ("storedPushData", false), ("localization", true)];
        for (key, value) in expected {
            assert_eq!(push[key], Json::from(value), "{key}");
        }
    });
}
