//! The history of writes: what it holds, and what it does not.

use futures_util::StreamExt as _;

use super::*;
use crate::model::operation::Change as Set;
use crate::model::query::filter::Constraint;

#[derive(Debug)]
struct Everything;

impl Follower for Everything {
    fn patterns(&self) -> Vec<String> {
        Vec::new()
    }

    fn follows(&self, _class: &str) -> bool {
        true
    }

    fn with_schema(&self, class: &ClassName, call: &mut dyn FnMut(&ClassSchema)) {
        call(&ClassSchema::new(class.clone()));
    }
}

fn keeping(writes: usize) -> EmbeddedOptions {
    let history = HistoryOf { covers: Arc::new(|class| class == "Kept"), writes, seconds: 300 };
    EmbeddedOptions { history: Some(history), ..quick() }
}

/// A write in short: its id, `n` before and after.
fn short(row: &RowChange) -> (String, Option<f64>, Option<f64>) {
    let n = |row: &Option<Object>| match row.as_ref().and_then(|row| row.get("n")) {
        Some(Value::Number(n)) => Some(*n),
        _ => None,
    };
    (row.id.clone(), n(&row.before), n(&row.after))
}

async fn known(store: &EmbeddedStorage, position: u64) -> Option<Vec<(String, Option<f64>, Option<f64>)>> {
    let (after, until) = (After { position, mark: None }, store.position().await.unwrap());
    let found = store.changes_between(Arc::new(Everything), after, until, Date::from_millis(0)).await.unwrap()?;
    Some(found.map(|change| short(&change.unwrap())).collect().await)
}

async fn set(store: &EmbeddedStorage, schema: &ClassSchema, field: &str, value: impl Into<Value>) {
    let filter = Filter::field("objectId", Constraint::Eq("a".into()));
    let update = Update(vec![(field.to_owned(), Set::Set(value.into()))]);
    store.update_one(schema, &filter, &update, None).await.unwrap().unwrap();
}

#[tokio::test]
async fn every_write_is_noted_once_and_nothing_that_was_undone() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, other) = (class("Kept", &[("n", FieldType::Number)]), class("Other", &[]));
    let store = EmbeddedStorage::open(directory.path(), &keeping(100)).unwrap();
    let mut heard = store.changes(Arc::new(Everything)).await.unwrap().unwrap();
    store.insert(&kept, row("a", &json!({ "n": 1 })), None).await.unwrap();
    assert!(store.insert(&kept, row("a", &json!({ "n": 9 })), None).await.is_err());
    store.insert(&other, row("b", &json!({})), None).await.unwrap();
    let tx = store.begin().await.unwrap();
    store.insert(&kept, row("c", &json!({ "n": 9 })), Some(&tx)).await.unwrap();
    store.abort(tx).await.unwrap();
    set(&store, &kept, "n", 2.0).await;
    set(&store, &kept, "n", 2.0).await;
    set(&store, &kept, "_failed_login_count", 1.0).await;
    store.insert(&kept, row("d", &json!({ "n": 3 })), None).await.unwrap();
    store.delete(&kept, &Filter::field("objectId", Constraint::Eq("d".into())), None).await.unwrap();
    let all = [
        ("a".to_owned(), None, Some(1.0)),
        ("a".to_owned(), Some(1.0), Some(2.0)),
        ("d".to_owned(), None, Some(3.0)),
        ("d".to_owned(), Some(3.0), None),
    ];
    for expected in &all {
        let Some(Change::Row(row)) = heard.next().await else { panic!("no write, but {expected:?}") };
        assert_eq!(short(&row), *expected);
    }
    assert_eq!(known(&store, 0).await.unwrap(), all);
    assert_eq!(known(&store, 1).await.unwrap(), all[1..]);
    // The emptying of a class, and what else concerns all rows, is not noted.
    let reached = store.position().await.unwrap();
    store.delete_fields(&kept, &["n".to_owned()]).await.unwrap();
    store.delete(&kept, &Filter::All, None).await.unwrap();
    assert_eq!(store.position().await.unwrap(), reached);
    store.insert(&kept, row("e", &json!({ "n": 4 })), None).await.unwrap();
    let Some(Change::Row(last)) = heard.next().await else { panic!("no write") };
    assert_eq!(short(&last), ("e".to_owned(), None, Some(4.0)));
}

#[tokio::test]
async fn a_history_outlives_the_process_and_ends_where_none_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let kept = class("Kept", &[("n", FieldType::Number)]);
    let write = async |store: &EmbeddedStorage, n: u32| {
        store.insert(&kept, row(&n.to_string(), &json!({ "n": n })), None).await.unwrap();
    };
    let store = EmbeddedStorage::open(directory.path(), &keeping(3)).unwrap();
    let name = store.history().unwrap().to_owned();
    for n in 1..=2 {
        write(&store, n).await;
    }
    store.close().await;
    drop(store);
    let store = EmbeddedStorage::open(directory.path(), &keeping(3)).unwrap();
    assert_eq!(store.history(), Some(name.as_str()));
    assert_eq!(known(&store, 1).await.unwrap().len(), 1);
    let mut heard = store.changes(Arc::new(Everything)).await.unwrap().unwrap();
    for n in 3..=8 {
        write(&store, n).await;
        assert!(matches!(heard.next().await, Some(Change::Row(_))));
    }
    assert_eq!(known(&store, 5).await.unwrap().len(), 3);
    assert_eq!(known(&store, 1).await, None, "the bound has been passed");
    let late = store.changes_between(
        Arc::new(Everything),
        After { position: 5, mark: None },
        store.position().await.unwrap(),
        Date::from_millis(i64::MAX),
    );
    assert!(late.await.unwrap().is_none(), "too old");
    store.close().await;
    drop(store);

    let store = open(directory.path());
    assert_eq!(store.history(), None);
    write(&store, 9).await;
    store.close().await;
    drop(store);
    let store = EmbeddedStorage::open(directory.path(), &keeping(3)).unwrap();
    assert_ne!(store.history(), Some(name.as_str()));
    assert_eq!(store.position().await.unwrap(), 0);
    write(&store, 10).await;
    assert_eq!(known(&store, 0).await.unwrap().len(), 1, "the class that was there is followed again");
}
