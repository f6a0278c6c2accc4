//! Conditions and updates: what is sent, and what a server makes of it.

use bson::{Bson, Document, doc};
use serde_json::json;

use super::super::filter::{self, Nearness};
use super::super::update;
use super::{clean, fill, ids, object, rest, store, thing, value};
use crate::model::operation::{Change, Update};
use crate::model::query::filter::{Constraint, Filter, Regex, Resolved, TextSearch};
use crate::model::query::options::{FindOptions, Sort};
use crate::model::value::GeoPoint;
use crate::storage::{IndexSpec, Storage as _, StorageError};

fn query(filter: &Resolved) -> Document {
    filter::document(&thing(), filter, Nearness::Ordered).unwrap()
}

fn eq(path: &str, json: serde_json::Value) -> Resolved {
    Filter::field(path, Constraint::Eq(value(json)))
}

fn point(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint { latitude, longitude }
}

#[test]
fn conditions() {
    let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": "t"});
    let stored = doc! {"__type": "Pointer", "className": "Target", "objectId": "t"};
    let values = |list: serde_json::Value| list.as_array().unwrap().iter().cloned().map(value).collect::<Vec<_>>();
    let regex = |pattern: &str, options: &str| Regex { pattern: pattern.to_owned(), options: options.to_owned() };
    for (filter, expected) in [
        (Filter::All, doc! {}),
        (Filter::Never, doc! {"_id": {"$in": []}}),
        (eq("objectId", json!("x")), doc! {"_id": "x"}),
        (eq("p", pointer.clone()), doc! {"_p_p": "Target$t"}),
        (eq("unknown", pointer.clone()), doc! {"_p_unknown": "Target$t"}),
        (eq("a", pointer.clone()), doc! {"a": {"$eq": stored.clone()}}),
        (eq("o.p", pointer.clone()), doc! {"o.p": {"$eq": stored.clone()}}),
        (eq("o", json!({"$gt": ""})), doc! {"o": {"$eq": {"$gt": ""}}}),
        (eq("p", json!(null)), doc! {"_p_p": Bson::Null}),
        (eq("fi", json!({"__type": "File", "name": "a"})), doc! {"fi": "a"}),
        (eq("g", json!({"__type": "GeoPoint", "latitude": 1, "longitude": 2})), doc! {"g": {"$eq": [2, 1]}}),
        (
            Filter::field("p", Constraint::In(values(json!([pointer, null])))),
            doc! {"_p_p": {"$in": ["Target$t", Bson::Null]}},
        ),
        (
            Filter::field("a", Constraint::ContainedBy(values(json!([1])))),
            doc! {"a": {"$not": {"$elemMatch": {"$nin": [1]}}}},
        ),
        (Filter::field("s", Constraint::Regex(regex("^x", "xiu"))), doc! {"s": {"$regex": "^x", "$options": "ix"}}),
        (
            Filter::field(
                "s",
                Constraint::Text(TextSearch {
                    term: "t".to_owned(),
                    language: None,
                    case_sensitive: true,
                    diacritic_sensitive: false,
                }),
            ),
            doc! {"$text": {"$search": "t", "$caseSensitive": true, "$diacriticSensitive": false}},
        ),
        (
            Filter::field("g", Constraint::Near { point: point(1.0, 2.0), max_distance: Some(0.5) }),
            doc! {"g": {"$nearSphere": [2, 1], "$maxDistance": 0.5}},
        ),
        (
            Filter::And(vec![
                Filter::field("n", Constraint::Gt(value(json!(1)))),
                Filter::field("n", Constraint::Lt(value(json!(5)))),
                eq("s", json!("x")),
            ]),
            doc! {"n": {"$gt": 1}, "s": "x", "$and": [{"n": {"$lt": 5}}]},
        ),
        (Filter::Or(vec![]), doc! {"_id": {"$in": []}}),
        (Filter::Or(vec![eq("s", json!("x")), Filter::And(vec![])]), doc! {"$or": [{"s": "x"}, {}]}),
        (Filter::Nor(vec![eq("s", json!("x"))]), doc! {"$nor": [{"s": "x"}]}),
    ] {
        assert_eq!(query(&filter), expected, "{filter:?}");
    }
    let near = Filter::field("g", Constraint::Near { point: point(1.0, 2.0), max_distance: None });
    assert_eq!(filter::document(&thing(), &near, Nearness::Unordered).unwrap(), doc! {"g": {"$ne": Bson::Null}});
}

