//! Converts REST JSON to [`Value`] and back.
//!
//! In JSON, typed values are objects with `__type`; everything else is plain JSON. [`forms`] writes each type.

pub mod fields;
pub mod forms;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};

use super::date::Date;
use super::names::ClassName;
use super::object::Object;
use super::schema::{ClassSchema, FieldType};
use super::value::{File, GeoPoint, Pointer, Value};
use crate::error::{ErrorCode, ParseError, Result};

/// Padding is optional, as in JavaScript's decoders.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 in all forms that JavaScript's decoders accept: with white space, in the URL-safe alphabet, without
/// padding. `None` for an empty string and for invalid base64.
#[must_use]
pub fn bytes_from_base64(text: &str) -> Option<Vec<u8>> {
    let plain: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    LENIENT_BASE64.decode(plain).ok().filter(|bytes| !bytes.is_empty())
}

/// Decodes base64 like `Buffer.from`: accepts both alphabets, ignores other characters, stops at the first `=`.
#[must_use]
pub fn lenient_base64(text: &str) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'=' => break,
            b'-' => plain.push(b'+'),
            b'_' => plain.push(b'/'),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => plain.push(byte),
            _ => {}
        }
    }
    // A single digit is not a byte.
    if plain.len() % 4 == 1 {
        plain.pop();
    }
    LENIENT_BASE64.decode(plain).unwrap_or_default()
}

/// Whether the value is truthy in JavaScript.
#[must_use]
pub fn is_truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(truth) => *truth,
        Json::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(_) | Json::Object(_) => true,
    }
}

/// The `objectId` in results of an aggregation: null for an empty string, array or object.
#[must_use]
pub fn null_if_empty(id: Json) -> Json {
    let empty = match &id {
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => false,
    };
    if empty { Json::Null } else { id }
}

/// The relation fields of a class, which are added to every object because rows do not contain them.
pub fn relations(schema: &ClassSchema) -> impl Iterator<Item = (String, Json)> {
    schema.fields.iter().filter_map(|(name, field)| match &field.kind {
        FieldType::Relation(target) => Some((name.clone(), encode(&Value::Relation(target.clone())))),
        _ => None,
    })
}

/// The largest integer up to which every integer has a floating point number of its own.
pub const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A JSON number that is written without a fraction when it has none. Not-a-number and infinities become null.
#[must_use]
pub fn number(value: f64) -> Json {
    integer(value).map_or_else(|| Json::from(value), Json::from)
}

/// The integer that a number is, if it is one that floating point numbers hold exactly.
#[expect(clippy::cast_possible_truncation, reason = "checked to be an integer within the range")]
fn integer(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= MAX_SAFE_INTEGER).then_some(value as i64)
}

/// Parses the value of a field from a client: typed objects become typed values. Only the field itself must have a
/// known type; inside it, an object with an unknown `__type` or an incomplete one is plain data.
///
/// # Errors
/// 111 `This is not a valid T`: the type of the field is unknown or incomplete; an invalid date, also inside the field;
/// bytes that are not base64.
pub fn decode(json: Json) -> Result<Value> {
    match &json {
        Json::Object(map) => match typed(map)? {
            Typed::Value(value) => Ok(value),
            Typed::Foreign(kind) => pointer_to_nobody(map).map(Value::Pointer).ok_or_else(|| invalid(&kind)),
            Typed::Plain => decode_inner(json),
        },
        _ => decode_inner(json),
    }
}

/// Parses a value inside a field.
fn decode_inner(json: Json) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(truth),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::String(text),
        Json::Array(list) => Value::Array(list.into_iter().map(decode_inner).collect::<Result<_>>()?),
        Json::Object(map) => match typed(&map)? {
            Typed::Value(value) => value,
            Typed::Foreign(_) | Typed::Plain => Value::Object(
                map.into_iter().map(|(key, value)| Ok((key, decode_inner(value)?))).collect::<Result<_>>()?,
            ),
        },
    })
}

/// Parses a value leniently: invalid typed objects stay plain objects. For values in the database.
#[must_use]
pub fn decode_stored(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(truth),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::String(text),
        Json::Array(list) => Value::Array(list.into_iter().map(decode_stored).collect()),
        Json::Object(map) => match typed(&map) {
            Ok(Typed::Value(value)) => value,
            _ => Value::Object(map.into_iter().map(|(key, value)| (key, decode_stored(value))).collect()),
        },
    }
}

