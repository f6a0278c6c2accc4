//! The embedded store as a whole: the common suite, and what is its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use super::*;
use crate::model::json::decode_map;
use crate::model::operation::Change;
use crate::model::query::filter::{Constraint, Regex};
use crate::model::schema::FieldType;
use crate::storage::conformance;

fn quick() -> EmbeddedOptions {
    EmbeddedOptions { synchronous: Synchronous::Normal, ..EmbeddedOptions::default() }
}

fn open(directory: &Path) -> EmbeddedStorage {
    EmbeddedStorage::open(directory, &quick()).unwrap()
}

fn row(id: &str, fields: &Json) -> Object {
    let mut object = decode_map(fields.as_object().unwrap().clone()).unwrap();
    object.insert("objectId", id);
    object
}

fn class(name: &str, fields: &[(&str, FieldType)]) -> ClassSchema {
    let mut schema = ClassSchema::new(ClassName::unchecked(name));
    for (field, kind) in fields {
        schema.fields.insert((*field).to_owned(), Field::new(kind.clone()));
    }
    schema
}

fn spec(name: &str, field: &str) -> IndexSpec {
    IndexSpec {
        name: name.to_owned(),
        keys: IndexKeys::from_iter([(field.to_owned(), json!(1))]),
        unique: false,
        sparse: false,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    }
}

async fn count(store: &EmbeddedStorage, schema: &ClassSchema) -> u64 {
    store.count(schema, &Filter::All, &FindOptions::default(), None).await.unwrap()
}

#[tokio::test]
async fn passes_the_suite() {
    let directory = tempfile::tempdir().unwrap();
    conformance::suite(&open(directory.path())).await;
}

#[tokio::test]
async fn agrees_with_the_matcher() {
    let directory = tempfile::tempdir().unwrap();
    conformance::agrees_with_matches(&open(directory.path()), 200, true).await;
}

#[tokio::test]
async fn a_removed_or_replaced_file_is_noticed() {
    let schema = class("Kept", &[]);
    for (file, replaced) in [("reparse.db", false), ("reparse.db", true), ("reparse.db-wal", false)] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.insert(&schema, row("a", &json!({})), None).await.unwrap();
        store.ping().await.unwrap();
        let path = directory.path().join(file);
        let aside = directory.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        if replaced {
            std::fs::copy(&aside, &path).unwrap();
        }
        for outcome in [store.ping().await, store.insert(&schema, row("b", &json!({})), None).await] {
            assert!(matches!(outcome, Err(StorageError::Unavailable(_))), "{file}: {outcome:?}");
        }
        let tx = store.begin().await.unwrap();
        store.insert(&schema, row("c", &json!({})), Some(&tx)).await.unwrap();
        assert!(store.commit(tx).await.is_err(), "{file}");
        std::fs::rename(&aside, &path).unwrap();
        store.insert(&schema, row("d", &json!({})), None).await.unwrap();
        assert_eq!(count(&store, &schema).await, 2, "{file}");
    }
}

#[tokio::test]
async fn a_clean_stop_leaves_an_empty_lock() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let lock = || std::fs::read_to_string(directory.path().join("reparse.lock")).unwrap();
    assert_eq!(lock().trim(), std::process::id().to_string());
    store.close().await;
    assert_eq!(lock(), "");
}

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
async fn what_was_written_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Kept", &[("n", FieldType::Number)]);
    let store = open(directory.path());
    store.create_class(&schema).await.unwrap();
    let unique = IndexSpec { unique: true, sparse: true, ..spec("n_1", "n") };
    store.create_indexes(&schema, &[unique]).await.unwrap();
    store.insert(&schema, row("1", &json!({"n": 1})), None).await.unwrap();
    store.close().await;
    assert!(matches!(store.insert(&schema, row("2", &json!({})), None).await, Err(StorageError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(StorageError::Unavailable(_))));
    // Closed is closed, even while the object is still there.
    let store = open(directory.path());
    assert_eq!(count(&store, &schema).await, 1);
    assert!(store.indexes(&schema.name).await.unwrap().contains_key("n_1"));
    let again = store.insert(&schema, row("2", &json!({"n": 1})), None).await;
    assert!(matches!(again, Err(StorageError::Duplicate { index }) if index == "n_1"));
    drop(store);
    open(directory.path());
}

#[test]
fn a_second_process_is_refused_by_the_first_ones_pid() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep").join("data");
    let store = open(&path);
    let error = EmbeddedStorage::open(&path, &quick()).unwrap_err();
    assert!(matches!(&error, EmbeddedError::InUse { pid, .. } if *pid == std::process::id().to_string()), "{error}");
    assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
    drop(store);
    open(&path);
}