#[test]
fn hostile_conditions_are_refused() {
    let mut deep = Resolved::All;
    for _ in 0..1000 {
        deep = Filter::And(vec![deep]);
    }
    for bad in [
        deep,
        Filter::field("s", Constraint::Regex(Regex { pattern: "a\0".to_owned(), options: String::new() })),
        eq("a\0b", json!(1)),
    ] {
        assert!(matches!(filter::document(&thing(), &bad, Nearness::Ordered), Err(StorageError::Refused(_))));
    }
}

#[test]
fn updates() {
    let mut update = Update::default();
    update.put("s", Change::Set(value(json!("x"))));
    update.put("p", Change::Set(value(json!({"__type": "Pointer", "className": "Target", "objectId": "t"}))));
    update.put("b", Change::Unset);
    update.put("n", Change::Increment(2.0));
    update.put("o.b.c", Change::Increment(5.0));
    update.put("a", Change::Add(vec![value(json!(1))]));
    update.put("a2", Change::AddUnique(vec![value(json!("u"))]));
    update.put("a3", Change::Remove(vec![value(json!(null))]));
    update.put("r", Change::Set(value(json!({"__type": "Relation", "className": "Target"}))));
    update.put("_rperm", Change::Set(value(json!(["*"]))));
    update.put("_wperm", Change::Set(value(json!([]))));
    assert_eq!(
        super::super::update::document(&thing(), &update).unwrap(),
        doc! {
            "$set": {"s": "x", "_p_p": "Target$t", "_rperm": ["*"], "_wperm": [], "_acl": {"*": {"r": true}}},
            "$unset": {"b": ""},
            "$inc": {"n": 2, "o.b.c": 5},
            "$push": {"a": {"$each": [1]}},
            "$addToSet": {"a2": {"$each": ["u"]}},
            "$pullAll": {"a3": [Bson::Null]},
        }
    );
    let mut removed = Update::default();
    removed.put("p", Change::Unset);
    removed.put("_rperm", Change::Unset);
    removed.put("_wperm", Change::Unset);
    assert_eq!(
        update::document(&thing(), &removed).unwrap(),
        doc! {"$unset": {"_p_p": "", "_rperm": "", "_wperm": "", "_acl": ""}}
    );
    let mut overlapping = Update::default();
    overlapping.put("o.b.c", Change::Unset);
    overlapping.put("o.b", Change::Unset);
    assert!(matches!(update::document(&thing(), &overlapping), Err(StorageError::Refused(_))));
    assert!(update::document(&thing(), &Update::default()).unwrap().is_empty());
}

