//! What answers of the app's code may do: the rules that hold for clients hold for them.

use serde_json::{Map, Value as Json, json};

use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};

/// Fields that the server alone writes.
const FIXED: [&str; 4] = ["createdAt", "updatedAt", "className", "__type"];

/// Takes out of data to write what an answer cannot set, and judges the rest.
///
/// # Errors
/// 105 for internal columns and for words that request data must not contain.
pub fn judge(cx: &Context, mut data: Map<String, Json>) -> Result<Map<String, Json>> {
    for field in FIXED {
        data.shift_remove(field);
    }
    if let Some(internal) = data.keys().find(|key| key.starts_with('_')) {
        let shown: String = internal.chars().take(100).collect();
        return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid field name: {shown}.")));
    }
    cx.app.denylist.check_map(&data)?;
    Ok(data)
}

/// Makes pointers of the Parse objects in a value, and tells whether there was one. The SDK writes an object that it holds with all its
/// fields; stored is where it is.
pub fn refer(value: &mut Json) -> bool {
    match value {
        Json::Array(list) => list.iter_mut().map(refer).fold(false, |any, found| any | found),
        Json::Object(map) => {
            let text = |key: &str| map.get(key).and_then(Json::as_str);
            if let (Some("Object"), Some(class), Some(id)) = (text("__type"), text("className"), text("objectId")) {
                *value = json!({ "__type": "Pointer", "className": class, "objectId": id });
                return true;
            }
            map.values_mut().map(refer).fold(false, |any, found| any | found)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}
