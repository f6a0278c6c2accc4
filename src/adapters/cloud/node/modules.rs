//! Modules of the app that options name: adapters and callbacks.

use std::sync::Weak;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::Cloud;
use super::connection::Call;
use super::error::CloudError;
use super::host::Origin;

/// A module to load, as options name it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ModuleSpec {
    /// Number by which the process knows it.
    pub handle: u32,
    /// Path or package name; `option:NAME` is what a foreign program gave as that option.
    pub module: String,
    /// Options of its constructor.
    pub options: Json,
    /// Whether it is an adapter, made with the options, or a callback, used as it is.
    pub construct: bool,
}

/// What a module is, once it is loaded.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Loaded {
    /// Whether it can be called itself.
    #[serde(default)]
    pub callable: bool,
    /// Names of its methods.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Its property `policy`, if that is a text.
    #[serde(default)]
    pub policy: Option<String>,
}

/// A loaded module: an adapter, or a callback.
#[derive(Debug, Clone)]
pub struct Module {
    pub(super) cloud: Weak<Cloud>,
    pub(super) handle: u32,
    pub(super) loaded: Loaded,
}

/// An argument of a method.
#[derive(Debug, Clone)]
pub enum Argument {
    /// `undefined`.
    Undefined,
    /// Plain JSON.
    Json(Json),
    /// Plain JSON that is written already.
    Written(Box<RawValue>),
    /// A `Date`, given as ISO 8601 text.
    Date(String),
    /// A `Buffer`.
    Bytes(Bytes),
}

impl From<Json> for Argument {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

/// The result of a method.
#[derive(Debug, Clone, PartialEq)]
pub enum Returned {
    /// `undefined`.
    Undefined,
    /// Anything that has a JSON form. A `Date` is `{"__type":"Date","iso":…}` at any depth.
    Json(Json),
    /// A `Buffer` or typed array.
    Bytes(Bytes),
}

/// A value on the wire: one key says what it is. Bytes are a range of the attachment.
enum Wire<'a> {
    Undefined,
    Json(&'a Json),
    Written(&'a RawValue),
    Date(&'a str),
    Bytes(usize, usize),
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self {
            Self::Undefined => return serializer.collect_map([("undefined", true)]),
            Self::Json(json) => return serializer.collect_map([("json", json)]),
            Self::Written(json) => return serializer.collect_map([("json", json)]),
            Self::Date(iso) => return serializer.collect_map([("date", iso)]),
            Self::Bytes(start, length) => [start, length],
        };
        serializer.collect_map([("bytes", value)])
    }
}

#[derive(Serialize)]
struct MethodCall<'a> {
    handle: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    arguments: Vec<Wire<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireAnswer<'a> {
    Undefined(serde::de::IgnoredAny),
    #[serde(borrow)]
    Json(&'a RawValue),
    Bytes((usize, usize)),
}

impl Module {
    /// Whether it has this method.
    #[must_use]
    pub fn has(&self, method: &str) -> bool {
        self.loaded.methods.iter().any(|name| name == method)
    }

    /// Its property `policy`, if that is a text.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.loaded.policy.as_deref()
    }

    /// Whether the module itself is a function.
    #[must_use]
    pub fn is_callable(&self) -> bool {
        self.loaded.callable
    }

    /// Calls a method, or the module itself if there is no name, and awaits the promise it may return.
    ///
    /// # Errors
    /// What the method threw, or [`CloudError`] of the channel.
    pub async fn call(
        &self,
        origin: &Origin,
        method: Option<&str>,
        arguments: &[Argument],
        deadline: Option<Duration>,
    ) -> Result<Returned, CloudError> {
        let cloud = self.cloud.upgrade().ok_or_else(|| CloudError::Unavailable("the server stops".to_owned()))?;
        let mut attachment = Vec::new();
        let wires = arguments.iter().map(|argument| match argument {
            Argument::Undefined => Wire::Undefined,
            Argument::Json(json) => Wire::Json(json),
            Argument::Written(json) => Wire::Written(json),
            Argument::Date(iso) => Wire::Date(iso),
            Argument::Bytes(bytes) => {
                let start = attachment.len();
                attachment.extend_from_slice(bytes);
                Wire::Bytes(start, bytes.len())
            }
        });
        let payload = MethodCall { handle: self.handle, method, arguments: wires.collect() };
        let call = Call { kind: "module", name: "call", origin, payload: &payload, attachment: &attachment, deadline };
        let answer = cloud.call(&call).await?;
        let returned = answer.read_borrowed::<WireAnswer<'_>>()?;
        match returned {
            WireAnswer::Undefined(_) => Ok(Returned::Undefined),
            WireAnswer::Json(json) => serde_json::from_str(json.get())
                .map(Returned::Json)
                .map_err(|error| CloudError::Protocol(format!("invalid answer: {error}"))),
            WireAnswer::Bytes((start, length)) => {
                let end = start.checked_add(length).filter(|end| *end <= answer.attachment.len());
                let end = end.ok_or_else(|| CloudError::Protocol("bytes outside of the attachment".to_owned()))?;
                Ok(Returned::Bytes(answer.attachment.slice(start..end)))
            }
        }
    }
}
