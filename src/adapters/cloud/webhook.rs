//! Web hooks: code of the app behind an address, called by `POST` with JSON.
//!
//! The answer is `{"success": VALUE}` or `{"error": TEXT}`. Anything else with a status below 400 counts as `{}`, and so does a
//! redirect, which is not followed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Url};
use serde_json::{Map, Value as Json, json};

use super::handler::{Answer, Call, FormFile, Handler, Target};
use crate::adapters::http::{self, CallError};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::trigger::Trigger;
use crate::traces::{self, Kind, Span, TRACEPARENT};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-parse-webhook-key");
/// Tells how many calls of web hooks this one is inside of. A hook that calls the server back may send it along, so that endless
/// recursion ends early.
const DEPTH_HEADER: HeaderName = HeaderName::from_static("x-parse-cloud-depth");

/// How web hooks are called.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Sent along, so that a hook knows who calls.
    pub key: Option<String>,
    /// How long a hook may take to answer.
    pub timeout: Duration,
    /// Most bytes of an answer.
    pub answer_bytes: usize,
}

/// Calls web hooks over connections that are kept.
pub struct WebHooks {
    client: Client,
    key: Option<HeaderValue>,
    answer_bytes: usize,
}

impl fmt::Debug for WebHooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebHooks")
    }
}

impl WebHooks {
    /// A caller of web hooks.
    ///
    /// # Errors
    /// A text for the person who configured it: the key cannot be sent, or TLS cannot be set up.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let client = Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(Duration::from_secs(5)))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reparse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        let key = settings.key.as_deref().map(HeaderValue::from_str).transpose();
        let mut key = key.map_err(|_| "webhookKey cannot be sent as a header".to_owned())?;
        if let Some(key) = &mut key {
            key.set_sensitive(true);
        }
        Ok(Self { client, key, answer_bytes: settings.answer_bytes })
    }

    /// The web hook at an address. What is no address answers every call with an error.
    #[must_use]
    pub fn at(self: &Arc<Self>, url: &str) -> Arc<dyn Handler> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        Arc::new(WebHook { hooks: self.clone(), url })
    }
}

struct WebHook {
    hooks: Arc<WebHooks>,
    url: Option<Url>,
}

impl fmt::Debug for WebHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a password.
        write!(formatter, "WebHook at {}", self.url.as_ref().and_then(Url::host_str).unwrap_or("nowhere"))
    }
}

impl WebHook {
    /// The span of a request to it. Of the address it has the host alone: the rest may hold a password.
    fn span(&self) -> Span {
        let mut span = traces::child(Kind::Client, || "POST".into());
        span.set("http.request.method", "POST");
        if let Some(url) = self.url.as_ref().filter(|_| span.is_recorded()) {
            span.set("server.address", url.host_str().unwrap_or_default().to_owned());
            span.set("server.port", i64::from(url.port_or_known_default().unwrap_or_default()));
        }
        span
    }

    async fn ask(&self, call: &Call) -> Result<Map<String, Json>, CallError> {
        let url = self.url.clone().ok_or_else(|| CallError::Unreachable("no address of the web".to_owned()))?;
        let body = serde_json::to_vec(&call.body()).map_err(|error| CallError::Unreachable(error.to_string()))?;
        let mut request = self.hooks.client.post(url).header("content-type", "application/json").body(body);
        if let Some(key) = &self.hooks.key {
            request = request.header(KEY_HEADER, key.clone());
        }
        if call.depth > 0 {
            request = request.header(DEPTH_HEADER, call.depth);
        }
        let mut span = self.span();
        if let Some(context) = span.context().or_else(traces::current_context) {
            request = request.header(TRACEPARENT, context.to_string());
        }
        let response = request.send().await.map_err(|error| CallError::Unreachable(http::chain(&error)));
        let response = response.inspect_err(|_| span.fail("unreachable"))?;
        let status = response.status();
        span.set("http.response.status_code", i64::from(status.as_u16()));
        if status.as_u16() >= 400 {
            span.fail(status.as_u16().to_string());
        }
        let body = http::read(response, self.hooks.answer_bytes).await?;
        if status.as_u16() >= 400 {
            return Err(CallError::Answer(format!("status {status}")));
        }
        Ok(match serde_json::from_slice(&body) {
            Ok(Json::Object(answer)) => answer,
            _ => Map::new(),
        })
    }
}

impl Handler for WebHook {
    fn call(&self, mut call: Call) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            if let (Target::Function(_), Some(params)) = (&call.target, call.payload.get_mut("params")) {
                *params = plain_value(params.take());
                add_files(params, std::mem::take(&mut call.files));
            }
            let mut answer = self.ask(&call).await.map_err(|error| {
                let text = match &error {
                    CallError::Unreachable(_) => "The web hook cannot be reached.".to_owned(),
                    CallError::Answer(reason) => format!("The web hook gave an unexpected answer: {reason}."),
                };
                ParseError::new(ErrorCode::ScriptFailed, text).with_source(error)
            })?;
            if let Some(error) = answer.get("error").filter(|error| is_truthy(error)) {
                return Err(ParseError::new(ErrorCode::ScriptFailed, text_of(error)));
            }
            let success = answer.remove("success");
            Ok(match (&call.target, success) {
                (Target::Function(_), result) => Answer { result, ..Answer::default() },
                (Target::Trigger(Trigger::BeforeSave | Trigger::AfterSave, _), Some(Json::Object(object))) => {
                    Answer { object: Some(object), ..Answer::default() }
                }
                // Nothing else that a web hook answers has an effect.
                _ => Answer::default(),
            })
        })
    }
}

/// An error is a text, or an object with a `message`.
fn text_of(error: &Json) -> String {
    let text = error.as_str().or_else(|| error.get("message").and_then(Json::as_str));
    text.unwrap_or("The web hook refused.").to_owned()
}

/// Files as JavaScript writes its buffers.
fn add_files(params: &mut Json, files: Vec<FormFile>) {
    let Json::Object(params) = params else { return };
    for FormFile { name, filename, content_type, data } in files {
        let data = json!({ "type": "Buffer", "data": data.to_vec() });
        params.insert(name, json!({ "filename": filename, "contentType": content_type, "data": data }));
    }
}

/// Parameters of a function as web hooks read them: dates are text, at any depth.
fn plain(parameters: Map<String, Json>) -> Map<String, Json> {
    parameters.into_iter().map(|(key, value)| (key, plain_value(value))).collect()
}

fn plain_value(value: Json) -> Json {
    match value {
        Json::Array(list) => Json::Array(list.into_iter().map(plain_value).collect()),
        Json::Object(map) => match (map.get("__type").and_then(Json::as_str), map.get("iso")) {
            (Some("Date"), Some(Json::String(iso))) => Json::String(iso.clone()),
            _ => Json::Object(plain(map)),
        },
        plain => plain,
    }
}
