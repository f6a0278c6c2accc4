//! Who is told what: what the same caller could read by REST.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::client::{Client, change, make, make_class, sign_up, with_session};
use super::{client_key, options};
use crate::server::{TestServer, answer, each_backend};

fn pointer(user: &str) -> Json {
    json!({ "__type": "Pointer", "className": "_User", "objectId": user })
}

async fn make_role(server: &TestServer, name: &str, users: &[&str], roles: &[&str]) -> String {
    let mut body = json!({ "name": name, "ACL": {} });
    if !users.is_empty() {
        let users: Vec<_> = users.iter().map(|user| pointer(user)).collect();
        body["users"] = json!({ "__op": "AddRelation", "objects": users });
    }
    if !roles.is_empty() {
        let role = |id: &&str| json!({ "__type": "Pointer", "className": "_Role", "objectId": id });
        body["roles"] = json!({ "__op": "AddRelation", "objects": roles.iter().map(role).collect::<Vec<_>>() });
    }
    let made = answer(server.master(Method::POST, "/roles").json(&body)).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["objectId"].as_str().unwrap().to_owned()
}

/// `adv_7ch5` (class permissions), `adv_9jpp` (roles and the token of `connect` count).
#[test]
fn class_permissions_of_roles_and_the_token_of_connect_count() {
    each_backend(&options(), |server| async move {
        let (ann, token) = sign_up(&server, "ann").await;
        let (_, other) = sign_up(&server, "bob").await;
        let inner = make_role(&server, "inner", &[&ann], &[]).await;
        make_role(&server, "outer", &[], &[&inner]).await;
        let open = json!({ "*": true });
        let rule = json!({ "role:outer": true });
        let permissions = json!({ "find": rule, "get": rule, "create": open, "update": open, "delete": open });
        make_class(&server, "LiveRole", json!({ "n": { "type": "Number" } }), permissions).await;
        let mut by_connect =
            Client::connect(&server, json!({ "clientKey": "ck", "sessionToken": token.as_str() })).await;
        by_connect.follow_class(1, "LiveRole", None).await;
        let mut stranger = Client::connect(&server, client_key()).await;
        let query = json!({ "className": "LiveRole", "where": {} });
        assert_eq!(stranger.try_follow(1, query.clone(), Some(&other)).await["code"], 119);
        let mut master = Client::connect(&server, json!({ "masterKey": "master" })).await;
        master.follow_class(1, "LiveRole", None).await;
        make(&server, "LiveRole", json!({ "n": 1 })).await;
        by_connect.event("create").await;
        master.event("create").await;
        stranger.quiet(&server).await;
    });
}

#[test]
fn a_condition_on_the_id_alone_is_a_get() {
    each_backend(&options(), |server| async move {
        let open = json!({ "*": true });
        let closed = json!({});
        let id = make(&server, "LiveGet", json!({ "n": 1 })).await;
        let body = json!({ "classLevelPermissions": { "find": closed, "get": open, "create": open, "update": open } });
        answer(server.master(Method::PUT, "/schemas/LiveGet").json(&body)).await;
        let mut client = Client::connect(&server, client_key()).await;
        client.follow(1, json!({ "className": "LiveGet", "where": { "objectId": id } }), None).await;
        change(&server, "LiveGet", &id, json!({ "n": 2 })).await;
        client.event("update").await;
        assert_eq!(client.try_follow(2, json!({ "className": "LiveGet", "where": {} }), None).await["code"], 119);
    });
}

/// `adv_fph2`: pointer permissions. Whoever is put into the pointer sees the object enter, whoever is taken out sees it leave.
#[test]
fn pointer_permissions_hold_before_and_after() {
    each_backend(&options(), |server| async move {
        let (ann, ann_token) = sign_up(&server, "ann").await;
        let (bob, bob_token) = sign_up(&server, "bob").await;
        let open = json!({ "*": true });
        let permissions = json!({
            "find": {}, "get": {}, "create": open, "update": open, "delete": open, "readUserFields": ["owner"],
        });
        let fields = json!({ "owner": { "type": "Pointer", "targetClass": "_User" }, "n": { "type": "Number" } });
        make_class(&server, "LivePtr", fields, permissions).await;
        let mut a = Client::connect(&server, client_key()).await;
        a.follow_class(1, "LivePtr", Some(&ann_token)).await;
        let mut b = Client::connect(&server, client_key()).await;
        b.follow_class(1, "LivePtr", Some(&bob_token)).await;
        let mut nobody = Client::connect(&server, client_key()).await;
        nobody.follow_class(1, "LivePtr", None).await;
        let id = make(&server, "LivePtr", json!({ "owner": pointer(&ann), "n": 1 })).await;
        a.event("create").await;
        change(&server, "LivePtr", &id, json!({ "owner": pointer(&bob), "n": 2 })).await;
        let leave = a.event("leave").await;
        assert_eq!((&leave["object"]["n"], &leave["original"]["n"]), (&json!(1), &json!(1)), "{leave}");
        let enter = b.event("enter").await;
        assert_eq!((&enter["object"]["n"], enter.get("original")), (&json!(2), None), "{enter}");
        a.quiet(&server).await;
        nobody.quiet(&server).await;
    });
}

