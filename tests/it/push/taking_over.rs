//! Pushes that wait: for their time, or for a server that sends.

use std::time::Duration;

use reparse::clock::Clock as _;
use reparse::model::Date;
use reqwest::Method;
use serde_json::json;

use super::{each_store, install, options, push, row, row_when, service, tokens};
use crate::server::{TestServer, answer, each_backend_twice, runtime};

fn set_clock(server: &TestServer, moment: &str) {
    server.clock.advance(Date::parse(moment).unwrap().millis() - server.clock.now().millis());
}

#[test]
fn a_push_waits_for_its_time() {
    each_store(&json!({"scheduledPush": true}), async |server, service| {
        install(&server, 1, &json!({"badge": 4})).await;
        let body = json!({
            "where": {}, "data": {"alert": "x", "badge": "Increment"}, "push_time": "2020-03-01T00:00:00Z", "expiration_interval": 60,
        });
        let id = push(&server, &body).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let waiting = row(&server, &id).await;
        assert_eq!(
            (&waiting["status"], &waiting["pushTime"]),
            (&json!("scheduled"), &json!("2020-03-01T00:00:00.000Z"))
        );
        assert!(service.take().is_empty());
        set_clock(&server, "2020-03-01T00:00:01Z");
        let sent = row_when(&server, &id, "succeeded").await;
        assert_eq!((&sent["numSent"], &sent["expiry"]), (&json!(1), &json!(1_583_020_860_000_i64)), "{sent}");
        let calls = service.take();
        assert_eq!((calls.len(), &calls[0].body["body"]["data"]["badge"]), (1, &json!(5)));
    });
}

#[test]
fn local_time_is_that_of_each_device() {
    each_store(&json!({"scheduledPush": true}), async |server, service| {
        for (number, zone) in
            [(1, json!("Asia/Kolkata")), (2, json!("Europe/Berlin")), (3, json!(null)), (4, json!("America/New_York"))]
        {
            install(&server, number, &json!({"timeZone": zone})).await;
        }
        let id = push(&server, &json!({"where": {}, "data": {"alert": "x"}, "push_time": "2020-07-01T09:00:00"})).await;
        row_when(&server, &id, "scheduled").await;
        for (moment, token) in [
            ("2020-07-01T03:30:01Z", "token-1"),
            ("2020-07-01T07:00:01Z", "token-2"),
            ("2020-07-01T09:00:01Z", "token-3"),
            ("2020-07-01T13:00:01Z", "token-4"),
        ] {
            set_clock(&server, moment);
            for _ in 0..600 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if row(&server, &id).await["sentPerUTCOffset"].as_object().is_some_and(|sent| sent.len() > 3) {
                    break;
                }
                let calls = tokens(&service);
                if !calls.is_empty() {
                    assert_eq!(calls, [token]);
                    break;
                }
            }
        }
        let sent = row_when(&server, &id, "succeeded").await;
        assert_eq!(sent["numSent"], 4, "{sent}");
        assert_eq!(sent["sentPerUTCOffset"], json!({"5:30": 1, "2": 1, "0": 1, "-4": 1}));
    });
}

#[test]
fn a_push_that_is_deleted_is_not_sent() {
    each_store(&json!({"scheduledPush": true}), async |server, service| {
        install(&server, 1, &json!({})).await;
        let id = push(&server, &json!({"where": {}, "push_time": "2020-03-01T00:00:00Z"})).await;
        row_when(&server, &id, "scheduled").await;
        let gone = answer(server.master(Method::DELETE, &format!("/classes/_PushStatus/{id}"))).await;
        assert_eq!(gone.status, 200, "{gone:?}");
        set_clock(&server, "2020-03-01T00:00:01Z");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(service.take().is_empty());
    });
}

#[test]
fn what_one_server_writes_down_another_may_send() {
    let service = runtime().block_on(service());
    let options = options(&service, &json!({"push": {"queueOptions": {"disablePushWorker": true}}}));
    each_backend_twice(&options, async |servers| {
        service.take();
        install(&servers[0], 1, &json!({})).await;
        let id = push(&servers[0], &json!({"where": {}, "data": {"alert": "x"}})).await;
        let row = row_when(&servers[0], &id, "running").await;
        assert_eq!(row["count"], 1, "{row}");
        assert!(service.take().is_empty());
    });
}
