//! Who gets a push, and what its row says.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{each_store, install, push, row, row_when, tokens, transmitted};
use crate::hooks::hook_server::Reply;
use crate::server::answer;

#[test]
fn batches_cover_every_device_once() {
    each_store(&json!({"push": {"queueOptions": {"batchSize": 3}}}), async |server, service| {
        let mut expected = Vec::new();
        for number in 10..30 {
            let kind = if number % 4 == 0 { "android" } else { "ios" };
            install(&server, number, &json!({"deviceType": kind, "channels": ["all"]})).await;
            expected.push(format!("token-{number}"));
        }
        install(&server, 99, &json!({"deviceToken": null, "channels": ["all"]})).await;
        install(&server, 98, &json!({"channels": ["others"]})).await;
        let id = push(&server, &json!({"channels": ["all"], "data": {"alert": "x"}})).await;
        let row = row_when(&server, &id, "succeeded").await;
        assert_eq!((&row["numSent"], &row["sentPerType"]), (&json!(20), &json!({"android": 5, "ios": 15})), "{row}");
        assert!(row.get("count").is_none() && row.get("numFailed").is_none(), "{row}");
        let calls = service.take();
        assert!(calls.iter().all(|call| call.body["installations"].as_array().unwrap().len() <= 3));
        assert_eq!(calls.len(), 7);
        let mut tokens: Vec<String> = calls
            .iter()
            .flat_map(|call| call.body["installations"].as_array().unwrap())
            .map(|device| device["deviceToken"].as_str().unwrap().to_owned())
            .collect();
        tokens.sort();
        assert_eq!(tokens, expected);
    });
}

/// The PHP SDK sends the first for a query without conditions, and PHP the second for an empty object.
#[test]
fn an_empty_condition_of_the_php_sdk() {
    each_store(&json!({}), async |server, service| {
        install(&server, 1, &json!({})).await;
        for condition in [json!("{}"), json!([])] {
            let id = push(&server, &json!({"where": condition, "data": {"alert": "x"}})).await;
            assert_eq!(row_when(&server, &id, "succeeded").await["numSent"], 1);
            assert_eq!(tokens(&service), ["token-1"]);
        }
    });
}

