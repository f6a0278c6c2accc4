//! Firebase Cloud Messaging, version 1 of its interface: one request for each device, over HTTP/2.

mod account;
mod errors;
mod message;
mod names;

pub use message::Platform;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::{Map, Value as Json, json};

use self::account::Account;
use super::providers::Provider;
use super::requests::{Answer, Connections, Limits, Requests, Silence, Sources, at_most};
use super::settings::Settings;
use super::{Device, Outcome, Push};

const ORIGIN: &str = "https://fcm.googleapis.com";
/// Requests in flight. Google allows 100 on a connection.
const IN_FLIGHT: usize = 100;
/// Length of the id that tells a device which of its messages are one.
const PUSH_ID_LENGTH: usize = 10;

/// One Firebase project.
pub struct Fcm {
    platform: Platform,
    account: Account,
    address: Url,
    requests: Requests,
    sources: Sources,
}

impl fmt::Debug for Fcm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fcm")
            .field("platform", &self.platform)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Fcm {
    /// Opens the project that `firebaseServiceAccount` names.
    pub fn open(platform: Platform, mut settings: Settings, sources: &Sources) -> Result<Self, String> {
        // Settings of the senders that FCM replaced, and what to do with errors that cannot happen here.
        settings.ignore(&["resolveUnhandledClientError", "senderId", "apiKey", "useNativeAPNs", "production", "topic"]);
        settings.ignore(&["bundleId", "token", "cert", "key", "pfx", "passphrase", "requestUri"]);
        let origin = settings.address("endpoint", ORIGIN)?;
        let token_endpoint = settings.address("tokenEndpoint", account::TOKEN_ENDPOINT)?;
        let old = settings.flag("fcmEnableLegacyHttpTransport", false)?;
        let connections = Connections::read(&mut settings)?;
        let client = connections.client();
        let client = if old { client.http1_only() } else { client.http2_prior_knowledge() };
        let limits =
            Limits { in_flight: IN_FLIGHT, repeats: 4, timeout: Duration::from_secs(15), answer_bytes: 64 << 10 };
        let requests =
            Requests::new(client, limits, sources.clone()).map_err(|error| settings.wrong_as_a_whole(&error))?;
        let account = Account::open(&mut settings, token_endpoint, &connections, sources)?;
        let mut address = origin;
        address.set_path(&format!("/v1/projects/{}/messages:send", account.project()));
        settings.finish()?;
        Ok(Self { platform, account, address, requests, sources: sources.clone() })
    }

    /// The requests for a push, all but the token of the device.
    fn envelope(&self, push: &Push) -> Result<Envelope, String> {
        let id = self.sources.random.alphanumeric(PUSH_ID_LENGTH);
        Envelope::new(&message::message(push, self.platform, &id, self.sources.clock.now())?)
    }

    async fn send_one(&self, device: &Device, envelope: &Envelope, proof: &HeaderValue) -> Outcome {
        let body = match envelope.body(device.token().unwrap_or_default()) {
            Ok(body) => body,
            Err(error) => return device.failed(errors::error("invalid-argument", &error)),
        };
        let first = self.ask(body.clone(), proof).await;
        let outcome = match first {
            // The token was revoked, or ran out early.
            Ok(answer) if answer.status == 401 => match self.account.proof(Some(proof)).await {
                Ok(proof) => self.ask(body, &proof).await,
                Err(_) => Ok(answer),
            },
            outcome => outcome,
        };
        match outcome {
            Ok(answer) if answer.status == 200 => device.transmitted(Json::Null),
            Ok(answer) => device.failed(errors::of_answer(&answer)),
            Err(silence) => device.failed(errors::of_network(&silence.to_string())),
        }
    }

    async fn ask(&self, body: Bytes, proof: &HeaderValue) -> Result<Answer, Silence> {
        let mut request = Request::new(Method::POST, self.address.clone());
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, proof.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
        *request.body_mut() = Some(body.into());
        self.requests.send(request).await
    }
}

impl Provider for Fcm {
    fn send<'a>(&'a self, push: &'a Push, devices: &'a [&'a Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let fail = |error: &Json| devices.iter().map(|device| device.failed(error.clone())).collect();
            let envelope = match self.envelope(push) {
                Ok(envelope) => envelope,
                Err(error) => return fail(&errors::error("invalid-payload", &error)),
            };
            let proof = match self.account.proof(None).await {
                Ok(proof) => proof,
                Err(error) => {
                    tracing::warn!(project = self.account.project(), error, "no access token for Firebase");
                    return fail(&json!({"code": "app/invalid-credential", "message": error}));
                }
            };
            let todo = devices.iter().map(|device| self.send_one(device, &envelope, &proof)).collect();
            at_most(self.requests.in_flight(), todo).await
        })
    }
}

/// The body of the requests for one push: the same for all devices but for the token, so it is written once.
struct Envelope {
    /// From after the token on.
    rest: String,
}

impl Envelope {
    fn new(message: &Map<String, Json>) -> Result<Self, String> {
        let text = serde_json::to_string(message).map_err(|error| error.to_string())?;
        let fields = text.strip_prefix('{').unwrap_or_default();
        let comma = if message.is_empty() { "" } else { "," };
        Ok(Self { rest: format!("{comma}{fields}}}") })
    }

    fn body(&self, token: &str) -> Result<Bytes, String> {
        let token = serde_json::to_string(token).map_err(|error| error.to_string())?;
        Ok(format!("{{\"message\":{{\"token\":{token}{}", self.rest).into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::Envelope;

    #[test]
    fn the_token_is_put_into_the_message() {
        for (message, whole) in [
            (json!({}), json!({"message": {"token": "a\"b"}})),
            (json!({"data": {"x": "{"}}), json!({"message": {"token": "a\"b", "data": {"x": "{"}}})),
        ] {
            let body = Envelope::new(message.as_object().unwrap()).unwrap().body("a\"b").unwrap();
            assert_eq!(serde_json::from_slice::<Json>(&body).unwrap(), whole);
        }
    }
}
