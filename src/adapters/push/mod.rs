//! Push messages to devices: one trait, and a sender behind it for each service.
//!
//! The sender gets a batch of devices and says for each what became of it. Who gets a push, in which batches, and how results are
//! counted is the business of `domain/features/push`.

mod apns;
mod expo;
mod fcm;
pub mod javascript;
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

/// What of the option `push` cannot be had, for the person who configured it.
#[must_use]
pub fn missing(options: &Map<String, Json>) -> Option<String> {
    let adapter = options.get("adapter").filter(|adapter| !adapter.is_null())?;
    // What is no name of a built-in adapter is a module of the app.
    let named = module(adapter).is_some_and(|name| !name.is_empty());
    (!named).then(|| "adapter must be the name of an adapter or {\"module\", \"options\"}".to_owned())
}

/// The sender that the option `push` describes.
///
/// # Errors
/// A text for the person who configured it.
pub fn build(push: &Map<String, Json>, sources: &Sources) -> Result<Arc<dyn PushSender>, String> {
    if let Some(reason) = missing(push) {
        return Err(format!("option push: {reason}"));
    }
    let mut settings = push.clone();
    let adapter = settings.shift_remove("adapter").unwrap_or_default();
    // By its name alone it gets what stands beside the name.
    if let Json::Object(adapter) = &adapter {
        settings = match adapter.get("options") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(settings)) => settings.clone(),
            Some(_) => return Err("option push.adapter.options must be an object".to_owned()),
        };
    }
    if let Some(name) = module(&adapter).filter(|name| ADAPTERS.iter().all(|(known, _)| known != name)) {
        return Ok(Arc::new(javascript::JavaScript::open(name, &settings, &sources.modules)));
    }
    let open = match (&adapter, module(&adapter)) {
        (Json::Null, _) => ADAPTERS.first(),
        (_, name) => ADAPTERS.iter().find(|(known, _)| Some(*known) == name),
    };
    let (_, open) = open.ok_or("option push.adapter must be the name of an adapter or {\"module\", \"options\"}")?;
    open(&settings, sources)
}

/// The name of the adapter that a value of `push.adapter` asks for.
fn module(adapter: &Json) -> Option<&str> {
    adapter.as_str().or_else(|| adapter.get("module").and_then(Json::as_str))
}
