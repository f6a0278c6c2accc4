//! FCM: access tokens, repeats, refusals.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reparse::clock::ManualClock;
use reparse::model::date::Date;
use serde_json::{Value as Json, json};

use super::service::{Reply, Service, access_token, reply};
use super::{NOW, devices, error, message, open, open_at, service_account};

fn settings(service: &Service) -> Json {
    json!({"android": {
        "firebaseServiceAccount": service_account(), "endpoint": service.url, "tokenEndpoint": format!("{}/token", service.url),
    }})
}

fn refusal(status: &str, code: &str) -> Json {
    let detail = json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code});
    json!({"error": {"status": status, "message": "words", "details": [detail]}})
}

/// A service whose messages are answered by turns.
async fn service(turns: Vec<Reply>) -> Service {
    let turn = AtomicUsize::new(0);
    Service::start(move |arrived| {
        if arrived.path == "/token" {
            return reply(200, access_token());
        }
        let index = turn.fetch_add(1, Ordering::SeqCst);
        turns[index.min(turns.len() - 1)].clone()
    })
    .await
}

#[tokio::test]
async fn one_access_token_for_many_messages() {
    let service = service(vec![reply(200, json!({"name": "n"}))]).await;
    let clock = ManualClock::new(Date::from_millis(NOW));
    let sender = open_at(&settings(&service), &clock).unwrap();
    let push = message(&json!({"data": {"alert": "Hi"}}));
    let outcomes = sender.send(&push, &devices("android", 250)).await;
    assert!(outcomes.iter().all(|it| it.transmitted && it.device_type.as_deref() == Some("android")), "{outcomes:?}");
    assert_eq!(outcomes.len(), 250);
    let mut arrived = service.take();
    let asked: Vec<_> = arrived.extract_if(.., |it| it.path == "/token").collect();
    assert_eq!((asked.len(), arrived.len()), (1, 250));
    assert!(arrived.iter().all(|it| it.path == "/v1/projects/project/messages:send"));
    assert!(arrived.iter().all(|it| it.header("authorization") == "Bearer access"));

    for (minutes, asked) in [(58, 0), (2, 1)] {
        clock.advance(minutes * 60_000);
        sender.send(&push, &devices("android", 1)).await;
        assert_eq!(
            service.take().iter().filter(|it| it.path == "/token").count(),
            asked,
            "after {minutes} more minutes"
        );
    }
}

#[tokio::test]
async fn a_refused_access_token_is_renewed_once() {
    let unauthenticated = reply(401, refusal("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"));
    let service = service(vec![unauthenticated.clone(), reply(200, json!({}))]).await;
    let sender = open(&settings(&service)).unwrap();
    let outcomes = sender.send(&message(&json!({"data": {}})), &devices("android", 1)).await;
    assert!(outcomes[0].transmitted);
    assert_eq!(service.take().len(), 4, "two tokens, two messages");
}

#[tokio::test]
async fn repeats_are_bounded_and_wait_as_told() {
    let busy = (503, vec![("retry-after", "0")], Json::Null);
    let then_well =
        service(vec![busy.clone(), (429, vec![("retry-after", "0")], Json::Null), reply(200, json!({}))]).await;
    let outcomes =
        open(&settings(&then_well)).unwrap().send(&message(&json!({"data": {}})), &devices("android", 1)).await;
    assert!(outcomes[0].transmitted);
    assert_eq!(then_well.take().len(), 4);

    let always = service(vec![busy]).await;
    let outcomes = open(&settings(&always)).unwrap().send(&message(&json!({"data": {}})), &devices("android", 1)).await;
    assert_eq!(error(&outcomes[0])["code"], "messaging/server-unavailable");
    assert_eq!(always.take().len(), 6, "a token, a message and four repeats");

    // A pause that is too long is not waited for.
    let later =
        service(vec![(429, vec![("retry-after", "3600")], refusal("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"))]).await;
    let outcomes = open(&settings(&later)).unwrap().send(&message(&json!({"data": {}})), &devices("android", 1)).await;
    assert_eq!(error(&outcomes[0])["code"], "messaging/message-rate-exceeded");
    assert_eq!(later.take().len(), 2);
}

#[tokio::test]
async fn dead_tokens_are_named_and_not_repeated() {
    let service = service(vec![reply(404, refusal("NOT_FOUND", "UNREGISTERED"))]).await;
    let outcomes =
        open(&settings(&service)).unwrap().send(&message(&json!({"data": {}})), &devices("android", 1)).await;
    let expected = json!({"code": "messaging/registration-token-not-registered", "message": "words"});
    assert_eq!(*error(&outcomes[0]), expected);
    assert_eq!(service.take().len(), 2);
}

#[tokio::test]
async fn without_an_access_token_every_device_fails() {
    let refused =
        Service::start(|_| reply(400, json!({"error": "invalid_grant", "error_description": "no such account"}))).await;
    let outcomes =
        open(&settings(&refused)).unwrap().send(&message(&json!({"data": {}})), &devices("android", 3)).await;
    assert_eq!(outcomes.len(), 3);
    for outcome in &outcomes {
        assert_eq!(error(outcome)["code"], "app/invalid-credential");
        assert!(error(outcome)["message"].as_str().unwrap().contains("no such account"), "{outcome:?}");
    }
    assert_eq!(refused.take().len(), 1);
}

#[tokio::test]
async fn no_more_requests_in_flight_than_allowed() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, highest) = (running.clone(), most.clone());
    let service = Service::start(move |arrived| {
        if arrived.path != "/token" {
            highest.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(1));
            counter.fetch_sub(1, Ordering::SeqCst);
        }
        reply(200, access_token())
    })
    .await;
    let sender = open(&settings(&service)).unwrap();
    let (many, push) = (devices("android", 150), message(&json!({"data": {}})));
    let all = futures_util::future::join_all((0..4).map(|_| sender.send(&push, &many))).await;
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 600);
    assert!(most.load(Ordering::SeqCst) <= 100, "{most:?}");
}
