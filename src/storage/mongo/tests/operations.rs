//! Writes, relations, transactions, classes and indexes on a server.

use std::sync::Arc;

use bson::{Bson, Document, doc};
use futures_util::future::join_all;
use serde_json::json;

use super::super::MongoOptions;
use super::{MongoStorage, clean, fill, ids, object, rest, store, thing, value};
use crate::model::names::ClassName;
use crate::model::operation::{Change, Update};
use crate::model::query::filter::{Constraint, Filter, Resolved};
use crate::model::query::options::FindOptions;
use crate::model::schema::{ClassSchema, Field, FieldType};
use crate::storage::{IndexSpec, Storage as _, StorageError};

fn by_id(id: &str) -> Resolved {
    Filter::eq("objectId", id)
}

fn set(field: &str, json: serde_json::Value) -> Update {
    Update(vec![(field.to_owned(), Change::Set(value(json)))])
}

fn unique(name: &str, field: &str) -> IndexSpec {
    IndexSpec {
        name: name.to_owned(),
        keys: json!({field: 1}).as_object().unwrap().clone(),
        unique: true,
        sparse: true,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    }
}

#[tokio::test]
async fn rows_are_written() {
    let storage = store("rows").await;
    fill(&storage, vec![json!({"n": 1, "a": [1, 2, 2], "o": {"b": {"c": 2}}, "arr": [{"k": 1}]}), json!({"n": 5})])
        .await;
    let duplicate = storage.insert(&thing(), object(json!({"objectId": "0"})), None).await.unwrap_err();
    assert!(matches!(&duplicate, StorageError::Duplicate { index } if index == "_id_"), "{duplicate:?}");

    let mut update = Update::default();
    update.put("n", Change::Increment(1.5));
    update.put("a", Change::Remove(vec![value(json!(2))]));
    update.put("o.b.c", Change::Increment(5.0));
    update.put("arr.0.k", Change::Increment(1.0));
    update.put("fresh", Change::AddUnique(vec![value(json!("u"))]));
    let row = storage.update_one(&thing(), &by_id("0"), &update, None).await.unwrap().unwrap();
    assert_eq!(
        rest(&row),
        json!({"objectId": "0", "n": 2.5, "a": [1], "o": {"b": {"c": 7}}, "arr": [{"k": 2}], "fresh": ["u"]})
    );
    assert_eq!(storage.update_one(&thing(), &by_id("?"), &update, None).await.unwrap(), None);
    let same = storage.update_one(&thing(), &by_id("1"), &Update::default(), None).await.unwrap().unwrap();
    assert_eq!(rest(&same), json!({"objectId": "1", "n": 5}));
    let misfit = Update(vec![("a".to_owned(), Change::Increment(1.0))]);
    let error = storage.update_one(&thing(), &by_id("0"), &misfit, None).await.unwrap_err();
    assert!(matches!(error, StorageError::Refused(_)), "{error:?}");

    assert_eq!(storage.update_many(&thing(), &Filter::All, &set("s", json!("all")), None).await.unwrap(), 2);
    storage.upsert(&thing(), &by_id("new"), &set("s", json!("made")), None).await.unwrap();
    storage.upsert(&thing(), &by_id("new"), &set("n", json!(3)), None).await.unwrap();
    storage.upsert(&thing(), &by_id("bare"), &Update::default(), None).await.unwrap();
    let row = storage.find(&thing(), &by_id("new"), &FindOptions::default(), None).await.unwrap();
    assert_eq!(rest(&row[0]), json!({"objectId": "new", "s": "made", "n": 3}));
    assert_eq!(storage.delete(&thing(), &Filter::field("n", Constraint::Gte(value(json!(3)))), None).await.unwrap(), 2);
    assert_eq!(storage.delete(&thing(), &Filter::All, None).await.unwrap(), 2);

    let huge = object(json!({"objectId": "huge", "s": "x".repeat(17 * 1024 * 1024)}));
    let error = storage.insert(&thing(), huge, None).await.unwrap_err();
    assert!(matches!(error, StorageError::Refused(_)), "{error:?}");
    let large = object(json!({"objectId": "large", "s": "x".repeat(10 * 1024 * 1024)}));
    storage.insert(&thing(), large, None).await.unwrap();
    let error = storage
        .update_one(&thing(), &by_id("large"), &set("o", json!({"s": "x".repeat(10 * 1024 * 1024)})), None)
        .await
        .unwrap_err();
    assert!(matches!(error, StorageError::Refused(_)), "{error:?}");
    clean(storage).await;
}

