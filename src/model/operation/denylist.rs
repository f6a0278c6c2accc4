//! Keys and values that request data must not contain (`requestKeywordDenylist`).

use fancy_regex::{Regex, RegexBuilder};
use serde_json::{Map, Value as Json};

use crate::error::{ErrorCode, ParseError};

/// Maximum number of backtracking steps of a pattern on a text.
const BACKTRACK_LIMIT: usize = 10_000;

/// The compiled list.
#[derive(Debug, Clone, Default)]
pub struct Denylist(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    /// The entry as configured, for the error message.
    text: String,
    key: Option<Pattern>,
    value: Option<Pattern>,
}

/// How a key or value is compared: strings match a pattern, other values must be equal.
#[derive(Debug, Clone)]
enum Pattern {
    Part(String),
    Regex(Box<Regex>),
    Equal(Json),
}

impl Denylist {
    /// Reads entries of the form `{"key": PATTERN, "value": PATTERN}`, one of which may be missing; a text by itself is the pattern of a
    /// key.
    ///
    /// # Errors
    /// The invalid entry and the reason.
    pub fn new(entries: &[Json]) -> Result<Self, String> {
        entries.iter().map(Entry::new).collect::<Result<_, _>>().map(Self)
    }

    /// Searches data at every depth.
    ///
    /// # Errors
    /// 105 `Prohibited keyword in request data: ENTRY.` for the first entry found.
    pub fn check(&self, data: &Json) -> Result<(), ParseError> {
        match self.find(data) {
            None => Ok(()),
            Some(entry) => Err(ParseError::new(
                ErrorCode::InvalidKeyName,
                format!("Prohibited keyword in request data: {}.", entry.text),
            )),
        }
    }

    /// Like [`Denylist::check`], for the fields of an object.
    ///
    /// # Errors
    /// As [`Denylist::check`].
    pub fn check_map(&self, data: &Map<String, Json>) -> Result<(), ParseError> {
        for (key, value) in data {
            if let Some(entry) = self.0.iter().find(|entry| entry.matches(key, value)) {
                return Err(ParseError::new(
                    ErrorCode::InvalidKeyName,
                    format!("Prohibited keyword in request data: {}.", entry.text),
                ));
            }
            self.check(value)?;
        }
        Ok(())
    }

    /// Uses an explicit stack, because data can be nested deeply.
    fn find(&self, data: &Json) -> Option<&Entry> {
        let mut open = vec![data];
        while let Some(next) = open.pop() {
            match next {
                Json::Object(map) => {
                    for (key, value) in map {
                        if let Some(entry) = self.0.iter().find(|entry| entry.matches(key, value)) {
                            return Some(entry);
                        }
                        open.push(value);
                    }
                }
                Json::Array(list) => open.extend(list),
                _ => {}
            }
        }
        None
    }
}

impl Entry {
    fn new(entry: &Json) -> Result<Self, String> {
        let pattern = |name: &str| entry.get(name).map(Pattern::new).transpose();
        let (key, value) = match entry {
            Json::String(_) => (Some(Pattern::new(entry)?), None),
            _ => (pattern("key")?, pattern("value")?),
        };
        if key.is_none() && value.is_none() {
            return Err(format!("{entry} has neither key nor value"));
        }
        Ok(Self { text: entry.to_string(), key, value })
    }

    fn matches(&self, key: &str, value: &Json) -> bool {
        self.key.as_ref().is_none_or(|pattern| pattern.matches_text(key))
            && self.value.as_ref().is_none_or(|pattern| pattern.matches(value))
    }
}

impl Pattern {
    fn new(pattern: &Json) -> Result<Self, String> {
        let Some(text) = pattern.as_str() else { return Ok(Self::Equal(pattern.clone())) };
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(Self::Part(text.to_owned()));
        }
        let regex = RegexBuilder::new(text).backtrack_limit(BACKTRACK_LIMIT).build();
        regex
            .map(|regex| Self::Regex(Box::new(regex)))
            .map_err(|error| format!("{text} is not a valid pattern: {error}"))
    }

    fn matches(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Equal(wanted), _) => wanted == value,
            (_, Json::String(text)) => self.matches_text(text),
            _ => false,
        }
    }

    fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => text.contains(part.as_str()),
            // A search that exceeds its limit counts as a match, so that data is refused rather than accepted.
            Self::Regex(regex) => regex.is_match(text).unwrap_or(true),
            Self::Equal(wanted) => wanted.as_str() == Some(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_at_every_depth() {
        let entries = json!([{"key": "_bsontype", "value": "Code"}, {"key": "constructor"}, {"key": "__proto__"}]);
        let list = Denylist::new(entries.as_array().unwrap()).unwrap();
        for (data, message) in [
            (json!({"o": {"constructor": 1}}), "Prohibited keyword in request data: {\"key\":\"constructor\"}."),
            (
                json!({"o": [{"_bsontype": "Code"}]}),
                "Prohibited keyword in request data: {\"key\":\"_bsontype\",\"value\":\"Code\"}.",
            ),
            (json!({"a": [[{"x__proto__": 1}]]}), "Prohibited keyword in request data: {\"key\":\"__proto__\"}."),
        ] {
            assert_eq!(list.check(&data).unwrap_err().message, message);
        }
        assert!(list.check(&json!({"_bsontype": "Other", "s": "constructor"})).is_ok());
    }

    #[test]
    fn patterns() {
        let list = Denylist::new(&[
            json!({"key": "^a[0-9]+$"}),
            json!({"value": 5}),
            json!({"key": "k", "value": "v.*z"}),
            json!("foo"),
        ])
        .unwrap();
        assert_eq!(
            list.check(&json!({"o": [{"foo": 1}]})).unwrap_err().message,
            "Prohibited keyword in request data: \"foo\"."
        );
        for (data, refused) in [
            (json!({"a12": 1}), true),
            (json!({"ba12": 1}), false),
            (json!({"x": 5}), true),
            (json!({"x": "5"}), false),
            (json!({"k": "vaz"}), true),
            (json!({"k": "va"}), false),
        ] {
            assert_eq!(list.check(&data).is_err(), refused, "{data}");
        }
        assert!(Denylist::new(&[json!({"key": "("})]).is_err());
        assert!(Denylist::new(&[json!({})]).is_err());
    }
}
