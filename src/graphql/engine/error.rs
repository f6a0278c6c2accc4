//! Errors as GraphQL clients see them.

use async_graphql::Pos;
use serde_json::{Map, Value as Json, json};

/// The longest piece of a client's own text that an error repeats, in characters.
const LONGEST_ECHO: usize = 200;

/// The most errors one answer lists.
pub const MAX_ERRORS: usize = 100;

/// The code of errors that have no better one.
pub const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

/// Why a request is not executed at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The errors of the answer, as JSON.
    pub errors: Vec<Json>,
}

impl Refusal {
    /// One error without a place.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self::at(status, code, message, &[])
    }

    /// One error at places of the document.
    #[must_use]
    pub fn at(status: u16, code: &'static str, message: &str, places: &[Pos]) -> Self {
        Self { status, errors: vec![document_error(code, message, places)] }
    }

    /// 400: the document does not fit the schema.
    #[must_use]
    pub fn invalid(message: &str, places: &[Pos]) -> Self {
        Self::at(400, "GRAPHQL_VALIDATION_FAILED", message, places)
    }

    /// 400: the values of variables do not fit.
    #[must_use]
    pub fn bad_input(message: &str, places: &[Pos]) -> Self {
        Self::at(400, "BAD_USER_INPUT", message, places)
    }

    /// 400: the request is not one of GraphQL.
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

/// A client's text, cut where it is too long to repeat.
#[must_use]
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
