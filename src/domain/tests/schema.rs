//! How classes come about and change.

use super::*;
use crate::domain::features::schemas;
use crate::model::names::ClassName;

async fn fields(server: &Fixture, class: &str) -> Map<String, Json> {
    object(schemas::get(&server.master(), class).await.unwrap()["fields"].clone())
}

#[tokio::test]
async fn a_write_makes_class_and_fields() {
    let server = fixture(json!({})).await;
    let body = json!({ "s": "x", "n": 1, "b": true, "a": [1], "o": {}, "p": pointer("Other", "x") });
    save(&server.anybody(), "Note", body).await.unwrap();
    let fields = fields(&server, "Note").await;
    let kind = |name: &str| fields[name]["type"].as_str().unwrap().to_owned();
    assert_eq!(["s", "n", "b", "a", "o", "p"].map(kind), ["String", "Number", "Boolean", "Array", "Object", "Pointer"]);
    assert_eq!(fields["p"]["targetClass"], "Other");
}

#[tokio::test]
async fn clients_make_classes_only_where_options_let_them() {
    let server = fixture(json!({ "allowClientClassCreation": false })).await;
    assert_eq!(code(save(&server.anybody(), "Note", json!({})).await), 119);
    assert_eq!(code(save(&server.master(), "Note", json!({})).await), 0);
    assert_eq!(code(save(&server.anybody(), "Note", json!({})).await), 0);
}

#[tokio::test]
async fn one_request_sees_one_schema() {
    let server = fixture(json!({})).await;
    let (before, changing) = (server.anybody(), server.master());
    let note = ClassName::unchecked("Note");
    registered::schemas::create(&changing, Some("Note"), Map::new()).await.unwrap();
    assert!(before.schemas().get(&note).is_none(), "a request keeps the schema it began with");
    assert!(changing.schemas().get(&note).is_some(), "a request sees what it changed");
    assert!(changing.as_master().schemas().get(&note).is_some(), "also in the server's own name");
    assert!(server.anybody().schemas().get(&note).is_some(), "a later request sees it");
    assert!(before.part().schemas().get(&note).is_some(), "a later part of a batch sees it");
    // What a request does not know it finds out when it writes.
    assert_eq!(code(classes::create(&before, "Note", object(json!({ "n": 1 }))).await), 0);
    assert!(before.class(&note).schema.fields.contains_key("n"));
}

#[tokio::test]
async fn the_schema_api_is_for_masters() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let refused = schemas::all(&ann).await.unwrap_err();
    assert_eq!(refused.status, 403);
    assert_eq!(code(schemas::create(&server.caller(Auth::ReadOnlyMaster), Some("Note"), Map::new()).await), 119);
}

#[tokio::test]
async fn classes_are_made_once() {
    let server = fixture(json!({})).await;
    server.class("Note", json!({})).await;
    assert_eq!(code(schemas::create(&server.master(), Some("Note"), Map::new()).await), 103);
    assert_eq!(code(schemas::create(&server.master(), Some("a b"), Map::new()).await), 103);
    assert_eq!(code(schemas::get(&server.master(), "Stranger").await), 103);
}

#[tokio::test]
async fn fields_change_type_only_by_being_deleted_first() {
    let server = fixture(json!({})).await;
    server.class("Note", json!({ "fields": { "n": { "type": "Number" } } })).await;
    let master = server.master();
    let update = async |definition: Json| {
        code(schemas::update(&master, "Note", object(json!({ "fields": { "n": definition } }))).await)
    };
    assert_eq!(update(json!({ "type": "String" })).await, 255);
    assert_eq!(update(json!({ "__op": "Delete" })).await, 0);
    assert_eq!(update(json!({ "__op": "Delete" })).await, 255);
    assert_eq!(update(json!({ "type": "String" })).await, 0);
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "n": "text" })).await), 0);
}

#[tokio::test]
async fn a_class_has_one_geo_point() {
    let server = fixture(json!({})).await;
    let point = json!({ "__type": "GeoPoint", "latitude": 1, "longitude": 2 });
    assert_eq!(code(save(&server.anybody(), "Place", json!({ "a": point, "b": point })).await), 111);
    assert_eq!(code(save(&server.anybody(), "Place", json!({ "a": point })).await), 0);
    assert_eq!(code(save(&server.anybody(), "Place", json!({ "b": point })).await), 111);
}

#[tokio::test]
async fn a_class_with_rows_is_not_dropped() {
    let server = fixture(json!({})).await;
    let id = save(&server.anybody(), "Note", json!({})).await.unwrap();
    assert_eq!(code(schemas::delete(&server.master(), "Note").await), 255);
    classes::delete(&server.anybody(), "Note", &id).await.unwrap();
    assert_eq!(code(schemas::delete(&server.master(), "Note").await), 0);
    assert_eq!(code(schemas::get(&server.master(), "Note").await), 103);
}

#[tokio::test]
async fn system_classes_have_their_columns() {
    let server = fixture(json!({})).await;
    let user = fields(&server, "_User").await;
    assert!(["objectId", "username", "email", "emailVerified", "authData"].iter().all(|name| user.contains_key(*name)));
    assert!(
        user.contains_key("password"),
        "listed as by parse-server, so that a dashboard shows the column; nobody reads it"
    );
    let delete = json!({ "fields": { "username": { "__op": "Delete" } } });
    assert_ne!(code(schemas::update(&server.master(), "_User", object(delete)).await), 0);
}

#[tokio::test]
async fn classes_of_the_options_are_made_at_the_start() {
    let definitions = json!([{ "className": "Note", "fields": { "n": { "type": "Number" } } }]);
    let server = fixture(json!({ "schema": { "definitions": definitions, "lockSchemas": true } })).await;
    assert_eq!(fields(&server, "Note").await["n"]["type"], "Number");
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "new": 1 })).await), 119);
    assert_eq!(code(schemas::create(&server.master(), Some("Other"), Map::new()).await), 119);
}
