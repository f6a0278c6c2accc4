//! What a handler is given: who calls, and what was sent.

use std::sync::Arc;

use poem::Request;
use serde_json::{Map, Value as Json};

use super::request::Rest;
use super::router::Found;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::triggers::FormFile;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::query;
use crate::model::json::is_truthy;

/// A JSON object.
pub type JsonMap = Map<String, Json>;

/// The body of a request, as its route has it.
pub enum Payload {
    /// A JSON object; empty if there was no body.
    Json(JsonMap),
    /// The request itself, its body unread ([`super::route::BodyKind::Stream`]).
    Stream(Box<Request>),
}

/// A call of a route.
pub struct Call {
    /// Who calls.
    pub cx: Context,
    /// The route, with the values of its parameters.
    pub found: Found,
    /// The part of the address after the question mark.
    pub query: String,
    /// What was sent.
    pub body: Payload,
    /// The files of a form ([`super::route::BodyKind::Form`]).
    pub files: Vec<FormFile>,
    /// The type of the content, where the body says it (`_ContentType`) and not a header.
    pub content_type: Option<String>,
    /// Whether the caller's address is that of the connection.
    pub direct: bool,
    /// The API: a batch calls other routes.
    pub rest: Arc<Rest>,
}

impl Call {
    /// The value of a parameter of the path, decoded.
    ///
    /// # Errors
    /// 1 when the route states no such parameter, which a handler does not ask for.
    pub fn path(&self, name: &'static str) -> Result<&str> {
        self.found.value(name).ok_or_else(|| {
            ParseError::new(ErrorCode::InternalServerError, format!("{:?} has no {name}", self.found.route()))
        })
    }

    /// Takes the JSON body; it can be taken once.
    pub fn take_body(&mut self) -> JsonMap {
        match &mut self.body {
            Payload::Json(body) => std::mem::take(body),
            Payload::Stream(_) => JsonMap::new(),
        }
    }

    /// Takes the request of a route whose body is a stream; `None` when the client sent JSON that names the application.
    pub fn take_request(&mut self) -> Option<Request> {
        match std::mem::replace(&mut self.body, Payload::Json(JsonMap::new())) {
            Payload::Stream(request) => Some(*request),
            body @ Payload::Json(_) => {
                self.body = body;
                None
            }
        }
    }

    /// Parameters of a read: from the query, each value as JSON if it is some, else as text; or from the body of a request
    /// that came as a POST with `_method`. The query counts where both have a name.
    pub fn take_parameters(&mut self) -> JsonMap {
        let mut parameters = self.take_body();
        parameters.extend(query::object(&self.query, |text| match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(_) => Json::String(text),
        }));
        parameters
    }

    /// Parameters of a log in: the body, or all of the query (as text) when that has the name and the body has not.
    pub fn take_login_parameters(&mut self) -> JsonMap {
        let body = self.take_body();
        let query = query::object(&self.query, Json::String);
        let filled = |map: &JsonMap, key: &str| map.get(key).is_some_and(is_truthy);
        let from_query = ["username", "email"].iter().any(|key| !filled(&body, key) && filled(&query, key));
        if from_query { query } else { body }
    }
}