#[tokio::test]
async fn unique_indexes_let_one_through() {
    let storage = Arc::new(store("unique").await);
    storage
        .create_indexes(&thing(), &[unique("s_1", "s"), IndexSpec { embedded_only: true, ..unique("never", "n") }])
        .await
        .unwrap();
    let attempts = join_all((0..50).map(|at| {
        let storage = storage.clone();
        tokio::spawn(async move {
            storage.insert(&thing(), object(json!({"objectId": at.to_string(), "s": "one"})), None).await
        })
    }))
    .await;
    let (good, bad): (Vec<_>, Vec<_>) = attempts.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, 49));
    for error in bad {
        assert!(matches!(&error, Err(StorageError::Duplicate { index }) if index == "s_1"), "{error:?}");
    }
    let names: Vec<String> = storage.indexes(&thing().name).await.unwrap().into_keys().collect();
    assert_eq!(names, ["_id_", "s_1"]);
    storage.drop_indexes(&thing().name, &["s_1".to_owned(), "missing".to_owned()]).await.unwrap();
    storage.insert(&thing(), object(json!({"objectId": "second", "s": "one"})), None).await.unwrap();
    let error = storage.create_indexes(&thing(), &[unique("s_1", "s")]).await.unwrap_err();
    assert!(matches!(error, StorageError::Duplicate { .. }), "{error:?}");
    clean(Arc::into_inner(storage).unwrap()).await;
}

#[tokio::test]
async fn indexes_have_the_options_of_parse_server() {
    let storage = store("indexes").await;
    let users = ClassSchema::new(ClassName::unchecked("_User"));
    let caseless =
        IndexSpec { unique: false, case_insensitive: true, ..unique("case_insensitive_username", "username") };
    let ttl = IndexSpec { unique: false, expire_after_seconds: Some(0), ..unique("ttl", "expire") };
    let wanted = [unique("username_1", "username"), caseless, ttl];
    storage.create_indexes(&users, &wanted).await.unwrap();
    let reply = storage.database.run_command(doc! {"listIndexes": "x._User"}).await.unwrap();
    let listed: Vec<Document> = reply
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap()
        .iter()
        .map(|index| index.as_document().unwrap().clone())
        .collect();
    assert_eq!(
        listed[1],
        doc! {"v": 2, "key": {"username": 1}, "name": "username_1", "background": true, "unique": true, "sparse": true}
    );
    assert_eq!(listed[2].get_document("collation").unwrap().get_str("locale").unwrap(), "en_US");
    assert_eq!(listed[2].get_document("collation").unwrap().get_i32("strength").unwrap(), 2);
    assert_eq!(listed[3].get("expireAfterSeconds").and_then(Bson::as_i32), Some(0));
    // One of the same name in another form stays as it is; so does an equal one under another name.
    let other = [IndexSpec { unique: false, ..unique("username_1", "username") }, unique("again", "username")];
    storage.create_indexes(&users, &other).await.unwrap();
    assert_eq!(storage.indexes(&users.name).await.unwrap().len(), 4);
    clean(storage).await;
}

