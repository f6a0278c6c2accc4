//! Checks of a condition before it is parsed: depth, limits, names.

use serde_json::{Map, Value as Json};

use super::parse::{Access, Context, MAX_DEPTH, is_column};
use crate::error::{ErrorCode, ParseError, Result};

const LOGIC: [&str; 3] = ["$or", "$and", "$nor"];
const SUBQUERIES: [&str; 4] = ["$inQuery", "$notInQuery", "$select", "$dontSelect"];

/// The nesting depth of a JSON value, up to a limit; a plain value has depth 0.
fn depth(json: &Json, bound: usize) -> usize {
    let deepest = |children: &mut dyn Iterator<Item = &Json>| match bound.checked_sub(1) {
        Some(bound) => children.map(|child| 1 + depth(child, bound)).max().unwrap_or(1),
        None => 1,
    };
    match json {
        Json::Array(list) => deepest(&mut list.iter()),
        Json::Object(map) => deepest(&mut map.values()),
        _ => 0,
    }
}

/// Checks the nesting of a condition, including sub-queries.
///
/// # Errors
/// 102 if it is nested deeper than the general limit or the limit for the caller.
pub fn check_limits(map: &Map<String, Json>, context: &Context<'_>) -> Result<()> {
    if map.values().any(|value| depth(value, MAX_DEPTH) >= MAX_DEPTH) {
        return Err(query_error("Query is nested too deep"));
    }
    if context.access.master {
        return Ok(());
    }
    let measured = Measure { context, conditions: 0, subqueries: 0 };
    measured.object(map)
}

/// Walks a condition with the depths reached.
#[derive(Clone, Copy)]
struct Measure<'a, 'c> {
    context: &'a Context<'c>,
    conditions: usize,
    subqueries: usize,
}

impl Measure<'_, '_> {
    fn object(self, map: &Map<String, Json>) -> Result<()> {
        let limits = self.context.limits;
        for (key, value) in map {
            if LOGIC.contains(&key.as_str()) {
                let list = value
                    .as_array()
                    .ok_or_else(|| ParseError::sanitized(ErrorCode::InvalidQuery, format!("{key} must be an array")))?;
                let inner = Self { conditions: self.conditions + 1, ..self };
                if let Some(most) = limits.condition_depth.filter(|most| inner.conditions > *most) {
                    return Err(query_error(format!(
                        "Query condition nesting depth exceeds maximum allowed depth of {most}"
                    )));
                }
                list.iter().filter_map(Json::as_object).try_for_each(|branch| inner.object(branch))?;
            } else if let Some(operators) = value.as_object() {
                self.operators(operators)?;
            }
        }
        Ok(())
    }

    fn operators(self, operators: &Map<String, Json>) -> Result<()> {
        for name in SUBQUERIES {
            let Some(value) = operators.get(name) else {
                continue;
            };
            let condition = value.get("where").or_else(|| value.get("query").and_then(|query| query.get("where")));
            let inner = Self { subqueries: self.subqueries + 1, ..self };
            if let Some(most) = self.context.limits.subquery_depth.filter(|most| inner.subqueries > *most) {
                return Err(query_error(format!("Subquery nesting depth exceeds maximum allowed depth of {most}")));
            }
            if let Some(map) = condition.and_then(Json::as_object) {
                inner.object(map)?;
            }
        }
        Ok(())
    }
}

fn query_error(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message)
}

/// Checks the keys of a condition and its patterns, without its sub-queries.
///
/// # Errors
/// 105 for a key that the caller may not use, 102 for malformed logical operators and patterns.
pub fn check_names(map: &Map<String, Json>, context: &Context<'_>) -> Result<()> {
    if map.contains_key("ACL") {
        return Err(query_error("Cannot query on ACL."));
    }
    for key in LOGIC {
        let Some(value) = map.get(key) else { continue };
        let Some(list) = value.as_array() else {
            return Err(ParseError::sanitized(
                ErrorCode::InvalidQuery,
                format!("Bad {key} format - use an array value."),
            ));
        };
        list.iter().filter_map(Json::as_object).try_for_each(|branch| check_names(branch, context))?;
        if list.is_empty() {
            return Err(query_error(format!("Bad {key} format - use an array of at least 1 value.")));
        }
    }
    for (key, value) in map {
        check_pattern(value, context)?;
        let relation = key == "$relatedTo" && !value.is_null();
        if !LOGIC.contains(&key.as_str()) && !relation && !is_column(key, context.access) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid key name: {key}")));
        }
    }
    Ok(())
}

fn check_pattern(value: &Json, context: &Context<'_>) -> Result<()> {
    let Some(pattern) = value.get("$regex") else {
        return Ok(());
    };
    let Access { master } = context.access;
    if !master && !context.limits.regex {
        return Err(query_error("$regex operator is not allowed"));
    }
    if !pattern.is_string() {
        return Err(query_error("$regex value must be a string"));
    }
    let Some(options) = value.get("$options") else {
        return Ok(());
    };
    let Some(options) = options.as_str() else {
        return Err(query_error("$options value must be a string"));
    };
    if options.is_empty() || !options.bytes().all(|option| b"imxsu".contains(&option)) {
        let shown: String = options.chars().take(200).collect();
        return Err(query_error(format!("Bad $options value for query: {shown}")));
    }
    Ok(())
}
