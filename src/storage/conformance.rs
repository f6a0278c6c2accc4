//! One suite for every store: what the trait says in words, as cases. The query cases also run on the in-process matcher.
//!
//! A store passes when [`suite`] and [`agrees_with_matches`] do.

mod aggregates;
mod random;

use std::collections::BTreeSet;

use futures_util::future::join_all;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::model::json::{decode, decode_map, encode, encode_object};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::Resolved;
use crate::model::query::filter::{Constraint, Filter, Regex, TextSearch};
use crate::model::query::matches::Matcher;
use crate::model::query::options::{FindOptions, Sort};
use crate::model::schema::{ClassSchema, Field, FieldType, IndexKeys};
use crate::model::value::{GeoPoint, Value};
use crate::storage::mongo::{MongoOptions, MongoStorage};
use crate::storage::{IndexSpec, Storage, StorageError};

pub use self::random::agrees_with_matches;

/// Runs every case on an empty store.
///
/// # Panics
/// When a case fails.
pub async fn suite(store: &dyn Storage) {
    store.ping().await.unwrap();
    queries(store).await;
    order_and_pages(store).await;
    projections(store).await;
    full_text(store).await;
    aggregates::aggregates(store).await;
    writes(store).await;
    uniqueness(store).await;
    case_insensitive(store).await;
    transactions(store).await;
    relations(store).await;
    schemas(store).await;
    indexes(store).await;
}

fn value(json: Json) -> Value {
    decode(json).unwrap()
}

fn values(json: Json) -> Vec<Value> {
    value(json).as_array().unwrap().to_vec()
}

fn object(json: Json) -> Object {
    let Json::Object(map) = json else { panic!("no object: {json}") };
    decode_map(map).unwrap()
}

fn is(path: &str, constraint: Constraint) -> Resolved {
    Filter::field(path, constraint)
}

fn eq(path: &str, json: Json) -> Resolved {
    is(path, Constraint::Eq(value(json)))
}

fn by_id(id: &str) -> Resolved {
    Filter::eq("objectId", id)
}

fn regex(pattern: &str, options: &str) -> Constraint {
    Constraint::Regex(Regex { pattern: pattern.to_owned(), options: options.to_owned() })
}

fn schema(name: &str, fields: &[(&str, FieldType)]) -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::trusted(name));
    for (field, kind) in fields {
        schema.fields.insert((*field).to_owned(), Field::new(kind.clone()));
    }
    schema
}

fn pointer(id: &str) -> Json {
    json!({"__type": "Pointer", "className": "T", "objectId": id})
}

fn date(iso: &str) -> Json {
    json!({"__type": "Date", "iso": iso})
}

fn geo(latitude: f64, longitude: f64) -> Json {
    json!({"__type": "GeoPoint", "latitude": latitude, "longitude": longitude})
}

fn point(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint { latitude, longitude }
}

/// A row with the columns that every row has.
fn row(id: &str, mut fields: Json) -> Object {
    let map = fields.as_object_mut().unwrap();
    map.insert("objectId".to_owned(), json!(id));
    map.insert("createdAt".to_owned(), date("2026-01-01T00:00:00.000Z"));
    map.insert("updatedAt".to_owned(), date("2026-01-01T00:00:00.000Z"));
    object(fields)
}

async fn fill(store: &dyn Storage, schema: &ClassSchema, rows: &[Object]) {
    for result in join_all(rows.iter().map(|row| store.insert(schema, row.clone(), None))).await {
        result.unwrap();
    }
}

fn ids(rows: &[Object]) -> Vec<String> {
    rows.iter().map(|row| row.get_str("objectId").unwrap().to_owned()).collect()
}

async fn found(store: &dyn Storage, schema: &ClassSchema, filter: &Resolved, options: &FindOptions) -> Vec<String> {
    ids(&store.find(schema, filter, options, None).await.unwrap())
}

fn all_types() -> ClassSchema {
    schema(
        "Types",
        &[
            ("s", FieldType::String),
            ("n", FieldType::Number),
            ("b", FieldType::Boolean),
            ("d", FieldType::Date),
            ("o", FieldType::Object),
            ("a", FieldType::Array),
            ("p", FieldType::Pointer(ClassName::trusted("T"))),
            ("f", FieldType::File),
            ("g", FieldType::GeoPoint),
            ("y", FieldType::Polygon),
            ("by", FieldType::Bytes),
        ],
    )
}

