//! What the matcher answers, in tables and properties. Larger random comparisons with the stores are in their suite.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::model::date::Date;
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::query::filter::{Regex, TextSearch};
use crate::model::query::parse::{Context, parse};
use crate::model::schema::Field;

fn schema() -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked("Q"));
    for (name, kind) in [("a", FieldType::Array), ("p", FieldType::Pointer(ClassName::unchecked("T")))] {
        schema.fields.insert(name.into(), Field::new(kind));
    }
    schema
}

fn row(json: &Json) -> Object {
    match json::decode_stored(json.clone()) {
        Value::Object(row) => row,
        _ => Object::new(),
    }
}

/// The condition without queries in it, which match nothing here.
fn resolved(filter: Filter) -> Resolved {
    let all = |parts: Vec<Filter>| parts.into_iter().map(resolved).collect();
    match filter {
        Filter::All => Filter::All,
        Filter::Never | Filter::Unresolved(_) => Filter::Never,
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Nor(parts) => Filter::Nor(all(parts)),
        Filter::Field { path, constraint } => Filter::Field { path, constraint },
    }
}

/// Reads a condition, and answers it for a row.
fn answer(condition: &Json, row: &Object) -> Result<bool> {
    let schema = schema();
    let filter = parse(condition, &Context::unlimited(Some(&schema), Date::from_millis(0)))?;
    Matcher::for_class(&resolved(filter), &schema)?.matches(row)
}

