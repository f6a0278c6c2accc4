//! The write pipeline.

use super::*;
use crate::domain::kernel::commands::Save;

#[tokio::test]
async fn a_create_tells_id_and_time() {
    let server = fixture(json!({})).await;
    let saved = classes::create(&server.anybody(), "Note", object(json!({ "n": 1 }))).await.unwrap();
    assert!(saved.created);
    assert_eq!(saved.body.get_str("createdAt"), Some("2020-02-03T04:05:06.789Z"));
    let (class, id) = saved.location.unwrap();
    assert_eq!((class.as_str(), Some(id.as_str())), ("Note", saved.body.get_str("objectId")));
    assert_eq!(id.len(), 10);
}

#[tokio::test]
async fn an_update_tells_time_and_results() {
    let server = fixture(json!({})).await;
    let cx = server.anybody();
    let id = save(&cx, "Note", json!({ "n": 1, "list": ["a"] })).await.unwrap();
    server.clock.advance(1000);
    let add = json!({ "__op": "Add", "objects": ["b"] });
    let body = json!({ "n": { "__op": "Increment", "amount": 2 }, "list": add, "plain": "x" });
    let answer = change(&cx, "Note", &id, body).await.unwrap();
    assert_eq!(answer, json!({ "updatedAt": "2020-02-03T04:05:07.789Z", "n": 3, "list": ["a", "b"] }));
    assert_eq!(get(&cx, "Note", &id).await.unwrap()["plain"], "x");
}

#[tokio::test]
async fn unknown_rows_are_not_updated_or_deleted() {
    let server = fixture(json!({})).await;
    save(&server.anybody(), "Note", json!({})).await.unwrap();
    assert_eq!(code(change(&server.anybody(), "Note", "nobody", json!({ "n": 1 })).await), 101);
    assert_eq!(code(classes::delete(&server.anybody(), "Note", "nobody").await), 101);
}

#[tokio::test]
async fn values_must_fit_the_schema() {
    let server = fixture(json!({})).await;
    let cx = server.anybody();
    save(&cx, "Note", json!({ "n": 1, "to": pointer("Other", "x") })).await.unwrap();
    for body in [json!({ "n": "text" }), json!({ "to": pointer("Third", "x") }), json!({ "n": [1] })] {
        assert_eq!(code(save(&cx, "Note", body.clone()).await), 111, "{body}");
    }
    assert_eq!(code(save(&cx, "Note", json!({ "a b": 1 })).await), 105);
}

#[tokio::test]
async fn required_fields_and_defaults() {
    let server = fixture(json!({})).await;
    let fields = json!({
        "must": { "type": "String", "required": true },
        "kind": { "type": "String", "defaultValue": "plain" },
    });
    server.class("Note", json!({ "fields": fields })).await;
    let cx = server.anybody();
    assert_eq!(code(save(&cx, "Note", json!({})).await), 142);
    let saved = classes::create(&cx, "Note", object(json!({ "must": "x" }))).await.unwrap();
    assert_eq!(saved.body.get_str("kind"), Some("plain"));
    let id = saved.body.get_str("objectId").unwrap().to_owned();
    assert_eq!(code(change(&cx, "Note", &id, json!({ "must": { "__op": "Delete" } })).await), 142);
}

#[tokio::test]
async fn ids_are_the_servers_unless_options_say_otherwise() {
    let server = fixture(json!({})).await;
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "objectId": "mine" })).await), 105);
    let server = fixture(json!({ "allowCustomObjectId": true })).await;
    let cx = server.anybody();
    assert_eq!(save(&cx, "Note", json!({ "objectId": "mine" })).await.unwrap(), "mine");
    assert_eq!(code(save(&cx, "Note", json!({ "objectId": "mine" })).await), 137);
    for id in ["", "role:x", "*"] {
        assert_ne!(code(save(&cx, "Note", json!({ "objectId": id })).await), 0, "{id}");
    }
}

#[tokio::test]
async fn the_maintenance_key_sets_times() {
    let server = fixture(json!({})).await;
    let date = |text: &str| json!({ "__type": "Date", "iso": text });
    let body = json!({ "createdAt": date("2001-01-01T00:00:00.000Z"), "updatedAt": date("2002-01-01T00:00:00.000Z") });
    let maintenance = server.caller(Auth::Maintenance);
    let id = save(&maintenance, "Note", body.clone()).await.unwrap();
    let row = get(&maintenance, "Note", &id).await.unwrap();
    assert_eq!(row["createdAt"], "2001-01-01T00:00:00.000Z");
    assert_eq!(row["updatedAt"], "2002-01-01T00:00:00.000Z");
    // Others do not set them.
    let id = save(&server.master(), "Note", body).await.unwrap();
    assert_eq!(get(&maintenance, "Note", &id).await.unwrap()["createdAt"], "2020-02-03T04:05:06.789Z");
}

#[tokio::test]
async fn denied_keywords_are_refused() {
    let server = fixture(json!({})).await;
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "a": { "_bsontype": "Code" } })).await), 105);
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "a": [{ "b": { "__proto__": 1 } }] })).await), 105);
}

#[tokio::test]
async fn a_class_gives_new_rows_its_acl() {
    let server = fixture(json!({})).await;
    let permissions = json!({
        "create": { "*": true }, "find": { "*": true }, "get": { "*": true },
        "ACL": { "currentUser": { "read": true, "write": true } },
    });
    server.class("Note", json!({ "classLevelPermissions": permissions })).await;
    let ann = server.sign_up("ann").await;
    let saved = classes::create(&ann, "Note", Map::new()).await.unwrap();
    let answer = serde_json::to_value(&saved.body).unwrap();
    assert_eq!(answer["ACL"], json!({ id_of(&ann): { "read": true, "write": true } }));
    assert_eq!(find(&ann, "Note", json!({})).await.unwrap().len(), 1);
    assert_eq!(find(&server.anybody(), "Note", json!({})).await.unwrap().len(), 0);
}

#[tokio::test]
async fn class_names_are_checked() {
    assert_eq!(code(Save::create("a b", Map::new())), 107);
    assert_eq!(code(Save::create("_Hooks", Map::new())), 0);
    assert_eq!(code(Save::update("Note", "x", Map::new())), 0);
}

#[tokio::test]
async fn unique_names_of_users() {
    let server = fixture(json!({})).await;
    server.sign_up("ann").await;
    let sign_up = |name: &str| object(json!({ "username": name, "password": "x", "email": "a@example.com" }));
    assert_eq!(code(classes::create(&server.anybody(), "_User", sign_up("ann")).await), 202);
    assert_eq!(code(classes::create(&server.anybody(), "_User", sign_up("ANN")).await), 202);
    assert_eq!(code(classes::create(&server.anybody(), "_User", sign_up("bob")).await), 0);
    assert_eq!(code(classes::create(&server.anybody(), "_User", sign_up("cid")).await), 203);
}
