//! What operations of this store do beyond the common suite, and what bounds them.

use std::time::Instant;

use super::*;
use crate::model::operation::Change;
use crate::model::query::filter::{Constraint, Regex};

#[tokio::test]
async fn a_row_and_what_belongs_to_it_are_one_write() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Whole", &[]);
    let store = open(directory.path());
    let tx = store.begin_for_one().await.unwrap().expect("the store has cheap transactions");
    store.insert(&schema, row("a", &json!({})), Some(&tx)).await.unwrap();
    // Longer than a client's transaction may be idle: nothing of the server's own is cut off by a busy machine.
    tokio::time::sleep(2 * quick().transaction_idle).await;
    store.insert(&schema, row("b", &json!({})), Some(&tx)).await.unwrap();
    store.abort(tx).await.unwrap();
    assert_eq!(count(&store, &schema).await, 0);
}

#[tokio::test]
async fn a_field_outlives_the_transaction_it_was_added_in() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_class(&class("Defined", &[])).await.unwrap();
    let name = ClassName::unchecked("Defined");
    // How fast the classes are read after the end differs from one time to the next.
    for number in 0..40 {
        let tx = store.begin().await.unwrap();
        let field = format!("f{number}");
        store.add_field(&name, &field, &Field::new(FieldType::Number)).await.unwrap();
        store.abort(tx).await.unwrap();
        let classes = store.classes().await.unwrap();
        let defined = classes.iter().find(|class| class.name == name).unwrap();
        assert!(defined.fields.contains_key(&field), "{field}");
    }
}

#[tokio::test]
async fn a_field_is_settled_when_the_transaction_it_was_added_in_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_class(&class("Defined", &[])).await.unwrap();
    let name = ClassName::unchecked("Defined");
    for (field, commits) in [("kept", true), ("again", false)] {
        store.settle_classes().await.unwrap();
        let tx = store.begin().await.unwrap();
        store.add_field(&name, field, &Field::new(FieldType::Number)).await.unwrap();
        let mut settled = std::pin::pin!(store.settle_classes());
        assert!(futures_util::poll!(settled.as_mut()).is_pending());
        let ended = if commits { store.commit(tx).await } else { store.abort(tx).await };
        ended.unwrap();
        settled.await.unwrap();
        // What is on disk, as another connection reads it.
        let disk = rusqlite::Connection::open(directory.path().join("reparse.db")).unwrap();
        let stored: String =
            disk.query_row("SELECT definition FROM _classes WHERE name = 'Defined'", [], |row| row.get(0)).unwrap();
        assert!(stored.contains(field), "{stored}");
    }
}