#[test]
fn answers() {
    let pointer = json!({"__type": "Pointer", "className": "T", "objectId": "x"});
    let fetched = json!({"__type": "Object", "className": "T", "objectId": "x", "more": 1});
    let rows = [
        json!({"k": "a", "a": [1, 2, 3]}),
        json!({"k": "b", "a": [2, 3]}),
        json!({"k": "c", "a": []}),
        json!({"k": "d", "a": [{"x": 1}, "str"], "o": {"x": {"y": [5, 6]}}}),
        json!({"k": "e", "p": pointer, "nul": null}),
        json!({"k": "f", "a": [pointer, [7]], "p": fetched}),
    ];
    for (condition, expected) in [
        (json!({"a": 2}), "ab"),
        (json!({"a": {"$all": [2, 3]}}), "ab"),
        (json!({"a": {"$all": []}}), ""),
        (json!({"a": {"$in": [1, "str"]}}), "ad"),
        (json!({"a": {"$nin": [1]}}), "bcdef"),
        (json!({"a": {"$ne": 2}}), "cdef"),
        (json!({"a": {"$containedBy": [1, 2, 3, 4]}}), "abce"),
        (json!({"a": {"$eq": [2, 3]}}), "b"),
        (json!({"a": {"$eq": [7]}}), "f"),
        (json!({"a.x": 1}), "d"),
        (json!({"a.0": 2}), "b"),
        (json!({"a.0.x": 1}), "d"),
        (json!({"a": {"$all": [{"$regex": "^\\Qst\\E"}]}}), "d"),
        (json!({"a": {"$exists": false}}), "e"),
        (json!({"a": pointer}), "f"),
        (json!({"p": pointer}), "ef"),
        (json!({"p": "x"}), ""),
        (json!({"p": {"$eq": "x"}}), "ef"),
        (json!({"p": {"$ne": pointer}}), "abcd"),
        (json!({"p": null}), "abcd"),
        (json!({"nul": {"$exists": true}}), "e"),
        (json!({"zz": {"$gte": null}}), "abcdef"),
        (json!({"zz": {"$gt": null}}), ""),
        (json!({"a": {"$gt": 2}}), "ab"),
        (json!({"a": {"$gt": "s"}}), "d"),
        (json!({"o.x.y": 6}), "d"),
        (json!({"o.x.y.1": 6}), "d"),
        (json!({"o.x.y.z": null}), "abcef"),
        (json!({"$nor": [{"a": 2}, {"k": {"$regex": "^[cd]"}}]}), "ef"),
    ] {
        let found: String = rows
            .iter()
            .map(row)
            .filter(|row| answer(&condition, row).unwrap())
            .filter_map(|row| row.get_str("k").map(str::to_owned))
            .collect();
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn what_only_a_store_can_answer_is_refused() {
    let search = TextSearch { term: "x".into(), language: None, case_sensitive: false, diacritic_sensitive: false };
    assert!(Matcher::new(&Resolved::field("a", Constraint::Text(search))).is_err());
    let broken = Regex { pattern: "(".into(), options: String::new() };
    assert!(Matcher::new(&Resolved::field("a", Constraint::Regex(broken))).is_err());
}

#[test]
fn long_lists_take_little_time() {
    let numbers: Vec<Json> = (0..10_000).map(Json::from).collect();
    let row = row(&json!({"a": numbers}));
    for operator in ["$in", "$nin", "$all", "$containedBy"] {
        let expected = operator != "$nin";
        for _ in 0..5 {
            assert_eq!(answer(&json!({"a": {operator: numbers}}), &row).unwrap(), expected, "{operator}");
        }
    }
}

fn any_value() -> impl Strategy<Value = Json> {
    let atom = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Json::from),
        (-2..3).prop_map(Json::from),
        "[ab]{0,2}".prop_map(Json::from),
        Just(json!({"__type": "Pointer", "className": "T", "objectId": "x"})),
        Just(json!({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"})),
        Just(json!({"__type": "GeoPoint", "latitude": 1, "longitude": 2})),
        Just(json!({"__type": "Bytes", "base64": "aGVsbG8="})),
    ];
    atom.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::vec(("[xy01]", inner), 0..3)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let words = prop_oneof![
        Just("$eq"),
        Just("$in"),
        Just("$regex"),
        Just("$options"),
        Just("$or"),
        Just("$and"),
        Just("$nor"),
        Just("$inQuery"),
        Just("$select"),
        Just("where"),
        Just("className"),
        Just("key"),
        Just("query"),
        Just("$relatedTo"),
        Just("$nearSphere"),
        Just("$maxDistance"),
        Just("$within"),
        Just("$box"),
        Just("$geoWithin"),
        Just("$polygon"),
        Just("$centerSphere"),
        Just("$text"),
        Just("$search"),
        Just("$term"),
        Just("__type"),
        Just("__op"),
        Just("a"),
        Just("a.0"),
        Just("latitude"),
        Just("longitude"),
        Just("$where"),
        Just("__proto__"),
        Just("$relativeTime")
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![any_value(), "\\PC{0,8}".prop_map(Json::from)];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::vec((words.clone(), inner), 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn values_are_totally_ordered(one in any_value(), two in any_value(), three in any_value()) {
        let [one, two, three] = [one, two, three].map(json::decode_stored);
        prop_assert_eq!(compare(&one, &two), compare(&two, &one).reverse());
        if compare(&one, &two).is_le() && compare(&two, &three).is_le() {
            prop_assert!(compare(&one, &three).is_le());
        }
    }

    #[test]
    fn negations_are_complements(value in any_value(), wanted in any_value(), path in prop_oneof![Just("a"), Just("a.x"), Just("a.0")]) {
        let row = row(&json!({"a": value}));
        let wanted = json::decode_stored(wanted);
        let holds = |constraint| Matcher::new(&Resolved::field(path, constraint)).unwrap().matches(&row).unwrap();
        prop_assert_ne!(holds(Constraint::Eq(wanted.clone())), holds(Constraint::Ne(wanted.clone())));
        prop_assert_ne!(holds(Constraint::In(vec![wanted.clone()])), holds(Constraint::NotIn(vec![wanted.clone()])));
        prop_assert_eq!(holds(Constraint::In(vec![wanted.clone()])), holds(Constraint::Eq(wanted.clone())));
        prop_assert_eq!(holds(Constraint::All(vec![wanted.clone()])), holds(Constraint::Eq(wanted)));
    }

    #[test]
    fn whatever_comes_is_read_or_refused(condition in any_json(), value in any_value()) {
        let row = row(&json!({"a": value}));
        match answer(&condition, &row) {
            Ok(_) => {}
            Err(error) => prop_assert_eq!(error.status, 400),
        }
    }

    #[test]
    fn whatever_is_written_is_read_or_refused(body in any_json(), value in any_value()) {
        use crate::model::operation::{apply, parse};
        let mut row = row(&json!({"a": value}));
        if let Json::Object(body) = body {
            match parse::parse(body, parse::WriteKind::Update).and_then(|write| apply::apply(&write.update, &mut row)) {
                Ok(()) => {}
                Err(error) => prop_assert_eq!(error.status, 400),
            }
        }
    }
}
