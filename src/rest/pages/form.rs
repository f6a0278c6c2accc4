//! What a browser sends: a query, a form, or (from scripts of the owner's pages) JSON. Only texts count.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use poem::Request;
use poem::http::{HeaderMap, header};
use serde_json::Value as Json;

/// What a form leaves alone.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');
/// Fields that are read at most.
const MAX_FIELDS: usize = 100;

/// Fields by name.
#[derive(Debug, Default)]
pub struct Form(HashMap<String, String>);

impl Form {
    /// The query of a request.
    pub fn query(request: &Request) -> Self {
        Self::read(request.original_uri().query().unwrap_or_default())
    }

    /// A body: JSON if it says so, else a form.
    pub fn body(headers: &HeaderMap, bytes: &[u8]) -> Self {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let json =
            content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !json {
            return Self::read(&String::from_utf8_lossy(bytes));
        }
        let Ok(Json::Object(fields)) = serde_json::from_slice(bytes) else { return Self::default() };
        let texts = fields.into_iter().filter_map(|(name, value)| match value {
            Json::String(text) => Some((name, text)),
            _ => None,
        });
        Self(texts.collect())
    }

    fn read(text: &str) -> Self {
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let fields = text.split('&').take(MAX_FIELDS).filter(|field| !field.is_empty()).map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (decode(name), decode(value))
        });
        Self(fields.collect())
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
