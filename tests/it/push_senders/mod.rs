//! The built-in push senders, called directly: retries, limits, dead tokens, addresses. What the requests look like is compared with those of
//! `@parse/push-adapter` by `compat/push`.

mod fcm;
mod lists;
mod service;
mod web;

use std::sync::Arc;

use reparse::adapters::push::{self, Device, Outcome, Push, PushSender, Sources};
use reparse::clock::ManualClock;
use reparse::model::date::Date;
use reparse::random::SystemRandom;
use serde_json::{Value as Json, json};

/// A moment in 2026.
const NOW: i64 = 1_790_000_000_000;

fn open_at(options: &Json, clock: &ManualClock) -> Result<Arc<dyn PushSender>, String> {
    let sources = Sources { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom), modules: Arc::default() };
    push::build(options.as_object().unwrap(), &sources)
}

fn open(options: &Json) -> Result<Arc<dyn PushSender>, String> {
    open_at(options, &ManualClock::new(Date::from_millis(NOW)))
}

fn message(body: &Json) -> Push {
    Push { body: body.as_object().unwrap().clone(), status_id: "status".to_owned() }
}

fn devices(kind: &str, count: usize) -> Vec<Device> {
    (0..count).map(|index| device(&json!({"deviceType": kind, "deviceToken": format!("t{index}")}))).collect()
}

fn device(row: &Json) -> Device {
    Device::new(serde_json::value::to_raw_value(row).unwrap()).unwrap()
}

fn error(outcome: &Outcome) -> &Json {
    &outcome.response["error"]
}

/// A service account as Google gives it out.
fn service_account() -> Json {
    json!({
        "project_id": "project", "client_email": "server@project.iam.gserviceaccount.com",
        "private_key": include_str!("../../data/service-account-key.pem"),
    })
}

#[tokio::test]
async fn wrong_settings_stop_the_start() {
    let account = service_account();
    let vapid = json!({"subject": "mailto:a@b.c", "publicKey": "AAAA", "privateKey": "AAAA"});
    let cases = [
        (json!({"windows": {}}), "Push to windows is not supported"),
        (json!({"android": {"senderId": "1", "apiKey": "2"}}), "push.android: Firebase service account is required"),
        (json!({"android": {"firebaseServiceAccount": "/nowhere.json"}}), "cannot be read"),
        (json!({"android": {"firebaseServiceAccount": {"projectId": "p"}}}), "has no client_email"),
        (json!({"android": {"firebaseServiceAccount": account, "endpoint": "http://example.com"}}), "only https"),
        (json!({"android": {"firebaseServiceAccount": account, "typo": 1}}), "there is no setting typo"),
        (json!({"ios": {}}), "needs token, cert and key, or pfx"),
        (json!({"ios": {"token": {"key": "-----BEGIN x", "keyId": "k", "teamId": "t"}}}), "push.ios.token.key must be"),
        (json!({"ios": [{"cert": "-----BEGIN x"}]}), "push.ios[0].key is missing"),
        (json!({"ios": {"pfx": "/nowhere.p12"}}), "push.ios.pfx names a file that cannot be read"),
        (json!({"web": {}}), "push.web.vapidDetails is missing"),
        (json!({"web": {"vapidDetails": vapid}}), "no pair of P-256 keys"),
        (json!({"expo": true}), "push.expo must be an object"),
        (json!({"expo": {"accessToken": 5}}), "push.expo.accessToken must be a text"),
        (json!({"expo": {"proxy": {"port": 1}}}), "push.expo.proxy must be an address"),
    ];
    for (options, expected) in cases {
        let message = open(&options).unwrap_err();
        assert!(message.starts_with("option push") && message.contains(expected), "{options}: {message}");
    }
}

#[tokio::test]
async fn devices_without_a_sender() {
    let sender = open(&json!({"expo": {}, "adapter": null})).unwrap();
    assert_eq!(sender.push_types().unwrap().len(), 8);
    let of_all_kinds = [
        device(&json!({"deviceType": "ios", "deviceToken": "a"})),
        device(&json!({"deviceType": "android", "pushType": "gcm", "deviceToken": "b"})),
        device(&json!({"deviceType": "toaster", "deviceToken": "c"})),
        device(&json!({"deviceType": "ios"})),
    ];
    let outcomes = sender.send(&message(&json!({"data": {}})), &of_all_kinds).await;
    let told: Vec<_> =
        outcomes.iter().map(|it| (it.device_token.as_deref().unwrap(), error(it).as_str().unwrap())).collect();
    let expected = [("a", "Can not find sender for push type ios"), ("b", "Can not find sender for push type android")];
    assert_eq!(told, expected);
}