#[tokio::test]
async fn relations() {
    let storage = store("relations").await;
    let join = ClassName::unchecked("Thing").join("r");
    let names = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    storage.link(&join, "o1", &names(&["a", "b"]), None).await.unwrap();
    storage.link(&join, "o1", &names(&["b", "c"]), None).await.unwrap();
    storage.link(&join, "o2", &names(&["a"]), None).await.unwrap();
    storage.unlink(&join, "o1", &names(&["b", "stranger"]), None).await.unwrap();
    let mut members = storage.members(&join, &names(&["o1", "o2"]), None).await.unwrap();
    members.sort();
    let pair = |owner: &str, member: &str| (owner.to_owned(), member.to_owned());
    assert_eq!(members, [pair("o1", "a"), pair("o1", "c"), pair("o2", "a")]);
    let mut owners = storage.owners(&join, Some(&names(&["a"])), None).await.unwrap();
    owners.sort();
    assert_eq!(owners, [pair("o1", "a"), pair("o2", "a")]);
    assert!(storage.members(&join, &[], None).await.unwrap().is_empty());
    let stored = storage.rows(&join).find_one(doc! {}).await.unwrap().unwrap();
    assert!(matches!(stored.get("_id"), Some(Bson::ObjectId(_))));
    assert_eq!(stored.len(), 3);
    let many: Vec<String> = (0..2500).map(|n| n.to_string()).collect();
    storage.link(&join, "many", &many, None).await.unwrap();
    assert_eq!(storage.members(&join, &names(&["many"]), None).await.unwrap().len(), 2500);
    clean(storage).await;
}

#[tokio::test]
async fn transactions() {
    let storage = store("transactions").await;
    let join = ClassName::unchecked("Thing").join("r");
    fill(&storage, vec![json!({"n": 1})]).await;

    let tx = storage.begin().await.unwrap();
    storage.insert(&thing(), object(json!({"objectId": "new"})), Some(&tx)).await.unwrap();
    storage.link(&join, "new", &["m".to_owned()], Some(&tx)).await.unwrap();
    storage.update_one(&thing(), &by_id("0"), &set("n", json!(2)), Some(&tx)).await.unwrap();
    assert_eq!(storage.find(&thing(), &Filter::All, &FindOptions::default(), Some(&tx)).await.unwrap().len(), 2);
    assert_eq!(storage.count(&thing(), &Filter::All, &FindOptions::default(), Some(&tx)).await.unwrap(), 2);
    assert_eq!(ids(&storage, &Filter::All, &FindOptions::default()).await, "0");
    // Two operations at a time wait for each other.
    let (both, none) = (Filter::All, FindOptions::default());
    let schema = thing();
    let (first, second) =
        tokio::join!(storage.find(&schema, &both, &none, Some(&tx)), storage.find(&schema, &both, &none, Some(&tx)));
    assert_eq!((first.unwrap().len(), second.unwrap().len()), (2, 2));
    storage.abort(tx.clone()).await.unwrap();
    let ended = storage.insert(&thing(), object(json!({"objectId": "late"})), Some(&tx)).await.unwrap_err();
    assert!(matches!(ended, StorageError::Refused(_)));
    assert_eq!(ids(&storage, &Filter::eq("n", 1.0), &FindOptions::default()).await, "0");

    let (one, two) = (storage.begin().await.unwrap(), storage.begin().await.unwrap());
    storage.update_one(&thing(), &by_id("0"), &set("n", json!(3)), Some(&one)).await.unwrap();
    let conflict = storage.update_one(&thing(), &by_id("0"), &set("n", json!(4)), Some(&two)).await.unwrap_err();
    assert!(matches!(conflict, StorageError::WriteConflict), "{conflict:?}");
    storage.abort(two).await.unwrap();
    storage.commit(one.clone()).await.unwrap();
    assert!(storage.commit(one).await.is_err());
    assert_eq!(ids(&storage, &Filter::eq("n", 3.0), &FindOptions::default()).await, "0");
    clean(storage).await;
}

