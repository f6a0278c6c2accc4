//! What a browser sends: a query, a form, or (from scripts of the owner's pages) JSON. Only texts count.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::{HeaderMap, header};
use serde_json::Value as Json;

use crate::http::query;

/// What a form leaves alone.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');
/// Fields that are read at most.
const MAX_FIELDS: usize = 100;

/// Fields by name.
#[derive(Debug, Default)]
pub struct Form(HashMap<String, String>);

impl Form {
    /// The query of a request, or a form without files.
    pub fn query(text: &str) -> Self {
        Self(query::pairs(text).take(MAX_FIELDS).collect())
    }

    /// A body: JSON if it says so, else a form.
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

    /// A field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A value for a query, as browsers write forms.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace(' ', "+")
}
