//! `where` as clients write it → the filter tree.
//!
//! Everything a condition can be refused for at all is refused here, with Parse's words.

use serde_json::{Map, Value as Json};

use super::filter::{Constraint, Filter, SubQuery, Unresolved};
use super::{atoms, operators, shape};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::value::Value;

/// Deepest nesting of a condition as JSON.
pub const MAX_DEPTH: usize = 100;

/// Internal columns that anybody may name in a condition; for clients the filter of readers replaces `_rperm`.
const PERMISSION_COLUMNS: [&str; 2] = ["_rperm", "_wperm"];

/// Internal columns that the master key may name in a condition.
const INTERNAL_COLUMNS: [&str; 9] = [
    "_session_token",
    "_email_verify_token",
    "_perishable_token",
    "_tombstone",
    "_email_verify_token_expires_at",
    "_failed_login_count",
    "_account_lockout_expires_at",
    "_password_changed_at",
    "_password_history",
];

/// One more of them; apart because of its length.
const PERISHABLE_EXPIRY: &str = "_perishable_token_expires_at";

/// Fields whose plain text is read as a date.
const DATE_FIELDS: [&str; 7] = [
    "createdAt",
    "updatedAt",
    "expiresAt",
    "_email_verify_token_expires_at",
    "_account_lockout_expires_at",
    "_password_changed_at",
    PERISHABLE_EXPIRY,
];

/// Who asks, and what that entitles to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Access {
    /// The master or maintenance key was given: internal columns may be named, and no limit applies.
    pub master: bool,
}

/// Limits of `requestComplexity`; `None`: no limit. They do not apply to the master key.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Deepest nesting of `$or`, `$and` and `$nor`.
    pub condition_depth: Option<usize>,
    /// Deepest nesting of sub-queries.
    pub subquery_depth: Option<usize>,
    /// Whether `$regex` is allowed.
    pub regex: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { condition_depth: None, subquery_depth: None, regex: true }
    }
}

/// What reading a condition depends on besides its text.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Who asks.
    pub access: Access,
    /// Limits that apply.
    pub limits: Limits,
    /// The class searched; `None` when it does not exist.
    pub schema: Option<&'a ClassSchema>,
    /// Finds the classes of sub-queries.
    pub classes: &'a dyn Fn(&ClassName) -> Option<&'a ClassSchema>,
    /// The moment to which relative times refer.
    pub now: Date,
}

impl<'a> Context<'a> {
    /// A context without limits, for conditions of the server's own and for tests.
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
    if PERMISSION_COLUMNS.contains(&key)
        || (access.master && (INTERNAL_COLUMNS.contains(&key) || key == PERISHABLE_EXPIRY))
    {
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
    let object = value.get("object").and_then(atoms::pointer).ok_or_else(improper)?;
    let key = value.get("key").and_then(Json::as_str).ok_or_else(improper)?;
    Ok(Filter::Unresolved(Unresolved::RelatedTo { object, key: key.to_owned() }))
}

/// Reads the condition on one field: a value, operators, or both.
fn field(path: &str, value: &Json, context: &Context<'_>, parts: &mut Vec<Filter>) -> Result<()> {
    let place = Place::new(path, context);
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
pub(super) struct Place<'a> {
    /// Its type, when it exists.
    pub kind: Option<&'a FieldType>,
    /// Whether values are compared as they are inside objects and arrays: any value goes.
    pub inside: bool,
}

impl<'a> Place<'a> {
    fn new(path: &str, context: &Context<'a>) -> Self {
        let kind = context.schema.and_then(|schema| schema.kind(path));
        Self { kind, inside: path.contains('.') || matches!(kind, Some(FieldType::Array)) }
    }
}

/// The value of `{field: value}`.
fn plain_value(path: &str, value: &Json, place: &Place<'_>) -> Result<Value> {
    if DATE_FIELDS.contains(&path)
        && let Some(date) = value.as_str().and_then(Date::parse)
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
            let query = Box::new(subquery(query.0, Some(query.1), context)?);
            parts.push(Filter::Unresolved(Unresolved::InQuery { path: path.to_owned(), negated, query }));
        }
    }
    for (operator, negated) in [("$select", false), ("$dontSelect", true)] {
        if let Some(value) = given(map, operator) {
            let keys = value.as_object().map_or(0, Map::len);
            let query = value.get("query");
            let condition = query.and_then(|query| query.get("where"));
            let (Some(class), Some(key), 2, true) = (
                query.and_then(class_of),
                value.get("key").and_then(Json::as_str).filter(|key| !key.is_empty()),
                keys,
                condition.is_none_or(Json::is_object),
            ) else {
                return Err(improper(operator));
            };
            let query = Box::new(subquery(class, condition, context)?);
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
    map.get(operator).filter(|value| atoms::is_truthy(value))
}

fn improper(operator: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, format!("improper usage of {operator}"))
}

