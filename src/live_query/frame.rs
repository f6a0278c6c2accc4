//! Messages to clients.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Number, Value as Json};

use crate::domain::features::live_query::{Event, Member};
use crate::error::{ErrorCode, ParseError};

/// The client as each of its messages names it: `"clientId":…,"installationId":…`, written once.
#[derive(Debug)]
pub struct ClientName(String);

impl ClientName {
    /// The name of a client.
    #[must_use]
    pub fn new(client_id: &str, installation_id: Option<&str>) -> Self {
        let mut text = format!("\"clientId\":{}", Json::from(client_id));
        if let Some(id) = installation_id {
            text.push_str(",\"installationId\":");
            text.push_str(&Json::from(id).to_string());
        }
        Self(text)
    }

    /// `connected`.
    #[must_use]
    pub fn connected(&self) -> String {
        format!("{{\"op\":\"connected\",{}}}", self.0)
    }

    /// `subscribed` or `unsubscribed`. `token`: of the place after which the client hears what happens.
    #[must_use]
    pub fn about(&self, op: &str, request_id: &Number, token: Option<&str>) -> String {
        format!("{{\"op\":\"{op}\",{},\"requestId\":{request_id}{}}}", self.0, resume(token))
    }

    /// An event. `token`: with which the client can go on after it.
    #[must_use]
    pub fn event(&self, member: &Member, event: &Event, token: Option<&str>) -> String {
        let (op, text, request_id) = (event.op.name(), event.text(), &member.request_id);
        let mut frame = String::with_capacity(text.len() + self.0.len() + 48);
        frame.push_str("{\"op\":\"");
        frame.push_str(op);
        frame.push_str("\",");
        frame.push_str(&self.0);
        frame.push_str(",\"requestId\":");
        // Writing to a text cannot fail.
        let _ = write!(frame, "{request_id}");
        frame.push_str(&resume(token));
        frame.push(',');
        frame.push_str(text);
        frame.push('}');
        frame
    }
}

fn resume(token: Option<&str>) -> String {
    token.map(|token| format!(",\"resumeToken\":{}", Json::from(token))).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorFrame<'a> {
    op: &'a str,
    error: &'a str,
    code: i64,
    reconnect: bool,
    request_id: Option<&'a Number>,
}

/// An error about the connection: the client does better to connect anew.
#[must_use]
pub fn protocol_error(code: i32, error: &str) -> String {
    write(&ErrorFrame { op: "error", error, code: code.into(), reconnect: true, request_id: None })
}

/// An error about a request.
#[must_use]
pub fn refusal(error: &ParseError, sanitize: bool, request_id: Option<&Number>) -> String {
    if let Some(source) = &error.source {
        tracing::error!(%error, cause = %source, "a live query failed");
    }
    // The app's code may choose one that Parse does not have.
    let code = error.number().unwrap_or(ErrorCode::InternalServerError.number().into());
    write(&ErrorFrame { op: "error", error: error.public_message(sanitize), code, reconnect: false, request_id })
}

fn write(error: &ErrorFrame<'_>) -> String {
    serde_json::to_string(error).unwrap_or_default()
}
