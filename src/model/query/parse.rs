//! Parses `where` into the filter tree.
//!
//! All errors of a condition are reported here, with Parse's messages.

use serde_json::{Map, Value as Json};

use super::filter::{Constraint, Filter, SubQuery, Unresolved};
use super::{atoms, operators, shape};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::columns;
use crate::model::date::Date;
use crate::model::json::is_truthy;
use crate::model::names::ClassName;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::Value;

/// Maximum nesting of a condition as JSON.
pub const MAX_DEPTH: usize = 100;

/// The caller's permissions for conditions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Access {
    /// Whether the caller has the master or maintenance key: internal columns may be used, and no limit applies.
    pub master: bool,
}

/// Limits of `requestComplexity`; `None` means no limit. They do not apply to the master key.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum nesting of `$or`, `$and` and `$nor`.
    pub condition_depth: Option<usize>,
    /// Maximum nesting of sub-queries.
    pub subquery_depth: Option<usize>,
    /// Whether `$regex` is allowed.
    pub regex: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { condition_depth: None, subquery_depth: None, regex: true }
    }
}

/// The context for parsing a condition.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The caller.
    pub access: Access,
    /// Limits that apply.
    pub limits: Limits,
    /// The queried class; `None` if it does not exist.
    pub schema: Option<&'a ClassSchema>,
    /// Finds the classes of sub-queries.
    pub classes: &'a dyn Fn(&ClassName) -> Option<&'a ClassSchema>,
    /// The time to which relative times refer.
    pub now: Date,
}

#[cfg(test)]
impl<'a> Context<'a> {
    /// A context without limits.
    #[must_use]
    pub fn unlimited(schema: Option<&'a ClassSchema>, now: Date) -> Self {
        Self { access: Access { master: true }, limits: Limits::default(), schema, classes: &|_| None, now }
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Context")
            .field("access", &self.access)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Reads a condition.
///
/// # Errors
/// 102, 105 or 107 with the texts of Parse; see `docs` of the query language.
pub fn parse(condition: &Json, context: &Context<'_>) -> Result<Filter> {
    let map = condition
        .as_object()
        .ok_or_else(|| ParseError::new(ErrorCode::InvalidJson, "where parameter is not valid JSON"))?;
    shape::check_limits(map, context)?;
    shape::check_names(map, context)?;
    filter(map, context)
}

/// Whether a key of a condition names a field or one of the internal columns the caller may see.
pub(super) fn is_column(key: &str, access: Access) -> bool {
    if columns::PERMISSIONS.contains(&key) || (access.master && columns::INTERNAL.contains(&key)) {
        return true;
    }
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// Reads one object of a condition. Its depth was checked.
fn filter(map: &Map<String, Json>, context: &Context<'_>) -> Result<Filter> {
    let mut parts = Vec::with_capacity(map.len());
    for (key, value) in map {
        match key.as_str() {
            "$or" => parts.push(Filter::Or(branches(key, value, context)?)),
            "$and" => parts.push(Filter::And(branches(key, value, context)?)),
            "$nor" => parts.push(Filter::Nor(branches(key, value, context)?)),
            "$relatedTo" => parts.push(related_to(value)?),
            _ => field(key, value, context, &mut parts)?,
        }
    }
    Ok(match parts.len() {
        0 => Filter::All,
        1 => parts.remove(0),
        _ => Filter::And(parts),
    })
}

fn branches(key: &str, value: &Json, context: &Context<'_>) -> Result<Vec<Filter>> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return Err(ParseError::new(
            ErrorCode::InvalidQuery,
            format!("Bad {key} format - use an array of at least 1 value."),
        ));
    }
    list.iter()
        .map(|branch| {
            let map = branch.as_object().ok_or_else(|| {
                ParseError::new(ErrorCode::InvalidQuery, format!("Bad {key} format - use an array of conditions."))
            })?;
            filter(map, context)
        })
        .collect()
}

fn related_to(value: &Json) -> Result<Filter> {
    let improper = || ParseError::new(ErrorCode::InvalidQuery, "improper usage of $relatedTo");
    let object = value.get("object").ok_or_else(improper)?;
    let key = value.get("key").and_then(Json::as_str).ok_or_else(improper)?;
    let Some(object) = atoms::pointer(object) else {
        // An object that was never saved has no members.
        let unsaved = class_of(object).is_some() && object.get("objectId").is_none_or(Json::is_null);
        return if unsaved { Ok(Filter::Never) } else { Err(improper()) };
    };
    Ok(Filter::Unresolved(Unresolved::RelatedTo { object, key: key.to_owned() }))
}

