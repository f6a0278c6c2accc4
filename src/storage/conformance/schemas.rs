//! Cases of classes and indexes.

use super::*;

async fn class(store: &dyn Storage, name: &str) -> Option<ClassSchema> {
    store.classes().await.unwrap().into_iter().find(|schema| schema.name == name)
}

pub async fn schemas(store: &dyn Storage) {
    let mut schema =
        schema("Schema", &[("s", FieldType::String), ("p", FieldType::Pointer(ClassName::unchecked("T")))]);
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

pub async fn indexes(store: &dyn Storage) {
    let schema = schema(
        "Indexed",
        &[("n", FieldType::Number), ("p", FieldType::Pointer(ClassName::unchecked("T"))), ("y", FieldType::Polygon)],
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