fn query_rows() -> Vec<Object> {
    vec![
        row("none", json!({})),
        row("null", json!({"s": null, "n": null, "b": null, "d": null, "o": null, "a": null, "p": null, "f": null})),
        row(
            "one",
            json!({
                "s": "one", "n": 1, "b": true, "d": date("2020-01-01T00:00:00.000Z"), "o": {"k": 1, "deep": {"x": "y"}},
                "a": [1, "x", null, {"k": "v"}], "p": pointer("p1"), "f": {"__type": "File", "name": "a.txt"},
                "g": geo(10.0, 20.0), "by": {"__type": "Bytes", "base64": "aGVsbG8="}, "_rperm": ["*"], "_wperm": ["u1"],
            }),
        ),
        row(
            "two",
            json!({
                "s": "Two", "n": 2.5, "b": false, "d": date("2021-01-01T00:00:00.000Z"), "o": {"k": [1, 2, {"z": 3}]},
                "a": [], "p": pointer("p2"), "g": geo(-10.0, 20.0), "_rperm": ["u1", "role:X"], "_wperm": [],
            }),
        ),
        row(
            "three",
            json!({
                "s": "o\nne \"q\" é", "n": -3, "a": [[1, 2], [3]], "o": {"k": null}, "d": date("1969-12-31T23:59:59.999Z"),
                "y": {"__type": "Polygon", "coordinates": [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]}, "_rperm": [],
            }),
        ),
        row(
            "four",
            json!({
                "s": "", "n": 0, "a": [pointer("p1"), pointer("p3"), {"k": "w", "l": [1, 5]}], "o": {"k": {"k": 1}}, "p": pointer("p10"),
            }),
        ),
        row(
            "five",
            json!({
                "s": "ones", "n": 9_007_199_254_740_991_i64, "a": ["x", "y", date("2020-01-01T00:00:00.000Z"), true], "o": {},
                "g": geo(10.0, 20.5),
            }),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn query_cases() -> Vec<(Resolved, Vec<&'static str>)> {
    use Constraint::{All, AllRegex, ContainedBy, Exists, Gt, Gte, In, Lt, Lte, Ne, NotIn};
    let all = vec!["none", "null", "one", "two", "three", "four", "five"];
    let v = value;
    vec![
        (Filter::All, all.clone()),
        (Filter::Never, vec![]),
        (Filter::And(vec![]), all.clone()),
        // Equality.
        (eq("s", json!("one")), vec!["one"]),
        (eq("s", json!("ONE")), vec![]),
        (eq("s", json!("")), vec!["four"]),
        (eq("s", json!("o\nne \"q\" é")), vec!["three"]),
        (eq("s", json!(1)), vec![]),
        (eq("n", json!(1)), vec!["one"]),
        (eq("n", json!(1.0)), vec!["one"]),
        (eq("n", json!(-0.0)), vec!["four"]),
        (eq("n", json!("1")), vec![]),
        (eq("n", json!(9_007_199_254_740_991_i64)), vec!["five"]),
        (eq("b", json!(true)), vec!["one"]),
        (eq("b", json!(1)), vec![]),
        (eq("d", date("2020-01-01T00:00:00.000Z")), vec!["one"]),
        (eq("d", json!("2020-01-01T00:00:00.000Z")), vec![]),
        (eq("p", pointer("p1")), vec!["one"]),
        (eq("p", json!("p1")), vec![]),
        (eq("f", json!({"__type": "File", "name": "a.txt"})), vec!["one"]),
        (eq("objectId", json!("two")), vec!["two"]),
        (eq("objectId", json!(2)), vec![]),
        (eq("objectId", json!(null)), vec![]),
        (eq("unknown", json!(1)), vec![]),
        // Null and missing.
        (eq("s", json!(null)), vec!["none", "null", "two"].into_iter().filter(|id| *id != "two").collect()),
        (eq("p", json!(null)), vec!["none", "null", "three", "five"]),
        (eq("unknown", json!(null)), all.clone()),
        (eq("a", json!(null)), vec!["none", "null", "one"]),
        (eq("o.k", json!(null)), vec!["none", "null", "three", "five"]),
        (is("s", Ne(v(json!(null)))), vec!["one", "two", "three", "four", "five"]),
        (is("s", Exists(true)), vec!["null", "one", "two", "three", "four", "five"]),
        (is("s", Exists(false)), vec!["none"]),
        (is("o.k", Exists(true)), vec!["one", "two", "three", "four"]),
        (is("o.deep.x", Exists(false)), vec!["none", "null", "two", "three", "four", "five"]),
        (is("objectId", Exists(true)), all.clone()),
        (is("createdAt", Exists(false)), vec![]),
        // Comparison stays within a type.
        (is("n", Gt(v(json!(0)))), vec!["one", "two", "five"]),
        (is("n", Gte(v(json!(0)))), vec!["one", "two", "four", "five"]),
        (is("n", Lt(v(json!(1)))), vec!["three", "four"]),
        (is("n", Lte(v(json!(1)))), vec!["one", "three", "four"]),
        (is("n", Gt(v(json!("")))), vec![]),
        (is("s", Gt(v(json!("a")))), vec!["one", "three", "five"]),
        (is("s", Lt(v(json!("a")))), vec!["two", "four"]),
        (is("s", Lte(v(json!("one")))), vec!["one", "two", "three", "four"]),
        (is("s", Lt(v(json!(5)))), vec![]),
        (is("b", Lt(v(json!(true)))), vec!["two"]),
        (is("d", Lt(v(date("2020-06-01T00:00:00.000Z")))), vec!["one", "three"]),
        (is("d", Gte(v(date("2020-01-01T00:00:00.000Z")))), vec!["one", "two"]),
        (is("d", Gt(v(json!("2019-01-01T00:00:00.000Z")))), vec![]),
        (is("createdAt", Gte(v(date("2026-01-01T00:00:00.000Z")))), all.clone()),
        (is("createdAt", Gt(v(json!("2001-01-01")))), vec![]),
        (is("p", Gt(v(pointer("p1")))), vec!["two", "four"]),
        (is("objectId", Gt(v(json!("o")))), vec!["one", "two", "three"]),
        (is("a", Gt(v(json!("x")))), vec!["five"]),
        (is("a", Lt(v(json!(2)))), vec!["one"]),
        // Not equal, not in.
        (is("n", Ne(v(json!(1)))), vec!["none", "null", "two", "three", "four", "five"]),
        (is("a", Ne(v(json!("x")))), vec!["none", "null", "two", "three", "four"]),
        (is("n", NotIn(values(json!([1, 2.5])))), vec!["none", "null", "three", "four", "five"]),
        (is("n", NotIn(values(json!([1, null])))), vec!["two", "three", "four", "five"]),
        (is("n", NotIn(vec![])), all.clone()),
        (is("objectId", Ne(v(json!("one")))), vec!["none", "null", "two", "three", "four", "five"]),
        (is("objectId", NotIn(values(json!(["one", "two", 3])))), vec!["none", "null", "three", "four", "five"]),
        // In.
        (is("n", In(values(json!([1, 2.5, "x"])))), vec!["one", "two"]),
        (is("n", In(vec![])), vec![]),
        (is("s", In(values(json!(["one", null])))), vec!["none", "null", "one"]),
        (is("p", In(values(json!([pointer("p1"), pointer("p2")])))), vec!["one", "two"]),
        (is("objectId", In(values(json!(["one", "five", "zzz"])))), vec!["one", "five"]),
        (is("a", In(values(json!(["y", 1])))), vec!["one", "five"]),
        (is("n", In((0..1000).map(|n| Value::Number(f64::from(n))).collect())), vec!["one", "four"]),
        (
            is("s", In((0..1000).map(|n| Value::from(format!("x{n}"))).chain([Value::from("Two")]).collect())),
            vec!["two"],
        ),
        (is("_rperm", In(values(json!([null, "*", "u1"])))), vec!["none", "null", "one", "two", "four", "five"]),
        (is("_wperm", In(values(json!([null, "*"])))), vec!["none", "null", "three", "four", "five"]),
        // Arrays.
        (eq("a", json!("x")), vec!["one", "five"]),
        (eq("a", json!(["x"])), vec![]),
        (eq("a", json!([])), vec!["two"]),
        (eq("a", json!([1, 2])), vec!["three"]),
        (eq("a", json!([[1, 2], [3]])), vec!["three"]),
        (eq("a", pointer("p1")), vec!["four"]),
        (eq("a", date("2020-01-01T00:00:00.000Z")), vec!["five"]),
        (eq("a", json!({"k": "v"})), vec!["one"]),
        (eq("a.k", json!("v")), vec!["one"]),
        (eq("a.0", json!(1)), vec!["one"]),
        (eq("a.2.l", json!(5)), vec!["four"]),
        (eq("a.l", json!(5)), vec!["four"]),
        (eq("a.objectId", json!("p3")), vec!["four"]),
        (is("a", All(values(json!(["x", 1])))), vec!["one"]),
        (is("a", All(values(json!(["x"])))), vec!["one", "five"]),
        (is("a", All(values(json!([pointer("p1"), pointer("p3")])))), vec!["four"]),
        (is("a", All(vec![])), vec![]),
        (is("a", AllRegex(vec![Regex { pattern: "^\\Qx\\E".into(), options: String::new() }])), vec!["one", "five"]),
        (is("a", ContainedBy(values(json!(["x", "y", 1, null, {"k": "v"}])))), vec!["none", "null", "one", "two"]),
        // Objects.
        (eq("o", json!({})), vec!["five"]),
        (eq("o", json!({"k": null})), vec!["three"]),
        (eq("o.k", json!(1)), vec!["one", "two"]),
        (eq("o.k.z", json!(3)), vec!["two"]),
        (eq("o.k.k", json!(1)), vec!["four"]),
        (eq("o.deep.x", json!("y")), vec!["one"]),
        (eq("o.deep", json!({"x": "y"})), vec!["one"]),
        (is("o.k", Gt(v(json!(1)))), vec!["two"]),
        (is("o.k", In(values(json!([1, 7])))), vec!["one", "two"]),
        // Patterns.
        (is("s", regex("^one", "")), vec!["one", "five"]),
        (is("s", regex("^\\Qone\\E", "")), vec!["one", "five"]),
        (is("s", regex("^\\Qone\\E$", "")), vec!["one"]),
        (is("s", regex("^\\Qo\\E?", "")), vec!["one", "two", "three", "four", "five"]),
        (is("s", regex("^TWO$", "i")), vec!["two"]),
        (is("s", regex("^ne", "m")), vec!["three"]),
        (is("s", regex("o.ne", "s")), vec!["three"]),
        (is("s", regex("one|Two", "")), vec!["one", "two", "five"]),
        (is("s", regex("^one|wo", "")), vec!["one", "two", "five"]),
        (is("a", regex("^x$", "")), vec!["one", "five"]),
        (is("n", regex("1", "")), vec![]),
        // Together.
        (Filter::Or(vec![eq("n", json!(1)), eq("s", json!("Two"))]), vec!["one", "two"]),
        (Filter::Or(vec![eq("n", json!(1)), is("s", regex("^T", ""))]), vec!["one", "two"]),
        (Filter::Or(vec![eq("n", json!(1)), Filter::All]), all.clone()),
        (Filter::And(vec![is("n", Gt(v(json!(0)))), is("n", Lt(v(json!(2))))]), vec!["one"]),
        (Filter::Nor(vec![eq("n", json!(1)), eq("b", json!(false))]), vec!["none", "null", "three", "four", "five"]),
        (Filter::Nor(vec![is("s", regex("o", "")), eq("n", json!(0))]), vec!["none", "null"]),
        (Filter::Nor(vec![Filter::All]), vec![]),
        (Filter::Nor(vec![Filter::Never]), all.clone()),
        (
            Filter::And(vec![
                Filter::Or(vec![eq("b", json!(true)), eq("b", json!(false))]),
                Filter::Nor(vec![eq("a", json!(1))]),
            ]),
            vec!["two"],
        ),
        // Places.
        (is("g", Constraint::WithinSphere { center: point(10.0, 20.0), radius: 0.001 }), vec!["one"]),
        (is("g", Constraint::WithinSphere { center: point(10.0, 20.0), radius: 0.01 }), vec!["one", "five"]),
        (
            is("g", Constraint::WithinBox { bottom_left: point(0.0, 0.0), upper_right: point(30.0, 30.0) }),
            vec!["one", "five"],
        ),
        (
            is(
                "g",
                Constraint::WithinPolygon(vec![
                    point(-20.0, 10.0),
                    point(-20.0, 30.0),
                    point(0.0, 30.0),
                    point(0.0, 10.0),
                ]),
            ),
            vec!["two"],
        ),
        (is("y", Constraint::IntersectsPoint(point(5.0, 5.0))), vec!["three"]),
        (is("y", Constraint::IntersectsPoint(point(15.0, 5.0))), vec![]),
        (eq("g", geo(10.0, 20.0)), vec!["one"]),
        (eq("by", json!({"__type": "Bytes", "base64": "aGVsbG8="})), vec!["one"]),
    ]
}

async fn queries(store: &dyn Storage) {
    let schema = all_types();
    store.create_class(&schema).await.unwrap();
    let rows = query_rows();
    fill(store, &schema, &rows).await;
    // With and without indexes a query means the same.
    for round in 0..2 {
        for (filter, expected) in query_cases() {
            let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
            let got: BTreeSet<String> =
                found(store, &schema, &filter, &FindOptions::default()).await.into_iter().collect();
            assert_eq!(got, expected, "{filter:?} in round {round}");
            let count = store.count(&schema, &filter, &FindOptions::default(), None).await.unwrap();
            assert_eq!(count, expected.len() as u64, "count of {filter:?}");
            let by_hand = Matcher::new(&filter).unwrap();
            let accepted: BTreeSet<String> = rows
                .iter()
                .filter(|row| by_hand.matches(row).unwrap())
                .map(|row| row.get_str("objectId").unwrap().to_owned())
                .collect();
            assert_eq!(accepted, expected, "{filter:?} by the matcher");
        }
        if round == 0 {
            let specs: Vec<IndexSpec> = ["s", "n", "d", "a", "o.k", "p"]
                .into_iter()
                .enumerate()
                .map(|(at, field)| spec(field, &[field], false, at % 2 == 0))
                .collect();
            store.create_indexes(&schema, &specs).await.unwrap();
        }
    }
    // Every value comes back as it went in.
    let stored = store.find(&schema, &Filter::All, &FindOptions::default(), None).await.unwrap();
    for row in &rows {
        let id = row.get_str("objectId");
        let back = stored.iter().find(|back| back.get_str("objectId") == id).unwrap();
        for (field, value) in row {
            // A null pointer leaves nothing behind in some stores.
            if value.is_null() && field == "p" {
                continue;
            }
            assert_eq!(encode(back.get(field).unwrap_or(&Value::Null)), encode(value), "{field} of {id:?}");
        }
    }
    let near = is("g", Constraint::Near { point: point(9.0, 20.4), max_distance: None });
    match store.find(&schema, &near, &FindOptions::default(), None).await {
        Err(StorageError::NoGeoIndex(field)) => {
            assert_eq!(field, "g");
            let keys = IndexKeys::from_iter([("g".to_owned(), json!("2d"))]);
            store.create_indexes(&schema, &[IndexSpec { keys, ..spec("g_2d", &["g"], false, false) }]).await.unwrap();
        }
        other => drop(other.unwrap()),
    }
    assert_eq!(found(store, &schema, &near, &FindOptions::default()).await, ["five", "one", "two"]);
    let near = is("g", Constraint::Near { point: point(9.0, 20.4), max_distance: Some(0.1) });
    assert_eq!(found(store, &schema, &near, &FindOptions::default()).await, ["five", "one"]);
    let distinct = store.distinct(&schema, "a", &Filter::All).await.unwrap();
    assert!(
        distinct.contains(&Value::from("x"))
            && distinct.iter().filter(|value| **value == Value::from("x")).count() == 1
    );
    assert_eq!(store.distinct(&schema, "n", &is("n", Constraint::Gt(Value::Number(0.0)))).await.unwrap().len(), 3);
    assert!(
        store
            .explain(&schema, &eq("s", json!("one")), &FindOptions::default(), "queryPlanner")
            .await
            .unwrap()
            .is_object()
    );
}

fn spec(name: &str, fields: &[&str], unique: bool, sparse: bool) -> IndexSpec {
    IndexSpec {
        name: name.to_owned(),
        keys: fields.iter().map(|field| ((*field).to_owned(), json!(1))).collect(),
        unique,
        sparse,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    }
}

fn sorted(path: &str, descending: bool) -> Sort {
    Sort { path: path.to_owned(), descending }
}

async fn order_and_pages(store: &dyn Storage) {
    let schema = schema(
        "Order",
        &[("n", FieldType::Number), ("s", FieldType::String), ("a", FieldType::Array), ("o", FieldType::Object)],
    );
    store.create_class(&schema).await.unwrap();
    let rows: Vec<Object> = [
        ("m", json!({})),
        ("a", json!({"n": 3, "s": "b", "a": [5, 1], "o": {"k": 1}})),
        ("b", json!({"n": -1, "s": "a", "a": [], "o": {"k": [7, 0]}})),
        ("c", json!({"n": 3, "s": "B", "a": ["x", 2], "o": {"k": "z"}})),
        ("d", json!({"n": 10, "s": "é", "a": [3], "o": {"k": true}})),
        ("e", json!({"n": 2.5, "s": "", "a": [date("2020-01-01T00:00:00.000Z")], "o": {"k": {"x": 1}}})),
    ]
    .into_iter()
    .map(|(id, fields)| row(id, fields))
    .collect();
    fill(store, &schema, &rows).await;
    for round in 0..2 {
        for (order, expected) in [
            (vec![sorted("n", false), sorted("objectId", false)], "m b e a c d"),
            (vec![sorted("n", true), sorted("objectId", false)], "d a c e b m"),
            (vec![sorted("n", true), sorted("objectId", true)], "d c a e b m"),
            (vec![sorted("s", false)], "m e c b a d"),
            (vec![sorted("a", false)], "b m a c d e"),
            (vec![sorted("a", true)], "e c a d m b"),
            (vec![sorted("o.k", false)], "m b a c e d"),
            (vec![sorted("o.k", true)], "d e c b a m"),
            (vec![sorted("objectId", true)], "m e d c b a"),
            (vec![sorted("unknown", false), sorted("objectId", false)], "a b c d e m"),
        ] {
            let expected: Vec<&str> = expected.split(' ').collect();
            for filter in [Filter::All, is("objectId", regex(".", ""))] {
                let options = FindOptions { sort: order.clone(), ..FindOptions::default() };
                assert_eq!(found(store, &schema, &filter, &options).await, expected, "{order:?} in round {round}");
                let paged = FindOptions { sort: order.clone(), skip: 1, limit: Some(3), ..FindOptions::default() };
                assert_eq!(found(store, &schema, &filter, &paged).await, expected[1..4], "{order:?} paged");
            }
        }
        if round == 0 {
            store
                .create_indexes(&schema, &[spec("n_1", &["n"], false, false), spec("a_1", &["a"], false, false)])
                .await
                .unwrap();
        }
    }
    below_arrays(store).await;
    let skipped = FindOptions { sort: vec![sorted("objectId", false)], skip: 4, ..FindOptions::default() };
    assert_eq!(found(store, &schema, &Filter::All, &skipped).await, ["e", "m"]);
    let none = FindOptions { skip: 100, ..FindOptions::default() };
    assert!(found(store, &schema, &Filter::All, &none).await.is_empty());
}

/// Order by paths that lead through arrays.
async fn below_arrays(store: &dyn Storage) {
    let schema = schema("OrderDeep", &[("a", FieldType::Array)]);
    store.create_class(&schema).await.unwrap();
    let rows: Vec<Object> = [
        ("null", json!({"a": null})),
        ("date", json!({"a": [date("2020-01-01T00:00:00.000Z")]})),
        ("emptyobj", json!({"a": [{}]})),
        ("empty", json!({"a": []})),
        ("miss", json!({})),
        ("k1", json!({"a": [{"k": 1}]})),
        ("kempty", json!({"a": [{"k": []}]})),
        ("mixed", json!({"a": [5, {"k": -1}]})),
        ("arr0", json!({"a": [[1], [2]]})),
        ("arrobj", json!({"a": [[{"k": -5}]]})),
    ]
    .into_iter()
    .map(|(id, fields)| row(id, fields))
    .collect();
    fill(store, &schema, &rows).await;
    for (path, descending, expected) in [
        ("a.k", false, "kempty arr0 arrobj date empty emptyobj miss mixed null k1"),
        ("a.k", true, "k1 mixed arr0 arrobj date empty emptyobj miss null kempty"),
        ("a", false, "empty miss null mixed emptyobj k1 kempty arr0 arrobj date"),
        ("a", true, "date arrobj arr0 kempty k1 mixed emptyobj miss null empty"),
        ("a.0.k", false, "kempty arr0 date empty emptyobj miss mixed null arrobj k1"),
    ] {
        let options =
            FindOptions { sort: vec![sorted(path, descending), sorted("objectId", false)], ..FindOptions::default() };
        let expected: Vec<&str> = expected.split(' ').collect();
        assert_eq!(found(store, &schema, &Filter::All, &options).await, expected, "{path} {descending}");
    }
}

async fn projections(store: &dyn Storage) {
    let schema = schema("Keys", &[("n", FieldType::Number), ("s", FieldType::String), ("o", FieldType::Object)]);
    store.create_class(&schema).await.unwrap();
    let fields = json!({"n": 1, "s": "x", "o": {"a": {"b": 1, "c": 2}, "d": 3, "l": [{"b": 1, "c": 2}, 5]}, "_rperm": ["*"], "_wperm": []});
    fill(store, &schema, &[row("1", fields)]).await;
    for (keys, expected) in [
        (vec!["n"], json!({"n": 1})),
        (vec!["s", "unknown"], json!({"s": "x"})),
        (vec!["o.a.b"], json!({"o": {"a": {"b": 1}}})),
        (vec!["o.d", "n"], json!({"n": 1, "o": {"d": 3}})),
        (vec!["o.l.b"], json!({"o": {"l": [{"b": 1}]}})),
    ] {
        let options =
            FindOptions { keys: Some(keys.iter().map(|key| (*key).to_owned()).collect()), ..FindOptions::default() };
        let rows = store.find(&schema, &Filter::All, &options, None).await.unwrap();
        let [mut found] = rows.try_into().unwrap();
        assert!(found.contains("objectId") && found.contains("createdAt") && found.contains("updatedAt"));
        assert!(found.contains("_rperm") && found.contains("_wperm"), "permissions always come");
        for always in ["objectId", "createdAt", "updatedAt", "_rperm", "_wperm"] {
            found.remove(always);
        }
        assert_eq!(Json::Object(encode_object(&found)), expected, "{keys:?}");
    }
}

async fn full_text(store: &dyn Storage) {
    let schema = schema("Text", &[("t", FieldType::String), ("k", FieldType::Number)]);
    store.create_class(&schema).await.unwrap();
    let text = |at: usize, text: &str| row(&at.to_string(), json!({"t": text, "k": at}));
    let rows: Vec<Object> = ["coffee is nice", "coffee coffee coffee", "tea", "Café running"]
        .iter()
        .enumerate()
        .map(|(at, t)| text(at, t))
        .collect();
    fill(store, &schema, &rows).await;
    let keys = IndexKeys::from_iter([("t".to_owned(), json!("text"))]);
    store.create_indexes(&schema, &[IndexSpec { keys, ..spec("t_text", &["t"], false, false) }]).await.unwrap();
    let search = |term: &str| {
        let term = term.to_owned();
        is(
            "t",
            Constraint::Text(TextSearch { term, language: None, case_sensitive: false, diacritic_sensitive: false }),
        )
    };
    let by_score = FindOptions {
        sort: vec![sorted("$score", false)],
        keys: Some(vec!["t".to_owned(), "$score".to_owned()]),
        ..FindOptions::default()
    };
    for (term, expected) in [
        ("coffee", vec!["1", "0"]),
        ("coffees", vec!["1", "0"]),
        ("\"is nice\"", vec!["0"]),
        ("coffee -nice", vec!["1"]),
        ("cafe", vec!["3"]),
        ("runs", vec!["3"]),
        ("the", vec![]),
    ] {
        assert_eq!(found(store, &schema, &search(term), &by_score).await, expected, "{term}");
        assert_eq!(
            store.count(&schema, &search(term), &FindOptions::default(), None).await.unwrap(),
            expected.len() as u64
        );
    }
    let rows = store
        .find(&schema, &search("coffee").and(is("k", Constraint::Lt(Value::Number(1.0)))), &by_score, None)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get("score"), Some(&Value::Number(0.75)));
}

fn update(changes: Vec<(&str, Change)>) -> Update {
    Update(changes.into_iter().map(|(path, change)| (path.to_owned(), change)).collect())
}

async fn writes(store: &dyn Storage) {
    let schema = schema(
        "Writes",
        &[
            ("n", FieldType::Number),
            ("s", FieldType::String),
            ("a", FieldType::Array),
            ("o", FieldType::Object),
            ("t", FieldType::String),
        ],
    );
    store.create_class(&schema).await.unwrap();
    fill(
        store,
        &schema,
        &[
            row("1", json!({"n": 1, "s": "x", "a": [1, 2], "o": {"k": 1}})),
            row("2", json!({"n": 2})),
            row("3", json!({"n": 3})),
        ],
    )
    .await;
    let changed = store
        .update_one(
            &schema,
            &by_id("1"),
            &update(vec![
                ("n", Change::Increment(2.5)),
                ("s", Change::Unset),
                ("t", Change::Set("new".into())),
                ("a", Change::AddUnique(values(json!([2, 3])))),
                ("o.k", Change::Increment(1.0)),
                ("o.x.y", Change::Set(value(json!("deep")))),
            ]),
            None,
        )
        .await
        .unwrap()
        .unwrap();
    let check = |row: &Object, expected: Json| {
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(row.get(field).map_or(Json::Null, encode), *value, "{field}");
        }
    };
    let expected = json!({"n": 3.5, "s": null, "t": "new", "a": [1, 2, 3], "o": {"k": 2, "x": {"y": "deep"}}});
    check(&changed, expected.clone());
    check(&store.find(&schema, &by_id("1"), &FindOptions::default(), None).await.unwrap()[0], expected);
    let lists = update(vec![("a", Change::Remove(values(json!([1, 3]))))]);
    check(&store.update_one(&schema, &by_id("1"), &lists, None).await.unwrap().unwrap(), json!({"a": [2]}));
    let lists = update(vec![("a", Change::Add(values(json!([2, {"k": 1}]))))]);
    check(
        &store.update_one(&schema, &by_id("1"), &lists, None).await.unwrap().unwrap(),
        json!({"a": [2, 2, {"k": 1}]}),
    );
    let nobody =
        store.update_one(&schema, &by_id("zzz"), &update(vec![("n", Change::Increment(1.0))]), None).await.unwrap();
    assert!(nobody.is_none());
    let at_least_two = is("n", Constraint::Gte(Value::Number(2.0)));
    let many = store.update_many(&schema, &at_least_two, &update(vec![("s", Change::Set("many".into()))]), None).await;
    assert_eq!(many.unwrap(), 3);
    assert_eq!(store.count(&schema, &eq("s", json!("many")), &FindOptions::default(), None).await.unwrap(), 3);
    // Upsert: once it makes a row, then it changes it.
    let filter = Filter::And(vec![by_id("4"), eq("s", json!("made"))]);
    for n in [10.0, 1.0] {
        store.upsert(&schema, &filter, &update(vec![("n", Change::Increment(n))]), None).await.unwrap();
    }
    check(
        &store.find(&schema, &by_id("4"), &FindOptions::default(), None).await.unwrap()[0],
        json!({"s": "made", "n": 11}),
    );
    // Increments at the same time all count.
    let increments =
        join_all(
            (0..50).map(|_| {
                let store = &store;
                let schema = &schema;
                async move {
                    store.update_one(schema, &by_id("2"), &update(vec![("n", Change::Increment(1.0))]), None).await
                }
            }),
        );
    for result in increments.await {
        result.unwrap().unwrap();
    }
    check(&store.find(&schema, &by_id("2"), &FindOptions::default(), None).await.unwrap()[0], json!({"n": 52}));
    assert_eq!(store.delete(&schema, &is("n", Constraint::Gt(Value::Number(10.0))), None).await.unwrap(), 2);
    assert_eq!(store.delete(&schema, &by_id("zzz"), None).await.unwrap(), 0);
    assert_eq!(store.delete(&schema, &Filter::All, None).await.unwrap(), 2);
    assert_eq!(store.count(&schema, &Filter::All, &FindOptions::default(), None).await.unwrap(), 0);
}

fn duplicate_of(result: Result<(), StorageError>) -> String {
    match result {
        Err(StorageError::Duplicate { index }) => index,
        other => panic!("not refused as a duplicate: {other:?}"),
    }
}

async fn uniqueness(store: &dyn Storage) {
    let schema = schema("Unique", &[("u", FieldType::String), ("v", FieldType::String), ("x", FieldType::Number)]);
    store.create_class(&schema).await.unwrap();
    store
        .create_indexes(&schema, &[spec("u_1", &["u"], true, true), spec("deep_id", &["_auth_data_x.id"], true, true)])
        .await
        .unwrap();
    // Making an index that is there already changes nothing.
    store.create_indexes(&schema, &[spec("u_1", &["u"], true, true)]).await.unwrap();
    store.insert(&schema, row("1", json!({"u": "a"})), None).await.unwrap();
    assert_eq!(duplicate_of(store.insert(&schema, row("1", json!({"u": "b"})), None).await), "_id_");
    assert_eq!(duplicate_of(store.insert(&schema, row("2", json!({"u": "a"})), None).await), "u_1");
    // Rows without the field do not meet.
    store.insert(&schema, row("3", json!({})), None).await.unwrap();
    store.insert(&schema, row("4", json!({})), None).await.unwrap();
    let changes = update(vec![("u", Change::Set("a".into())), ("x", Change::Set(Value::Number(1.0)))]);
    let taken = store.update_one(&schema, &by_id("3"), &changes, None).await;
    assert_eq!(duplicate_of(taken.map(drop)), "u_1");
    let rows = store.find(&schema, &by_id("3"), &FindOptions::default(), None).await.unwrap();
    assert!(!rows[0].contains("x"), "nothing of a refused update stays");
    store.insert(&schema, row("5", json!({"_auth_data_x": {"id": "i", "more": 1}})), None).await.unwrap();
    assert_eq!(
        duplicate_of(store.insert(&schema, row("6", json!({"_auth_data_x": {"id": "i"}})), None).await),
        "deep_id"
    );
    assert_eq!(found(store, &schema, &eq("_auth_data_x.id", json!("i")), &FindOptions::default()).await, ["5"]);
    // However many race, one wins, and those that lose do not hurt others.
    let race = join_all((0..40).map(|n| {
        let (store, schema) = (&store, &schema);
        let fields = if n % 2 == 0 { json!({"u": "race"}) } else { json!({"u": format!("own{n}")}) };
        async move { store.insert(schema, row(&format!("r{n}"), fields), None).await }
    }))
    .await;
    assert_eq!(race.iter().filter(|result| result.is_ok()).count(), 21);
    assert_eq!(store.count(&schema, &eq("u", json!("race")), &FindOptions::default(), None).await.unwrap(), 1);
    // An index that rows break cannot be made.
    store.insert(&schema, row("7", json!({"v": "same"})), None).await.unwrap();
    store.insert(&schema, row("8", json!({"v": "same"})), None).await.unwrap();
    assert!(store.create_indexes(&schema, &[spec("v_1", &["v"], true, true)]).await.is_err());
}

async fn case_insensitive(store: &dyn Storage) {
    let schema = schema("Folded", &[("name", FieldType::String)]);
    store.create_class(&schema).await.unwrap();
    let folded = FindOptions { case_insensitive: true, ..FindOptions::default() };
    let rows: Vec<Object> = ["Straße", "alice", "I", "ı", "e\u{301}", "ＡＢＣ"]
        .iter()
        .enumerate()
        .map(|(at, name)| row(&at.to_string(), json!({"name": name})))
        .collect();
    fill(store, &schema, &rows).await;
    for round in 0..2 {
        for (name, expected) in [
            ("STRAẞE", vec!["0"]),
            ("STRASSE", vec![]),
            ("Alice", vec!["1"]),
            ("alicé", vec![]),
            ("i", vec!["2"]),
            ("ı", vec!["3"]),
            ("É", vec!["4"]),
            ("e", vec![]),
            ("abc", vec!["5"]),
        ] {
            assert_eq!(
                found(store, &schema, &eq("name", json!(name)), &folded).await,
                expected,
                "{name} in round {round}"
            );
            let both = Filter::And(vec![eq("name", json!(name)), is("objectId", Constraint::Ne("9".into()))]);
            assert_eq!(store.count(&schema, &both, &folded, None).await.unwrap(), expected.len() as u64, "{name}");
        }
        assert!(found(store, &schema, &eq("name", json!("ALICE")), &FindOptions::default()).await.is_empty());
        if round == 0 {
            let index = IndexSpec { case_insensitive: true, ..spec("folded_name", &["name"], false, true) };
            store.create_indexes(&schema, &[index]).await.unwrap();
        }
    }
}

async fn transactions(store: &dyn Storage) {
    let schema = schema("Tx", &[("n", FieldType::Number)]);
    store.create_class(&schema).await.unwrap();
    store.insert(&schema, row("0", json!({"n": 0})), None).await.unwrap();
    // A count of everything may be an estimate.
    let count = || async { found(store, &schema, &Filter::All, &FindOptions::default()).await.len() };
    // What a transaction wrote, it sees; others see it after the commit.
    let tx = store.begin().await.unwrap();
    store.insert(&schema, row("1", json!({"n": 1})), Some(&tx)).await.unwrap();
    store
        .update_one(&schema, &by_id("0"), &update(vec![("n", Change::Increment(5.0))]), Some(&tx))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.count(&schema, &Filter::All, &FindOptions::default(), Some(&tx)).await.unwrap(), 2);
    assert_eq!(count().await, 1);
    store.commit(tx).await.unwrap();
    assert_eq!(count().await, 2);
    // Undone.
    let tx = store.begin().await.unwrap();
    store.insert(&schema, row("2", json!({})), Some(&tx)).await.unwrap();
    assert_eq!(store.delete(&schema, &by_id("0"), Some(&tx)).await.unwrap(), 1);
    store.abort(tx).await.unwrap();
    assert_eq!(found(store, &schema, &eq("n", json!(5)), &FindOptions::default()).await, ["0"]);
    assert_eq!(count().await, 2);
    // Forgotten: undone as well.
    let tx = store.begin().await.unwrap();
    store.insert(&schema, row("3", json!({})), Some(&tx)).await.unwrap();
    drop(tx);
    store.insert(&schema, row("4", json!({})), None).await.unwrap();
    assert_eq!(count().await, 3);
}