#[tokio::test]
async fn searches_end_in_time_and_memory() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { time_limit: Duration::from_millis(200), result_bytes: 100_000, ..quick() };
    let store = EmbeddedStorage::open(directory.path(), &options).unwrap();
    let schema = class("Slow", &[("s", FieldType::String)]);
    let rows: Vec<_> =
        (0..2000).map(|n| row(&n.to_string(), &json!({"s": format!("{}{n}", "a".repeat(60))}))).collect();
    for result in futures_util::future::join_all(rows.into_iter().map(|row| store.insert(&schema, row, None))).await {
        result.unwrap();
    }
    // In SQL alone: nothing of ours is called.
    let started = Instant::now();
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    let result = store
        .readers
        .run(move |db| {
            db.search(None, None, |db| {
                db.connection().query_row(endless, [], |row| row.get::<_, i64>(0)).map_err(translate)
            })
        })
        .await;
    // On a busy machine the search had little of its time, which is another answer.
    let ended = |error: &StorageError| matches!(error, StorageError::TimedOut | StorageError::Unavailable(_));
    assert!(result.as_ref().is_err_and(ended), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    // A pattern that is much work for each row.
    let hard =
        Filter::field("s", Constraint::Regex(Regex { pattern: "^(a|aa)*(?=b)b".to_owned(), options: "i".to_owned() }));
    let started = Instant::now();
    let result = store.find(&schema, &hard, &FindOptions::default(), None).await;
    let ended = |error: &StorageError| ended(error) || matches!(error, StorageError::Refused(_));
    assert!(result.as_ref().is_err_and(ended), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    // More than one answer may hold.
    let result = store.find(&schema, &Filter::All, &FindOptions::default(), None).await;
    assert!(matches!(result, Err(StorageError::Refused(_))), "{result:?}");
    // The connections are as good as new.
    assert_eq!(count(&store, &schema).await, 2000);
    let one = FindOptions { limit: Some(1), ..FindOptions::default() };
    assert_eq!(store.find(&schema, &Filter::All, &one, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_undone() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { transaction_timeout: Duration::from_millis(100), ..quick() };
    let store = EmbeddedStorage::open(directory.path(), &options).unwrap();
    let schema = class("Late", &[]);
    let tx = store.begin().await.unwrap();
    store.insert(&schema, row("1", &json!({})), Some(&tx)).await.unwrap();
    // Others wait for their turn.
    store.insert(&schema, row("2", &json!({})), None).await.unwrap();
    assert!(matches!(store.insert(&schema, row("3", &json!({})), Some(&tx)).await, Err(StorageError::TimedOut)));
    assert!(matches!(store.commit(tx).await, Err(StorageError::TimedOut)));
    assert_eq!(count(&store, &schema).await, 1);
}

#[tokio::test]
async fn classes_can_change_while_a_transaction_is_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let name = ClassName::unchecked("New");
    let names = || async {
        store.classes().await.unwrap().into_iter().map(|schema| schema.name.to_string()).collect::<Vec<_>>()
    };
    for commit in [true, false] {
        let schema = class(if commit { "Kept" } else { "New" }, &[]);
        let tx = store.begin().await.unwrap();
        let started = Instant::now();
        store.create_class(&schema).await.unwrap();
        store.add_field(&schema.name, "x", &Field::new(FieldType::Number)).await.unwrap();
        store.create_indexes(&schema, &[spec("x_1", "x")]).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(5), "nothing waits for the transaction");
        assert!(names().await.contains(&schema.name.to_string()), "who asks sees it");
        store.insert(&schema, row("1", &json!({"x": 1})), Some(&tx)).await.unwrap();
        if commit {
            store.commit(tx).await.unwrap();
        } else {
            store.abort(tx).await.unwrap();
        }
        assert_eq!(count(&store, &schema).await, u64::from(commit));
    }
    // The transaction was undone, the class stays: others may rely on it.
    store.insert(&class("New", &[]), row("2", &json!({"x": 1})), None).await.unwrap();
    assert_eq!(names().await, ["Kept", "New"]);
    assert!(store.indexes(&name).await.unwrap().contains_key("x_1"));
    let fields = store.classes().await.unwrap().into_iter().find(|schema| schema.name == name).unwrap().fields;
    assert!(fields.contains_key("x"));
}

#[tokio::test]
async fn looking_for_rows_makes_no_table() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let schema = class("Nowhere", &[]);
    let update = Update(vec![("n".to_owned(), Change::Increment(1.0))]);
    assert!(store.update_one(&schema, &Filter::eq("objectId", "x"), &update, None).await.unwrap().is_none());
    assert_eq!(store.update_many(&schema, &Filter::All, &update, None).await.unwrap(), 0);
    assert_eq!(store.delete(&schema, &Filter::All, None).await.unwrap(), 0);
    let tables: i64 = store
        .readers
        .run(|db| {
            db.connection()
                .query_row("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'c\\_%' ESCAPE '\\'", [], |row| {
                    row.get(0)
                })
                .map_err(translate)
        })
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn aggregations_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { result_bytes: 1_000_000, ..quick() };
    let store = EmbeddedStorage::open(directory.path(), &options).unwrap();
    let schema = class("Big", &[("a", FieldType::Array)]);
    let list: Vec<u32> = (0..2000).collect();
    store.insert(&schema, row("1", &json!({"a": list, "s": "x".repeat(10_000)})), None).await.unwrap();
    let run = |stages: Json| {
        let (store, schema) = (&store, &schema);
        async move { store.aggregate(schema, stages.as_array().unwrap().clone(), &AggregateOptions::default()).await }
    };
    let unwound = run(json!([{"$unwind": "$a"}, {"$count": "c"}])).await;
    assert!(matches!(&unwound, Err(StorageError::Refused(text)) if text.contains("memory")), "{unwound:?}");
    let double = json!({"$addFields": {"s": {"$concat": ["$s", "$s"]}}});
    let doubled = run(Json::Array(vec![double; 40])).await;
    assert!(matches!(doubled, Err(StorageError::Refused(_))));
    let inner = json!({"$map": {"input": "$a", "as": "y", "in": 1}});
    let loops = run(json!([{"$project": {"v": {"$map": {"input": "$a", "as": "x", "in": inner}}}}])).await;
    assert!(matches!(loops, Err(StorageError::Refused(_) | StorageError::TimedOut)), "{loops:?}");
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!({"$abs": deep});
    }
    assert!(matches!(run(json!([{"$project": {"v": deep}}])).await, Err(StorageError::Refused(_))));
    let foreign = run(json!([{"$lookup": {}}])).await;
    assert!(matches!(foreign, Err(StorageError::Refused(text)) if text.contains("$lookup")));
}