/// `adv_crrq` and `adv_m983`: hidden fields are hidden from each by what holds for that one, whoever wrote.
#[test]
fn protected_fields_are_those_of_the_reader() {
    each_backend(&options(), |server| async move {
        let (ann, token) = sign_up(&server, "ann").await;
        make_role(&server, "staff", &[&ann], &[]).await;
        let open = json!({ "*": true });
        let permissions = json!({
            "find": open, "get": open, "create": open, "update": open, "addField": open,
            "protectedFields": { "*": ["secret"], "role:staff": [] },
        });
        make_class(&server, "LiveHid", json!({ "secret": { "type": "String" } }), permissions).await;
        let mut reader = Client::connect(&server, client_key()).await;
        reader.follow_class(1, "LiveHid", Some(&token)).await;
        let mut stranger = Client::connect(&server, client_key()).await;
        stranger.follow_class(1, "LiveHid", None).await;
        // Written by somebody who may not read the field.
        server.post("/classes/LiveHid", &json!({ "secret": "s", "n": 1 })).await;
        assert_eq!(reader.event("create").await["object"]["secret"], "s");
        assert!(stranger.event("create").await["object"].get("secret").is_none());
        for query in [
            json!({ "className": "LiveHid", "where": { "secret": "s" } }),
            json!({ "className": "LiveHid", "where": { "$or": [{ "n": 1 }, { "$and": [{ "secret.x": 1 }] }] } }),
            json!({ "className": "LiveHid", "where": {}, "watch": ["secret"] }),
        ] {
            assert_eq!(stranger.try_follow(2, query.clone(), None).await["code"], 119, "{query}");
            reader.follow(2, query, Some(&token)).await;
        }
        // Nobody hears when a column changes that clients cannot name.
        for column in ["_hashed_password", "_auth_data_x.id", "_wperm"] {
            let query = json!({ "className": "LiveHid", "where": {}, "watch": ["n", column] });
            assert_eq!(reader.try_follow(3, query, Some(&token)).await["code"], 119, "{column}");
        }
        reader.follow(3, json!({ "className": "LiveHid", "where": {}, "watch": ["ACL"] }), Some(&token)).await;
    });
}

/// `adv_97pr` and `adv_2xm2`: what a subscriber may not read any more is not sent, and a session that ended opens nothing.
#[test]
fn rights_that_end_end_at_once() {
    each_backend(&options(), |server| async move {
        let (ann, token) = sign_up(&server, "ann").await;
        let mut client = Client::connect(&server, client_key()).await;
        client.follow_class(1, "LiveEnd", Some(&token)).await;
        let id = make(&server, "LiveEnd", json!({ "n": 1, "ACL": { ann.as_str(): { "read": true } } })).await;
        client.event("create").await;
        change(&server, "LiveEnd", &id, json!({ "n": 2, "ACL": {} })).await;
        let leave = client.event("leave").await;
        assert_eq!((&leave["object"]["n"], &leave["original"]["n"]), (&json!(1), &json!(1)));
        change(&server, "LiveEnd", &id, json!({ "n": 3, "ACL": { ann.as_str(): { "read": true } } })).await;
        client.event("enter").await;
        with_session(&server, Method::POST, "/logout", &token, json!({})).await;
        change(&server, "LiveEnd", &id, json!({ "n": 4 })).await;
        client.quiet(&server).await;
    });
}

#[test]
fn classes_of_the_master_key_stay_its_own() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        for class in ["_Installation", "_Audience", "_Hooks", "_GlobalConfig", "_Join:users:_Role", "_PushStatus"] {
            let refused = client.try_follow(1, json!({ "className": class, "where": {} }), None).await;
            assert_eq!((&refused["op"], &refused["code"]), (&json!("error"), &json!(119)), "{class}: {refused}");
        }
        let mut master = Client::connect(&server, json!({ "masterKey": "master" })).await;
        master.follow_class(1, "_Installation", None).await;
        let body = json!({ "installationId": "i", "deviceType": "ios", "deviceToken": "t" });
        assert_eq!(server.post("/installations", &body).await.status, 201);
        assert_eq!(master.event("create").await["object"]["deviceToken"], "t");
    });
}

/// `adv_7pr3`: users are told without what only the server may know.
#[test]
fn users_are_told_without_secrets() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client.follow_class(1, "_User", None).await;
        let user = json!({
            "username": "ann", "password": "p", "email": "ann@example.com", "ACL": { "*": { "read": true } },
            "authData": { "anonymous": { "id": "anonymous-1" } },
        });
        assert_eq!(server.post("/users", &user).await.status, 201);
        let create = client.event("create").await;
        let object = create["object"].as_object().unwrap();
        let known = ["username", "ACL", "createdAt", "updatedAt", "objectId", "className"];
        assert!(object.keys().all(|field| known.contains(&field.as_str())), "{create}");
    });
}
