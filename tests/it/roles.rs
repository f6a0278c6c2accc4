//! Roles held by inheritance, many and deep.

use std::time::Duration;

use reparse::model::names::{self, ClassName};
use reqwest::Method;
use serde_json::json;

use crate::bulk;
use crate::server::{TestServer, answer, each_backend};

const DEPTH: usize = 20;
const WIDTH: usize = 500;

fn id(level: usize, number: usize) -> String {
    format!("r{level}x{number}")
}

/// Stores [`DEPTH`] levels of [`WIDTH`] roles. Who holds a role holds two of the next level; the last level leads to the first again,
/// and some roles hold themselves.
async fn plant(server: &TestServer) {
    let all = || (0..DEPTH).flat_map(|level| (0..WIDTH).map(move |number| (level, number)));
    let rows = all().map(|(level, number)| {
        let id = id(level, number);
        vec![("objectId", id.as_str().into()), ("name", id.into())]
    });
    bulk::insert(server, "_Role", rows).await;
    let nested = all().map(|(level, number)| {
        let below = (level + DEPTH - 1) % DEPTH;
        let mut members = vec![id(below, number / 2), id(below, number / 2 + WIDTH / 2)];
        if number % 3 == 0 {
            members.push(id(level, number));
        }
        (id(level, number), members)
    });
    bulk::link(server, "_Role", "roles", nested.collect()).await;
}

async fn sign_up(server: &TestServer, name: &str) -> (String, String) {
    let made = server.post("/users", &json!({"username": name, "password": "p"})).await.json();
    (made["objectId"].as_str().unwrap().to_owned(), made["sessionToken"].as_str().unwrap().to_owned())
}

/// The `n` of the rows that a user sees, in order.
async fn seen(server: &TestServer, token: &str) -> Vec<i64> {
    let request = server.request(Method::GET, "/classes/Guarded?order=n").header("X-Parse-Session-Token", token);
    let got = answer(request).await;
    assert_eq!(got.status, 200, "{got:?}");
    got.json()["results"].as_array().unwrap().iter().map(|row| row["n"].as_i64().unwrap()).collect()
}

/// The collections that MongoDB was asked to read since the last call.
fn reads(server: &TestServer) -> Vec<String> {
    let commands = server.commands.take().into_iter();
    // getMore goes on with an answer that is too long for one message; without a collection it follows changes
    commands
        .filter(|(command, collection)| !collection.is_empty() && ["find", "aggregate"].contains(&command.as_str()))
        .map(|(_, collection)| collection)
        .collect()
}

async fn change_role(server: &TestServer, role: &str, change: serde_json::Value) {
    let got = answer(server.master(Method::PUT, &format!("/roles/{role}")).json(&change)).await;
    assert_eq!(got.status, 200, "{got:?}");
}