async fn relations(store: &dyn Storage) {
    let join = ClassName::trusted("Owner").join("friends");
    let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let pairs = |pairs: Vec<(String, String)>| {
        let mut pairs: Vec<String> = pairs.into_iter().map(|(owner, member)| format!("{owner}>{member}")).collect();
        pairs.sort();
        pairs.join(" ")
    };
    assert!(store.members(&join, &own(&["o1"]), None).await.unwrap().is_empty());
    store.link(&join, "o1", &own(&["a", "b", "b"]), None).await.unwrap();
    store.link(&join, "o1", &own(&["b", "c"]), None).await.unwrap();
    store.link(&join, "o2", &own(&["a"]), None).await.unwrap();
    assert_eq!(pairs(store.members(&join, &own(&["o1"]), None).await.unwrap()), "o1>a o1>b o1>c");
    assert_eq!(pairs(store.members(&join, &own(&["o1", "o2", "o3"]), None).await.unwrap()), "o1>a o1>b o1>c o2>a");
    assert_eq!(pairs(store.owners(&join, &own(&["a"]), None).await.unwrap()), "o1>a o2>a");
    assert!(store.owners(&join, &[], None).await.unwrap().is_empty());
    store.unlink(&join, "o1", &own(&["b", "stranger"]), None).await.unwrap();
    assert_eq!(pairs(store.owners(&join, &own(&["b", "c"]), None).await.unwrap()), "o1>c");
    store.delete_class(&join).await.unwrap();
    assert!(store.members(&join, &own(&["o1"]), None).await.unwrap().is_empty());
}

