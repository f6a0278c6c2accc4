//! Errors of GraphQL responses.

use async_graphql::Pos;
use serde_json::{Map, Value as Json, json};

/// Maximum number of characters of the client's text that an error repeats.
const LONGEST_ECHO: usize = 200;

/// Maximum number of errors in a response.
pub const MAX_ERRORS: usize = 100;

/// The code of errors without a more specific one.
pub const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

/// The response to a request that is not executed at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The errors of the response as JSON.
    pub errors: Vec<Json>,
}

impl Refusal {
    /// One error without a location.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self::at(status, code, message, &[])
    }

    /// One error with locations in the document.
    #[must_use]
    pub fn at(status: u16, code: &'static str, message: &str, places: &[Pos]) -> Self {
        Self { status, errors: vec![document_error(code, message, places)] }
    }

    /// 400: the document is not valid for the schema.
    #[must_use]
    pub fn invalid(message: &str, places: &[Pos]) -> Self {
        Self::at(400, "GRAPHQL_VALIDATION_FAILED", message, places)
    }

    /// 400: the values of variables are invalid.
    #[must_use]
    pub fn bad_input(message: &str, places: &[Pos]) -> Self {
        Self::at(400, "BAD_USER_INPUT", message, places)
    }

    /// 400: the request is not a GraphQL request.
    #[must_use]
    pub fn bad_request(message: &str) -> Self {
        Self::new(400, "BAD_REQUEST", message)
    }
}

/// An error about the document or its variables.
#[must_use]
pub fn document_error(code: &str, message: &str, places: &[Pos]) -> Json {
    let mut error = Map::from_iter([("message".to_owned(), Json::from(message))]);
    if !places.is_empty() {
        error.insert("locations".to_owned(), places.iter().map(|place| place_json(*place)).collect());
    }
    error.insert("extensions".to_owned(), json!({ "code": code }));
    Json::Object(error)
}

/// The error of a field as JSON.
#[must_use]
pub fn field_error(message: &str, code: &Json, place: Pos, path: &[Json]) -> Json {
    json!({ "message": message, "locations": [place_json(place)], "path": path, "extensions": { "code": code } })
}

fn place_json(place: Pos) -> Json {
    json!({ "line": place.line, "column": place.column })
}

/// Shortens a client's text for an error message.
#[must_use]
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