#[test]
fn ten_thousand_roles_nested_twenty_deep_in_circles() {
    each_backend(&json!({}), |server| async move {
        let (insider, insider_token) = sign_up(&server, "insider").await;
        let (_, outsider_token) = sign_up(&server, "outsider").await;
        let lone = answer(server.master(Method::POST, "/roles").json(&json!({"name": "lone", "ACL": {}}))).await.json();
        plant(&server).await;
        let guards = ["role:r0x0", "role:r1x499", "role:r10x250", "role:r19x0", "role:r19x499", "role:lone"];
        for (n, guard) in guards.iter().enumerate() {
            let body = json!({"n": n, "ACL": {*guard: {"read": true}}});
            assert_eq!(server.post("/classes/Guarded", &body).await.status, 201);
        }
        assert_eq!(seen(&server, &insider_token).await, [0; 0], "holds no role yet");

        // In one role of the first level only: the circles lead to every role there is, and not to the lone one.
        let member = |op: &str| json!({"users": {"__op": op, "objects": [{"__type": "Pointer", "className": "_User", "objectId": insider}]}});
        change_role(&server, "r0x0", member("AddRelation")).await;
        reads(&server);
        assert_eq!(seen(&server, &insider_token).await, [0, 1, 2, 3, 4]);
        let first = reads(&server);
        assert!(first.len() <= 5, "all roles are found by a few queries, not by one for each: {first:?}");
        // The change stream reports the changes above once more, and each makes the server forget; after that the roles stay known.
        let mut again = first;
        for _ in 0..100 {
            assert_eq!(seen(&server, &insider_token).await, [0, 1, 2, 3, 4]);
            again = reads(&server);
            if server.mongo.is_none() || again == ["Guarded"] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(server.mongo.is_none() || again == ["Guarded"], "the roles are read again for each request: {again:?}");
        assert_eq!(seen(&server, &outsider_token).await, [0; 0]);
        let (users, nested) = (ClassName::unchecked(names::ROLE_USERS), ClassName::unchecked(names::ROLE_ROLES));
        let held = server.running.app.storage.ancestors(&users, &nested, &insider, None);
        assert_eq!(held.await.unwrap().owners().len(), DEPTH * WIDTH);

        // Every change of a role counts from the next request on.
        let lone = lone["objectId"].as_str().unwrap();
        let nested = |op: &str| json!({"roles": {"__op": op, "objects": [{"__type": "Pointer", "className": "_Role", "objectId": "r19x499"}]}});
        change_role(&server, lone, nested("AddRelation")).await;
        assert_eq!(seen(&server, &insider_token).await, [0, 1, 2, 3, 4, 5]);
        change_role(&server, lone, nested("RemoveRelation")).await;
        assert_eq!(seen(&server, &insider_token).await, [0, 1, 2, 3, 4]);
        // Also when masters touch the pairs themselves, which are documents on MongoDB only.
        let pair = json!({"owningId": lone, "relatedId": "r10x250"});
        let made = answer(server.master(Method::POST, "/classes/_Join:roles:_Role").json(&pair)).await;
        if server.mongo.is_some() {
            assert_eq!(made.status, 201, "{made:?}");
            assert_eq!(seen(&server, &insider_token).await, [0, 1, 2, 3, 4, 5]);
            let pair = format!("/classes/_Join:roles:_Role/{}", made.json()["objectId"].as_str().unwrap());
            assert_eq!(answer(server.master(Method::DELETE, &pair)).await.status, 200);
            assert_eq!(seen(&server, &insider_token).await, [0, 1, 2, 3, 4]);
        } else {
            made.assert_refused(400, 102);
        }
        change_role(&server, "r0x0", member("RemoveRelation")).await;
        assert_eq!(seen(&server, &insider_token).await, [0; 0]);
    });
}

/// `top` has `middle` has `low` has the user: once `middle` is deleted, what it led to is out of reach, and `low` is not.
#[test]
fn a_deleted_role_leads_nowhere() {
    each_backend(&json!({}), |server| async move {
        let (user, token) = sign_up(&server, "holder").await;
        let relation = |class: &str, id: &str| json!({"__op": "AddRelation", "objects": [{"__type": "Pointer", "className": class, "objectId": id}]});
        let make = async |name: &str, field: &str, member: serde_json::Value| {
            let body = json!({"name": name, "ACL": {}, field: member});
            let made = answer(server.master(Method::POST, "/roles").json(&body)).await;
            made.json()["objectId"].as_str().unwrap().to_owned()
        };
        let low = make("low", "users", relation("_User", &user)).await;
        let middle = make("middle", "roles", relation("_Role", &low)).await;
        make("top", "roles", relation("_Role", &middle)).await;
        for (n, guard) in ["role:low", "role:middle", "role:top"].iter().enumerate() {
            let body = json!({"n": n, "ACL": {*guard: {"read": true}}});
            assert_eq!(server.post("/classes/Guarded", &body).await.status, 201);
        }
        assert_eq!(seen(&server, &token).await, [0, 1, 2]);
        let part = json!({"requests": [{"method": "DELETE", "path": format!("/parse/roles/{middle}")}]});
        assert_eq!(answer(server.master(Method::POST, "/batch").json(&part)).await.status, 200);
        assert_eq!(seen(&server, &token).await, [0]);
        // An object made later, which names the role, is out of reach as well.
        let late = json!({"n": 3, "ACL": {"role:top": {"read": true}}});
        assert_eq!(server.post("/classes/Guarded", &late).await.status, 201);
        assert_eq!(seen(&server, &token).await, [0]);
        change_role(&server, &low, json!({"users": {"__op": "RemoveRelation", "objects": [{"__type": "Pointer", "className": "_User", "objectId": user}]}})).await;
        assert_eq!(seen(&server, &token).await, [0; 0]);
    });
}
