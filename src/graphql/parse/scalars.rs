//! Validates values of Parse's scalars and converts them to REST JSON.

use async_graphql::Value as ConstValue;
use serde_json::{Value as Json, json};

use crate::graphql::engine::{plain, shown};
use crate::model::Date;

/// A value of a scalar as REST JSON.
///
/// # Errors
/// Why the scalar does not accept the value.
pub fn to_json(scalar: &str, value: &ConstValue) -> Result<Json, String> {
    match (scalar, value) {
        ("Date", ConstValue::String(text)) => date(text).ok_or_else(|| misfit(scalar, value)),
        ("Date", ConstValue::Object(_)) => typed(scalar, value, "iso", date),
        ("Bytes", ConstValue::String(text)) => Ok(json!({"__type": "Bytes", "base64": text})),
        ("Bytes", ConstValue::Object(_)) => {
            typed(scalar, value, "base64", |text| Some(json!({"__type": "Bytes", "base64": text})))
        }
        ("File", ConstValue::String(text)) => Ok(json!({"__type": "File", "name": text})),
        ("File", ConstValue::Object(_)) => {
            let file = typed(scalar, value, "name", |text| Some(json!({"__type": "File", "name": text})))?;
            Ok(match (file, field(value, "url")) {
                (Json::Object(mut file), Some(ConstValue::String(url))) => {
                    file.insert("url".to_owned(), Json::from(url.as_str()));
                    Json::Object(file)
                }
                (file, _) => file,
            })
        }
        ("Object", ConstValue::Object(_)) | ("Any", _) => plain(value).ok_or_else(|| misfit(scalar, value)),
        (pointer, ConstValue::String(id)) if target_of(pointer).is_some() => Ok(pointer_to(pointer, id)),
        (pointer, ConstValue::Object(_)) if target_of(pointer).is_some() => {
            match (field(value, "__type"), field(value, "className"), field(value, "objectId")) {
                (Some(ConstValue::String(kind)), Some(ConstValue::String(class)), Some(ConstValue::String(id)))
                    if kind == "Pointer" && Some(class.as_str()) == target_of(pointer) =>
                {
                    Ok(pointer_to(pointer, id))
                }
                _ => Err(misfit(scalar, value)),
            }
        }
        _ => Err(misfit(scalar, value)),
    }
}

/// The target class of a pointer scalar of the legacy dialect.
fn target_of(scalar: &str) -> Option<&str> {
    scalar.strip_suffix("Pointer").filter(|class| !class.is_empty())
}

fn pointer_to(scalar: &str, id: &str) -> Json {
    json!({"__type": "Pointer", "className": target_of(scalar), "objectId": id})
}

fn misfit(scalar: &str, value: &ConstValue) -> String {
    if target_of(scalar).is_some() {
        format!("{} is not a valid pointer", shown(value))
    } else {
        format!("{} is not a valid {scalar}", shown(value))
    }
}

fn date(text: &str) -> Option<Json> {
    let date = Date::read(text)?;
    Some(json!({"__type": "Date", "iso": date.to_iso()}))
}

fn field<'a>(value: &'a ConstValue, name: &str) -> Option<&'a ConstValue> {
    if let ConstValue::Object(map) = value { map.get(name) } else { None }
}

/// A typed object (`{__type, …}`) with one string, under `key`.
fn typed(scalar: &str, value: &ConstValue, key: &str, make: impl Fn(&str) -> Option<Json>) -> Result<Json, String> {
    let kind = matches!(field(value, "__type"), Some(ConstValue::String(kind)) if kind == scalar);
    match field(value, key) {
        Some(ConstValue::String(text)) if kind => make(text).ok_or_else(|| misfit(scalar, value)),
        _ => Err(misfit(scalar, value)),
    }
}