#[test]
fn other_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("reparse.db");
    drop(open(directory.path()));
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = EmbeddedStorage::open(directory.path(), &quick()).unwrap_err();
    assert!(matches!(error, EmbeddedError::TooNew { found: 99, known: 1, .. }), "{error}");

    std::fs::remove_file(&file).unwrap();
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let error = EmbeddedStorage::open(directory.path(), &quick()).unwrap_err();
    assert!(matches!(error, EmbeddedError::Damaged(_)), "{error}");

    std::fs::write(&file, "this is no database, whatever its name says".repeat(100)).unwrap();
    let error = EmbeddedStorage::open(directory.path(), &quick()).unwrap_err();
    assert!(matches!(error, EmbeddedError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn damage_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Broken", &[("s", FieldType::String)]);
    let store = open(directory.path());
    for n in 0..200 {
        store.insert(&schema, row(&n.to_string(), &json!({"s": "x".repeat(500)})), None).await.unwrap();
    }
    store.close().await;
    drop(store);
    let file = directory.path().join("reparse.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..] {
        *byte = 0xA5;
    }
    std::fs::write(&file, bytes).unwrap();
    let store = match EmbeddedStorage::open(directory.path(), &quick()) {
        Ok(store) => store,
        Err(error) => {
            assert!(matches!(error, EmbeddedError::Damaged(_)), "{error}");
            return;
        }
    };
    let error = store.find(&schema, &Filter::All, &FindOptions::default(), None).await.unwrap_err();
    assert!(error.to_string().contains("storage failure: the database file is damaged"), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_hurts_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Full", &[("s", FieldType::String)]);
    let store = open(directory.path());
    store.insert(&schema, row("before", &json!({})), None).await.unwrap();
    // The same error as that of a full disk, without one.
    store
        .write(None, |session| session.db.connection().pragma_update(None, "max_page_count", 60).map_err(translate))
        .await
        .unwrap();
    let mut full = None;
    for n in 0..100 {
        if let Err(error) = store.insert(&schema, row(&n.to_string(), &json!({"s": "x".repeat(10_000)})), None).await {
            full = Some((n, error));
            break;
        }
    }
    let (written, error) = full.unwrap();
    assert!(error.to_string().contains("disk") && error.to_string().contains("full"), "{error}");
    assert_eq!(count(&store, &schema).await, written + 1, "what was acknowledged is there");
    store
        .write(None, |session| {
            session.db.connection().pragma_update(None, "max_page_count", 1_000_000).map_err(translate)
        })
        .await
        .unwrap();
    store.insert(&schema, row("after", &json!({"s": "x".repeat(10_000)})), None).await.unwrap();
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

/// The other half of [`acknowledged_writes_survive_a_kill`]: writes until it is killed, and tells what it wrote.
#[test]
fn write_until_killed() {
    let Ok(directory) = std::env::var("REPARSE_TEST_KILL_DIRECTORY") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = EmbeddedStorage::open(Path::new(&directory), &EmbeddedOptions::default()).unwrap();
    let first: u64 = std::env::var("REPARSE_TEST_KILL_FIRST").unwrap().parse().unwrap();
    let schema = class("Killed", &[("n", FieldType::Number)]);
    runtime.block_on(async {
        let mut n = first;
        loop {
            let batch: Vec<u64> = (n..n + 4).collect();
            n += 4;
            let writes = batch.iter().map(|n| {
                let (store, schema) = (&store, &schema);
                async move {
                    store.insert(schema, row(&format!("k{n}"), &json!({"n": n})), None).await.unwrap();
                    // Both halves of a pair, or none.
                    let tx = store.begin().await.unwrap();
                    for half in ["a", "b"] {
                        store.insert(schema, row(&format!("{half}{n}"), &json!({"n": n})), Some(&tx)).await.unwrap();
                    }
                    store.commit(tx).await.unwrap();
                    println!("wrote {n}");
                }
            });
            futures_util::future::join_all(writes).await;
        }
    });
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Killed", &[("n", FieldType::Number)]);
    let mut written: Vec<u64> = Vec::new();
    for round in 0..5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::sqlite::tests::write_until_killed", "--nocapture"])
            .env("REPARSE_TEST_KILL_DIRECTORY", directory.path())
            .env("REPARSE_TEST_KILL_FIRST", (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..20 + round * 7 {
            let Some(line) = lines.next() else { break };
            written.extend(line.unwrap().strip_prefix("wrote ").and_then(|n| n.parse::<u64>().ok()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(std::result::Result::ok) {
            written.extend(line.strip_prefix("wrote ").and_then(|n| n.parse::<u64>().ok()));
        }
        let store = open(directory.path());
        let rows = store.find(&schema, &Filter::All, &FindOptions::default(), None).await.unwrap();
        let ids: std::collections::HashSet<String> =
            rows.iter().filter_map(|row| row.get_str("objectId").map(str::to_owned)).collect();
        for n in &written {
            for letter in ["k", "a", "b"] {
                assert!(ids.contains(&format!("{letter}{n}")), "{letter}{n} was acknowledged");
            }
        }
        for id in &ids {
            if let Some(n) = id.strip_prefix('a') {
                assert!(ids.contains(&format!("b{n}")), "half a transaction: {id}");
            }
        }
    }
    assert!(written.len() > 50, "{}", written.len());
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
