//! Parses what a browser sends: a query, a form, or (from scripts of custom pages) JSON. Values that are not strings are
//! ignored.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::{HeaderMap, header};
use serde_json::{Map, Value as Json};

use crate::http::query;

/// Characters that are not percent-encoded in a form.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');
/// Maximum number of fields; further ones are ignored.
const MAX_FIELDS: usize = 100;

/// Fields by name.
#[derive(Debug, Default)]
pub struct Form(HashMap<String, String>);

impl Form {
    /// Parses a query, or a form without files.
    pub fn query(text: &str) -> Self {
        Self(query::pairs(text).take(MAX_FIELDS).collect())
    }

    /// Parses a body: JSON if its content type says so, otherwise a form.
    pub fn body(headers: &HeaderMap, bytes: &[u8]) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let json =
            content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !json {
            return Self::query(&String::from_utf8_lossy(bytes));
        }
        let Ok(Json::Object(fields)) = serde_json::from_slice(bytes) else { return Self::default() };
        let texts = fields.into_iter().filter_map(|(name, value)| match value {
            Json::String(text) => Some((name, text)),
            _ => None,
        });
        Self(texts.collect())
    }

    /// All fields, as an object.
    pub fn to_json(&self) -> Json {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<Map<String, Json>>().into()
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Encodes a value for a query, as browsers encode forms.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace(' ', "+")
}
