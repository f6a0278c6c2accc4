//! What the server asks of the app's code, and what that answers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use crate::error::Result;
use crate::model::names::ClassName;
use crate::model::trigger::Trigger;

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A function, by its name.
    Function(String),
    /// A job, by its name.
    Job(String),
    /// A trigger of a class.
    Trigger(Trigger, ClassName),
    /// What is told of connections and subscriptions for live queries (`onLiveQueryEvent`).
    LiveQueryEvents,
}

impl Target {
    /// What kind of thing it is, as metrics name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Function(_) => "function",
            Self::Job(_) => "job",
            Self::Trigger(trigger, _) => trigger.name(),
            Self::LiveQueryEvents => "liveQueryEvents",
        }
    }
}

/// One call. The payload is an object in the form that Parse gives to web hooks.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub target: Target,
    /// What it is told.
    pub payload: Map<String, Json>,
    /// afterFind: the list of what was found, which is the part `objects` of the payload. It is long, so it is written once.
    pub objects: Option<Box<RawValue>>,
    /// A function: the files of the form that it was called with. They are no part of the payload's `params`.
    pub files: Vec<FormFile>,
    /// A trigger on files: the file, for code that takes more than its name.
    pub file: Option<TriggerFile>,
    /// How many calls of the app's code this one is inside of.
    pub depth: u32,
    /// The id by which the log knows the client's request.
    pub request: Option<Arc<str>>,
}

impl Call {
    /// A call that nobody else's call or request led to.
    #[must_use]
    pub const fn of(target: Target, payload: Map<String, Json>) -> Self {
        Self { target, payload, objects: None, files: Vec::new(), file: None, depth: 0, request: None }
    }

    /// All that it is told, as JSON.
    #[must_use]
    pub fn body(&self) -> Body<'_> {
        Body { payload: &self.payload, objects: self.objects.as_deref() }
    }
}

/// All that a call is told.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    #[serde(flatten)]
    payload: &'a Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<&'a RawValue>,
}

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFile {
    /// The name of its field.
    pub name: String,
    /// Its own name.
    pub filename: String,
    /// Its type, as the client states it.
    pub content_type: String,
    /// Its bytes.
    pub data: Bytes,
}

/// A file as a trigger has it, and as it gives it back.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TriggerFile {
    /// Its name: the given one before it is stored, then the stored one.
    pub name: String,
    /// Its address, once it has one.
    pub url: Option<String>,
    /// Its type, as far as it is known.
    pub content_type: Option<String>,
    /// Metadata.
    pub metadata: Map<String, Json>,
    /// Tags.
    pub tags: Map<String, Json>,
    /// The directory it is to be stored in.
    pub directory: Option<String>,
    /// Its bytes, which travel beside the JSON. To a trigger: `None` where it does not get them. From a trigger: `None` leaves them.
    #[serde(skip)]
    pub data: Option<Bytes>,
}

/// An object that the app's code gives.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Given {
    /// The object at this place of the list that the code was told, untouched.
    Untouched(usize),
    /// The object at this place, with fields that have other values, and without those that are named.
    Changed(usize, Map<String, Json>, Vec<String>),
    /// Any other object, with all its fields. What is no object is left out.
    Other(Json),
}

impl Given {
    /// The place in the list that the code was told.
    #[must_use]
    pub const fn place(&self) -> Option<usize> {
        match self {
            Self::Untouched(place) | Self::Changed(place, ..) => Some(*place),
            Self::Other(_) => None,
        }
    }
}

/// What the app's code answers. What a call cannot change stays `None`.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// A function: its result. `None`: it gave none.
    pub result: Option<Json>,
    /// A function: the status of the HTTP answer.
    pub status: Option<u16>,
    /// A function: headers of the HTTP answer.
    pub headers: Vec<(String, String)>,
    /// beforeSave: fields and operations that are written instead of what the client sent. afterSave: what the client reads
    /// instead of the usual answer. afterEvent: the object that is sent.
    pub object: Option<Map<String, Json>>,
    /// beforeSave: fields that the client sent and that are not written.
    pub reverted: Vec<String>,
    /// Before an event of a live query: the object before, as the subscriber is to see it.
    pub original: Option<Map<String, Json>>,
    /// Before an event of a live query: whether it is sent at all; `None`: it is.
    pub send_event: Option<bool>,
    /// afterSave: fields that the client reads besides the usual answer.
    pub changed: Option<Map<String, Json>>,
    /// beforeFind, beforeSubscribe: parameters (`where`, `limit`, `skip`, `order`, `keys`, `include`, `excludeKeys`, …) that replace those of
    /// the client.
    pub query: Option<Map<String, Json>>,
    /// afterEvent: the name of the event that is sent instead of the real one.
    pub event: Option<String>,
    /// beforeFind: objects that answer the query. afterFind: objects that replace those found.
    pub objects: Option<Vec<Given>>,
    /// A trigger on files: beforeSave: the file that is stored, or the address of one that exists; beforeFind: the one that is read
    /// instead, by its name; afterFind: the bytes that are sent instead, and their type by its name.
    pub file: Option<TriggerFile>,
    /// afterFind of a file: whether browsers are to save it.
    pub force_download: Option<bool>,
    /// afterFind of a file: headers of the answer; those that were told and are missing are not sent.
    pub response_headers: Option<Map<String, Json>>,
    /// The context of the request as it is now; `None`: unchanged.
    pub context: Option<Map<String, Json>>,
}

/// Code of the app that handles calls. Many may be under way at the same time.
pub trait Handler: fmt::Debug + Send + Sync {
    /// Whether beforeSave is told what was sent (`changes`) instead of the object as it would be (`object`).
    fn tells_changes(&self) -> bool {
        false
    }

    /// The longest file whose bytes triggers get, in bytes; `None`: they get none, and files need not be held in memory for them.
    fn most_file_bytes(&self) -> Option<u64> {
        None
    }

    /// Handles a call, in bounded time.
    ///
    /// # Errors
    /// What the code refuses; 141 when it cannot be reached, answers too late or with what is no answer.
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer>>;
}