#[tokio::test]
async fn classes_and_fields() {
    let storage = Arc::new(store("classes").await);
    let mut schema = ClassSchema::new(ClassName::unchecked("Game"));
    schema
        .fields
        .insert("score".to_owned(), Field { kind: FieldType::Number, required: true, default: Some(value(json!(7))) });
    schema.permissions = json!({"find": {"*": true}, "protectedFields": {"role:a.b": ["score"]}}).as_object().cloned();
    storage.create_class(&schema).await.unwrap();
    assert!(matches!(storage.create_class(&schema).await, Err(StorageError::Duplicate { .. })));
    assert_eq!(storage.classes().await.unwrap(), std::slice::from_ref(&schema));

    // Of many that add a field at a time with two types, all of one type succeed and the others learn the type.
    let results = join_all((0..20).map(|at| {
        let storage = storage.clone();
        tokio::spawn(async move {
            let kind = if at % 2 == 0 { FieldType::String } else { FieldType::Pointer(ClassName::unchecked("Game")) };
            storage.add_field(&ClassName::unchecked("Game"), "raced", &Field::new(kind)).await
        })
    }))
    .await;
    let failures: Vec<String> =
        results.into_iter().filter_map(|result| result.unwrap().err()).map(|error| error.to_string()).collect();
    assert_eq!(failures.len(), 10, "{failures:?}");
    assert!(failures[0].starts_with("field exists already with type "), "{failures:?}");
    storage.add_field(&ClassName::unchecked("Lazy"), "x", &Field::new(FieldType::Array)).await.unwrap();
    let lazy = storage.schemas().find_one(doc! {"_id": "Lazy"}).await.unwrap().unwrap();
    assert_eq!(lazy.get_str("updatedAt").unwrap(), "date");
    assert_eq!(lazy.get_str("x").unwrap(), "array");

    storage.set_field_options(&schema.name, "score", &Field::new(FieldType::Number)).await.unwrap();
    storage.set_permissions(&schema.name, json!({"get": {}}).as_object()).await.unwrap();
    let listed = [("by_score".to_owned(), json!({"score": 1}).as_object().unwrap().clone())].into_iter().collect();
    storage.set_listed_indexes(&schema.name, &listed).await.unwrap();
    let read = storage.classes().await.unwrap().into_iter().find(|class| class.name == schema.name).unwrap();
    assert!(!read.fields["score"].required);
    assert_eq!(read.permissions, json!({"get": {}}).as_object().cloned());
    assert_eq!(read.indexes, listed);

    // What we do not know is kept.
    storage.schemas().update_one(doc! {"_id": "Game"}, doc! {"$set": {"_metadata.later": {"x": 1}}}).await.unwrap();
    storage.insert(&read, object(json!({"objectId": "g", "score": 1})), None).await.unwrap();
    storage.delete_fields(&read, &["score".to_owned()]).await.unwrap();
    let document = storage.schemas().find_one(doc! {"_id": "Game"}).await.unwrap().unwrap();
    assert!(!document.contains_key("score"));
    assert_eq!(document.get_document("_metadata").unwrap().get_document("later").unwrap(), &doc! {"x": 1});
    let rows = storage.find(&read, &Filter::All, &FindOptions::default(), None).await.unwrap();
    assert_eq!(rest(&rows[0]), json!({"objectId": "g"}));
    storage.delete_class(&schema.name).await.unwrap();
    storage.delete_class(&ClassName::unchecked("Never")).await.unwrap();
    assert_eq!(storage.classes().await.unwrap().len(), 1);
    clean(Arc::into_inner(storage).unwrap()).await;
}

#[tokio::test]
async fn a_database_that_is_away_is_told_in_time() {
    let started = std::time::Instant::now();
    let options = MongoOptions::new("mongodb://127.0.0.1:9/none?serverSelectionTimeoutMS=300");
    let error = MongoStorage::connect(options).await.unwrap_err();
    assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
    assert!(started.elapsed().as_secs() < 3);
    assert!(MongoStorage::connect(MongoOptions::new("mongodb://")).await.is_err());

    let storage = store("closed").await;
    storage.ping().await.unwrap();
    storage.close().await;
    assert!(matches!(storage.ping().await, Err(StorageError::Unavailable(_))));
}