/// Parses the fields of an object.
///
/// # Errors
/// As [`decode`].
pub fn decode_map(map: Map<String, Json>) -> Result<Object> {
    map.into_iter().map(|(key, value)| Ok((key, decode(value)?))).collect()
}

fn invalid(kind: &str) -> ParseError {
    ParseError::new(ErrorCode::IncorrectType, format!("This is not a valid {kind}"))
}

/// What an object stands for.
enum Typed {
    /// A value of one of Parse's types.
    Value(Value),
    /// Plain data with an unknown or incomplete `__type`.
    Foreign(String),
    /// It has no `__type`, or is a fetched object.
    Plain,
}

/// What an object stands for.
///
/// # Errors
/// 111 for a date or bytes whose text cannot be read.
fn typed(map: &Map<String, Json>) -> Result<Typed> {
    let Some(kind) = map.get("__type") else {
        return Ok(Typed::Plain);
    };
    let Some(kind) = kind.as_str() else {
        return Ok(Typed::Foreign(kind.to_string()));
    };
    let text = |key: &str| map.get(key).and_then(Json::as_str);
    let value = match kind {
        "Date" => match text("iso") {
            Some(iso) => Some(Value::Date(Date::read(iso).ok_or_else(|| invalid(kind))?)),
            None => None,
        },
        "Bytes" => match text("base64") {
            Some(data) => Some(Value::Bytes(bytes_from_base64(data).ok_or_else(|| invalid(kind))?)),
            None => None,
        },
        "Pointer" => {
            let id = match map.get("objectId") {
                Some(Json::String(id)) => Some(id.clone()),
                Some(Json::Number(id)) => Some(id.to_string()),
                _ => None,
            };
            match (text("className"), id) {
                (Some(class), Some(id)) => Some(Value::Pointer(Pointer { class: ClassName::unchecked(class), id })),
                _ => None,
            }
        }
        "Relation" => text("className").map(|class| Value::Relation(ClassName::unchecked(class))),
        "File" => {
            text("name").map(|name| Value::File(File { name: name.to_owned(), url: text("url").map(str::to_owned) }))
        }
        "GeoPoint" => match (map.get("latitude").and_then(Json::as_f64), map.get("longitude").and_then(Json::as_f64)) {
            (Some(latitude), Some(longitude)) => Some(Value::GeoPoint(GeoPoint { latitude, longitude })),
            _ => None,
        },
        "Polygon" => map
            .get("coordinates")
            .and_then(Json::as_array)
            .and_then(|corners| corners.iter().map(corner).collect::<Option<Vec<_>>>().map(Value::Polygon)),
        // A fetched object that is sent back counts as a pointer to it in a pointer field.
        "Object" if text("className").is_some() => return Ok(Typed::Plain),
        _ => None,
    };
    Ok(value.map_or_else(|| Typed::Foreign(kind.to_owned()), Typed::Value))
}

/// The pointer that parse-server makes of one without an id, as clients send it for an object that was never saved.
#[must_use]
pub fn pointer_to_nobody(map: &Map<String, Json>) -> Option<Pointer> {
    let class = map.get("className").and_then(Json::as_str).filter(|class| !class.is_empty())?;
    let id = match map.get("objectId") {
        None => "undefined",
        Some(Json::Null) => "null",
        Some(_) => return None,
    };
    let is_pointer = map.get("__type").and_then(Json::as_str) == Some("Pointer");
    is_pointer.then(|| Pointer { class: ClassName::unchecked(class), id: id.to_owned() })
}

fn corner(json: &Json) -> Option<GeoPoint> {
    if let Some(pair) = json.as_array() {
        return match pair.as_slice() {
            [latitude, longitude] => Some(GeoPoint { latitude: latitude.as_f64()?, longitude: longitude.as_f64()? }),
            _ => None,
        };
    }
    Some(GeoPoint { latitude: json.get("latitude")?.as_f64()?, longitude: json.get("longitude")?.as_f64()? })
}

