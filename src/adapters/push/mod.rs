//! Push messages to devices: one trait, and a sender behind it for each service.
//!
//! The sender gets a batch of devices and says for each what became of it. Who gets a push, in which batches, and how results are
//! counted is the business of `domain/features/push`.

mod apns;
mod device;
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

pub use device::{Device, Outcome};
pub use requests::Sources;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

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

/// Sends a payload to devices.
pub trait PushSender: fmt::Debug + Send + Sync {
    /// The values of `pushType` and `deviceType` that a push may ask for; `None`: any.
    fn push_types(&self) -> Option<&[String]>;

    /// Whether it looks at fields of a device's row other than [`Device::FIELDS`]. If not, it may get rows with these only.
    fn needs_whole_rows(&self) -> bool;

    /// Sends to these devices. One outcome for each device that was tried, in any order; a device without an outcome is not counted.
    /// What fails as a whole fails for each device. Repeats what is worth repeating, and ends within minutes.
    fn send<'a>(&'a self, push: &'a Push, devices: &'a [Device]) -> BoxFuture<'a, Vec<Outcome>>;
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
