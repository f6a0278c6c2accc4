//! The input of a handler: the caller, parameters and body.

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

/// The body of a request, in the form that its route declares.
pub enum Payload {
    /// A JSON object; empty if there was no body.
    Json(JsonMap),
    /// The request itself, its body unread ([`super::route::BodyKind::Stream`]).
    Stream(Box<Request>),
}

/// A call of a route.
pub struct Call {
    /// The context of the caller.
    pub cx: Context,
    /// The route, with the values of its parameters.
    pub found: Found,
    /// The query of the URL, without the question mark.
    pub query: String,
    /// The body.
    pub body: Payload,
    /// The files of a form ([`super::route::BodyKind::Form`]).
    pub files: Vec<FormFile>,
    /// The content type from the body (`_ContentType`), if it is there and not in a header.
    pub content_type: Option<String>,
    /// Whether the caller's address is that of the connection.
    pub direct: bool,
    /// The API; a batch calls other routes of it.
    pub rest: Arc<Rest>,
}

impl Call {
    /// The decoded value of a path parameter.
    ///
    /// # Errors
    /// 1 if the route has no such parameter, which is a bug in the handler.
    pub fn path(&self, name: &'static str) -> Result<&str> {
        self.found.value(name).ok_or_else(|| {
            ParseError::new(ErrorCode::InternalServerError, format!("{:?} has no {name}", self.found.route()))
        })
    }

    /// Takes the JSON body; the second call returns an empty object.
    pub fn take_body(&mut self) -> JsonMap {
        match &mut self.body {
            Payload::Json(body) => std::mem::take(body),
            Payload::Stream(_) => JsonMap::new(),
        }
    }

    /// Takes the request of a route whose body is a stream; `None` if the client sent JSON that names the application.
    pub fn take_request(&mut self) -> Option<Request> {
        match std::mem::replace(&mut self.body, Payload::Json(JsonMap::new())) {
            Payload::Stream(request) => Some(*request),
            body @ Payload::Json(_) => {
                self.body = body;
                None
            }
        }
    }

    /// Parameters of a read, from the query (each value as JSON if it is valid JSON, otherwise as a string) and from
    /// the body of a POST with `_method`. The query overrides the body.
    pub fn take_parameters(&mut self) -> JsonMap {
        let mut parameters = self.take_body();
        parameters.extend(query::object(&self.query, |text| match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(_) => Json::String(text),
        }));
        parameters
    }

    /// Parameters of a log in: the body, or the query (as strings) if it contains a name and the body does not.
    pub fn take_login_parameters(&mut self) -> JsonMap {
        let body = self.take_body();
        let query = query::object(&self.query, Json::String);
        let filled = |map: &JsonMap, key: &str| map.get(key).is_some_and(is_truthy);
        let from_query = ["username", "email"].iter().any(|key| !filled(&body, key) && filled(&query, key));
        if from_query { query } else { body }
    }
}
