//! Web Push: messages to browsers through the push service that each of them names (RFC 8030).

mod encryption;
mod subscription;
mod vapid;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::json;

use self::encryption::Keys;
use self::subscription::Subscription;
use self::vapid::Vapid;
use super::providers::{Provider, fail_all};
use super::requests::{Connections, Limits, Requests, Sources, at_most};
use super::settings::Settings;
use super::{Device, Outcome, Push};
use crate::adapters::internet::{self, PublicOnly};

const TTL: HeaderName = HeaderName::from_static("ttl");
const URGENCY: HeaderName = HeaderName::from_static("urgency");
const TOPIC: HeaderName = HeaderName::from_static("topic");
/// Seconds that a push service keeps a message for a browser that is not there: four weeks.
const DEFAULT_TTL: u64 = 28 * 24 * 3600;
const URGENCIES: [&str; 4] = ["very-low", "low", "normal", "high"];
/// Requests in flight.
const IN_FLIGHT: usize = 100;

/// What is said of a subscription that is gone, so that its token is removed.
const GONE: &str = "NotRegistered";
/// What is said of a token that was never a subscription.
const INVALID: &str = "InvalidRegistration";

/// Sends to browsers.
pub struct WebPush {
    vapid: Vapid,
    /// What all requests have in common.
    headers: HeaderMap,
    requests: Requests,
    /// Endpoints may be anywhere, and use `http`.
    local_endpoints: bool,
    sources: Sources,
}

impl fmt::Debug for WebPush {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WebPush").field("local_endpoints", &self.local_endpoints).finish_non_exhaustive()
    }
}

impl WebPush {
    /// Opens it. `allowLocalEndpoints`: subscriptions may name push services on this machine or network, and `http`; otherwise
    /// somebody who registers a device could make the server call services that are not meant for everybody.
    pub fn open(mut settings: Settings, sources: &Sources) -> Result<Self, String> {
        // The key of a service that no longer exists.
        settings.ignore(&["gcmAPIKey"]);
        let vapid = Vapid::open(&mut settings)?;
        let headers = headers(&mut settings)?;
        let local_endpoints = settings.flag("allowLocalEndpoints", false)?;
        let connections = Connections::read(&mut settings)?;
        let mut client = connections.client().https_only(!local_endpoints);
        if !local_endpoints && !connections.by_proxy() {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        let limits = Limits {
            in_flight: IN_FLIGHT,
            repeats: 3,
            timeout: settings.millis("timeout", Duration::from_secs(15))?,
            answer_bytes: 4 << 10,
        };
        let requests =
            Requests::new(client, limits, sources.clone()).map_err(|error| settings.wrong_as_a_whole(&error))?;
        settings.finish()?;
        Ok(Self { vapid, headers, requests, local_endpoints, sources: sources.clone() })
    }

    async fn send_one(&self, device: &Device, message: &[u8]) -> Outcome {
        let request = match self.request(device.token().unwrap_or_default(), message) {
            Ok(request) => request,
            Err(error) => return device.failed(error),
        };
        match self.requests.send(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => device.transmitted(json!(answer.status)),
            Ok(answer) => device.failed(match answer.status {
                404 | 410 => GONE.to_owned(),
                status => format!("The push service answered with status {status}: {}", answer.text()),
            }),
            Err(silence) => device.failed(silence.to_string()),
        }
    }

    fn request(&self, token: &str, message: &[u8]) -> Result<Request, String> {
        let subscription = Subscription::read(token).ok_or(INVALID)?;
        if let Some(reason) = internet::refusal(&subscription.endpoint).filter(|_| !self.local_endpoints) {
            return Err(format!("The push service is not called: {reason}."));
        }
        let mut salt = [0; 16];
        self.sources.random.fill(&mut salt);
        let keys = Keys { public: &subscription.public, secret: &subscription.secret };
        let body = encryption::encrypt(message, &keys, salt)?;
        let proof = self.vapid.header(&subscription.endpoint, self.sources.clock.now().millis())?;
        let mut request = Request::new(Method::POST, subscription.endpoint);
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(AUTHORIZATION, proof);
        *request.body_mut() = Some(Bytes::from(body).into());
        Ok(request)
    }
}

impl Provider for WebPush {
    fn send<'a>(&'a self, push: &'a Push, devices: &'a [&'a Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let Some(data) = push.data() else { return fail_all(devices.iter().copied(), "The push has no data.") };
            let message = match serde_json::to_vec(data) {
                Ok(message) if message.len() <= encryption::LONGEST => message,
                _ => return fail_all(devices.iter().copied(), "The data of the push is too long for Web Push."),
            };
            let todo = devices.iter().map(|device| self.send_one(device, &message)).collect();
            at_most(self.requests.in_flight(), todo).await
        })
    }
}

/// The headers of all requests.
fn headers(settings: &mut Settings) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    if let Some(own) = settings.value("headers") {
        let own = own.as_object().ok_or_else(|| settings.wrong("headers", "must be an object"))?;
        for (name, value) in own {
            let value = super::apns::header_text(value).and_then(|text| HeaderValue::from_str(&text).ok());
            match (HeaderName::from_bytes(name.as_bytes()), value) {
                (Ok(name), Some(value)) => headers.insert(name, value),
                _ => return Err(settings.wrong("headers", &format!("has {name}, which cannot be sent"))),
            };
        }
    }
    if settings.text("contentEncoding")?.is_some_and(|encoding| encoding != "aes128gcm") {
        return Err(settings.wrong("contentEncoding", "must be aes128gcm: no other encoding is supported"));
    }
    let urgency = settings.text("urgency")?.unwrap_or_else(|| "normal".to_owned());
    if !URGENCIES.contains(&urgency.as_str()) {
        return Err(settings.wrong("urgency", &format!("must be one of {}", URGENCIES.join(", "))));
    }
    let topic = settings.text("topic")?;
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if topic.as_deref().is_some_and(|topic| topic.len() > 32 || !letters(topic)) {
        return Err(settings.wrong("topic", "must be at most 32 letters, digits, - and _"));
    }
    let value = |text: String| HeaderValue::try_from(text).map_err(|error| error.to_string());
    headers.entry(TTL).or_insert(HeaderValue::from(settings.number("TTL")?.unwrap_or(DEFAULT_TTL)));
    headers.insert(URGENCY, value(urgency)?);
    if let Some(topic) = topic {
        headers.insert(TOPIC, value(topic)?);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
    Ok(headers)
}