#[tokio::test]
async fn an_operation_refused_inside_a_transaction_leaves_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let schema = class("Steps", &[]);
    let tx = store.begin().await.unwrap();
    store.insert(&schema, row("1", &json!({})), Some(&tx)).await.unwrap();
    let twice = store.insert(&schema, row("1", &json!({})), Some(&tx)).await;
    assert!(matches!(twice, Err(StorageError::Duplicate { .. })));
    store.insert(&schema, row("2", &json!({})), Some(&tx)).await.unwrap();
    store.commit(tx).await.unwrap();
    assert_eq!(count(&store, &schema).await, 2);
}

#[tokio::test]
async fn indexes_are_used() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let fields =
        [("s", FieldType::String), ("n", FieldType::Number), ("a", FieldType::Array), ("name", FieldType::String)];
    let schema = class("Fast", &fields);
    let folded = IndexSpec { case_insensitive: true, unique: true, sparse: true, ..spec("folded", "name") };
    let sparse = IndexSpec { sparse: true, ..spec("s_1", "s") };
    let deep = IndexSpec { sparse: true, unique: true, ..spec("deep", "_auth_data_x.id") };
    store.create_indexes(&schema, &[sparse, spec("n_1", "n"), spec("a_1", "a"), folded, deep]).await.unwrap();
    let field = |path: &str, constraint| Filter::field(path, constraint);
    let sort = |path: &str| vec![crate::model::query::options::Sort { path: path.to_owned(), descending: true }];
    let number = |n: i32| Value::Number(f64::from(n));
    let readers = field("_rperm", Constraint::In(vec![Value::Null, "*".into()]));
    for (filter, options, index) in [
        (Filter::eq("objectId", "x"), FindOptions::default(), "id="),
        (field("objectId", Constraint::In(vec!["x".into(), "y".into()])), FindOptions::default(), "id="),
        (Filter::eq("s", "x"), FindOptions::default(), ".s_1"),
        (Filter::eq("s", "x").and(readers), FindOptions::default(), ".s_1"),
        (field("s", Constraint::In(vec!["x".into(), "y".into()])), FindOptions::default(), ".s_1"),
        (
            field("s", Constraint::Regex(Regex { pattern: "^\\Qabc\\E".into(), options: String::new() })),
            FindOptions::default(),
            ".s_1",
        ),
        (
            field("n", Constraint::Gt(number(1))).and(field("n", Constraint::Lte(number(5)))),
            FindOptions::default(),
            ".n_1",
        ),
        (field("n", Constraint::In((0..100).map(number).collect())), FindOptions::default(), ".n_1"),
        (Filter::Or(vec![Filter::eq("n", 1.0), Filter::eq("s", "x")]), FindOptions::default(), ".n_1"),
        (Filter::eq("a", "x"), FindOptions::default(), ".a_1"),
        (Filter::eq("authData.x.id", "i"), FindOptions::default(), ".deep"),
        (Filter::eq("name", "x"), FindOptions { case_insensitive: true, ..FindOptions::default() }, ".folded"),
        (Filter::All, FindOptions { sort: sort("createdAt"), limit: Some(10), ..FindOptions::default() }, ".createdat"),
        (Filter::All, FindOptions { sort: sort("n"), limit: Some(10), ..FindOptions::default() }, ".n_1"),
    ] {
        let plan = store.explain(&schema, &filter, &options, "queryPlanner").await.unwrap().to_string();
        assert!(plan.contains("USING INDEX") && plan.contains(index), "{filter:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
    }
}

#[tokio::test]
async fn rows_go_away_when_their_time_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let schema = class("Ttl", &[("expire", FieldType::Date), ("key", FieldType::String)]);
    let ttl = IndexSpec { sparse: true, expire_after_seconds: Some(0), ..spec("ttl", "expire") };
    let unique = IndexSpec { sparse: true, unique: true, ..spec("key_1", "key") };
    store.create_indexes(&schema, &[ttl, unique]).await.unwrap();
    let past = json!({"key": "k", "expire": {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}});
    let future = json!({"key": "k", "expire": {"__type": "Date", "iso": "2999-01-01T00:00:00.000Z"}});
    store.insert(&schema, row("1", &past), None).await.unwrap();
    assert_eq!(count(&store, &schema).await, 0, "what is over is not seen");
    store.insert(&schema, row("2", &future), None).await.unwrap();
    assert!(matches!(store.insert(&schema, row("3", &future), None).await, Err(StorageError::Duplicate { .. })));
    assert_eq!(count(&store, &schema).await, 1);
    store
        .write(None, |session| {
            let catalog = session.catalog()?;
            write::remove_expired(session, &catalog)
        })
        .await
        .unwrap();
    assert_eq!(count(&store, &schema).await, 1);
}

