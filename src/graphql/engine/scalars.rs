//! Values of GraphQL's own scalars and of `Upload`. The dialect reads those of other scalars.

use async_graphql::Value as ConstValue;
use serde_json::{Map, Value as Json};

use super::coerce::is_undefined;
use super::error::shorten;

/// Reads a value of a scalar that GraphQL does not define, as literal or variable.
///
/// Why the scalar does not accept the value.
pub type ScalarReader = fn(&str, &ConstValue) -> Result<Json, String>;

/// Whether a scalar accepts the value.
#[must_use]
pub fn is_valid(others: ScalarReader, scalar: &str, value: &ConstValue) -> bool {
    matches!(value, ConstValue::Null) || read(others, scalar, value).is_ok()
}

/// A value of a scalar as JSON.
///
/// # Errors
/// Why the scalar does not take the value.
pub fn read(others: ScalarReader, scalar: &str, value: &ConstValue) -> Result<Json, String> {
    let refused = |what: &str| Err(format!("{scalar} cannot represent {what}: {}", shown(value)));
    match (scalar, value) {
        ("String" | "ID", ConstValue::String(text)) => Ok(Json::from(text.as_str())),
        ("ID", ConstValue::Number(number)) if number.is_i64() || number.is_u64() => Ok(Json::from(number.to_string())),
        ("Boolean", ConstValue::Boolean(truth)) => Ok(Json::from(*truth)),
        ("Int", ConstValue::Number(number)) => integer(number).map_or_else(|| refused("non-integer value"), Ok),
        ("Float", ConstValue::Number(number)) => Ok(Json::Number(number.clone())),
        // Only the form parser creates binary values: the index of a part of the form.
        ("Upload", ConstValue::Binary(index)) => {
            Ok(Json::from(std::str::from_utf8(index).unwrap_or_default().parse::<u64>().unwrap_or_default()))
        }
        ("Int", _) => refused("non-integer value"),
        ("Float", _) => refused("non numeric value"),
        ("Boolean", _) => refused("a non boolean value"),
        ("String", _) => refused("a non string value"),
        ("ID", _) => refused("value"),
        ("Upload", _) => Err("Upload value invalid.".to_owned()),
        _ => others(scalar, value),
    }
}

/// A value of no declared type as JSON; `None` if it contains an upload.
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
            let given = map.iter().filter(|(_, value)| !is_undefined(value));
            Json::Object(
                given.map(|(key, value)| Some((key.to_string(), plain(value)?))).collect::<Option<Map<_, _>>>()?,
            )
        }
    })
}

/// A value as error messages show it.
#[must_use]
pub fn shown(value: &ConstValue) -> String {
    match value {
        ConstValue::Binary(_) => "an upload".to_owned(),
        value => shorten(&value.to_string()),
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