async fn class(store: &dyn Storage, name: &str) -> Option<ClassSchema> {
    store.classes().await.unwrap().into_iter().find(|schema| schema.name == name)
}

async fn schemas(store: &dyn Storage) {
    let mut schema = schema("Schema", &[("s", FieldType::String), ("p", FieldType::Pointer(ClassName::trusted("T")))]);
    schema.permissions = json!({"find": {"*": true}}).as_object().cloned();
    schema
        .fields
        .insert("q".into(), Field { kind: FieldType::Number, required: true, default: Some(Value::Number(7.0)) });
    store.create_class(&schema).await.unwrap();
    assert!(matches!(store.create_class(&schema).await, Err(StorageError::Duplicate { .. })));
    assert_eq!(class(store, "Schema").await.unwrap().fields, schema.fields);
    assert_eq!(class(store, "Schema").await.unwrap().permissions.unwrap().get("find"), Some(&json!({"*": true})));
    assert!(class(store, "schema").await.is_none(), "names know case");
    let name = &schema.name;
    for _ in 0..2 {
        store.add_field(name, "x", &Field::new(FieldType::Array)).await.unwrap();
    }
    let clash = store.add_field(name, "x", &Field::new(FieldType::Number)).await;
    assert!(matches!(clash, Err(StorageError::FieldExists(_))), "{clash:?}");
    // However many types race for a field, one wins.
    let race = join_all((0..10).map(|n| {
        let kind = if n % 2 == 0 { FieldType::String } else { FieldType::Number };
        async move { store.add_field(name, "raced", &Field::new(kind)).await }
    }))
    .await;
    assert_eq!(race.iter().filter(|result| result.is_ok()).count(), 5);
    store
        .set_field_options(name, "s", &Field { kind: FieldType::String, required: true, default: Some("d".into()) })
        .await
        .unwrap();
    store.set_permissions(name, json!({"get": {}}).as_object()).await.unwrap();
    let listed: IndexMap<String, IndexKeys> =
        [("i".to_owned(), IndexKeys::from_iter([("s".to_owned(), json!(1))]))].into_iter().collect();
    store.set_listed_indexes(name, &listed).await.unwrap();
    let now = class(store, "Schema").await.unwrap();
    assert_eq!(
        now.fields.get("s"),
        Some(&Field { kind: FieldType::String, required: true, default: Some("d".into()) })
    );
    assert_eq!(now.fields.get("x").map(|field| field.kind.clone()), Some(FieldType::Array));
    assert_eq!(now.permissions.as_ref().unwrap().get("get"), Some(&json!({})));
    assert_eq!(now.indexes, listed);
    store.insert(&now, row("1", json!({"s": "a", "x": [1], "p": pointer("t")})), None).await.unwrap();
    store.delete_fields(&now, &["x".to_owned(), "p".to_owned()]).await.unwrap();
    assert!(!class(store, "Schema").await.unwrap().fields.contains_key("x"));
    let rows = store.find(&now, &Filter::All, &FindOptions::default(), None).await.unwrap();
    assert!(!rows[0].contains("x") && !rows[0].contains("p") && rows[0].contains("s"));
    store.delete_class(name).await.unwrap();
    store.delete_class(name).await.unwrap();
    assert!(class(store, "Schema").await.is_none());
    assert_eq!(store.count(&now, &Filter::All, &FindOptions::default(), None).await.unwrap(), 0);
    // Reading what was never made finds nothing, writing makes it.
    let fresh = self::schema("Fresh", &[]);
    assert!(found(store, &fresh, &Filter::All, &FindOptions::default()).await.is_empty());
    assert_eq!(store.delete(&fresh, &by_id("x"), None).await.unwrap(), 0);
    store.insert(&fresh, row("1", json!({})), None).await.unwrap();
    assert_eq!(found(store, &fresh, &Filter::All, &FindOptions::default()).await, ["1"]);
}

