//! Expo: many devices in one request.

use serde_json::{Value as Json, json};

use super::service::{Service, reply};
use super::{devices, error, message, open};

#[tokio::test]
async fn lists_of_a_hundred_at_most() {
    let service = Service::start(|arrived| {
        let list = arrived.json();
        let ticket = |message: &Json| match message["to"].as_str().unwrap() {
            "t7" => json!({
                "status": "error", "message": "\"t7\" is not a registered push notification recipient",
                "details": {"error": "DeviceNotRegistered"},
            }),
            "t8" => json!({"status": "error", "message": "too big", "details": {"error": "MessageTooBig"}}),
            token => json!({"status": "ok", "id": token}),
        };
        reply(200, json!({"data": list.as_array().unwrap().iter().map(ticket).collect::<Vec<_>>()}))
    })
    .await;
    let sender = open(&json!({"expo": {"endpoint": service.url, "accessToken": "secret"}})).unwrap();
    let push = message(&json!({"data": {"alert": "Hi", "title": "T", "badge": 2}}));
    let outcomes = sender.send(&push, &devices("expo", 250)).await;
    let arrived = service.take();
    let mut sizes: Vec<_> = arrived.iter().map(|it| it.json().as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    assert!(
        arrived.iter().all(|it| it.path == "/--/api/v2/push/send" && it.header("authorization") == "Bearer secret")
    );
    assert_eq!(outcomes.len(), 250);
    for outcome in &outcomes {
        match outcome.device_token.as_deref().unwrap() {
            "t7" => assert_eq!(*error(outcome), "NotRegistered"),
            "t8" => assert_eq!(*error(outcome), "too big"),
            token => assert_eq!((outcome.transmitted, &outcome.response["id"]), (true, &json!(token))),
        }
    }
}

#[tokio::test]
async fn a_list_that_is_refused_fails_for_all_its_devices() {
    let odd = [
        (400, json!({"errors": [{"code": "API_ERROR", "message": "no"}]}), "no"),
        (200, json!({"data": []}), "Expo answered for 0 devices instead of 2"),
        (200, Json::Null, "Expo answered with status 200: "),
        (302, json!("elsewhere"), "Expo answered with status 302: \"elsewhere\""),
    ];
    for (status, body, expected) in odd {
        let service = Service::start(move |_| (status, vec![("location", "http://127.0.0.1:1/")], body.clone())).await;
        let sender = open(&json!({"expo": {"endpoint": service.url}})).unwrap();
        let outcomes = sender.send(&message(&json!({"data": {}})), &devices("expo", 2)).await;
        assert_eq!(outcomes.len(), 2);
        assert!(outcomes.iter().all(|it| !it.transmitted && *error(it) == expected), "{outcomes:?}");
        assert_eq!(service.take().len(), 1);
    }
}
