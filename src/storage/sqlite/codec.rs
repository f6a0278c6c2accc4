//! Rows as text: JSON in a shape of the store's own, in which every value comes back exactly as it went in.
//!
//! Plain values are plain JSON. Typed ones are an object with one key: `{"$d":ms}` date, `{"$b":"base64"}` bytes,
//! `{"$p":["Class","id"]}` pointer, `{"$r":"Class"}` relation, `{"$g":[lat,lng]}` point, `{"$y":[[lat,lng],…]}` polygon,
//! `{"$f":["name","url"]}` file (`url` only when there is one). A key of a plain object that begins with `$` gets another
//! `$` in front, so no plain object can be taken for a typed value.
//!
//! `read` takes it apart again; `present` makes an answer of it at once.

mod present;
mod read;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::json;
use crate::model::object::Object;
use crate::model::value::{GeoPoint, Value};

pub use self::present::present;
pub use self::read::{has_field, read_field, read_fields, read_object};

/// How deep values may lie inside each other; deeper rows are refused when written.
pub const MAX_DEPTH: u32 = 256;

/// Why text cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Values lie too deep inside each other.
    #[error("objects and arrays may be nested {MAX_DEPTH} deep")]
    TooDeep,
    /// The text was not made by this module.
    #[error("a row is damaged (at byte {0})")]
    Damaged(usize),
}

type Result<T> = std::result::Result<T, CodecError>;

/// Appends an object.
///
/// # Errors
/// [`CodecError::TooDeep`].
pub fn write_object(object: &Object, out: &mut String) -> Result<()> {
    object_at(object, out, 0)
}

/// An object as text.
///
/// # Errors
/// [`CodecError::TooDeep`].
pub fn to_text(object: &Object) -> Result<String> {
    let mut out = String::with_capacity(256);
    write_object(object, &mut out)?;
    Ok(out)
}

fn object_at(object: &Object, out: &mut String, depth: u32) -> Result<()> {
    out.push('{');
    for (at, (key, value)) in object.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if key.starts_with('$') {
            string(&format!("${key}"), out);
        } else {
            string(key, out);
        }
        out.push(':');
        value_at(value, out, depth + 1)?;
    }
    out.push('}');
    Ok(())
}

fn value_at(value: &Value, out: &mut String, depth: u32) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(CodecError::TooDeep);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(value) => number(*value, out),
        Value::String(text) => string(text, out),
        Value::Date(date) => {
            let _ = write!(out, "{{\"$d\":{}}}", date.millis());
        }
        Value::Bytes(bytes) => {
            out.push_str("{\"$b\":\"");
            STANDARD.encode_string(bytes, out);
            out.push_str("\"}");
        }
        Value::Pointer(pointer) => {
            out.push_str("{\"$p\":[");
            string(pointer.class.as_str(), out);
            out.push(',');
            string(&pointer.id, out);
            out.push_str("]}");
        }
        Value::Relation(class) => {
            out.push_str("{\"$r\":");
            string(class.as_str(), out);
            out.push('}');
        }
        Value::GeoPoint(point) => {
            out.push_str("{\"$g\":");
            pair(point, out);
            out.push('}');
        }
        Value::Polygon(corners) => {
            out.push_str("{\"$y\":[");
            for (at, corner) in corners.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                pair(corner, out);
            }
            out.push_str("]}");
        }
        Value::File(file) => {
            out.push_str("{\"$f\":[");
            string(&file.name, out);
            if let Some(url) = &file.url {
                out.push(',');
                string(url, out);
            }
            out.push_str("]}");
        }
        Value::Array(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                value_at(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Value::Object(object) => object_at(object, out, depth)?,
    }
    Ok(())
}

fn pair(point: &GeoPoint, out: &mut String) {
    out.push('[');
    number(point.latitude, out);
    out.push(',');
    number(point.longitude, out);
    out.push(']');
}

fn number(value: f64, out: &mut String) {
    if !value.is_finite() {
        out.push_str("null");
    } else if value != 0.0 && !(1e-6..=json::MAX_SAFE_INTEGER).contains(&value.abs()) {
        // Larger ones are no integers in what clients read either.
        let _ = write!(out, "{value:e}");
    } else {
        let _ = write!(out, "{value}");
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = special.chars();
        match letters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(other) => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::date::Date;
    use crate::model::names::ClassName;
    use crate::model::value::File;

    fn sample() -> Object {
        [
            ("s", Value::from("a \"quoted\" \\ line\n\u{1} é 😀")),
            ("n", Value::Number(1.5)),
            ("big", Value::Number(1.797_693_134_862_315_7e308)),
            ("small", Value::Number(5e-324)),
            ("b", Value::Boolean(true)),
            ("nul", Value::Null),
            ("d", Value::Date(Date::from_millis(-8_640_000_000_000_000))),
            ("by", Value::Bytes(vec![0, 255, 7])),
            ("p", Value::pointer(&ClassName::unchecked("T"), "x\"y")),
            ("r", Value::Relation(ClassName::unchecked("T"))),
            ("g", Value::GeoPoint(GeoPoint { latitude: -1.25, longitude: 100.0 })),
            ("y", Value::Polygon(vec![GeoPoint { latitude: 0.0, longitude: 1.0 }])),
            ("f", Value::File(File { name: "a.txt".into(), url: None })),
            ("f2", Value::File(File { name: "a.txt".into(), url: Some("http://x".into()) })),
            ("a", Value::Array(vec![Value::Null, Value::Array(vec![]), Value::Object(Object::new())])),
            (
                "$d",
                Value::Object(
                    [("$d".to_owned(), Value::Number(1.0)), ("$$p".to_owned(), Value::Null)].into_iter().collect(),
                ),
            ),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    #[test]
    fn every_type_comes_back() {
        let object = sample();
        let text = to_text(&object).unwrap();
        assert_eq!(read_object(text.as_bytes()).unwrap(), object);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        for (key, value) in &object {
            let stored = if key.starts_with('$') { format!("${key}") } else { key.to_string() };
            assert_eq!(read_field(text.as_bytes(), &stored).unwrap().as_ref(), Some(value), "{key}");
        }
        assert_eq!(read_field(text.as_bytes(), "missing").unwrap(), None);
        assert!(has_field(text.as_bytes(), "nul").unwrap());
        assert_eq!(read_fields(text.as_bytes(), |key| key == "n" || key == "a").unwrap().len(), 2);
    }

    #[test]
    fn too_deep_is_refused() {
        let mut value = Value::Null;
        for _ in 0..300 {
            value = Value::Array(vec![value]);
        }
        let object: Object = [("a".to_owned(), value)].into_iter().collect();
        assert_eq!(to_text(&object), Err(CodecError::TooDeep));
    }

    #[test]
    fn damaged_text_is_an_error() {
        for text in [
            "",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":\"\\x\"}",
            "{\"a\":{\"$d\":\"x\"}}",
            "[]",
            "{\"a\":tru}",
            "{\"a\":\"",
            "{\"a\":{\"$z\":1}}",
        ] {
            assert!(read_object(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_and_number(text in ".*", number in any::<f64>(), millis in any::<i64>()) {
            let object: Object = [
                (text.clone(), Value::from(text)),
                ("n".to_owned(), Value::Number(if number.is_finite() { number } else { 0.0 })),
                ("d".to_owned(), Value::Date(Date::from_millis(millis))),
            ].into_iter().collect();
            let stored = to_text(&object).unwrap();
            prop_assert_eq!(read_object(stored.as_bytes()).unwrap(), object);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_object(&bytes);
            let _ = read_field(&bytes, "a");
        }
    }
}
