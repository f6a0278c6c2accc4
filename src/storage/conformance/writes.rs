//! Cases of writing: rows, uniqueness, transactions, relations.

use super::*;

fn update(changes: Vec<(&str, Change)>) -> Update {
    Update(changes.into_iter().map(|(path, change)| (path.to_owned(), change)).collect())
}

pub async fn writes(store: &dyn Storage) {
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

/// A pointer that is null from the beginning does not exist and is shown as null; one that an update made null exists and is not shown.
pub async fn null_pointers(store: &dyn Storage) {
    let schema = schema("NullPointers", &[("p", FieldType::Pointer(ClassName::unchecked("T")))]);
    store.create_class(&schema).await.unwrap();
    let rows = [
        row("born", json!({"p": null})),
        row("made", json!({"p": pointer("x")})),
        row("none", json!({})),
        row("some", json!({"p": pointer("y")})),
        row("twice", json!({"p": null})),
    ];
    fill(store, &schema, &rows).await;
    let set = |value: Json| update(vec![("p", Change::Set(super::value(value)))]);
    store.update_one(&schema, &by_id("made"), &set(json!(null)), None).await.unwrap();
    store.update_one(&schema, &by_id("twice"), &set(pointer("z")), None).await.unwrap();
    let all = FindOptions { sort: vec![Sort { path: "objectId".into(), descending: false }], ..FindOptions::default() };
    let there = found(store, &schema, &is("p", Constraint::Exists(true)), &all).await;
    assert_eq!(there, ["made", "some", "twice"]);
    assert_eq!(found(store, &schema, &is("p", Constraint::Exists(false)), &all).await, ["born", "none"]);
    assert_eq!(found(store, &schema, &eq("p", json!(null)), &all).await, ["born", "made", "none"]);
    assert_eq!(found(store, &schema, &eq("p", pointer("z")), &all).await, ["twice"]);
    let shown = read(store, &schema, &Filter::All, &all).await.unwrap();
    let shown: Vec<Option<bool>> = shown.iter().map(|row| row.get("p").map(Value::is_null)).collect();
    assert_eq!(shown, [Some(true), None, None, Some(false), Some(false)]);
    store.delete_class(&schema.name).await.unwrap();
}

pub async fn uniqueness(store: &dyn Storage) {
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

pub async fn case_insensitive(store: &dyn Storage) {
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

pub async fn transactions(store: &dyn Storage) {
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

pub async fn relations(store: &dyn Storage) {
    let join = ClassName::unchecked("Owner").join("friends");
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
    assert_eq!(pairs(store.owners(&join, Some(&own(&["a"])), None).await.unwrap()), "o1>a o2>a");
    assert!(store.owners(&join, Some(&[]), None).await.unwrap().is_empty());
    assert_eq!(pairs(store.owners(&join, None, None).await.unwrap()), "o1>a o1>b o1>c o2>a");
    store.unlink(&join, "o1", &own(&["b", "stranger"]), None).await.unwrap();
    assert_eq!(pairs(store.owners(&join, Some(&own(&["b", "c"])), None).await.unwrap()), "o1>c");
    ancestors(store, &join).await;
    store.delete_class(&join).await.unwrap();
    assert!(store.members(&join, &own(&["o1"]), None).await.unwrap().is_empty());
}

/// `o1` has `c`; what has `o1`, and so on, has it too.
async fn ancestors(store: &dyn Storage, direct: &ClassName) {
    let nested = ClassName::unchecked("Owner").join("nested");
    let of = async |member: &str| {
        let found = store.ancestors(direct, &nested, member, None).await.unwrap();
        let mut owners: Vec<&str> = found.owners().into_iter().collect();
        owners.sort_unstable();
        owners.join(" ")
    };
    assert_eq!(of("nobody").await, "");
    assert_eq!(of("c").await, "o1", "nothing is nested yet");
    for (owner, member) in
        [("n1", "o1"), ("n2", "n1"), ("n3", "n2"), ("o1", "n3"), ("n2", "n2"), ("x", "y"), ("n3", "a")]
    {
        store.link(&nested, owner, &[member.to_owned()], None).await.unwrap();
    }
    assert_eq!(of("c").await, "n1 n2 n3 o1");
    assert_eq!(of("a").await, "n1 n2 n3 o1 o2", "and nothing of what is nested in the member itself");
    assert_eq!(of("y").await, "");
    let found = store.ancestors(direct, &nested, "c", None).await.unwrap();
    let over = |missing: &str| {
        let mut owners: Vec<&str> = found.reachable(|owner| owner != missing).into_iter().collect();
        owners.sort_unstable();
        owners.join(" ")
    };
    assert_eq!(over(""), "n1 n2 n3 o1");
    assert_eq!(over("n2"), "n1 o1", "the way up ends where an owner is gone");
    assert_eq!(over("o1"), "");
    let tx = store.begin().await.unwrap();
    store.unlink(&nested, "n1", &["o1".to_owned()], Some(&tx)).await.unwrap();
    assert_eq!(store.ancestors(direct, &nested, "c", Some(&tx)).await.unwrap().direct, ["o1"]);
    store.abort(tx).await.unwrap();
    store.delete_class(&nested).await.unwrap();
    assert_eq!(of("c").await, "o1");
}