/// Reads the condition on one field: a value, operators, or both.
fn field(path: &str, value: &Json, context: &Context<'_>, parts: &mut Vec<Filter>) -> Result<()> {
    let place = FieldContext::new(path, context);
    let Some(map) = value.as_object() else {
        parts.push(Filter::field(path, Constraint::Eq(plain_value(path, value, &place)?)));
        return Ok(());
    };
    let is_operator = |key: &String| key.starts_with('$');
    if !map.keys().any(is_operator) {
        parts.push(Filter::field(path, Constraint::Eq(plain_value(path, value, &place)?)));
        return Ok(());
    }
    // What is mixed with operators is a value of its own.
    let rest: Map<String, Json> =
        map.iter().filter(|(key, _)| !is_operator(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    subqueries(path, map, context, parts)?;
    let rest = (!rest.is_empty()).then(|| Json::Object(rest));
    let constraints = operators::parse(map, rest.as_ref(), &place, context)?;
    parts.extend(constraints.into_iter().map(|constraint| Filter::field(path, constraint)));
    Ok(())
}

/// What is known about the field a condition is on.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldContext<'a> {
    /// Its type, when it exists.
    pub kind: Option<&'a FieldType>,
    /// Whether values are compared as they are inside objects and arrays: any value goes.
    pub inside: bool,
}

impl<'a> FieldContext<'a> {
    fn new(path: &str, context: &Context<'a>) -> Self {
        let kind = context.schema.and_then(|schema| schema.kind(path));
        Self { kind, inside: path.contains('.') || matches!(kind, Some(FieldType::Array)) }
    }
}

/// The value of `{field: value}`.
fn plain_value(path: &str, value: &Json, place: &FieldContext<'_>) -> Result<Value> {
    if columns::DATES.contains(&path)
        && let Some(date) = value.as_str().and_then(Date::read)
    {
        return Ok(Value::Date(date));
    }
    let empty = value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
    if empty && !path.contains('.') {
        return Ok(Value::Object(crate::model::object::Object::new()));
    }
    let refused = || {
        Err(ParseError::new(
            ErrorCode::InvalidJson,
            format!("You cannot use {} as a query parameter.", atoms::javascript_text(value)),
        ))
    };
    if place.inside {
        // In an array a list is no element to look for.
        return if value.is_array() && !path.contains('.') { refused() } else { Ok(atoms::inner(value)) };
    }
    atoms::top(value).map_or_else(refused, Ok)
}

/// `$inQuery`, `$notInQuery`, `$select`, `$dontSelect`.
fn subqueries(path: &str, map: &Map<String, Json>, context: &Context<'_>, parts: &mut Vec<Filter>) -> Result<()> {
    for (operator, negated) in [("$inQuery", false), ("$notInQuery", true)] {
        if let Some(value) = given(map, operator) {
            let query = value
                .get("where")
                .filter(|condition| condition.is_object())
                .and_then(|condition| Some((class_of(value)?, condition)))
                .ok_or_else(|| improper(operator))?;
            let query = Box::new(subquery(query.0, value, Some(query.1), context)?);
            parts.push(Filter::Unresolved(Unresolved::InQuery { path: path.to_owned(), negated, query }));
        }
    }
    for (operator, negated) in [("$select", false), ("$dontSelect", true)] {
        if let Some(value) = given(map, operator) {
            let keys = value.as_object().map_or(0, Map::len);
            let query = value.get("query");
            let condition = query.and_then(|query| query.get("where"));
            let (Some(query), Some(class), Some(key), 2, true) = (
                query,
                query.and_then(class_of),
                value.get("key").and_then(Json::as_str).filter(|key| !key.is_empty()),
                keys,
                condition.is_none_or(Json::is_object),
            ) else {
                return Err(improper(operator));
            };
            let query = Box::new(subquery(class, query, condition, context)?);
            parts.push(Filter::Unresolved(Unresolved::Select {
                path: path.to_owned(),
                negated,
                query,
                key: key.to_owned(),
            }));
        }
    }
    Ok(())
}

/// The operand of an operator that counts as absent when it is nothing.
fn given<'a>(map: &'a Map<String, Json>, operator: &str) -> Option<&'a Json> {
    map.get(operator).filter(|value| is_truthy(value))
}

fn improper(operator: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, format!("improper usage of {operator}"))
}

fn class_of(query: &Json) -> Option<ClassName> {
    query.get("className").and_then(Json::as_str).filter(|name| !name.is_empty()).map(ClassName::unchecked)
}

/// A query inside a query. Its order and limits play no part, as in Parse.
fn subquery(class: ClassName, query: &Json, condition: Option<&Json>, context: &Context<'_>) -> Result<SubQuery> {
    let redirect_key = query.get("redirectClassNameForKey").and_then(Json::as_str).map(str::to_owned);
    let inner = Context { schema: (context.classes)(&class), ..*context };
    let filter = match condition.and_then(Json::as_object) {
        Some(map) => {
            shape::check_names(map, &inner)?;
            filter(map, &inner)?
        }
        None => Filter::All,
    };
    Ok(SubQuery { class, redirect_key, filter, limit: None, skip: 0, order: Vec::new() })
}

#[cfg(test)]
mod tests;