#[tokio::test]
async fn long_and_deep_conditions_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let schema = class("Long", &[("n", FieldType::Number)]);
    store.insert(&schema, row("1", &json!({"n": 9999})), None).await.unwrap();
    let many = || (0..10_000).map(|n| Filter::eq("n", f64::from(n))).collect::<Vec<_>>();
    let mut deep = Filter::eq("n", 9999.0);
    for _ in 0..120 {
        deep = Filter::Or(vec![deep, Filter::Never]);
    }
    for filter in [
        Filter::Or(many()),
        deep,
        Filter::field("n", Constraint::In((0..10_000).map(|n| Value::Number(f64::from(n))).collect())),
    ] {
        assert_eq!(store.find(&schema, &filter, &FindOptions::default(), None).await.unwrap().len(), 1);
    }
    assert_eq!(store.count(&schema, &Filter::And(many()), &FindOptions::default(), None).await.unwrap(), 0);
    assert_eq!(store.count(&schema, &Filter::Nor(many()), &FindOptions::default(), None).await.unwrap(), 0);
}

#[tokio::test]
async fn join_classes_can_be_read_as_rows() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let join = ClassName::unchecked("A").join("r");
    store.link(&join, "o1", &["m\"1".to_owned(), "m2".to_owned()], None).await.unwrap();
    let schema = ClassSchema::new(join);
    let rows = store.find(&schema, &Filter::eq("relatedId", "m\"1"), &FindOptions::default(), None).await.unwrap();
    assert_eq!(rows[0].get_str("owningId"), Some("o1"));
}

/// How long things take; `cargo test --release -- --ignored --nocapture embedded_speed`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn embedded_speed() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStorage::open(directory.path(), &EmbeddedOptions::default()).unwrap();
    let schema = class("Speed", &[("n", FieldType::Number), ("s", FieldType::String)]);
    store.create_indexes(&schema, &[spec("n_1", "n")]).await.unwrap();
    let fields = |n: u32| {
        json!({"n": n % 10_000, "s": format!("text {n}"), "o": {"a": [1, 2, 3], "b": "x"}, "_rperm": ["*"],
            "createdAt": {"__type": "Date", "iso": "2026-01-01T00:00:00.000Z"}, "updatedAt": {"__type": "Date", "iso": "2026-01-01T00:00:00.000Z"}})
    };
    for start in (0..100_000).step_by(1000) {
        let rows = (start..start + 1000).map(|n| store.insert(&schema, row(&format!("id{n}"), &fields(n)), None));
        for result in futures_util::future::join_all(rows).await {
            result.unwrap();
        }
    }
    let report = |what: &str, rounds: u32, started: Instant| println!("{what}: {:?}", started.elapsed() / rounds);
    let started = Instant::now();
    for n in 0..200 {
        store.insert(&schema, row(&format!("one{n}"), &fields(n)), None).await.unwrap();
    }
    report("durable insert, one after the other", 200, started);
    let started = Instant::now();
    for n in 0..5000 {
        store
            .find(
                &schema,
                &Filter::eq("objectId", format!("id{n}")),
                &FindOptions { limit: Some(1), ..FindOptions::default() },
                None,
            )
            .await
            .unwrap();
    }
    report("get by id, through the queue", 5000, started);
    let started = Instant::now();
    for n in 0..2000 {
        let found = store.find(&schema, &Filter::eq("n", f64::from(n)), &FindOptions::default(), None).await.unwrap();
        assert!(found.len() >= 10);
    }
    report("ten by index, through the queue", 2000, started);
    let started = Instant::now();
    for n in 0..2000 {
        let filter = Filter::eq("objectId", format!("id{n}"));
        let update = Update(vec![("n".to_owned(), Change::Increment(0.0))]);
        store.update_one(&schema, &filter, &update, None).await.unwrap();
        if n >= 200 {
            break;
        }
    }
    report("durable update, one after the other", 200, started);
    let started = Instant::now();
    let pattern = Filter::field("s", Constraint::Regex(Regex { pattern: "9$".into(), options: String::new() }));
    println!("{:?}", store.count(&schema, &pattern, &FindOptions::default(), None).await);
    report("scan of 100 000 with a pattern", 1, started);
    let started = Instant::now();
    let text = Filter::eq("s", "text 77");
    println!("{:?}", store.count(&schema, &text, &FindOptions::default(), None).await);
    report("scan of 100 000 for a text", 1, started);
}