#[test]
fn the_row_shows_how_far_it_got() {
    each_store(&json!({"push": {"queueOptions": {"batchSize": 1}}}), async |server, service| {
        for number in 1..=3 {
            install(&server, number, &json!({})).await;
        }
        service.on("send", |body| {
            let late = body["installations"][0]["deviceToken"] == "token-2";
            Reply { delay: Duration::from_secs(if late { 4 } else { 0 }), ..transmitted(body).into() }
        });
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x"}})).await;
        let mut seen = Vec::new();
        loop {
            let row = row(&server, &id).await;
            seen.push((row["count"].clone(), row["numSent"].clone()));
            if row["status"] == "succeeded" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(seen.contains(&(json!(1), json!(2))), "{seen:?}");
        assert_eq!(seen.last(), Some(&(Json::Null, json!(3))));
        service.on("send", transmitted);
    });
}

#[test]
fn conditions_may_have_queries_inside() {
    each_store(&json!({}), async |server, service| {
        let made = server.post("/classes/Club", &json!({"city": "Bern"})).await;
        let club = json!({"__type": "Pointer", "className": "Club", "objectId": made.json()["objectId"]});
        install(&server, 1, &json!({"club": club})).await;
        install(&server, 2, &json!({})).await;
        let condition = json!({"club": {"$inQuery": {"className": "Club", "where": {"city": "Bern"}}}});
        let id = push(&server, &json!({"where": condition, "data": {"alert": "x"}})).await;
        assert_eq!(row_when(&server, &id, "succeeded").await["numSent"], 1);
        assert_eq!(tokens(&service), ["token-1"]);
    });
}

#[test]
fn badges_of_many_devices_grow_once() {
    each_store(&json!({}), async |server, service| {
        let parts: Vec<Json> = (0..1100)
            .map(|number| {
                let body = json!({"deviceType": "ios", "deviceToken": format!("t{number}"), "installationId": format!("i{number}")});
                json!({"method": "POST", "path": "/parse/classes/_Installation", "body": body})
            })
            .collect();
        for parts in parts.chunks(50) {
            let made = answer(server.master(Method::POST, "/batch").json(&json!({"requests": parts}))).await;
            assert_eq!(made.status, 200, "{made:?}");
        }
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x", "badge": "Increment"}})).await;
        assert_eq!(row_when(&server, &id, "succeeded").await["numSent"], 1100);
        assert!(service.take().iter().all(|call| call.body["body"]["data"]["badge"] == 1));
        let path = "/installations?count=1&limit=0&where=%7B%22badge%22%3A1%7D";
        assert_eq!(answer(server.master(Method::GET, path)).await.json()["count"], 1100);
    });
}

#[test]
fn a_service_that_fails_fails_its_devices() {
    each_store(&json!({"push": {"queueOptions": {"batchSize": 1}}}), async |server, service| {
        for number in 1..=4 {
            install(&server, number, &json!({})).await;
        }
        service.on("send", |body| match body["installations"][0]["deviceToken"].as_str().unwrap() {
            "token-1" => json!({"error": {"message": "no"}}),
            "token-2" => json!([[{"device": body["installations"][0], "transmitted": true}], 7, null]),
            "token-3" => json!({"ok": true, "result": [{"device": body["installations"][0], "transmitted": false}]}),
            _ => json!("what?"),
        });
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x"}})).await;
        let row = row_when(&server, &id, "succeeded").await;
        assert_eq!((&row["numSent"], &row["numFailed"]), (&json!(1), &json!(3)), "{row}");
        assert_eq!(row["failedPerType"], json!({"ios": 3}));
        service.on("send", transmitted);
    });
}

#[test]
fn dead_tokens_go_where_that_is_wanted() {
    let options = json!({"cleanupInvalidInstallations": true});
    each_store(&options, async |server, service| {
        for number in 1..=4 {
            install(&server, number, &json!({})).await;
        }
        service.on("send", |body| {
            let failed = |device: &Json| {
                let error = match device["deviceToken"].as_str().unwrap() {
                    "token-1" => json!("BadDeviceToken"),
                    "token-2" => json!({"details": {"error": "DeviceNotRegistered"}}),
                    _ => json!("Throttled"),
                };
                json!({"device": device, "transmitted": false, "response": {"error": error}})
            };
            body["installations"].as_array().unwrap().iter().map(failed).collect::<Json>()
        });
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x"}})).await;
        assert_eq!(row_when(&server, &id, "succeeded").await["numFailed"], 4);
        service.on("send", transmitted);
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x"}})).await;
        assert_eq!(row_when(&server, &id, "succeeded").await["numSent"], 2);
        let all = answer(server.master(Method::GET, "/installations?order=installationId")).await.json();
        let rows = all["results"].as_array().unwrap();
        assert_eq!(rows.len(), 4);
        assert!(rows.iter().all(|row| row["updatedAt"] == row["createdAt"]), "{all}");
    });
}

#[test]
fn what_has_expired_is_not_sent() {
    each_store(&json!({}), async |server, service| {
        install(&server, 1, &json!({})).await;
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x"}, "expiration_time": "2020-01-01"})).await;
        let row = row_when(&server, &id, "succeeded").await;
        assert_eq!((&row["numSent"], &row["expiry"]), (&json!(0), &json!(1_577_836_800_000_i64)), "{row}");
        assert!(service.take().is_empty());
    });
}

#[test]
fn an_audience_is_counted() {
    each_store(&json!({}), async |server, _service| {
        let made =
            answer(server.master(Method::POST, "/push_audiences").json(&json!({"name": "a", "query": "{}"}))).await;
        let audience = made.json()["objectId"].as_str().unwrap().to_owned();
        for named in [json!(audience), json!("unknown"), json!({"a": 1})] {
            let id = push(&server, &json!({"where": {}, "audience_id": named})).await;
            row_when(&server, &id, "succeeded").await;
        }
        let audience = answer(server.master(Method::GET, &format!("/push_audiences/{audience}"))).await.json();
        assert_eq!(audience["timesUsed"], 1, "{audience}");
        assert_eq!(audience["lastUsed"], "2020-02-03T04:05:06.789Z");
    });
}
