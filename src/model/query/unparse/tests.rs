//! What is written reads as what it was.

use proptest::prelude::*;

use super::*;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::query::parse::{Context, parse};
use crate::model::schema::{ClassSchema, Field, FieldType};

fn schema() -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked("Q"));
    for (name, kind) in [
        ("s", FieldType::String),
        ("n", FieldType::Number),
        ("d", FieldType::Date),
        ("a", FieldType::Array),
        ("p", FieldType::Pointer(ClassName::unchecked("T"))),
        ("g", FieldType::GeoPoint),
        ("po", FieldType::Polygon),
    ] {
        schema.fields.insert(name.into(), Field::new(kind));
    }
    schema
}

fn read(condition: &Json) -> Option<Filter> {
    parse(condition, &Context::unlimited(Some(&schema()), Date::from_millis(1_000_000))).ok()
}

/// The condition without `And`s in `And`s, its parts in an order of their own, as text.
fn meaning(filter: &Filter) -> String {
    let joined = |name: &str, parts: &[Filter]| {
        let parts: Vec<String> = parts.iter().map(meaning).collect();
        format!("{name}({})", parts.join(" "))
    };
    match filter {
        Filter::And(_) => {
            let mut flat = Vec::new();
            flatten(filter, &mut flat);
            flat.sort();
            flat.dedup();
            match flat.len() {
                0 => "All".to_owned(),
                1 => flat.remove(0),
                _ => format!("and({})", flat.join(" ")),
            }
        }
        Filter::Or(parts) => joined("or", parts),
        Filter::Nor(parts) => joined("nor", parts),
        Filter::Unresolved(Unresolved::InQuery { path, negated, query }) => {
            format!("{path} in {negated} {} {}", query.class, meaning(&query.filter))
        }
        Filter::Unresolved(Unresolved::Select { path, negated, query, key }) => {
            format!("{path} select {negated} {key} {} {}", query.class, meaning(&query.filter))
        }
        other => format!("{other:?}"),
    }
}

fn flatten(filter: &Filter, into: &mut Vec<String>) {
    match filter {
        Filter::All => {}
        Filter::And(parts) => parts.iter().for_each(|part| flatten(part, into)),
        other => into.push(meaning(other)),
    }
}

#[test]
fn as_the_client_wrote_it() {
    let pointer = json!({"__type": "Pointer", "className": "T", "objectId": "x"});
    let point = json!({"__type": "GeoPoint", "latitude": 1, "longitude": 2});
    for condition in [
        json!({}),
        json!({"n": 1, "s": "x"}),
        json!({"n": {"$gt": 0, "$lt": 9}, "s": {"$regex": "^a", "$options": "i"}}),
        json!({"d": {"$lt": {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}}}),
        json!({"$or": [{"n": 1}, {"n": {"$in": [1, 2]}}], "s": {"$exists": false}}),
        json!({"$relatedTo": {"object": pointer, "key": "r"}}),
        json!({"p": {"$inQuery": {"className": "T", "where": {"k": {"$nin": ["a"]}}}}}),
        json!({"s": {"$select": {"query": {"className": "T", "where": {}}, "key": "k"}}}),
        json!({"g": {"$nearSphere": point, "$maxDistance": 0.5}}),
        json!({"s": {"$text": {"$search": {"$term": "w"}}}}),
        json!({"po": {"$geoIntersects": {"$point": point}}}),
    ] {
        assert_eq!(Json::Object(read(&condition).unwrap().to_json()), condition);
    }
}

#[test]
fn what_has_no_place_beside_others() {
    for condition in [
        json!({"$and": [{"n": {"$gt": 1}}, {"n": {"$gt": 2}}, {"n": 3}]}),
        json!({"$and": [{"$or": [{"n": 1}]}, {"$or": [{"n": 2}]}]}),
        json!({"n": {"$gt": 1, "$eq": 5}}),
        json!({"$relatedTo": {"object": {"__type": "Object", "className": "T"}, "key": "r"}}),
    ] {
        let filter = read(&condition).unwrap();
        let again = read(&Json::Object(filter.to_json())).unwrap();
        match filter {
            // Nothing can be written for "no object" but an empty list of ids.
            Filter::Never => assert_eq!(meaning(&again), meaning(&Filter::field("objectId", Constraint::In(vec![])))),
            filter => assert_eq!(meaning(&again), meaning(&filter), "{condition}"),
        }
    }
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-9_i32..9).prop_map(Json::from),
        "[a-c$.]{0,3}".prop_map(Json::from),
        (0_i64..9_999_999).prop_map(|at| json!({"__type": "Date", "iso": Date::from_millis(at).to_iso()})),
        "[a-z]{1,3}".prop_map(|id| json!({"__type": "Pointer", "className": "T", "objectId": id})),
        (-90_i32..90, -180_i32..180)
            .prop_map(|(lat, lon)| json!({"__type": "GeoPoint", "latitude": lat, "longitude": lon})),
        "[a-z]{0,4}".prop_map(|_| json!({"__type": "Bytes", "base64": "aGk="})),
        Just(json!({})),
        Just(json!([1, "x"])),
        Just(json!({"k": {"$eq": 1}})),
    ]
}

