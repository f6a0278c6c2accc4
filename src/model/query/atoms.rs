//! Values inside conditions.

use serde_json::{Map, Value as Json};

use crate::model::json;
use crate::model::value::{GeoPoint, Pointer, Value};

/// A value as it rests inside objects and arrays: anything goes, typed objects become typed values.
#[must_use]
pub fn inner(value: &Json) -> Value {
    json::decode_stored(value.clone())
}

/// A value as it rests directly in a field; `None` when nothing of its kind does: an array or a plain object.
#[must_use]
pub fn top(value: &Json) -> Option<Value> {
    match value {
        Json::Array(_) => None,
        Json::Object(map) => {
            let kind = map.get("__type").and_then(Json::as_str)?;
            if let Some(nobody) = json::pointer_to_nobody(map) {
                return Some(Value::Pointer(nobody));
            }
            // What else is incomplete stays an object, which no field of these types equals.
            matches!(kind, "Pointer" | "Date" | "Bytes" | "GeoPoint" | "Polygon" | "File").then(|| inner(value))
        }
        _ => Some(inner(value)),
    }
}

/// A complete pointer.
#[must_use]
pub fn pointer(value: &Json) -> Option<Pointer> {
    match top(value)? {
        Value::Pointer(pointer) => Some(pointer),
        _ => None,
    }
}

/// A complete point with its `__type`.
#[must_use]
pub fn geo_point(value: &Json) -> Option<GeoPoint> {
    match top(value)? {
        Value::GeoPoint(point) => Some(point),
        _ => None,
    }
}

/// A point by its coordinates, whether it has a `__type` or not.
#[must_use]
pub fn coordinates(value: &Json) -> Option<GeoPoint> {
    Some(GeoPoint { latitude: value.get("latitude")?.as_f64()?, longitude: value.get("longitude")?.as_f64()? })
}

/// A pair of longitude and latitude.
#[must_use]
pub fn pair(value: &Json) -> Option<GeoPoint> {
    match value.as_array()?.as_slice() {
        [longitude, latitude] => Some(GeoPoint { latitude: latitude.as_f64()?, longitude: longitude.as_f64()? }),
        _ => None,
    }
}

/// Longest text of a value in an error, in characters.
const MAX_SHOWN: usize = 1000;

/// The text JavaScript makes of a value.
#[must_use]
pub fn javascript_text(value: &Json) -> String {
    let mut text = String::new();
    write_javascript(value, &mut text);
    shorten(text)
}

fn write_javascript(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Json::Number(number) => out.push_str(&json::number(number.as_f64().unwrap_or(f64::NAN)).to_string()),
        Json::String(text) => out.push_str(text),
        Json::Object(_) => out.push_str("[object Object]"),
        Json::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                if out.len() > 4 * MAX_SHOWN {
                    return;
                }
                if at > 0 {
                    out.push(',');
                }
                if !item.is_null() {
                    write_javascript(item, out);
                }
            }
        }
    }
}

/// The value as JSON text, numbers as JavaScript writes them.
#[must_use]
pub fn json_text(value: &Json) -> String {
    fn plain(value: &Json) -> Json {
        match value {
            Json::Number(number) => json::number(number.as_f64().unwrap_or(f64::NAN)),
            Json::Array(list) => Json::Array(list.iter().map(plain).collect()),
            Json::Object(map) => {
                Json::Object(map.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>())
            }
            _ => value.clone(),
        }
    }
    shorten(plain(value).to_string())
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
