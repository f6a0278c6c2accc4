//! What the server does for JavaScript: the calls that come from the process.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::error::CloudError;
use super::handler::Handlers;
use super::registrations::Registrations;
use crate::error::ParseError;

/// Whose rights a REST request of cloud code has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestAuth {
    /// Run with the master key.
    pub use_master_key: bool,
    /// Run with the maintenance key.
    pub use_maintenance_key: bool,
    /// Token of a session.
    pub session_token: Option<String>,
    /// Installation id; triggers see `cloud` if there is none.
    pub installation_id: Option<String>,
}

/// A REST request of cloud code, without HTTP.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestRequest {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// Path below the mount path, without a leading slash: `classes/GameScore/abc`. A query string may follow.
    pub path: String,
    /// Whose rights it has.
    #[serde(default)]
    pub auth: RestAuth,
    /// The context that triggers and functions see.
    #[serde(default)]
    pub context: Option<Json>,
    /// Headers besides those that [`RestAuth`] stands for, in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Content type of the body; JSON if there is none.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The body, not parsed. For GET requests a JSON object with the query parameters.
    #[serde(skip)]
    pub body: Bytes,
}

/// The answer of a REST request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RestResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers that the SDK may look at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body: JSON.
    #[serde(skip)]
    pub body: Bytes,
}

/// Where a call of the process comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the client's request in whose course the call was made; empty outside of one.
    pub request: String,
    /// How many calls of cloud code lie between the client and this call: 1 for a call that a trigger of the client's
    /// own request makes. The server refuses calls that are too deep.
    pub depth: u32,
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the usual names")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// A line that cloud code logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Severity.
    pub level: LogLevel,
    /// The text, at most 16 KiB.
    pub message: &'a str,
    /// Id of the request in whose course it was logged; empty outside of one.
    pub request: &'a str,
    /// Whether it was printed: by `console`, or to standard output or error.
    pub printed: bool,
}

/// What the server offers to cloud code.
pub trait Host: Send + Sync + 'static {
    /// Answers a REST request with the routers that HTTP requests use. Errors are answers with their status.
    fn rest(&self, origin: Origin, request: RestRequest) -> BoxFuture<'_, RestResponse>;

    /// Sends a mail with the mail adapter: `Parse.Cloud.sendEmail`.
    fn send_email(&self, mail: Json) -> BoxFuture<'_, Result<(), ParseError>>;

    /// Names of all roles of a user, inherited ones included, without the prefix `role:`.
    fn user_roles<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<Vec<String>, ParseError>>;

    /// Stores a progress message of a running job.
    fn job_message<'a>(&'a self, job: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), ParseError>>;

    /// All option values, as `Parse.Server` and `request.config` show them.
    fn options(&self) -> Map<String, Json>;

    /// Changes options: an assignment to `Parse.Server`.
    fn set_options(&self, options: Map<String, Json>) -> BoxFuture<'_, Result<(), ParseError>>;

    /// Takes what the code has registered, whenever it has changed. No answer is read before this returns.
    fn registered(&self, _handlers: Handlers, _registrations: &Registrations) {}

    /// Logs a line.
    fn log(&self, line: &LogLine<'_>);
}

/// The failure of a call of the process, as JavaScript gets it.
#[derive(Debug, Serialize)]
pub(super) struct HostFailure {
    code: i64,
    message: String,
}

impl HostFailure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { code: super::error::SCRIPT_FAILED, message: message.into() }
    }
}

impl From<ParseError> for HostFailure {
    fn from(error: ParseError) -> Self {
        let code = error.number().unwrap_or(super::error::SCRIPT_FAILED);
        Self { code, message: error.message.into_owned() }
    }
}

impl From<CloudError> for HostFailure {
    fn from(error: CloudError) -> Self {
        Self { code: error.code(), message: error.message().to_owned() }
    }
}