fn class_of(query: &Json) -> Option<ClassName> {
    query.get("className").and_then(Json::as_str).filter(|name| !name.is_empty()).map(ClassName::trusted)
}

/// A query inside a query. Its order and limits play no part, as in Parse.
fn subquery(class: ClassName, condition: Option<&Json>, context: &Context<'_>) -> Result<SubQuery> {
    let inner = Context { schema: (context.classes)(&class), ..*context };
    let filter = match condition.and_then(Json::as_object) {
        Some(map) => {
            shape::check_names(map, &inner)?;
            filter(map, &inner)?
        }
        None => Filter::All,
    };
    Ok(SubQuery { class, filter, limit: None, skip: 0, order: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::Field;
    use serde_json::json;

    fn schema() -> ClassSchema {
        let mut schema = ClassSchema::new(ClassName::trusted("Q"));
        for (name, kind) in [
            ("s", FieldType::String),
            ("n", FieldType::Number),
            ("d", FieldType::Date),
            ("o", FieldType::Object),
            ("a", FieldType::Array),
            ("p", FieldType::Pointer(ClassName::trusted("Tgt"))),
            ("g", FieldType::GeoPoint),
            ("po", FieldType::Polygon),
            ("f", FieldType::File),
        ] {
            schema.fields.insert(name.into(), Field::new(kind));
        }
        schema
    }

    fn read_as(master: bool, limits: Limits, condition: &Json) -> Result<Filter> {
        let schema = schema();
        let now = Date::from_millis(0);
        parse(condition, &Context { access: Access { master }, limits, schema: Some(&schema), classes: &|_| None, now })
    }

    fn read(condition: &Json) -> Result<Filter> {
        read_as(false, Limits::default(), condition)
    }

    #[test]
    fn refusals() {
        let point = json!({"__type": "GeoPoint", "latitude": 1, "longitude": 1});
        for (condition, code, message) in [
            (json!({"ACL": 1}), 102, "Cannot query on ACL."),
            (json!({"$where": "1"}), 105, "Invalid key name: $where"),
            (json!({"a b": 1}), 105, "Invalid key name: a b"),
            (json!({"1a": 1}), 105, "Invalid key name: 1a"),
            (json!({"_hashed_password": 1}), 105, "Invalid key name: _hashed_password"),
            (json!({"_perishable_token": 1}), 105, "Invalid key name: _perishable_token"),
            (json!({"__proto__": 1}), 105, "Invalid key name: __proto__"),
            (json!({"$relatedTo": null}), 105, "Invalid key name: $relatedTo"),
            (json!({"$and": [{"$or": [{"a-b": 1}]}]}), 105, "Invalid key name: a-b"),
            (json!({"o": {"x": 1}}), 107, "You cannot use [object Object] as a query parameter."),
            (json!({"zz": {"x": 1}}), 107, "You cannot use [object Object] as a query parameter."),
            (json!({"a": [2, 3]}), 107, "You cannot use 2,3 as a query parameter."),
            (json!({"n": [1]}), 107, "You cannot use 1 as a query parameter."),
            (json!({"s": {"__type": "Foo"}}), 107, "You cannot use [object Object] as a query parameter."),
            (json!({"o": {"$eq": {"x": 1}}}), 107, "bad atom: {\"x\":1}"),
            (json!({"n": {"$eq": [1, 2.0]}}), 107, "bad atom: [1,2]"),
            (json!({"n": {"$gt": 1, "x": 2}}), 107, "bad atom: {\"x\":2}"),
            (json!({"n": {"$exists": [1]}}), 107, "bad atom: [1]"),
            (json!({"n": {"$in": 5}}), 107, "bad $in value"),
            (json!({"n": {"$nin": {}}}), 107, "bad $nin value"),
            (json!({"n": {"$in": [[[5]]]}}), 107, "bad atom: [5]"),
            (json!({"a": {"$all": 5}}), 107, "bad $all value"),
            (
                json!({"a": {"$all": [{"$regex": "^\\Qst\\E"}, "x"]}}),
                107,
                "All $all values must be of regex type or none: /^\\Qst\\E/,x",
            ),
            (
                json!({"a": {"$all": [{"x": 1}, {"$regex": "^\\Qb\\E"}, null, "s"]}}),
                107,
                "All $all values must be of regex type or none: [object Object],/^\\Qb\\E/,,s",
            ),
            (json!({"a": {"$containedBy": 1}}), 107, "bad $containedBy: should be an array"),
            (json!({"s": {"$regex": 5}}), 102, "$regex value must be a string"),
            (json!({"$or": [{"s": {"$regex": null}}]}), 102, "$regex value must be a string"),
            (json!({"s": {"$regex": "a", "$options": 5}}), 102, "$options value must be a string"),
            (json!({"s": {"$regex": "a", "$options": "zz"}}), 102, "Bad $options value for query: zz"),
            (json!({"s": {"$regex": "a", "$options": ""}}), 102, "Bad $options value for query: "),
            (json!({"s": {"$options": "i"}}), 102, "$options needs a $regex"),
            (json!({"n": {"$foo": 1, "$bar": 2}}), 107, "bad constraint: $foo"),
            (json!({"n": {"$not": {}}}), 107, "bad constraint: $not"),
            (json!({"a": {"$x": 1}}), 107, "bad constraint: $x"),
            (json!({"createdAt": {"$relativeTime": "now"}}), 107, "bad constraint: $relativeTime"),
            (
                json!({"d": {"$gt": {"$relativeTime": "x"}}}),
                107,
                "bad $relativeTime ($gt) value. Time should either start with 'in' or end with 'ago'",
            ),
            (
                json!({"d": {"$ne": {"$relativeTime": "now"}}}),
                107,
                "$relativeTime can only be used with the $lt, $lte, $gt, and $gte operators",
            ),
            (json!({"n": {"$gt": {"$relativeTime": "now"}}}), 107, "$relativeTime can only be used with Date field"),
            (json!({"$or": {"n": 1}}), 102, "$or must be an array"),
            (json!({"$nor": []}), 102, "Bad $nor format - use an array of at least 1 value."),
            (json!({"$or": []}), 102, "Bad $or format - use an array of at least 1 value."),
            (json!({"g": {"$within": {"$box": [point]}}}), 107, "malformatted $within arg"),
            (
                json!({"g": {"$geoWithin": {"$polygon": [point, point]}}}),
                107,
                "bad $geoWithin value; $polygon should contain at least 3 GeoPoints",
            ),
            (
                json!({"g": {"$geoWithin": {"$polygon": {"__type": "Polygon"}}}}),
                107,
                "bad $geoWithin value; Polygon.coordinates should contain at least 3 lon/lat pairs",
            ),
            (
                json!({"g": {"$geoWithin": {"$polygon": 5}}}),
                107,
                "bad $geoWithin value; $polygon should be Polygon object or Array of Parse.GeoPoint's",
            ),
            (json!({"g": {"$geoWithin": {"$polygon": [[0, 200], [0, 1], [1, 1]]}}}), 107, "bad $geoWithin value"),
            (
                json!({"g": {"$geoWithin": {"$centerSphere": [point]}}}),
                107,
                "bad $geoWithin value; $centerSphere should be an array of Parse.GeoPoint and distance",
            ),
            (
                json!({"g": {"$geoWithin": {"$centerSphere": [5, 1]}}}),
                107,
                "bad $geoWithin value; $centerSphere geo point invalid",
            ),
            (
                json!({"g": {"$geoWithin": {"$centerSphere": [point, -1]}}}),
                107,
                "bad $geoWithin value; $centerSphere distance invalid",
            ),
            (
                json!({"po": {"$geoIntersects": {"$point": 5}}}),
                107,
                "bad $geoIntersect value; $point should be GeoPoint",
            ),
            (json!({"p": {"$inQuery": {"where": {}}}}), 102, "improper usage of $inQuery"),
            (json!({"p": {"$notInQuery": 5}}), 102, "improper usage of $notInQuery"),
            (json!({"p": {"$inQuery": null}}), 107, "bad constraint: $inQuery"),
            (json!({"p": {"$inQuery": {"className": "T", "where": {"$foo": 1}}}}), 105, "Invalid key name: $foo"),
            (
                json!({"s": {"$select": {"query": {"className": "T"}, "key": "x", "y": 1}}}),
                102,
                "improper usage of $select",
            ),
            (json!({"s": {"$dontSelect": {"query": {"className": "T"}}}}), 102, "improper usage of $dontSelect"),
            (json!({"s": {"$text": {"$search": 5}}}), 107, "bad $text: $search, should be object"),
            (json!({"s": {"$text": {"$search": {}}}}), 107, "bad $text: $term, should be string"),
            (
                json!({"s": {"$text": {"$search": {"$term": "x", "$language": 5}}}}),
                107,
                "bad $text: $language, should be string",
            ),
            (
                json!({"s": {"$text": {"$search": {"$term": "x", "$caseSensitive": "x"}}}}),
                107,
                "bad $text: $caseSensitive, should be boolean",
            ),
            (
                json!({"s": {"$text": {"$search": {"$term": "x", "$diacriticSensitive": "x"}}}}),
                107,
                "bad $text: $diacriticSensitive, should be boolean",
            ),
        ] {
            let error = read(&condition).expect_err(&condition.to_string());
            assert_eq!((error.code.map(ErrorCode::number), &*error.message), (Some(code), message), "{condition}");
            assert_eq!(error.status, 400);
        }
    }

    #[test]
    fn meanings() {
        for (condition, expected) in [
            (json!({}), "All"),
            (
                json!({"n": 1, "s": null}),
                "And([Field { path: \"n\", constraint: Eq(Number(1.0)) }, Field { path: \"s\", constraint: Eq(Null) }])",
            ),
            (json!({"a": 2}), "Field { path: \"a\", constraint: Eq(Number(2.0)) }"),
            (
                json!({"p": {"$eq": "id"}}),
                "Field { path: \"p\", constraint: Eq(Pointer(Pointer { class: \"Tgt\", id: \"id\" })) }",
            ),
            (json!({"p": "id"}), "Field { path: \"p\", constraint: Eq(String(\"id\")) }"),
            (json!({"n": {"$in": [[5], 6]}}), "Field { path: \"n\", constraint: In([Number(5.0), Number(6.0)]) }"),
            (
                json!({"createdAt": "1970-01-01T00:00:01.000Z"}),
                "Field { path: \"createdAt\", constraint: Eq(Date(Date(1000))) }",
            ),
            (
                json!({"createdAt": {"$gt": "1970-01-01T00:00:01.000Z"}}),
                "Field { path: \"createdAt\", constraint: Gt(String(\"1970-01-01T00:00:01.000Z\")) }",
            ),
            (
                json!({"d": {"$lt": {"$relativeTime": "in 1 s"}}}),
                "Field { path: \"d\", constraint: Lt(Date(Date(1000))) }",
            ),
            (json!({"n": {"$exists": 0}}), "Field { path: \"n\", constraint: Exists(false) }"),
            (
                json!({"s": {"$regex": "a", "$options": "i"}}),
                "Field { path: \"s\", constraint: Regex(Regex { pattern: \"a\", options: \"i\" }) }",
            ),
            (
                json!({"g": {"$nearSphere": {"latitude": 1, "longitude": 2}, "$maxDistanceInKilometers": 6371}}),
                "Field { path: \"g\", constraint: Near { point: GeoPoint { latitude: 1.0, longitude: 2.0 }, max_distance: Some(1.0) } }",
            ),
            (
                json!({"p": {"__type": "Pointer", "className": "T", "objectId": "x", "$exists": true}}),
                "And([Field { path: \"p\", constraint: Exists(true) }, Field { path: \"p\", constraint: Eq(Pointer(Pointer { class: \"T\", id: \"x\" })) }])",
            ),
            (json!({"o.x": [1]}), "Field { path: \"o.x\", constraint: Eq(Array([Number(1.0)])) }"),
        ] {
            assert_eq!(format!("{:?}", read(&condition).unwrap()), expected, "{condition}");
        }
    }

    #[test]
    fn master_sees_internal_columns() {
        for column in INTERNAL_COLUMNS {
            assert!(read_as(true, Limits::default(), &json!({column: 1})).is_ok());
            assert!(read(&json!({column: 1})).is_err());
        }
        assert!(read_as(true, Limits::default(), &json!({"_hashed_password": 1})).is_err());
        assert!(read(&json!({"_rperm": "*"})).is_ok());
    }

    #[test]
    fn limits_hold_for_clients() {
        let limits = Limits { condition_depth: Some(2), subquery_depth: Some(1), regex: false };
        let subquery = |condition: Json| json!({"p": {"$inQuery": {"className": "T", "where": condition}}});
        let three = json!({"$or": [{"$or": [{"$or": [{"n": 1}]}]}]});
        for (condition, message) in [
            (three.clone(), "Query condition nesting depth exceeds maximum allowed depth of 2"),
            (subquery(three), "Query condition nesting depth exceeds maximum allowed depth of 2"),
            (subquery(subquery(json!({}))), "Subquery nesting depth exceeds maximum allowed depth of 1"),
            (json!({"s": {"$regex": "a"}}), "$regex operator is not allowed"),
            (subquery(json!({"s": {"$regex": "a"}})), "$regex operator is not allowed"),
        ] {
            assert_eq!(read_as(false, limits, &condition).unwrap_err().message, message, "{condition}");
            assert!(read_as(true, limits, &condition).is_ok(), "{condition}");
        }
        assert!(read_as(false, limits, &json!({"$or": [{"$or": [{"n": 1}]}]})).is_ok());
        assert!(read_as(false, limits, &json!({"a": {"$all": [{"$regex": "^\\Qa\\E"}]}})).is_ok());
    }

    #[test]
    fn hostile_input_is_bounded() {
        let mut deep = json!({"n": 1});
        for _ in 0..5000 {
            deep = Json::Object(Map::from_iter([("$or".to_owned(), Json::Array(vec![deep]))]));
        }
        assert!(read(&deep).unwrap_err().is(ErrorCode::InvalidQuery));
        assert!(read_as(true, Limits::default(), &deep).is_err());
        // Values that deep cannot be dropped by recursion on a small stack; leave them.
        std::mem::forget(deep);
        assert!(read(&json!({"n": {"$in": vec![1; 10_000]}})).is_ok());
        for odd in [
            json!(5),
            json!("x"),
            json!([1]),
            json!(null),
            json!({"$or": [5]}),
            json!({"$or": [null]}),
            json!({"$or": ["x"]}),
        ] {
            assert_eq!(read(&odd).unwrap_err().status, 400, "{odd}");
        }
    }
}
