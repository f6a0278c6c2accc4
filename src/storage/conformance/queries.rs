//! Cases of reading: filters, order, pages, projections, full text.

use super::cases::{query_cases, query_rows};
use super::*;

pub async fn queries(store: &dyn Storage) {
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
    let stored = read(store, &schema, &Filter::All, &FindOptions::default()).await.unwrap();
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

pub async fn order_and_pages(store: &dyn Storage) {
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

pub async fn projections(store: &dyn Storage) {
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
        let rows = read(store, &schema, &Filter::All, &options).await.unwrap();
        let [mut found] = rows.try_into().unwrap();
        assert!(found.contains("objectId") && found.contains("createdAt") && found.contains("updatedAt"));
        assert!(found.contains("_rperm") && found.contains("_wperm"), "permissions always come");
        for always in ["objectId", "createdAt", "updatedAt", "_rperm", "_wperm"] {
            found.remove(always);
        }
        assert_eq!(Json::Object(encode_object(&found)), expected, "{keys:?}");
    }
}

pub async fn full_text(store: &dyn Storage) {
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
    let filter = search("coffee").and(is("k", Constraint::Lt(Value::Number(1.0))));
    let rows = read(store, &schema, &filter, &by_score).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get("score"), Some(&Value::Number(0.75)));
}
