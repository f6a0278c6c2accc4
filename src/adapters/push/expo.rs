//! Expo's push service: messages to many devices in one request.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::{Map, Value as Json};

use super::apns::given;
use super::providers::{Provider, fail_all};
use super::requests::{Connections, Limits, Requests, Sources, at_most};
use super::settings::Settings;
use super::{Device, Outcome, Push};

const ORIGIN: &str = "https://exp.host";
const PATH: &str = "/--/api/v2/push/send";
/// Most messages in a request: Expo's limit.
const MESSAGES: usize = 100;
/// Requests in flight, unless the settings say otherwise.
const IN_FLIGHT: u64 = 6;
/// What Expo says of a token that is gone.
const GONE: &str = "DeviceNotRegistered";

/// Sends to apps that are built with Expo.
pub struct Expo {
    address: Url,
    headers: HeaderMap,
    requests: Requests,
}

impl fmt::Debug for Expo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Expo").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Expo {
    /// Opens it.
    pub fn open(mut settings: Settings, sources: &Sources) -> Result<Self, String> {
        // Expo decides by itself now, and the pause before a repeat is ours.
        settings.ignore(&["useFcmV1", "httpAgent", "retryMinTimeout"]);
        let mut address = settings.address("endpoint", ORIGIN)?;
        address.set_path(PATH);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = settings.text("accessToken")? {
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            let mut value = value.map_err(|_| settings.wrong("accessToken", "cannot be sent in a header"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let in_flight = settings.number("maxConcurrentRequests")?.unwrap_or(IN_FLIGHT).clamp(1, 100);
        let limits = Limits {
            in_flight: usize::try_from(in_flight).unwrap_or(1),
            repeats: 2,
            timeout: Duration::from_secs(30),
            answer_bytes: 1 << 20,
        };
        let client = Connections::read(&mut settings)?.client();
        let requests =
            Requests::new(client, limits, sources.clone()).map_err(|error| settings.wrong_as_a_whole(&error))?;
        settings.finish()?;
        Ok(Self { address, headers, requests })
    }

    async fn send_list(&self, message: &Map<String, Json>, devices: &[&Device]) -> Vec<Outcome> {
        match self.tickets(message, devices).await {
            Ok(tickets) => devices.iter().zip(tickets).map(|(device, ticket)| outcome(device, ticket)).collect(),
            Err(error) => {
                tracing::warn!(error, devices = devices.len(), "Expo did not take a list of messages");
                fail_all(devices.iter().copied(), &error)
            }
        }
    }

    /// What Expo says of each device.
    async fn tickets(&self, message: &Map<String, Json>, devices: &[&Device]) -> Result<Vec<Json>, String> {
        let to = |device: &&Device| {
            let mut message = message.clone();
            message.insert("to".to_owned(), device.token().unwrap_or_default().into());
            Json::Object(message)
        };
        let messages: Vec<Json> = devices.iter().map(to).collect();
        let body = serde_json::to_vec(&messages).map_err(|error| error.to_string())?;
        let mut request = Request::new(Method::POST, self.address.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = Some(body.into());
        let answer = self.requests.send(request).await.map_err(|silence| silence.to_string())?;
        let mut json = answer.json();
        if let Some(error) = json.get("errors").and_then(|errors| errors.get(0)) {
            let text = error.get("message").and_then(Json::as_str);
            return Err(text.unwrap_or("Expo answered with an error").to_owned());
        }
        match json.get_mut("data").map(Json::take) {
            Some(Json::Array(tickets)) if answer.status == 200 && tickets.len() == devices.len() => Ok(tickets),
            Some(Json::Array(tickets)) if answer.status == 200 => {
                Err(format!("Expo answered for {} devices instead of {}", tickets.len(), devices.len()))
            }
            _ => Err(format!("Expo answered with status {}: {}", answer.status, answer.text())),
        }
    }
}

/// The outcome that a ticket stands for.
fn outcome(device: &Device, ticket: Json) -> Outcome {
    if ticket.get("status").and_then(Json::as_str) == Some("ok") {
        return device.transmitted(ticket);
    }
    let message = ticket.get("message").and_then(Json::as_str);
    let reason = ticket.get("details").and_then(|details| details.get("error")).and_then(Json::as_str);
    let gone = reason == Some(GONE) || message == Some(GONE);
    let mut outcome =
        device.failed(if gone { "NotRegistered" } else { message.or(reason).unwrap_or("Unknown status") });
    if let (Some(response), Json::Object(ticket)) = (outcome.response.as_object_mut(), ticket) {
        response.extend(ticket.into_iter().filter(|(key, _)| key != "error"));
    }
    outcome
}

impl Provider for Expo {
    fn send<'a>(&'a self, push: &'a Push, devices: &'a [&'a Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let Some(data) = push.data() else { return fail_all(devices.iter().copied(), "The push has no data.") };
            let mut message = data.clone();
            message.shift_remove("alert");
            message.shift_remove("body");
            if let Some(body) = given(data, "body").or_else(|| data.get("alert")) {
                message.insert("body".to_owned(), body.clone());
            }
            let todo = devices.chunks(MESSAGES).map(|devices| self.send_list(&message, devices)).collect();
            at_most(self.requests.in_flight(), todo).await.into_iter().flatten().collect()
        })
    }
}
