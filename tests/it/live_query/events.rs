//! Which writes are told, and how.

use reqwest::Method;
use serde_json::json;

use super::client::{Client, change, make, sign_up, with_session};
use super::{client_key, options};
use crate::server::{answer, each_backend};

#[test]
fn one_object_from_its_making_to_its_end() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client.follow(1, json!({ "className": "LiveA", "where": { "n": { "$gt": 10 } } }), None).await;
        let id = make(&server, "LiveA", json!({ "n": 1 })).await;
        change(&server, "LiveA", &id, json!({ "n": { "__op": "Increment", "amount": 10 } })).await;
        let enter = client.event("enter").await;
        assert_eq!((&enter["object"]["n"], &enter["original"]["n"]), (&json!(11), &json!(1)), "{enter}");
        // MongoDB does not write what changes nothing, not even the time.
        server.clock.advance(1000);
        change(&server, "LiveA", &id, json!({})).await;
        client.event("update").await;
        change(&server, "LiveA", &id, json!({ "n": { "__op": "Delete" } })).await;
        let leave = client.event("leave").await;
        assert_eq!((leave["object"].get("n"), &leave["original"]["n"]), (None, &json!(11)), "{leave}");
        let other = make(&server, "LiveA", json!({ "n": 20 })).await;
        client.event("create").await;
        let deleted = answer(server.request(Method::DELETE, &format!("/classes/LiveA/{other}"))).await;
        assert_eq!(deleted.status, 200);
        let delete = client.event("delete").await;
        assert_eq!(delete["object"]["objectId"], other.as_str());
        assert!(delete.get("original").is_none());
        client.quiet(&server).await;
    });
}

#[test]
fn a_subscription_hears_nothing_of_earlier_writes() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client.follow_class(1, "LiveOther", None).await;
        for round in 0..20 {
            make(&server, "LiveA", json!({ "n": round })).await;
            client.follow_class(2, "LiveA", None).await;
            client.quiet(&server).await;
            assert_eq!(client.ask(json!({ "op": "unsubscribe", "requestId": 2 })).await["op"], "unsubscribed");
        }
    });
}

#[test]
fn an_object_that_loses_its_acl_is_open_to_nobody() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client.follow_class(1, "LiveA", None).await;
        let id = make(&server, "LiveA", json!({ "n": 1, "ACL": { "*": { "read": true } } })).await;
        client.event("create").await;
        change(&server, "LiveA", &id, json!({ "n": 2, "ACL": { "__op": "Delete" } })).await;
        let seen = server.get(&format!("/classes/LiveA/{id}")).await.status;
        let event = client.next().await;
        // Told is what a reader could read now.
        assert_eq!(event["op"], if seen == 200 { "update" } else { "leave" }, "{event}");
        assert_eq!(event["object"]["n"], if seen == 200 { 2 } else { 1 });
    });
}

#[test]
fn transactions_are_told_when_they_are_committed() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client.follow_class(1, "LiveA", None).await;
        let id = make(&server, "LiveA", json!({ "n": 0 })).await;
        client.event("create").await;
        let part = |method: &str, path: &str| json!({ "method": method, "path": path, "body": { "n": 1 } });
        for (last, committed) in [("/parse/classes/LiveA/missing", false), ("/parse/classes/LiveA", true)] {
            let parts = [
                part("POST", "/parse/classes/LiveA"),
                part("PUT", &format!("/parse/classes/LiveA/{id}")),
                part(if committed { "POST" } else { "PUT" }, last),
            ];
            let batch = json!({ "transaction": true, "requests": parts });
            let status = answer(server.master(Method::POST, "/batch").json(&batch)).await.status;
            assert_eq!(status == 200, committed);
            if committed {
                client.event("create").await;
                client.event("update").await;
                client.event("create").await;
            }
            client.quiet(&server).await;
        }
    });
}

#[test]
fn sessions_are_told_to_their_user_alone() {
    each_backend(&options(), |server| async move {
        let (ann, token) = sign_up(&server, "ann").await;
        let mut client = Client::connect(&server, client_key()).await;
        let refused = client.try_follow(1, json!({ "className": "_Session", "where": {} }), None).await;
        assert_eq!(refused["code"], 209, "{refused}");
        client.follow_class(1, "_Session", Some(&token)).await;
        sign_up(&server, "bob").await;
        let log_in = server.post("/login", &json!({ "username": "ann", "password": "p" })).await.json();
        let create = client.event("create").await;
        assert_eq!(create["object"]["user"]["objectId"], ann.as_str());
        assert_eq!(create["object"]["sessionToken"], log_in["sessionToken"]);
        let second = log_in["sessionToken"].as_str().unwrap();
        with_session(&server, Method::POST, "/logout", second, json!({})).await;
        client.event("delete").await;
        client.quiet(&server).await;
        // Once it is logged out itself it hears nothing any more.
        with_session(&server, Method::POST, "/logout", &token, json!({})).await;
        client.quiet(&server).await;
    });
}

