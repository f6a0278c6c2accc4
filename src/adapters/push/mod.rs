//! Push messages to devices: one trait, and a sender behind it for each service.
//!
//! The sender gets a batch of devices and says for each what became of it. Who gets a push, in which batches, and how results are
//! counted is the business of `domain/features/push`.

mod apns;
mod expo;
mod fcm;
pub mod javascript;
mod own;
mod providers;
mod requests;
mod settings;
mod signed_token;
mod web;
pub mod webhook;

pub use requests::Sources;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};

use self::javascript::JavaScript;
use self::providers::Providers;

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The request of `POST /push`, as the adapters of parse-server see it: `data` (the payload, with the badge and the language of
    /// these devices), `expiration_time` in milliseconds since 1970, and every other key as it was sent.
    pub body: Map<String, Json>,
    /// The `objectId` of the row in `_PushStatus`.
    pub status_id: String,
}

impl Push {
    /// The payload; empty when the request has none.
    #[must_use]
    pub fn data(&self) -> Option<&Map<String, Json>> {
        self.body.get("data").and_then(Json::as_object)
    }
}

/// A device: its row of `_Installation` in REST form.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// All fields.
    pub row: Map<String, Json>,
}

impl Device {
    /// `ios`, `android`, …
    #[must_use]
    pub fn device_type(&self) -> Option<&str> {
        self.text("deviceType")
    }

    /// The service that reaches the device: its `pushType`, else its `deviceType`.
    #[must_use]
    pub fn push_type(&self) -> Option<&str> {
        self.text("pushType").filter(|kind| !kind.is_empty()).or_else(|| self.device_type())
    }

    /// What the service knows the device by.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.text("deviceToken")
    }

    /// The application on the device.
    #[must_use]
    pub fn app_identifier(&self) -> Option<&str> {
        self.text("appIdentifier")
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.row.get(key).and_then(Json::as_str)
    }

    /// The service took the message; `response` is what it answered, or null.
    #[must_use]
    pub fn transmitted(&self, response: Json) -> Outcome {
        self.outcome(true, response)
    }

    /// The service did not take the message. `error` is a text, or `{"code", "message"}`.
    #[must_use]
    pub fn failed(&self, error: impl Into<Json>) -> Outcome {
        self.outcome(false, json!({"error": error.into()}))
    }

    fn outcome(&self, transmitted: bool, response: Json) -> Outcome {
        Outcome {
            device_type: self.device_type().map(str::to_owned),
            device_token: self.token().map(str::to_owned),
            transmitted,
            response,
        }
    }
}

/// What became of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its `deviceType`. Without it the outcome is not counted.
    pub device_type: Option<String>,
    /// Its `deviceToken`. Without it the token is not removed, whatever the service says of it.
    pub device_token: Option<String>,
    /// Whether the service took the message.
    pub transmitted: bool,
    /// What the service answered; after a failure `{"error": …}`, where the error is a text or `{"code", "message"}`. What stands there
    /// decides whether the token is dead.
    pub response: Json,
}

/// Names under which services say that a token is dead.
const DEAD: &[&str] = &[
    "NotRegistered",
    "InvalidRegistration",
    "Unregistered",
    "BadDeviceToken",
    "DeviceNotRegistered",
    "messaging/registration-token-not-registered",
    "messaging/invalid-registration-token",
];

impl Outcome {
    /// Whether the service says that the token is none, or that its device is gone.
    #[must_use]
    pub fn token_is_dead(&self) -> bool {
        let Some(error) = self.response.get("error").filter(|_| !self.transmitted) else { return false };
        let text = |at: &str| error.pointer(at).and_then(Json::as_str);
        let name = error.as_str().or_else(|| text("/code")).or_else(|| text("/details/error"));
        name.is_some_and(|name| DEAD.contains(&name))
            || (text("/code") == Some("messaging/invalid-argument")
                && text("/message") == Some("The registration token is not a valid FCM registration token"))
    }
}

/// Sends a payload to devices.
#[async_trait]
pub trait PushSender: fmt::Debug + Send + Sync {
    /// The values of `pushType` and `deviceType` that a push may ask for; `None`: any.
    fn push_types(&self) -> Option<&[String]>;

    /// Sends to these devices. One outcome for each device that was tried, in any order; a device without an outcome is not counted.
    /// What fails as a whole fails for each device. Repeats what is worth repeating, and ends within minutes.
    async fn send(&self, push: &Push, devices: &[Device]) -> Vec<Outcome>;
}

/// Opens an adapter with its settings.
type Open = fn(&Map<String, Json>, &Sources) -> Result<Arc<dyn PushSender>, String>;

/// The adapters that are built in, by name. A new one is a file and a line here. The first is the one without a name.
pub const ADAPTERS: &[(&str, Open)] = &[
    ("@parse/push-adapter", |settings, sources| Ok(Arc::new(Providers::open(settings, sources)?))),
    ("webhook", |settings, _| Ok(Arc::new(webhook::Webhook::open(settings)?))),
];

/// The adapter that the option `push` asks for.
struct Choice {
    /// Its name; `None`: the first of [`ADAPTERS`].
    name: Option<String>,
    settings: Map<String, Json>,
}

impl Choice {
    fn of(push: &Map<String, Json>) -> Result<Self, String> {
        let mut settings = push.clone();
        let (name, settings) = match settings.shift_remove("adapter") {
            None | Some(Json::Null) => return Ok(Self { name: None, settings }),
            // By its name alone it gets what stands beside the name.
            Some(Json::String(name)) => (name, settings),
            Some(Json::Object(mut adapter)) => {
                let Some(Json::String(name)) = adapter.shift_remove("module") else { return Err(no_adapter()) };
                match adapter.shift_remove("options") {
                    None | Some(Json::Null) => (name, Map::new()),
                    Some(Json::Object(settings)) => (name, settings),
                    Some(_) => return Err("adapter.options must be an object".to_owned()),
                }
            }
            Some(_) => return Err(no_adapter()),
        };
        if name.is_empty() { Err(no_adapter()) } else { Ok(Self { name: Some(name), settings }) }
    }
}

fn no_adapter() -> String {
    "adapter must be the name of an adapter or {\"module\", \"options\"}".to_owned()
}

/// What of the option `push` cannot be had, for the person who configured it.
#[must_use]
pub fn missing(push: &Map<String, Json>) -> Option<String> {
    Choice::of(push).err()
}

/// The sender that the option `push` describes.
///
/// # Errors
/// A text for the person who configured it.
pub fn build(push: &Map<String, Json>, sources: &Sources) -> Result<Arc<dyn PushSender>, String> {
    let Choice { name, settings } = Choice::of(push).map_err(|reason| format!("option push: {reason}"))?;
    let built_in = ADAPTERS.iter().find(|(known, _)| name.as_deref().is_none_or(|name| name == *known));
    match (built_in, name) {
        (Some((_, open)), _) => open(&settings, sources),
        // What is no name of a built-in adapter is a module of the app.
        (None, name) => Ok(Arc::new(JavaScript::open(&name.unwrap_or_default(), &settings, &sources.modules))),
    }
}
