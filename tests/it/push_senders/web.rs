//! Web Push: subscriptions that are gone, and addresses that are not called.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value as Json, json};

use super::service::{Service, reply};
use super::{device, error, message, open};

/// A private and a public key, as a server's settings have them. The private key is the tail of its PKCS #8 form.
fn key_pair() -> (String, String) {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    // SEQUENCE, version, algorithm and the head of ECPrivateKey come before it: 36 bytes.
    let private = &document.as_ref()[36..68];
    (URL_SAFE_NO_PAD.encode(private), URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()))
}

fn settings(more: &Json) -> Json {
    let (private, public) = key_pair();
    let mut web = json!({"vapidDetails": {"subject": "mailto:a@b.c", "publicKey": public, "privateKey": private}});
    web.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"web": web})
}

fn subscription(endpoint: &str) -> Json {
    let keys = json!({"p256dh": key_pair().1, "auth": "BTBZMqHH6r4Tts7J_aSIgg"});
    json!({"deviceType": "web", "deviceToken": json!({"endpoint": endpoint, "keys": keys}).to_string()})
}

#[tokio::test]
async fn answers_of_push_services() {
    let service = Service::start(|arrived| match arrived.path.as_str() {
        "/gone" => reply(410, json!("gone")),
        "/unknown" => reply(404, Json::Null),
        "/moved" => (307, vec![("location", "/well")], Json::Null),
        "/wrong" => reply(403, json!("not yours")),
        _ => reply(201, Json::Null),
    })
    .await;
    let sender = open(&settings(&json!({"allowLocalEndpoints": true, "TTL": 60, "topic": "news"}))).unwrap();
    let paths = ["well", "gone", "unknown", "moved", "wrong"];
    let devices: Vec<_> = paths.iter().map(|path| device(&subscription(&format!("{}/{path}", service.url)))).collect();
    let outcomes = sender.send(&message(&json!({"data": {"alert": "A word to all"}})), &devices).await;
    let mut told: Vec<_> = outcomes.iter().map(|it| (it.transmitted, it.response.to_string())).collect();
    told.sort_unstable();
    let failed = |text: &str| (false, json!({"error": text}).to_string());
    let mut expected = vec![
        (true, "201".to_owned()),
        failed("NotRegistered"),
        failed("NotRegistered"),
        failed("The push service answered with status 307: "),
        failed("The push service answered with status 403: \"not yours\""),
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
    let arrived = service.take();
    assert_eq!(arrived.len(), 5, "redirects are not followed");
    for request in &arrived {
        assert_eq!(
            (request.header("ttl"), request.header("topic"), request.header("urgency")),
            ("60", "news", "normal")
        );
        assert!(!String::from_utf8_lossy(&request.body).contains("A word to all"), "encrypted");
    }
    let proofs: std::collections::BTreeSet<_> = arrived.iter().map(|it| it.header("authorization")).collect();
    assert_eq!(proofs.len(), 1, "one token for the service");
}

#[tokio::test]
async fn only_services_on_the_internet_are_called() {
    let service = Service::start(|_| reply(201, Json::Null)).await;
    let port = service.url.rsplit_once(':').unwrap().1.to_owned();
    let sender = open(&settings(&json!({}))).unwrap();
    let endpoints = [
        service.url.clone(),
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:7f00:1]:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://user:secret@example.com/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ];
    let devices: Vec<_> = endpoints.iter().map(|endpoint| device(&subscription(endpoint))).collect();
    let outcomes = sender.send(&message(&json!({"data": {}})), &devices).await;
    assert_eq!(outcomes.len(), devices.len());
    assert!(outcomes.iter().all(|it| !it.transmitted), "{outcomes:?}");
    let refused =
        outcomes.iter().filter(|it| error(it).as_str().unwrap().starts_with("The push service is not called"));
    assert_eq!(refused.count(), endpoints.len() - 1, "the name is refused when it is looked up: {outcomes:?}");
    assert!(outcomes.iter().any(|it| error(it).as_str().unwrap().contains("localhost has no address on the internet")));
    assert!(service.take().is_empty());
}

#[tokio::test]
async fn tokens_that_are_no_subscription() {
    let sender = open(&settings(&json!({"allowLocalEndpoints": true}))).unwrap();
    let devices = [
        device(&json!({"deviceType": "web", "deviceToken": "abc"})),
        device(&json!({"deviceType": "web", "deviceToken": "{\"endpoint\": 5}"})),
    ];
    let outcomes = sender.send(&message(&json!({"data": {}})), &devices).await;
    assert!(outcomes.iter().all(|it| *error(it) == "InvalidRegistration"), "{outcomes:?}");
    assert_eq!(outcomes.len(), 2);
    let long = message(&json!({"data": {"alert": "x".repeat(5000)}}));
    let outcomes = sender.send(&long, &devices).await;
    assert!(error(&outcomes[0]).as_str().unwrap().contains("too long"));
}
