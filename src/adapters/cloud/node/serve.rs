//! Answers the calls and notes of the process with the [`Host`].

use std::sync::{Arc, Weak};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json, json};

use super::host::{Host, HostFailure, LogLevel, LogLine, Origin, RestRequest};
use super::registrations::Registrations;
use super::worker::Worker;
use crate::traces::{self, Context};

/// Longest log message that is handed on, in bytes.
const MAX_MESSAGE: usize = 16 << 10;

/// The server as seen from one process.
pub(super) struct Server {
    pub host: Arc<dyn Host>,
    /// The worker whose process it is.
    pub worker: Weak<Worker>,
}

/// The result of a call of the process.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub json: Json,
    pub attachment: Bytes,
}

impl From<Json> for Reply {
    fn from(json: Json) -> Self {
        Self { json, attachment: Bytes::new() }
    }
}

#[derive(Deserialize)]
struct Incoming<'a> {
    kind: &'a str,
    #[serde(default)]
    request: String,
    #[serde(default)]
    depth: u32,
    #[serde(default)]
    trace: Option<String>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Log {
    level: LogLevel,
    message: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    printed: bool,
}

#[derive(Deserialize)]
struct JobMessage {
    job: String,
    message: String,
}

#[derive(Deserialize)]
struct UserRoles {
    user: String,
}

fn read<'a, T: Deserialize<'a>>(payload: &'a RawValue) -> Result<T, HostFailure> {
    serde_json::from_str(payload.get()).map_err(|error| HostFailure::new(format!("invalid call: {error}")))
}

impl Server {
    /// Answers a call.
    pub(super) async fn answer(&self, json: Bytes, attachment: Bytes) -> Result<Reply, HostFailure> {
        let call: Incoming<'_> =
            serde_json::from_slice(&json).map_err(|error| HostFailure::new(format!("invalid call: {error}")))?;
        let place = call.trace.as_deref().and_then(Context::read);
        traces::at(place, self.answer_call(call, attachment)).await
    }

    async fn answer_call(&self, call: Incoming<'_>, attachment: Bytes) -> Result<Reply, HostFailure> {
        match call.kind {
            "rest" => {
                let request = RestRequest { body: attachment, ..read(call.payload)? };
                let origin = Origin { request: call.request, depth: call.depth.saturating_add(1) };
                let response = self.host.rest(origin, request).await;
                let json = serde_json::to_value(&response).map_err(|error| HostFailure::new(error.to_string()))?;
                Ok(Reply { json, attachment: response.body })
            }
            "sendEmail" => {
                self.host.send_email(read(call.payload)?).await?;
                Ok(Reply::default())
            }
            "userRoles" => {
                let UserRoles { user } = read(call.payload)?;
                Ok(json!(self.host.user_roles(&user).await?).into())
            }
            "jobMessage" => {
                let JobMessage { job, message } = read(call.payload)?;
                self.host.job_message(&job, &message).await?;
                Ok(Reply::default())
            }
            "setOptions" => {
                self.host.set_options(read::<Map<String, Json>>(call.payload)?).await?;
                Ok(Reply::default())
            }
            kind => Err(HostFailure::new(format!("the server has no call {kind}"))),
        }
    }

    /// Takes a note. One that cannot be read is logged: the process goes on without an answer anyway.
    pub(super) fn note(&self, json: &Bytes) {
        if let Err(error) = self.take_note(json) {
            tracing::warn!("cloud code sent an invalid note: {error}");
        }
    }

    fn take_note(&self, json: &Bytes) -> Result<(), serde_json::Error> {
        let note: Incoming<'_> = serde_json::from_slice(json)?;
        match note.kind {
            "log" => {
                let mut log: Log = serde_json::from_str(note.payload.get())?;
                let end = log.message.floor_char_boundary(MAX_MESSAGE);
                log.message.truncate(end);
                if let Some(worker) = self.worker.upgrade()
                    && worker.output.admits(&*self.host)
                {
                    let Log { level, message, request, printed } = &log;
                    self.host.log(&LogLine { level: *level, message, request, printed: *printed });
                }
            }
            "registrations" => {
                let registrations: Registrations = serde_json::from_str(note.payload.get())?;
                if let Some(worker) = self.worker.upgrade() {
                    worker.register(registrations);
                }
            }
            kind => tracing::debug!("cloud code sent an unknown note {kind}"),
        }
        Ok(())
    }
}
