//! Restricts aggregations. Their stages are MongoDB's language and do not pass through the query tree. So the columns
//! with which a reader could act as a user (hashes, tokens, identities) are excluded here, even if a stage renames
//! them.

use serde_json::Value as Json;

use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::columns;

/// Stages that the read-only master key may use: those that read rows of the class only.
const READ_ONLY_STAGES: [&str; 18] = [
    "$match",
    "$project",
    "$addFields",
    "$set",
    "$unset",
    "$group",
    "$sort",
    "$limit",
    "$skip",
    "$count",
    "$unwind",
    "$sample",
    "$sortByCount",
    "$bucket",
    "$bucketAuto",
    "$facet",
    "$geoNear",
    "$replaceRoot",
];

/// Operators that run code in the database, or turn field names into values.
const READ_ONLY_REFUSED: [&str; 5] = ["$function", "$accumulator", "$where", "$objectToArray", "$getField"];

/// Refuses a pipeline that uses a secret column in an expression. With the read-only master key also refuses secrets in conditions, and stages
/// and operators that read more than the rows of the class.
///
/// # Errors
/// 119 for a column, stage or operator that the caller may not use.
pub fn check(cx: &Context, stages: &[Json]) -> Result<()> {
    let read_only = cx.auth.is_read_only();
    for stage in stages {
        for (name, argument) in stage.as_object().into_iter().flatten() {
            if read_only && !READ_ONLY_STAGES.contains(&name.as_str()) {
                return Err(refused(name));
            }
            if name == "$facet" {
                for stages in argument.as_object().into_iter().flat_map(serde_json::Map::values) {
                    check(cx, stages.as_array().map(Vec::as_slice).unwrap_or_default())?;
                }
            }
            expression(argument, read_only)?;
        }
    }
    Ok(())
}

fn expression(value: &Json, read_only: bool) -> Result<()> {
    match value {
        Json::String(text) => {
            let path = text.trim_start_matches('$');
            let is_secret = |name| columns::is_secret(name) || (read_only && name == "sessionToken");
            let names_secret = path.split('.').any(is_secret);
            if names_secret && (path.len() < text.len() || columns::is_secret(text)) {
                Err(refused(text))
            } else {
                Ok(())
            }
        }
        Json::Array(list) => list.iter().try_for_each(|value| expression(value, read_only)),
        Json::Object(map) => map.iter().try_for_each(|(name, value)| {
            if read_only && (READ_ONLY_REFUSED.contains(&name.as_str()) || columns::leads_to_secret(name)) {
                return Err(refused(name));
            }
            expression(value, read_only)
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

fn refused(name: &str) -> ParseError {
    ParseError::new(ErrorCode::OperationForbidden, format!("An aggregation must not use {name} with this key."))
}

/// Removes the secret columns from results at any depth, including rows inside others and pairs of names and values.
pub fn redact(cx: &Context, results: &mut [Json]) {
    let read_only = cx.auth.is_read_only();
    for result in results {
        strip(result, read_only);
    }
}

fn strip(value: &mut Json, read_only: bool) {
    let is_secret = |name: &str| columns::is_secret(name) || (read_only && name == "sessionToken");
    match value {
        Json::Array(list) => list.iter_mut().for_each(|value| strip(value, read_only)),
        Json::Object(map) => {
            map.retain(|name, _| !is_secret(name));
            if map.get("k").and_then(Json::as_str).is_some_and(is_secret) {
                map.remove("v");
            }
            map.values_mut().for_each(|value| strip(value, read_only));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_name_does_not_help() {
        for hidden in [
            json!({"x": "$_hashed_password"}),
            json!({"x": {"$concat": ["a", "$_auth_data_mfa.secret"]}}),
            json!({"x": {"$getField": "_perishable_token"}}),
            json!({"x": "$$ROOT._session_token"}),
            json!({"x": ["$user._email_verify_token"]}),
        ] {
            assert!(expression(&hidden, false).is_err(), "{hidden}");
        }
        for fine in [json!({"x": "$username"}), json!({"_hashed_password": 1}), json!("password"), json!({"$gt": 3})] {
            assert!(expression(&fine, false).is_ok(), "{fine}");
        }
        for hidden in [
            json!({"$function": {}}),
            json!({"sessionToken": 1}),
            json!({"_id": "$sessionToken"}),
            json!({"_perishable_token": {"$regex": "^a"}}),
            json!({"$or": [{"_auth_data_mfa.secret": {"$gt": "m"}}]}),
        ] {
            assert!(expression(&hidden, true).is_err(), "{hidden}");
        }
    }

    #[test]
    fn rows_inside_of_rows_are_stripped() {
        let mut value = json!({"a": [{"_hashed_password": "x", "n": 1}], "pairs": [{"k": "_session_token", "v": "r:1"}, {"k": "n", "v": 2}]});
        strip(&mut value, false);
        assert_eq!(value, json!({"a": [{"n": 1}], "pairs": [{"k": "_session_token"}, {"k": "n", "v": 2}]}));
    }
}
