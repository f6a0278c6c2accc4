//! Tables of what is refused and what conditions mean.

use super::*;
use crate::model::schema::Field;
use serde_json::json;

fn schema() -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked("Q"));
    for (name, kind) in [
        ("s", FieldType::String),
        ("n", FieldType::Number),
        ("d", FieldType::Date),
        ("o", FieldType::Object),
        ("a", FieldType::Array),
        ("p", FieldType::Pointer(ClassName::unchecked("Tgt"))),
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
#[expect(clippy::too_many_lines, reason = "one table")]
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
        (
            json!({"g": {"$geoWithin": {"$polygon": [[0, 200], [0, 1], [1, 1]]}}}),
            1,
            "bad $geoWithin value; a corner of $polygon is out of bounds",
        ),
        (json!({"g": {"$geoWithin": {"$polygon": [0, 200, 1]}}}), 107, "bad $geoWithin value"),
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
        (json!({"po": {"$geoIntersects": {"$point": 5}}}), 107, "bad $geoIntersect value; $point should be GeoPoint"),
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
        (json!({"d": {"$lt": {"$relativeTime": "in 1 s"}}}), "Field { path: \"d\", constraint: Lt(Date(Date(1000))) }"),
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
    for column in crate::model::columns::INTERNAL {
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
