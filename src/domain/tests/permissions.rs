//! Class level permissions, pointer permissions, ACLs, protected fields.

use super::*;

#[tokio::test]
async fn acl_hides_rows_from_others() {
    let server = fixture(json!({})).await;
    let (ann, bob) = (server.sign_up("ann").await, server.sign_up("bob").await);
    let acl = json!({ id_of(&ann): { "read": true } });
    let id = save(&ann, "Note", json!({ "ACL": acl })).await.unwrap();
    assert_eq!(find(&ann, "Note", json!({})).await.unwrap().len(), 1);
    assert_eq!(find(&bob, "Note", json!({})).await.unwrap().len(), 0);
    assert_eq!(find(&server.anybody(), "Note", json!({})).await.unwrap().len(), 0);
    assert_eq!(find(&server.master(), "Note", json!({})).await.unwrap().len(), 1);
    assert_eq!(code(get(&bob, "Note", &id).await), 101);
}

#[tokio::test]
async fn acl_guards_writes() {
    let server = fixture(json!({})).await;
    let (ann, bob) = (server.sign_up("ann").await, server.sign_up("bob").await);
    let acl = json!({ "*": { "read": true }, id_of(&ann): { "write": true } });
    let id = save(&ann, "Note", json!({ "n": 1, "ACL": acl })).await.unwrap();
    assert_eq!(code(change(&bob, "Note", &id, json!({ "n": 2 })).await), 101);
    assert_eq!(code(classes::delete(&bob, "Note", &id).await), 101);
    assert_eq!(code(change(&ann, "Note", &id, json!({ "n": 2 })).await), 0);
    assert_eq!(get(&bob, "Note", &id).await.unwrap()["n"], 2);
    classes::delete(&ann, "Note", &id).await.unwrap();
}

#[tokio::test]
async fn a_role_in_an_acl_lets_its_users_in() {
    let server = fixture(json!({})).await;
    let (ann, bob) = (server.sign_up("ann").await, server.sign_up("bob").await);
    server.role("staff", &[id_of(&ann)], &[]).await;
    save(&server.master(), "Note", json!({ "ACL": { "role:staff": { "read": true } } })).await.unwrap();
    assert_eq!(find(&ann, "Note", json!({})).await.unwrap().len(), 1);
    assert_eq!(find(&bob, "Note", json!({})).await.unwrap().len(), 0);
}

#[tokio::test]
async fn closed_operations_are_refused() {
    let server = fixture(json!({})).await;
    server.class("Note", json!({ "classLevelPermissions": { "get": { "*": true } } })).await;
    let anybody = server.anybody();
    let id = save(&server.master(), "Note", json!({})).await.unwrap();
    assert_eq!(code(get(&anybody, "Note", &id).await), 0);
    assert_eq!(code(find(&anybody, "Note", json!({})).await), 119);
    assert_eq!(code(find(&anybody, "Note", json!({ "count": 1, "limit": 0 })).await), 119);
    assert_eq!(code(save(&anybody, "Note", json!({})).await), 119);
    assert_eq!(code(change(&anybody, "Note", &id, json!({})).await), 119);
    assert_eq!(code(classes::delete(&anybody, "Note", &id).await), 119);
}