async fn indexes(store: &dyn Storage) {
    let schema = schema(
        "Indexed",
        &[("n", FieldType::Number), ("p", FieldType::Pointer(ClassName::trusted("T"))), ("y", FieldType::Polygon)],
    );
    store.create_class(&schema).await.unwrap();
    store.insert(&schema, row("1", json!({"n": 1})), None).await.unwrap();
    let two = IndexSpec {
        keys: IndexKeys::from_iter([("n".to_owned(), json!(-1)), ("createdAt".to_owned(), json!(1))]),
        ..spec("two", &[], false, false)
    };
    let sphere = IndexSpec {
        keys: IndexKeys::from_iter([("y".to_owned(), json!("2dsphere"))]),
        ..spec("y_2dsphere", &[], false, false)
    };
    store
        .create_indexes(&schema, &[spec("n_1", &["n"], false, false), two, spec("p_1", &["p"], false, false), sphere])
        .await
        .unwrap();
    let all = store.indexes(&schema.name).await.unwrap();
    let shown = |name: &str| all.get(name).map(|keys| serde_json::to_string(keys).unwrap()).unwrap_or_default();
    assert_eq!(shown("_id_"), r#"{"_id":1}"#);
    assert_eq!(shown("n_1"), r#"{"n":1}"#);
    assert_eq!(shown("two"), r#"{"n":-1,"_created_at":1}"#);
    assert_eq!(shown("p_1"), r#"{"_p_p":1}"#);
    assert_eq!(shown("y_2dsphere"), r#"{"y":"2dsphere"}"#);
    let hinted = |hint: Json| FindOptions { hint: Some(hint), ..FindOptions::default() };
    assert_eq!(found(store, &schema, &eq("n", json!(1)), &hinted(json!("n_1"))).await, ["1"]);
    assert_eq!(found(store, &schema, &eq("n", json!(1)), &hinted(json!({"n": 1}))).await, ["1"]);
    assert!(store.find(&schema, &eq("n", json!(1)), &hinted(json!("none")), None).await.is_err());
    store.drop_indexes(&schema.name, &["n_1".to_owned(), "two".to_owned()]).await.unwrap();
    let all = store.indexes(&schema.name).await.unwrap();
    assert!(!all.contains_key("n_1") && all.contains_key("p_1"));
    assert_eq!(found(store, &schema, &eq("n", json!(1)), &FindOptions::default()).await, ["1"]);
}

/// Runs the suite on MongoDB when `REPARSE_TEST_MONGO` names a server.
#[tokio::test]
async fn mongo_passes() {
    let uri =
        std::env::var("REPARSE_TEST_MONGO").expect("REPARSE_TEST_MONGO must hold the address of a MongoDB replica set");
    let mut options = MongoOptions::new(uri);
    options.collection_prefix = format!("conformance_{}_", std::process::id());
    let store = MongoStorage::connect(options).await.unwrap();
    clear(&store).await;
    suite(&store).await;
    agrees_with_matches(&store, 40, false).await;
    clear(&store).await;
}

/// Removes what a run leaves behind.
async fn clear(store: &dyn Storage) {
    for schema in store.classes().await.unwrap() {
        store.delete_class(&schema.name).await.unwrap();
    }
    store.delete_class(&ClassName::trusted("Fresh")).await.unwrap();
}