#[tokio::test]
async fn matches_on_a_server() {
    let storage = store("matches").await;
    let pointer = |id: &str| json!({"__type": "Pointer", "className": "Target", "objectId": id});
    fill(
        &storage,
        vec![
            json!({"s": "Alpha", "n": 1, "a": [1, 2, "x"], "o": {"k": [{"z": 1}, {"z": 2}]}, "p": pointer("t")}),
            json!({"s": "beta", "n": 2, "a": [], "p": pointer("u"), "by": {"__type": "Bytes", "base64": "aGk="}}),
            json!({"s": null, "a": [pointer("t"), [1]], "o": {"d": {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}}}),
            json!({"s": "a.c\nB", "n": 3.5, "fi": {"__type": "File", "name": "f"}}),
        ],
    )
    .await;
    let pattern = |pattern: &str, options: &str| {
        Filter::field("s", Constraint::Regex(Regex { pattern: pattern.to_owned(), options: options.to_owned() }))
    };
    let list = |json: serde_json::Value| json.as_array().unwrap().iter().cloned().map(value).collect::<Vec<_>>();
    for (filter, expected) in [
        (Filter::All, "0 1 2 3"),
        (Filter::Never, ""),
        (eq("a", json!(1)), "0"),
        (eq("a", json!([1])), "2"),
        (eq("a", pointer("t")), "2"),
        (eq("a", json!(null)), "3"),
        (eq("p", pointer("t")), "0"),
        (eq("p", json!(null)), "2 3"),
        (eq("s", json!(null)), "2"),
        (eq("o.k.z", json!(2)), "0"),
        (eq("o.k.1.z", json!(2)), "0"),
        (eq("o.d", json!({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"})), "2"),
        (eq("by", json!({"__type": "Bytes", "base64": "aGk="})), "1"),
        (eq("fi", json!({"__type": "File", "name": "f"})), "3"),
        (Filter::field("n", Constraint::Ne(value(json!(1)))), "1 2 3"),
        (Filter::field("p", Constraint::NotIn(list(json!([pointer("t")])))), "1 2 3"),
        (Filter::field("a", Constraint::All(list(json!([1, "x"])))), "0"),
        (Filter::field("a", Constraint::ContainedBy(list(json!([1, 2, "x", 4])))), "0 1 3"),
        (Filter::field("a", Constraint::All(list(json!([{"$gt": 0}, 1])))), ""),
        (Filter::field("a", Constraint::In(list(json!([{"$gt": 0}, 1])))), "0"),
        (Filter::field("a", Constraint::ContainedBy(list(json!([{"$gt": 0}])))), "1 3"),
        (Filter::field("n", Constraint::Ne(value(json!({"$gt": 0})))), "0 1 2 3"),
        (Filter::field("n", Constraint::Gt(value(json!({"$gt": 0})))), ""),
        (Filter::field("a", Constraint::Exists(false)), "3"),
        (Filter::field("s", Constraint::Exists(true)), "0 1 2 3"),
        (Filter::field("n", Constraint::Gte(value(json!(2)))), "1 3"),
        (Filter::field("s", Constraint::Gt(value(json!(2)))), ""),
        (pattern("^alpha", "i"), "0"),
        (pattern("^B", "m"), "3"),
        (pattern("\\Qa.c\\E", "u"), "3"),
        (pattern("a l p h a", "ix"), "0"),
        (
            Filter::field(
                "a",
                Constraint::AllRegex(vec![Regex { pattern: "^\\Qx\\E".to_owned(), options: String::new() }]),
            ),
            "0",
        ),
        (
            Filter::And(vec![
                Filter::field("n", Constraint::Gt(value(json!(1)))),
                Filter::field("n", Constraint::Lt(value(json!(3)))),
            ]),
            "1",
        ),
        (Filter::Or(vec![eq("n", json!(1)), eq("n", json!(3.5))]), "0 3"),
        (Filter::Nor(vec![eq("n", json!(1)), eq("n", json!(3.5))]), "1 2"),
        (Filter::Nor(vec![]), "0 1 2 3"),
        (Filter::field("_rperm", Constraint::In(list(json!([null, "*"])))), "0 1 2 3"),
        (
            Filter::field("objectId", Constraint::In((0..10_000).map(|id| value(json!(id.to_string()))).collect())),
            "0 1 2 3",
        ),
    ] {
        let options = FindOptions {
            sort: vec![Sort { path: "objectId".to_owned(), descending: false }],
            ..FindOptions::default()
        };
        assert_eq!(ids(&storage, &filter, &options).await, expected, "{filter:?}");
        let count = storage.count(&thing(), &filter, &FindOptions::default(), None).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.split_whitespace().count(), "{filter:?}");
    }
    for bad in [
        pattern("(", ""),
        pattern("a", "g"),
        Filter::Or(vec![
            eq("n", json!(1)),
            Filter::field("g", Constraint::Near { point: point(0.0, 0.0), max_distance: None }),
        ]),
    ] {
        let error = storage.find(&thing(), &bad, &FindOptions::default(), None).await.unwrap_err();
        assert!(matches!(error, StorageError::Refused(_)), "{bad:?}: {error:?}");
    }
    clean(storage).await;
}

#[tokio::test]
async fn geometry_and_text_on_a_server() {
    let storage = store("geometry").await;
    let geo =
        |latitude: f64, longitude: f64| json!({"__type": "GeoPoint", "latitude": latitude, "longitude": longitude});
    fill(
        &storage,
        vec![
            json!({"g": geo(0.0, 10.0), "s": "the quick fox"}),
            json!({"g": geo(0.0, 1.0), "po": {"__type": "Polygon", "coordinates": [[0, 0], [0, 4], [4, 4], [4, 0]]}}),
            json!({"s": "foxes jump"}),
            json!({"g": geo(40.0, 30.0)}),
        ],
    )
    .await;
    let near = |max_distance| Filter::field("g", Constraint::Near { point: point(0.0, 0.0), max_distance });
    let none = FindOptions::default();
    let error = storage.find(&thing(), &near(None), &none, None).await.unwrap_err();
    assert!(matches!(&error, StorageError::NoGeoIndex(field) if field == "g"), "{error:?}");
    let index = |name: &str, field: &str, kind: &str| IndexSpec {
        name: name.to_owned(),
        keys: json!({field: kind}).as_object().unwrap().clone(),
        unique: false,
        sparse: false,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    };
    let wanted = [index("g_2d", "g", "2d"), index("po_2dsphere", "po", "2dsphere"), index("s_text", "s", "text")];
    storage.create_indexes(&thing(), &wanted).await.unwrap();
    storage.create_indexes(&thing(), &wanted).await.unwrap();
    let listed = storage.indexes(&thing().name).await.unwrap();
    assert_eq!(
        json!(listed),
        json!({"_id_": {"_id": 1}, "g_2d": {"g": "2d"}, "po_2dsphere": {"po": "2dsphere"}, "s_text": {"s": "text"}})
    );
    assert_eq!(ids(&storage, &near(None), &none).await, "1 0 3");
    assert_eq!(ids(&storage, &near(Some(0.1)), &none).await, "1");
    let both = Filter::And(vec![near(None), Filter::field("objectId", Constraint::Ne(value(json!("1"))))]);
    assert_eq!(ids(&storage, &both, &none).await, "0 3");
    assert_eq!(storage.count(&thing(), &near(Some(0.1)), &none, None).await.unwrap(), 1);
    assert_eq!(storage.count(&thing(), &near(None), &none, None).await.unwrap(), 3);
    for (constraint, field, expected) in [
        (Constraint::WithinBox { bottom_left: point(-1.0, 0.0), upper_right: point(1.0, 5.0) }, "g", "1"),
        (
            Constraint::WithinPolygon(vec![point(-1.0, 0.0), point(-1.0, 11.0), point(1.0, 11.0), point(1.0, 0.0)]),
            "g",
            "0 1",
        ),
        (Constraint::WithinSphere { center: point(0.0, 0.0), radius: 0.2 }, "g", "0 1"),
        (Constraint::IntersectsPoint(point(2.0, 3.0)), "po", "1"),
        (Constraint::IntersectsPoint(point(5.0, 3.0)), "po", ""),
    ] {
        let sorted = FindOptions {
            sort: vec![Sort { path: "objectId".to_owned(), descending: false }],
            ..FindOptions::default()
        };
        assert_eq!(ids(&storage, &Filter::field(field, constraint.clone()), &sorted).await, expected, "{constraint:?}");
    }
    let text = Filter::field(
        "s",
        Constraint::Text(TextSearch {
            term: "fox".to_owned(),
            language: None,
            case_sensitive: false,
            diacritic_sensitive: false,
        }),
    );
    let scored = FindOptions {
        sort: vec![Sort { path: "$score".to_owned(), descending: false }],
        keys: Some(vec!["$score".to_owned(), "s".to_owned()]),
        ..FindOptions::default()
    };
    let found = storage.find(&thing(), &text, &scored, None).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0].get("score").and_then(crate::model::value::Value::as_number).unwrap() > 0.0);
    clean(storage).await;
}

#[tokio::test]
async fn options_of_finds() {
    let storage = store("options").await;
    let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": "t"});
    fill(
        &storage,
        (0..2500).map(|n| json!({"objectId": format!("{n:04}"), "n": n % 10, "s": if n == 7 { "Ärger" } else { "x" }, "p": pointer, "o": {"b": 1, "c": 2}, "_rperm": ["*"]})).collect(),
    )
    .await;
    let all = storage.find(&thing(), &Filter::All, &FindOptions::default(), None).await.unwrap();
    assert_eq!(all.len(), 2500);
    let page = FindOptions {
        sort: vec![
            Sort { path: "n".to_owned(), descending: true },
            Sort { path: "objectId".to_owned(), descending: false },
        ],
        skip: 1,
        limit: Some(3),
        keys: Some(["p.name", "o.b", "o", "r", "ACL", "$bad"].iter().map(|key| (*key).to_owned()).collect()),
        comment: Some("from a test".to_owned()),
        hint: Some(json!("_id_")),
        ..FindOptions::default()
    };
    let rows = storage.find(&thing(), &Filter::All, &page, None).await.unwrap();
    assert_eq!(
        rows.iter().map(rest).collect::<Vec<_>>(),
        [
            json!({"objectId": "0019", "_rperm": ["*"], "p": pointer, "o": {"b": 1, "c": 2}}),
            json!({"objectId": "0029", "_rperm": ["*"], "p": pointer, "o": {"b": 1, "c": 2}}),
            json!({"objectId": "0039", "_rperm": ["*"], "p": pointer, "o": {"b": 1, "c": 2}}),
        ]
    );
    let none = FindOptions { limit: Some(0), ..FindOptions::default() };
    assert!(storage.find(&thing(), &Filter::All, &none, None).await.unwrap().is_empty());
    let caseless = FindOptions { case_insensitive: true, ..FindOptions::default() };
    assert_eq!(ids(&storage, &eq("s", json!("äRGER")), &caseless).await, "0007");
    let bad_hint = FindOptions { hint: Some(json!("nothing")), ..FindOptions::default() };
    for result in [
        storage.find(&thing(), &Filter::All, &bad_hint, None).await.map(|_| ()),
        storage.count(&thing(), &Filter::All, &bad_hint, None).await.map(|_| ()),
        storage.explain(&thing(), &Filter::All, &bad_hint, "queryPlanner").await.map(|_| ()),
    ] {
        assert!(matches!(result, Err(StorageError::Refused(_))), "{result:?}");
    }
    let plan = storage.explain(&thing(), &eq("objectId", json!("0001")), &page, "executionStats").await.unwrap();
    assert_eq!(plan["executionStats"]["nReturned"], json!(0));
    assert_eq!(storage.distinct(&thing(), "p", &Filter::All).await.unwrap(), [value(pointer)]);
    assert_eq!(storage.distinct(&thing(), "n", &eq("n", json!(3))).await.unwrap(), [value(json!(3))]);
    let missing = crate::model::schema::ClassSchema::new(crate::model::names::ClassName::unchecked("Missing"));
    assert!(storage.find(&missing, &Filter::All, &FindOptions::default(), None).await.unwrap().is_empty());
    assert_eq!(storage.count(&missing, &Filter::All, &FindOptions::default(), None).await.unwrap(), 0);
    assert!(storage.distinct(&missing, "n", &Filter::All).await.unwrap().is_empty());
    let _ = object(json!({}));
    clean(storage).await;
}
