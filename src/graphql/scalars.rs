//! Which values the scalars take, and what they become in REST JSON.

use async_graphql::Value as ConstValue;
use serde_json::{Map, Value as Json, json};

use crate::model::Date;

/// Whether a scalar takes the value, as literal or variable.
#[must_use]
pub fn is_valid(scalar: &str, value: &ConstValue) -> bool {
    matches!(value, ConstValue::Null) || to_json(scalar, value).is_ok()
}

/// A value of a scalar as REST JSON; the names of GraphQL's own scalars included.
///
/// # Errors
/// Why the scalar does not take the value.
pub fn to_json(scalar: &str, value: &ConstValue) -> Result<Json, String> {
    match (scalar, value) {
        ("String" | "ID", ConstValue::String(text)) => Ok(Json::from(text.as_str())),
        ("ID", ConstValue::Number(number)) if number.is_i64() || number.is_u64() => Ok(Json::from(number.to_string())),
        ("Boolean", ConstValue::Boolean(truth)) => Ok(Json::from(*truth)),
        ("Int", ConstValue::Number(number)) => integer(number).ok_or_else(|| misfit(scalar, value)),
        ("Float", ConstValue::Number(number)) => Ok(Json::Number(number.clone())),
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
        // The form parser alone makes binary values: the index of a part of the form.
        ("Upload", ConstValue::Binary(index)) => {
            Ok(Json::from(std::str::from_utf8(index).unwrap_or_default().parse::<u64>().unwrap_or_default()))
        }
        _ => Err(misfit(scalar, value)),
    }
}

/// A value of no declared type as JSON; `None` when an upload stands somewhere in it.
#[must_use]
pub fn plain(value: &ConstValue) -> Option<Json> {
    Some(match value {
        ConstValue::Null => Json::Null,
        ConstValue::Boolean(truth) => Json::from(*truth),
        ConstValue::Number(number) => Json::Number(number.clone()),
        ConstValue::String(text) => Json::from(text.as_str()),
        ConstValue::Enum(name) => Json::from(name.as_str()),
        ConstValue::Binary(_) => return None,
        ConstValue::List(list) => Json::Array(list.iter().map(plain).collect::<Option<_>>()?),
        ConstValue::Object(map) => {
            let given = map.iter().filter(|(_, value)| !super::coerce::is_undefined(value));
            Json::Object(
                given.map(|(key, value)| Some((key.to_string(), plain(value)?))).collect::<Option<Map<_, _>>>()?,
            )
        }
    })
}

/// The class that a pointer scalar of the early dialect points to.
fn target_of(scalar: &str) -> Option<&str> {
    scalar.strip_suffix("Pointer").filter(|class| !class.is_empty())
}

fn pointer_to(scalar: &str, id: &str) -> Json {
    json!({"__type": "Pointer", "className": target_of(scalar), "objectId": id})
}

fn misfit(scalar: &str, value: &ConstValue) -> String {
    let shown = match value {
        ConstValue::Binary(_) => "an upload".to_owned(),
        value => super::error::shorten(&value.to_string()),
    };
    match scalar {
        "Int" => format!("Int cannot represent non-integer value: {shown}"),
        "Float" => format!("Float cannot represent non numeric value: {shown}"),
        "Boolean" => format!("Boolean cannot represent a non boolean value: {shown}"),
        "String" => format!("String cannot represent a non string value: {shown}"),
        "ID" => format!("ID cannot represent value: {shown}"),
        pointer if target_of(pointer).is_some() => format!("{shown} is not a valid pointer"),
        "Upload" => "Upload value invalid.".to_owned(),
        _ => format!("{shown} is not a valid {scalar}"),
    }
}

fn integer(number: &serde_json::Number) -> Option<Json> {
    let value = match number.as_i64() {
        Some(value) => value,
        #[expect(clippy::cast_possible_truncation, reason = "checked to be an integer within the range")]
        None => number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() <= f64::from(i32::MAX))? as i64,
    };
    i32::try_from(value).ok().map(Json::from)
}

fn date(text: &str) -> Option<Json> {
    let date = Date::read(text)?;
    Some(json!({"__type": "Date", "iso": date.to_iso()}))
}

fn field<'a>(value: &'a ConstValue, name: &str) -> Option<&'a ConstValue> {
    if let ConstValue::Object(map) = value { map.get(name) } else { None }
}

/// A typed object (`{__type, …}`) whose one text is under `key`.
fn typed(scalar: &str, value: &ConstValue, key: &str, make: impl Fn(&str) -> Option<Json>) -> Result<Json, String> {
    let kind = matches!(field(value, "__type"), Some(ConstValue::String(kind)) if kind == scalar);
    match field(value, key) {
        Some(ConstValue::String(text)) if kind => make(text).ok_or_else(|| misfit(scalar, value)),
        _ => Err(misfit(scalar, value)),
    }
}
