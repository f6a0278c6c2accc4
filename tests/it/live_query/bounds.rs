//! What a client can send, and what it can cost.

use futures_util::SinkExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::{Client, make};
use super::{client_key, options};
use crate::server::each_backend;

/// `adv_6qh5`, `adv_827p`, `adv_mf3j`: conditions that cannot be judged are refused, and hostile patterns cost a bounded amount.
#[test]
fn conditions_that_cannot_be_judged_are_refused() {
    each_backend(&options(), |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        let mut deep = json!({ "a": 1 });
        for _ in 0..55 {
            deep = json!({ "$or": [deep] });
        }
        for condition in [
            json!({ "$or": { "a": 1 } }),
            json!({ "$or": [] }),
            json!({ "$or": [1] }),
            json!({ "$or": [null] }),
            json!({ "a": { "$in": 5 } }),
            json!({ "a": { "$within": {} } }),
            json!({ "a": { "$all": null } }),
            json!({ "a": { "$where": "1" } }),
            json!({ "$where": "1" }),
            json!({ "$expr": {} }),
            json!({ "a": { "$unknown": 1 } }),
            json!({ "a": { "$regex": "(" } }),
            json!({ "a": { "$regex": ["a"] } }),
            json!({ "a": { "$regex": "a", "$options": "q" } }),
            json!({ "a": { "$regex": "a".repeat(100_000) } }),
            json!({ "a b": 1 }),
            json!({ "_rperm2": 1 }),
            deep,
        ] {
            let refused = client.try_follow(1, json!({ "className": "LiveA", "where": condition }), None).await;
            assert_eq!((&refused["op"], &refused["code"]), (&json!("error"), &json!(102)), "{condition}: {refused}");
        }
        let named = client.try_follow(1, json!({ "className": "a b", "where": {} }), None).await;
        assert_eq!(named["code"], 103, "{named}");
        client.follow(1, json!({ "className": "LiveA", "where": { "s": { "$regex": "^(a+)+\\1$" } } }), None).await;
        client.follow(2, json!({ "className": "LiveA", "where": {} }), None).await;
        make(&server, "LiveA", json!({ "s": format!("{}!", "a".repeat(5000)) })).await;
        assert_eq!(client.event("create").await["requestId"], 2);
    });
}

#[test]
fn frames_that_are_no_messages() {
    let mut options = options();
    options["limits"] = json!({ "liveMessageBytes": 1000 });
    each_backend(&options, |server| async move {
        for (frame, code) in [(Message::binary(vec![1, 2, 3]), 1003), (Message::text("x".repeat(1001)), 1009)] {
            let mut client = Client::connect(&server, client_key()).await;
            client.stream.send(frame).await.unwrap();
            assert_eq!(client.close_code().await, code);
        }
        let mut client = Client::connect(&server, client_key()).await;
        client.stream.send(Message::text("x".repeat(1000))).await.unwrap();
        let deep = client.ask(json!({ "op": "subscribe" })).await;
        assert_eq!(deep["code"], 1, "{deep}");
        // All conditions together are bounded, too.
        let query = json!({ "className": "LiveA", "where": { "s": "x".repeat(800) } });
        for id in 0..4 {
            client.follow(id, query.clone(), None).await;
        }
        assert_eq!(client.try_follow(4, query.clone(), None).await["code"], 155);
        client.follow(3, query, None).await;
    });
}

#[test]
fn a_socket_follows_only_so_much() {
    let mut options = options();
    options["limits"] = json!({ "liveSubscriptions": 3, "liveSockets": 2 });
    each_backend(&options, |server| async move {
        let mut client = Client::connect(&server, client_key()).await;
        for id in 0..3 {
            client.follow_class(id, "LiveA", None).await;
        }
        let query = json!({ "className": "LiveA", "where": {} });
        assert_eq!(client.try_follow(3, query.clone(), None).await["code"], 155);
        client.follow(2, query.clone(), None).await;
        assert_eq!(client.ask(json!({ "op": "unsubscribe", "requestId": 0 })).await["op"], "unsubscribed");
        client.follow(3, query, None).await;
        // A client that connects again begins anew.
        let again = json!({ "op": "connect", "applicationId": "app", "clientKey": "ck" });
        assert_eq!(client.ask(again).await["op"], "connected");
        make(&server, "LiveA", json!({})).await;
        client.quiet(&server).await;
        let _second = Client::open(&server).await;
        match Client::try_open(&server).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 503),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("a third socket was opened"),
        }
    });
}

#[test]
fn who_does_not_read_is_disconnected() {
    let mut options = options();
    options["limits"] = json!({ "liveQueue": 5 });
    each_backend(&options, |server| async move {
        let mut slow = Client::connect(&server, client_key()).await;
        slow.follow_class(1, "LiveA", None).await;
        let mut reads = Client::connect(&server, client_key()).await;
        reads.follow_class(1, "LiveA", None).await;
        // The buffers of the system hold some megabytes at most.
        let text = "x".repeat(1 << 20);
        for _ in 0..25 {
            make(&server, "LiveA", json!({ "s": text })).await;
            reads.event("create").await;
        }
        assert_eq!(slow.close_code().await, 1013);
    });
}
