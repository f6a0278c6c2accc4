//! beforeFind and afterFind, on every way to an object.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::hook_server::HookServer;
use crate::server::{TestServer, answer, each_backend};

async fn one(server: &TestServer, class: &str, body: Json) -> String {
    let made = server.post(&format!("/classes/{class}"), &body).await.json();
    made["objectId"].as_str().unwrap().to_owned()
}

fn pointer(class: &str, id: &str) -> Json {
    json!({"__type": "Pointer", "className": class, "objectId": id})
}

#[test]
fn every_way_to_an_object_asks() {
    each_backend(&json!({"mountGraphQL": true}), |server| async move {
        let hooks = HookServer::start().await;
        let id = one(&server, "Find", json!({"n": 1})).await;
        let holder = one(&server, "Holder", json!({"to": pointer("Find", &id)})).await;
        for trigger in ["beforeFind", "afterFind"] {
            hooks.trigger(&server, trigger, "Find").await;
        }
        let inner = json!({"className": "Find", "where": {"n": 1}});
        let in_query = json!({"to": {"$inQuery": inner}}).to_string();
        let select = json!({"n": {"$dontSelect": {"query": inner, "key": "n"}}}).to_string();
        for (path, is_get) in [
            ("/classes/Find".to_owned(), false),
            (format!("/classes/Find/{id}"), true),
            ("/classes/Find?where={\"n\":1}&count=1&limit=0".to_owned(), false),
            (format!("/classes/Holder/{holder}?include=to"), true),
            ("/classes/Holder?include=to".to_owned(), true),
            (format!("/classes/Holder?where={in_query}"), false),
            (format!("/classes/Holder?where={select}"), false),
        ] {
            let (path, query) = path.split_once('?').map_or((path.as_str(), ""), |(path, query)| (path, query));
            let query: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let got = answer(server.request(Method::GET, path).query(&query)).await;
            assert_eq!(got.status, 200, "{path} {query:?}: {got:?}");
            let calls = hooks.take();
            let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
            assert_eq!(names, ["beforeFind:Find", "afterFind:Find"], "{path} {query:?}");
            assert!(calls.iter().all(|call| call.body["isGet"] == is_get), "{path} {query:?}: {calls:?}");
        }
        let part = json!({"method": "GET", "path": format!("/parse/classes/Find/{id}")});
        server.post("/batch", &json!({"requests": [part]})).await;
        assert_eq!(hooks.take_names(), ["beforeFind:Find", "afterFind:Find"]);
        let graphql = server.base.replace("/parse", "/graphql");
        let query = json!({"query": "{ finds { edges { node { objectId } } } }"});
        let asked = reqwest::Client::new().post(graphql).json(&query).header("X-Parse-Application-Id", "app");
        let asked = answer(asked).await;
        assert_eq!(asked.json()["data"]["finds"]["edges"][0]["node"]["objectId"], id.as_str(), "{asked:?}");
        assert_eq!(hooks.take_names(), ["beforeFind:Find", "afterFind:Find"]);
        answer(server.master(Method::GET, "/aggregate/Find?pipeline=[{\"$limit\":1}]")).await;
        let calls = hooks.take();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].body["query"]["pipeline"], json!([{"$limit": 1}]));
    });
}

#[test]
fn both_may_refuse() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let id = one(&server, "Refuse", json!({"n": 1})).await;
        let holder = one(&server, "RefuseHolder", json!({"to": pointer("Refuse", &id)})).await;
        for trigger in ["beforeFind", "afterFind"] {
            hooks.trigger(&server, trigger, "Refuse").await;
            hooks.on(&format!("{trigger}:Refuse"), |_| json!({"error": "not for you"}));
            let inner = r#"{"to":{"$inQuery":{"className":"Refuse","where":{}}}}"#;
            for (path, query) in [
                ("/classes/Refuse".to_owned(), None),
                (format!("/classes/Refuse/{id}"), None),
                (format!("/classes/RefuseHolder/{holder}"), Some(("include", "to"))),
                ("/classes/RefuseHolder".to_owned(), Some(("where", inner))),
            ] {
                for request in [server.request(Method::GET, &path), server.master(Method::GET, &path)] {
                    let refused = answer(request.query(&query.into_iter().collect::<Vec<_>>())).await;
                    refused.assert_refused(400, 141);
                    assert_eq!(refused.json()["error"], "not for you");
                }
            }
            let change = json!({"__op": "Delete"});
            answer(server.master(Method::PUT, &format!("/hooks/triggers/Refuse/{trigger}")).json(&change)).await;
        }
        // Writes do not ask.
        hooks.trigger(&server, "beforeFind", "Refuse").await;
        let put = server.request(Method::PUT, &format!("/classes/Refuse/{id}")).json(&json!({"n": 2}));
        assert_eq!(answer(put).await.status, 200);
    });
}

#[test]
fn a_web_hook_changes_neither_query_nor_results() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        one(&server, "Fixed", json!({"n": 1})).await;
        hooks.trigger(&server, "beforeFind", "Fixed").await;
        hooks.trigger(&server, "afterFind", "Fixed").await;
        hooks.on(
            "beforeFind:Fixed",
            |_| json!({"success": {"where": {"n": 2}, "objects": [], "query": {"where": {"n": 2}}}}),
        );
        hooks.on("afterFind:Fixed", |_| json!({"success": [{"n": 5}]}));
        let found = server.get("/classes/Fixed").await.json();
        let found = found["results"].as_array().unwrap();
        assert_eq!((found.len(), &found[0]["n"], &found[0]["className"]), (1, &json!(1), &json!("Fixed")));
    });
}

#[test]
fn the_query_that_is_told() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeFind", "Told").await;
        let query = [
            ("where", r#"{"n":{"$gt":0,"$lt":9},"$or":[{"a":1},{"b":{"$exists":false}}]}"#),
            ("order", "-n,a"),
            ("limit", "5"),
            ("skip", "2"),
            ("keys", "n,p"),
            ("include", "p"),
            ("count", "1"),
        ];
        answer(server.request(Method::GET, "/classes/Told").query(&query)).await;
        let call = hooks.take().remove(0).body;
        assert_eq!(
            call["query"],
            json!({
                "where": {"n": {"$gt": 0, "$lt": 9}, "$or": [{"a": 1}, {"b": {"$exists": false}}]},
                "order": "-n,a", "limit": 5, "skip": 2, "keys": "n,p", "include": "p",
            })
        );
        assert_eq!((&call["count"], &call["isGet"]), (&json!(true), &json!(false)));
        // Refused by the class: the trigger is asked first all the same.
        let closed = json!({"className": "Closed", "classLevelPermissions": {"find": {}}});
        assert_eq!(answer(server.master(Method::POST, "/schemas/Closed").json(&closed)).await.status, 200);
        hooks.trigger(&server, "beforeFind", "Closed").await;
        server.get("/classes/Closed").await.assert_refused(400, 119);
        assert_eq!(hooks.take_names(), ["beforeFind:Closed"]);
    });
}