#[tokio::test]
async fn a_find_of_one_id_is_a_get() {
    let server = fixture(json!({})).await;
    server.class("Note", json!({ "classLevelPermissions": { "get": { "*": true } } })).await;
    let id = save(&server.master(), "Note", json!({})).await.unwrap();
    assert_eq!(find(&server.anybody(), "Note", json!({ "where": { "objectId": id } })).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_class_may_ask_for_a_session() {
    let server = fixture(json!({})).await;
    let permissions = json!({ "find": { "requiresAuthentication": true } });
    server.class("Note", json!({ "classLevelPermissions": permissions })).await;
    let ann = server.sign_up("ann").await;
    assert_eq!(code(find(&server.anybody(), "Note", json!({})).await), 101);
    assert_eq!(code(find(&ann, "Note", json!({})).await), 0);
}

#[tokio::test]
async fn pointer_permissions_reach_the_rows_that_point_at_the_caller() {
    let server = fixture(json!({})).await;
    let (ann, bob) = (server.sign_up("ann").await, server.sign_up("bob").await);
    let fields = json!({ "owner": { "type": "Pointer", "targetClass": "_User" } });
    let permissions = json!({ "find": { "pointerFields": ["owner"] } });
    server.class("Note", json!({ "fields": fields, "classLevelPermissions": permissions })).await;
    for user in [&ann, &bob, &bob] {
        save(&server.master(), "Note", json!({ "owner": pointer("_User", id_of(user)) })).await.unwrap();
    }
    assert_eq!(find(&ann, "Note", json!({})).await.unwrap().len(), 1);
    assert_eq!(find(&bob, "Note", json!({})).await.unwrap().len(), 2);
    assert_eq!(find(&server.anybody(), "Note", json!({})).await.unwrap().len(), 0);
}

#[tokio::test]
async fn protected_fields_are_neither_read_nor_asked_about() {
    let server = fixture(json!({})).await;
    let permissions = json!({ "find": { "*": true }, "get": { "*": true }, "protectedFields": { "*": ["secret"] } });
    let fields = json!({ "secret": { "type": "String" }, "open": { "type": "String" } });
    server.class("Note", json!({ "fields": fields, "classLevelPermissions": permissions })).await;
    save(&server.master(), "Note", json!({ "secret": "s", "open": "o" })).await.unwrap();
    let anybody = server.anybody();
    let rows = find(&anybody, "Note", json!({})).await.unwrap();
    assert_eq!((rows[0].get("secret"), &rows[0]["open"]), (None, &json!("o")));
    assert_eq!(find(&server.master(), "Note", json!({})).await.unwrap()[0]["secret"], "s");
    assert_eq!(code(find(&anybody, "Note", json!({ "where": { "secret": "s" } })).await), 119);
    assert_eq!(code(find(&anybody, "Note", json!({ "where": { "$or": [{ "secret": "s" }, {}] } })).await), 119);
    assert_eq!(code(find(&anybody, "Note", json!({ "order": "secret" })).await), 119);
}

#[tokio::test]
async fn a_role_lifts_the_protection_of_fields() {
    let server = fixture(json!({})).await;
    let (ann, bob) = (server.sign_up("ann").await, server.sign_up("bob").await);
    server.role("staff", &[id_of(&ann)], &[]).await;
    let protected = json!({ "*": ["secret"], "role:staff": [] });
    let permissions = json!({ "find": { "*": true }, "protectedFields": protected });
    let fields = json!({ "secret": { "type": "String" } });
    server.class("Note", json!({ "fields": fields, "classLevelPermissions": permissions })).await;
    save(&server.master(), "Note", json!({ "secret": "s" })).await.unwrap();
    assert_eq!(find(&ann, "Note", json!({})).await.unwrap()[0]["secret"], "s");
    assert_eq!(find(&bob, "Note", json!({})).await.unwrap()[0].get("secret"), None);
}

#[tokio::test]
async fn clients_add_fields_where_the_class_lets_them() {
    let server = fixture(json!({})).await;
    let permissions = json!({ "create": { "*": true }, "find": { "*": true }, "addField": {} });
    server.class("Note", json!({ "classLevelPermissions": permissions })).await;
    assert_eq!(code(save(&server.anybody(), "Note", json!({})).await), 0);
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "new": 1 })).await), 119);
    assert_eq!(code(save(&server.master(), "Note", json!({ "new": 1 })).await), 0);
    assert_eq!(code(save(&server.anybody(), "Note", json!({ "new": 2 })).await), 0);
}

#[tokio::test]
async fn internal_classes_are_closed_to_clients() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    for class in ["_Hooks", "_GlobalConfig", "_JobStatus", "_Join:users:_Role"] {
        assert_eq!(code(find(&ann, class, json!({})).await), 119, "{class}");
        assert_eq!(code(find(&server.master(), class, json!({})).await), 0, "{class}");
    }
}

#[tokio::test]
async fn the_read_only_master_key_writes_nothing() {
    let server = fixture(json!({})).await;
    let id = save(&server.master(), "Note", json!({ "n": 1 })).await.unwrap();
    let reader = server.caller(Auth::ReadOnlyMaster);
    assert_eq!(code(get(&reader, "Note", &id).await), 0);
    assert_eq!(code(save(&reader, "Note", json!({})).await), 119);
    assert_eq!(code(change(&reader, "Note", &id, json!({ "n": 2 })).await), 119);
    assert_eq!(code(classes::delete(&reader, "Note", &id).await), 119);
}
