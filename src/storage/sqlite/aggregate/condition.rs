//! `$match`: MongoDB's conditions, of which most are those of queries.

use serde_json::{Map, Value as Json};

use super::expression::{self, Expression};
use super::refused;
use super::rows::rest_path;
use super::translate::Translator;
use crate::model::object::Object;
use crate::model::query::Resolved;
use crate::model::query::filter::{Constraint, Filter, Regex};
use crate::model::query::matches::Matcher;
use crate::model::query::path::{Found, Path};
use crate::model::schema::FieldType;
use crate::model::value::Value;
use crate::storage::{Result, StorageError};

/// A condition that documents must meet.
#[derive(Debug)]
pub enum Condition {
    /// A condition that queries have, too.
    Matcher(Matcher),
    /// The expression must be true.
    Expression(Expression),
    /// All conditions must be met.
    All(Vec<Condition>),
    /// At least one condition must be met.
    Any(Vec<Condition>),
    /// No condition may be met.
    None(Vec<Condition>),
    /// An array has so many elements.
    Size(Path, usize),
    /// An element of an array meets a condition: on its fields, or as the field `v` of a document of its own.
    Element(Path, Box<Condition>, bool),
}

impl Condition {
    /// Whether a document meets it.
    ///
    /// # Errors
    /// `Refused` when an expression does not fit the values, or a pattern takes too much work.
    pub fn holds(&self, document: &Object) -> Result<bool> {
        match self {
            Self::Matcher(matcher) => {
                matcher.matches(document).map_err(|error| StorageError::Refused(error.message.into_owned()))
            }
            Self::Expression(expression) => {
                Ok(expression.evaluate(document)?.is_some_and(|value| expression::is_true(&value)))
            }
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(document)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(document)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::None(parts) => {
                for part in parts {
                    if part.holds(document)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Size(path, size) => {
                Ok(path.any(document, false, &mut |found| arrays(found).is_some_and(|list| list.len() == *size)))
            }
            Self::Element(path, condition, named) => {
                let mut failure = None;
                let found = path.any(document, false, &mut |found| {
                    arrays(found).is_some_and(|list| {
                        list.iter().any(|item| {
                            let inner = match item {
                                Value::Object(object) if *named => object.clone(),
                                _ if *named => return false,
                                other => std::iter::once(("v".to_owned(), other.clone())).collect(),
                            };
                            condition.holds(&inner).unwrap_or_else(|error| {
                                failure = Some(error);
                                true
                            })
                        })
                    })
                });
                failure.map_or(Ok(found), Err)
            }
        }
    }
}

fn arrays(found: Found<'_>) -> Option<&[Value]> {
    match found {
        Found::Top(Value::Array(list)) | Found::Inner(Value::Array(list)) => Some(list),
        _ => None,
    }
}

/// The condition as a filter on rows, if it can be written as one; then the query itself can apply it.
///
/// # Errors
/// `Refused` for what is malformed.
pub fn filter(translator: &Translator<'_>, query: &Map<String, Json>) -> Result<Option<Resolved>> {
    let mut parts = Vec::new();
    for (key, condition) in query {
        match (key.as_str(), condition) {
            ("$and" | "$or" | "$nor", Json::Array(list)) => {
                let mut inner = Vec::new();
                for part in list {
                    let Json::Object(part) = part else { return Ok(None) };
                    match filter(translator, part)? {
                        Some(part) => inner.push(part),
                        None => return Ok(None),
                    }
                }
                parts.push(match (key.as_str(), inner.is_empty()) {
                    (_, true) => return Ok(None),
                    ("$and", _) => Filter::And(inner),
                    ("$or", _) => Filter::Or(inner),
                    _ => Filter::Nor(inner),
                });
            }
            (operator, _) if operator.starts_with('$') => return Ok(None),
            (field, condition) => {
                let path = rest_path(&translator.key(field));
                match field_filter(translator, &path, translator.kind(field).as_ref(), condition)? {
                    Some(part) => parts.push(part),
                    None => return Ok(None),
                }
            }
        }
    }
    Ok(Some(Filter::And(parts)))
}

/// Whether an object holds operators.
fn operators(condition: &Json) -> Option<&Map<String, Json>> {
    match condition {
        Json::Object(map)
            if map.keys().next().is_some_and(|key| key.starts_with('$')) && Translator::date(map).is_none() =>
        {
            Some(map)
        }
        _ => None,
    }
}

/// The condition on one field as a filter; `None` if queries lack one of its operators.
fn field_filter(
    translator: &Translator<'_>,
    path: &str,
    kind: Option<&FieldType>,
    condition: &Json,
) -> Result<Option<Resolved>> {
    let Some(operators) = operators(condition) else {
        return Ok(Some(Filter::field(path, Constraint::Eq(translator.operand(condition, kind)))));
    };
    let one = |json: &Json| translator.operand(json, kind);
    let many = |name: &str, json: &Json| match json {
        Json::Array(list) => Ok(list.iter().map(|item| translator.operand(item, kind)).collect()),
        _ => refused(format!("{name} needs an array")),
    };
    let mut parts = Vec::new();
    for (operator, operand) in operators {
        let constraint = match operator.as_str() {
            "$eq" => Constraint::Eq(one(operand)),
            "$ne" => Constraint::Ne(one(operand)),
            "$gt" => Constraint::Gt(one(operand)),
            "$gte" => Constraint::Gte(one(operand)),
            "$lt" => Constraint::Lt(one(operand)),
            "$lte" => Constraint::Lte(one(operand)),
            "$in" => Constraint::In(many(operator, operand)?),
            "$nin" => Constraint::NotIn(many(operator, operand)?),
            "$all" => Constraint::All(many(operator, operand)?),
            "$exists" => {
                Constraint::Exists(!matches!(operand, Json::Null | Json::Bool(false)) && operand.as_f64() != Some(0.0))
            }
            "$regex" => {
                let Some(pattern) = operand.as_str() else { return refused("$regex has to be a string") };
                let options = match operators.get("$options") {
                    None => "",
                    Some(Json::String(options)) => options,
                    Some(_) => return refused("$options has to be a string"),
                };
                Constraint::Regex(Regex { pattern: pattern.to_owned(), options: options.to_owned() })
            }
            "$options" => {
                if !operators.contains_key("$regex") {
                    return refused("$options needs a $regex");
                }
                continue;
            }
            "$not" => {
                let Some(inner) = field_filter(translator, path, kind, operand)? else { return Ok(None) };
                parts.push(Filter::Nor(vec![inner]));
                continue;
            }
            _ => return Ok(None),
        };
        parts.push(Filter::field(path, constraint));
    }
    Ok(Some(Filter::And(parts)))
}

/// Reads a condition on documents.
///
/// # Errors
/// `Refused` for what is malformed or not supported.
pub fn parse(translator: &Translator<'_>, query: &Map<String, Json>) -> Result<Condition> {
    let mut parts = Vec::new();
    for (key, condition) in query {
        match (key.as_str(), condition) {
            ("$and" | "$or" | "$nor", Json::Array(list)) if !list.is_empty() => {
                let inner = list
                    .iter()
                    .map(|part| match part {
                        Json::Object(part) => parse(translator, part),
                        _ => refused("$or/$and/$nor entries need to be full objects"),
                    })
                    .collect::<Result<_>>()?;
                parts.push(match key.as_str() {
                    "$and" => Condition::All(inner),
                    "$or" => Condition::Any(inner),
                    _ => Condition::None(inner),
                });
            }
            ("$and" | "$or" | "$nor", _) => return refused(format!("{key} must be a nonempty array")),
            ("$expr", expression) => parts.push(Condition::Expression(expression::parse(translator, expression)?)),
            ("$comment", _) => {}
            (operator, _) if operator.starts_with('$') => {
                return refused(format!("unknown top level operator: {operator}"));
            }
            (field, condition) => {
                parts.push(parse_field(
                    translator,
                    &translator.key(field),
                    translator.kind(field).as_ref(),
                    condition,
                )?);
            }
        }
    }
    Ok(Condition::All(parts))
}

fn parse_field(
    translator: &Translator<'_>,
    path: &str,
    kind: Option<&FieldType>,
    condition: &Json,
) -> Result<Condition> {
    let matcher = |filter: &Resolved| {
        Matcher::new(filter).map(Condition::Matcher).map_err(|error| StorageError::Refused(error.message.into_owned()))
    };
    if let Some(filter) = field_filter(translator, path, kind, condition)? {
        return matcher(&filter);
    }
    let Some(operators) = operators(condition) else { return refused("malformed condition") };
    let mut parts = Vec::new();
    let mut known = Map::new();
    for (operator, operand) in operators {
        match operator.as_str() {
            "$size" => {
                let Some(size) = operand.as_u64() else {
                    return refused("Failed to parse $size. Expected a non-negative number");
                };
                parts.push(Condition::Size(Path::new(path), usize::try_from(size).unwrap_or(usize::MAX)));
            }
            "$elemMatch" => {
                let Json::Object(inner) = operand else { return refused("$elemMatch needs an Object") };
                let by_value = self::operators(operand).is_some()
                    && !["$and", "$or", "$nor"].iter().any(|key| inner.contains_key(*key));
                let inner = if by_value {
                    parse_field(translator, "v", None, operand)?
                } else {
                    parse_element(translator, inner)?
                };
                parts.push(Condition::Element(Path::new(path), Box::new(inner), !by_value));
            }
            "$not" => parts.push(Condition::None(vec![parse_field(translator, path, kind, operand)?])),
            "$eq" | "$ne" | "$gt" | "$gte" | "$lt" | "$lte" | "$in" | "$nin" | "$all" | "$exists" | "$regex"
            | "$options" => {
                known.insert(operator.clone(), operand.clone());
            }
            other => return refused(format!("unknown operator: {other}")),
        }
    }
    if !known.is_empty() {
        let known = field_filter(translator, path, kind, &Json::Object(known))?.unwrap_or(Filter::Never);
        parts.push(matcher(&known)?);
    }
    Ok(Condition::All(parts))
}

/// A condition on the fields of elements, whose names are their own.
fn parse_element(translator: &Translator<'_>, query: &Map<String, Json>) -> Result<Condition> {
    let mut parts = Vec::new();
    for (field, condition) in query {
        match (field.as_str(), condition) {
            ("$and" | "$or" | "$nor", Json::Array(list)) => {
                let inner = list
                    .iter()
                    .map(|part| match part {
                        Json::Object(part) => parse_element(translator, part),
                        _ => refused("$or/$and/$nor entries need to be full objects"),
                    })
                    .collect::<Result<_>>()?;
                parts.push(match field.as_str() {
                    "$and" => Condition::All(inner),
                    "$or" => Condition::Any(inner),
                    _ => Condition::None(inner),
                });
            }
            (operator, _) if operator.starts_with('$') => return refused(format!("unknown operator: {operator}")),
            (field, condition) => parts.push(parse_field(translator, field, None, condition)?),
        }
    }
    Ok(Condition::All(parts))
}
