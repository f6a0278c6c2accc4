//! What the server asks of the app's code, and what that answers.

use std::fmt;

use async_trait::async_trait;
use serde::Deserialize;
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
}

/// One call. The payload is an object in the form that Parse gives to web hooks.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub target: Target,
    /// What it is told.
    pub payload: Map<String, Json>,
    /// How many calls of the app's code this one is inside of.
    pub depth: u32,
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
    /// instead of the usual answer.
    pub object: Option<Map<String, Json>>,
    /// afterSave: fields that the client reads besides the usual answer.
    pub changed: Option<Map<String, Json>>,
    /// beforeFind: parameters (`where`, `limit`, `skip`, `order`, `keys`, `include`, `excludeKeys`, …) that replace those of
    /// the client.
    pub query: Option<Map<String, Json>>,
    /// beforeFind: objects that answer the query. afterFind: objects that replace those found.
    pub objects: Option<Vec<Json>>,
    /// The context of the request as it is now; `None`: unchanged.
    pub context: Option<Map<String, Json>>,
}

/// Code of the app that handles calls. Many may be under way at the same time.
#[async_trait]
pub trait Handler: fmt::Debug + Send + Sync {
    /// Handles a call, in bounded time.
    ///
    /// # Errors
    /// What the code refuses; 141 when it cannot be reached, answers too late or with what is no answer.
    async fn call(&self, call: Call) -> Result<Answer>;
}