#[test]
fn a_file_without_an_address_harms_nobody() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client.follow_class(1, "LiveA", None).await;
        make(&server, "LiveA", json!({ "f": { "__type": "File", "name": "a.txt" } })).await;
        let create = client.event("create").await;
        assert!(create["object"]["f"]["url"].as_str().unwrap().ends_with("a.txt"), "{create}");
    });
}

#[test]
fn watched_fields_choose_updates() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        client
            .follow(1, json!({ "className": "LiveA", "where": {}, "watch": ["a", "o.x"], "keys": ["a"] }), None)
            .await;
        let id = make(&server, "LiveA", json!({ "b": 1 })).await;
        change(&server, "LiveA", &id, json!({ "a": [1], "b": 2 })).await;
        let update = client.event("update").await;
        assert_eq!((&update["object"]["a"], update["object"].get("b")), (&json!([1]), None));
        change(&server, "LiveA", &id, json!({ "a": [1], "b": 3 })).await;
        change(&server, "LiveA", &id, json!({ "o": { "x": 1, "y": 1 } })).await;
        client.event("update").await;
        change(&server, "LiveA", &id, json!({ "o": { "x": 1, "y": 2 } })).await;
        client.quiet(&server).await;
    });
}

#[test]
fn nobody_who_follows_costs_a_write_nothing() {
    each_backend(&options(), |server| async move {
        let id = make(&server, "LiveA", json!({ "n": 1 })).await;
        server.commands.take();
        change(&server, "LiveA", &id, json!({ "n": 2 })).await;
        let finds = server.commands.take().into_iter().filter(|(command, class)| command == "find" && class == "LiveA");
        assert_eq!(finds.count(), 0);
    });
}

#[test]
fn every_server_hears_of_every_write_once_and_in_order() {
    crate::server::each_backend_twice(&options(), |servers| async move {
        let (first, last) = (&servers[0], &servers[servers.len() - 1]);
        let mut clients = Vec::new();
        for server in [first, last] {
            let mut client = Client::connect(server, client_key()).await;
            client.follow(1, json!({ "className": "LiveA", "where": { "n": { "$gt": 0 } } }), None).await;
            clients.push(client);
        }
        let id = make(first, "LiveA", json!({ "n": 1 })).await;
        for n in 2..20 {
            change(if n % 2 == 0 { last } else { first }, "LiveA", &id, json!({ "n": n })).await;
        }
        change(first, "LiveA", &id, json!({ "n": 0 })).await;
        change(last, "LiveA", &id, json!({ "n": 5 })).await;
        answer(last.master(Method::DELETE, &format!("/classes/LiveA/{id}"))).await;
        for client in &mut clients {
            client.event("create").await;
            for n in 2..20 {
                let update = client.event("update").await;
                assert_eq!((&update["original"]["n"], &update["object"]["n"]), (&json!(n - 1), &json!(n)));
            }
            client.event("leave").await;
            assert_eq!(client.event("enter").await["original"]["n"], 0);
            client.event("delete").await;
        }
        for client in &mut clients {
            client.quiet(first).await;
        }
    });
}

#[test]
fn what_is_told_to_nobody() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, json!({ "masterKey": "master" })).await;
        client.follow_class(1, "LiveA", None).await;
        client.follow_class(2, "_User", None).await;
        client.follow_class(3, "_Role", None).await;
        let (user, token) = sign_up(&server, "ann").await;
        client.event("create").await;
        for _ in 0..3 {
            server.post("/login", &json!({ "username": "ann", "password": "wrong" })).await;
        }
        server.post("/login", &json!({ "username": "ann", "password": "p" })).await;
        client.quiet(&server).await;
        server.clock.advance(1000);
        with_session(&server, Method::PUT, &format!("/users/{user}"), &token, json!({ "password": "q" })).await;
        client.event("update").await;
        // A relation is told of a new object when it got members.
        let pointer = json!({ "__type": "Pointer", "className": "_User", "objectId": user });
        let role = json!({ "name": "r", "ACL": {}, "users": { "__op": "AddRelation", "objects": [pointer] } });
        assert_eq!(answer(server.master(Method::POST, "/roles").json(&role)).await.status, 201);
        let create = client.event("create").await;
        assert_eq!(
            (create["object"]["users"]["__type"].as_str(), create["object"].get("roles")),
            (Some("Relation"), None)
        );
        for n in 0..3 {
            make(&server, "LiveA", json!({ "n": n })).await;
            client.event("create").await;
        }
        assert_eq!(answer(server.master(Method::DELETE, "/purge/LiveA")).await.status, 200);
        client.quiet(&server).await;
        let id = make(&server, "LiveA", json!({ "n": 9 })).await;
        client.event("create").await;
        answer(server.master(Method::DELETE, &format!("/classes/LiveA/{id}"))).await;
        client.event("delete").await;
        assert_eq!(answer(server.master(Method::DELETE, "/schemas/LiveA")).await.status, 200);
        client.quiet(&server).await;
    });
}