fn operator() -> impl Strategy<Value = (String, Json)> {
    let point = (-89_i32..89, -179_i32..179)
        .prop_map(|(lat, lon)| json!({"__type": "GeoPoint", "latitude": lat, "longitude": lon}));
    prop_oneof![
        (prop::sample::select(vec!["$eq", "$ne", "$lt", "$lte", "$gt", "$gte"]), value())
            .prop_map(|(name, value)| (name.to_owned(), value)),
        (prop::sample::select(vec!["$in", "$nin", "$all", "$containedBy"]), prop::collection::vec(value(), 0..3))
            .prop_map(|(name, list)| (name.to_owned(), Json::Array(list))),
        any::<bool>().prop_map(|there| ("$exists".to_owned(), there.into())),
        "[a-c^]{1,3}".prop_map(|pattern| ("$regex".to_owned(), pattern.into())),
        Just(("$options".to_owned(), Json::from("i"))),
        "[a-c]{1,3}".prop_map(|term| ("$text".to_owned(), json!({"$search": {"$term": term, "$language": "en"}}))),
        point.clone().prop_map(|point| ("$nearSphere".to_owned(), point)),
        (0_u32..9).prop_map(|distance| ("$maxDistanceInMiles".to_owned(), distance.into())),
        (point.clone(), point.clone()).prop_map(|(a, b)| ("$within".to_owned(), json!({"$box": [a, b]}))),
        (point.clone(), point.clone(), point.clone())
            .prop_map(|(a, b, c)| ("$geoWithin".to_owned(), json!({"$polygon": [a, b, c]}))),
        (point.clone(), 0_u32..3).prop_map(|(a, r)| ("$geoWithin".to_owned(), json!({"$centerSphere": [a, r]}))),
        point.prop_map(|point| ("$geoIntersects".to_owned(), json!({"$point": point}))),
    ]
}

fn condition() -> impl Strategy<Value = Json> {
    let field = prop::sample::select(vec!["s", "n", "d", "a", "p", "g", "po", "a.x", "zz", "objectId", "createdAt"]);
    let operators = prop::collection::vec(operator(), 1..4).prop_map(|list| Json::Object(list.into_iter().collect()));
    let on_field = prop_oneof![value(), operators];
    let plain = prop::collection::vec((field, on_field), 0..4)
        .prop_map(|list| Json::Object(list.into_iter().map(|(field, on)| (field.to_owned(), on)).collect()));
    plain.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            (
                prop::sample::select(vec!["$or", "$and", "$nor"]),
                prop::collection::vec(inner.clone(), 1..3),
                inner.clone()
            )
                .prop_map(|(name, parts, beside)| {
                    let mut map = beside.as_object().cloned().unwrap_or_default();
                    map.insert(name.to_owned(), Json::Array(parts));
                    Json::Object(map)
                }),
            (prop::sample::select(vec!["$inQuery", "$notInQuery"]), inner.clone())
                .prop_map(|(name, inner)| json!({"p": {name: {"className": "T", "where": inner}}})),
            (prop::sample::select(vec!["$select", "$dontSelect"]), inner).prop_map(
                |(name, inner)| json!({"s": {name: {"query": {"className": "T", "where": inner}, "key": "k"}}})
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 200_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_written_means_the_same(condition in condition()) {
        let Some(filter) = read(&condition) else { return Err(TestCaseError::reject("no condition")) };
        let written = Json::Object(filter.to_json());
        let again = read(&written);
        prop_assert!(again.is_some(), "{condition} was written as {written}, which cannot be read");
        prop_assert_eq!(meaning(&again.unwrap()), meaning(&filter), "{} was written as {}", condition, written);
    }
}