/// The value as REST JSON.
#[must_use]
pub fn encode(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

/// The object as REST JSON.
#[must_use]
pub fn encode_object(object: &Object) -> Map<String, Json> {
    object.iter().map(|(key, value)| (key.to_string(), encode(value))).collect()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::Number(value) => forms::Number(*value).serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Date(date) => forms::Date(*date).serialize(serializer),
            Self::Bytes(bytes) => forms::Bytes(bytes).serialize(serializer),
            Self::Pointer(pointer) => {
                forms::Pointer { class: pointer.class.as_str(), id: &pointer.id }.serialize(serializer)
            }
            Self::Relation(class) => forms::Relation(class.as_str()).serialize(serializer),
            Self::GeoPoint(point) => forms::GeoPoint(*point).serialize(serializer),
            Self::Polygon(corners) => forms::Polygon(corners).serialize(serializer),
            Self::File(file) => forms::File { name: &file.name, url: file.url.as_deref() }.serialize(serializer),
            Self::Array(list) => serializer.collect_seq(list),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_type_comes_back_as_it_went() {
        let all = json!({
            "s": "text", "i": 42, "f": 1.5, "b": true, "n": null,
            "d": {"__type": "Date", "iso": "2020-02-03T04:05:06.789Z"},
            "by": {"__type": "Bytes", "base64": "aGVsbG8="},
            "p": {"__type": "Pointer", "className": "T", "objectId": "x"},
            "r": {"__type": "Relation", "className": "T"},
            "g": {"__type": "GeoPoint", "latitude": 40.5, "longitude": -30.25},
            "po": {"__type": "Polygon", "coordinates": [[0, 0], [0, 1], [1, 1]]},
            "fi": {"__type": "File", "name": "a.txt"},
            "a": [1, {"k": "v"}], "o": {"x": {"y": [null]}},
        });
        assert_eq!(encode(&decode(all.clone()).unwrap()), all);
    }

    #[test]
    fn types_are_checked_at_the_field_alone() {
        for (bad, kind) in [
            (json!({"__type": "Date"}), "Date"),
            (json!({"__type": "Date", "iso": "not a date"}), "Date"),
            (json!({"__type": "Date", "iso": ""}), "Date"),
            (json!([{"__type": "Date", "iso": " "}]), "Date"),
            (json!({"__type": "Bytes", "base64": ""}), "Bytes"),
            (json!({"__type": "Bytes", "base64": "\n"}), "Bytes"),
            (json!({"x": {"__type": "Bytes", "base64": "a!b"}}), "Bytes"),
            (json!({"__type": "GeoPoint", "latitude": 1}), "GeoPoint"),
            (json!({"__type": "Pointer", "objectId": "x"}), "Pointer"),
            (json!({"__type": "Pointer", "className": "X", "objectId": {}}), "Pointer"),
            (json!({"__type": "Nonsense"}), "Nonsense"),
            (json!({"__type": null}), "null"),
        ] {
            let error = decode(bad).unwrap_err();
            assert_eq!(error.message, format!("This is not a valid {kind}"));
            assert!(error.is(ErrorCode::IncorrectType));
        }
        for (sent, id) in [
            (json!({"__type": "Pointer", "className": "X"}), "undefined"),
            (json!({"__type": "Pointer", "className": "X", "objectId": null}), "null"),
        ] {
            assert_eq!(decode(sent).unwrap(), Value::pointer(&ClassName::unchecked("X"), id));
        }
        for kept in [
            json!([{"__type": "Pointer", "className": "X"}]),
            json!({"x": {"__type": "Person:#Contoso.Model", "Name": "a", "Born": {"__type": "Custom"}}}),
            json!({"x": {"__type": null}, "y": [{"__type": 5}, [{"__type": "Object"}]]}),
        ] {
            assert_eq!(encode(&decode(kept.clone()).unwrap()), kept);
        }
    }

    #[test]
    fn bytes_in_every_form() {
        for text in ["aGVsbG8=", "aGVs\nbG8=", " aGVs\tbG8 ", "aGVs\r\nbG8=\r\n", "aGVsbG8"] {
            assert_eq!(bytes_from_base64(text).as_deref(), Some(&b"hello"[..]), "{text:?}");
        }
        assert_eq!(bytes_from_base64("a-_b"), bytes_from_base64("a+/b"));
        assert_eq!(bytes_from_base64(" \n"), None);
        assert_eq!(bytes_from_base64("="), None);
    }

    #[test]
    fn truth_is_javascripts() {
        for value in [json!(true), json!(1), json!(-0.5), json!("false"), json!([]), json!({})] {
            assert!(is_truthy(&value), "{value}");
        }
        for value in [json!(null), json!(false), json!(0), json!(-0.0), json!("")] {
            assert!(!is_truthy(&value), "{value}");
        }
    }
}
