//! Requests with the master key: configuration, aggregation, audiences, classes defined by configuration, and the routes around them.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer, each_backend};

/// In milliseconds.
const THIRTY_YEARS: i64 = 30 * 365 * 24 * 60 * 60 * 1000;

async fn master(server: &TestServer, method: Method, path: &str, body: Option<&Json>) -> Answer {
    let request = server.master(method, path);
    answer(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

#[test]
fn configuration_is_merged_by_name() {
    each_backend(&json!({"readOnlyMasterKey": "readonly"}), |server| async move {
        assert_eq!(server.get("/config").await.json(), json!({"params": {}}));
        let put = async |body: Json| master(&server, Method::PUT, "/config", Some(&body)).await;
        let when = json!({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"});
        let written =
            put(json!({"params": {"a": 1, "b": [when], "s": {"t": "u"}}, "masterKeyOnly": {"a": true}})).await;
        assert_eq!((written.status, written.json()), (200, json!({"result": true})));
        put(json!({"params": {"c": "d", "s": {"__op": "Delete"}}})).await;
        let all = master(&server, Method::GET, "/config", None).await.json();
        let marks = json!({"a": true, "b": false, "c": false, "s": false});
        assert_eq!(all, json!({"params": {"a": 1, "b": [when], "c": "d"}, "masterKeyOnly": marks}));
        let open = server.get("/config").await.json();
        let marks = json!({"b": false, "c": false, "s": false});
        assert_eq!(open, json!({"params": {"b": [when], "c": "d"}, "masterKeyOnly": marks}));
        put(json!({"params": {"a": {"__op": "Increment", "amount": 2}}, "masterKeyOnly": {"a": true}})).await;
        assert_eq!(master(&server, Method::GET, "/config", None).await.json()["params"]["a"], 3);

        put(json!({"params": {}})).await.assert_refused(400, 141);
        put(json!({"params": {"a.b": 1}})).await.assert_refused(400, 121);
        put(json!({"params": {"$a": 1}})).await.assert_refused(400, 121);
        put(json!({"params": {"a": {"$b": 1}}})).await.assert_refused(400, 121);
        put(json!({"params": {"constructor": 1}})).await.assert_refused(400, 105);
        put(json!({"params": 5})).await.assert_refused(400, 107);
        let refused = answer(server.request(Method::PUT, "/config").json(&json!({"params": {"a": 1}}))).await;
        assert_eq!(refused.status, 403);
        let request = server.request(Method::PUT, "/config").header("X-Parse-Master-Key", "readonly");
        answer(request.json(&json!({"params": {"a": 1}}))).await.assert_refused(400, 119);
    });
}

#[test]
fn graphql_configuration() {
    each_backend(&json!({}), |server| async move {
        let get = async || master(&server, Method::GET, "/graphql-config", None).await;
        let put = async |body: Json| master(&server, Method::PUT, "/graphql-config", Some(&body)).await;
        assert_eq!(get().await.json(), json!({}));
        let config =
            json!({"enabledForClasses": ["A"], "classConfigs": [{"className": "A", "query": {"find": false}}]});
        assert_eq!(put(json!({"params": config})).await.json(), json!({"response": {"result": true}}));
        assert_eq!(get().await.json(), config);
        put(json!({"params": {"nonsense": 1}})).await.assert_refused(400, 107);
        put(json!({"params": {"classConfigs": [5]}})).await.assert_refused(400, 107);
        assert_eq!(get().await.json(), config);
        assert_eq!(server.get("/graphql-config").await.status, 403);
    });
}

#[test]
fn request_ids_are_forgotten_in_time() {
    each_backend(&json!({"idempotencyOptions": {"paths": ["classes/Pay"], "ttl": 60}}), |server| async move {
        let send = async |path: &str, id: &str| {
            let request = server.request(Method::POST, path).header("X-Parse-Request-Id", id);
            answer(request.json(&json!({"a": 1}))).await
        };
        // The stores remove expired rows by the machine's clock; this is about what the server does until they do.
        server.clock.advance(THIRTY_YEARS);
        assert_eq!(send("/classes/Pay", "one").await.status, 201);
        send("/classes/Pay/", "one").await.assert_refused(400, 159);
        send("/classes/Payments", "one").await.assert_refused(400, 159);
        assert_eq!(send("/classes/Other", "one").await.status, 201);
        assert_eq!(send("/classes/Pay", "two").await.status, 201);
        server.clock.advance(61_000);
        assert_eq!(send("/classes/Pay", "one").await.status, 201);
        send("/classes/Pay", "one").await.assert_refused(400, 159);
    });
}

#[test]
fn installations_are_found_by_what_is_known_of_them() {
    each_backend(&json!({}), |server| async move {
        let made = server.post("/installations", &json!({"deviceToken": "T", "deviceType": "ios"})).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("/installations/{}", made.json()["objectId"].as_str().unwrap());
        // The row that has the token and no id is this installation.
        let known = server
            .post("/installations", &json!({"installationId": "ONE", "deviceToken": "T", "deviceType": "ios"}))
            .await;
        assert_eq!(known.status, 200, "{known:?}");
        assert_eq!(server.get(&path).await.json()["installationId"], "one");
        // Another installation takes the token, and the old row goes.
        let other = server
            .post("/installations", &json!({"installationId": "two", "deviceToken": "T", "deviceType": "ios"}))
            .await;
        assert_eq!(other.status, 201, "{other:?}");
        server.get(&path).await.assert_refused(404, 101);
        let found = master(&server, Method::GET, "/installations", None).await.json();
        assert_eq!(found["results"].as_array().unwrap().len(), 1, "{found}");

        server
            .post("/installations", &json!({"deviceToken": {"$ne": null}, "installationId": "x", "deviceType": "ios"}))
            .await
            .assert_refused(400, 121);
        assert_eq!(
            master(&server, Method::GET, "/installations", None).await.json()["results"].as_array().unwrap().len(),
            1
        );
        server.get("/installations").await.assert_refused(400, 119);
        server
            .get(&format!(
                "/classes/_Installation?where={{\"objectId\":\"{}\"}}",
                other.json()["objectId"].as_str().unwrap()
            ))
            .await
            .assert_refused(400, 119);
    });
}

#[test]
fn tokens_may_be_taken_away_instead_of_rows() {
    let options = json!({"installation": {"duplicateDeviceTokenAction": "update"}});
    each_backend(&options, |server| async move {
        let make = async |id: &str| {
            server.post("/installations", &json!({"installationId": id, "deviceToken": "T", "deviceType": "ios"})).await
        };
        let first = make("one").await.json();
        assert_eq!(make("two").await.status, 201);
        let path = format!("/installations/{}", first["objectId"].as_str().unwrap());
        let row = server.get(&path).await.json();
        assert_eq!((&row["installationId"], row.get("deviceToken")), (&json!("one"), None));
    });
}

#[test]
fn aggregation() {
    each_backend(&json!({"readOnlyMasterKey": "readonly"}), |server| async move {
        for (group, number) in [("a", 1), ("a", 3), ("b", 10)] {
            assert_eq!(server.post("/classes/Agg", &json!({"g": group, "n": number})).await.status, 201);
        }
        let run = async |key: &str, parameters: &[(&str, Json)]| {
            let query: Vec<(String, String)> =
                parameters.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
            answer(server.request(Method::GET, "/aggregate/Agg").header("X-Parse-Master-Key", key).query(&query)).await
        };
        let sums = json!([{"$group": {"_id": "$g", "sum": {"$sum": "$n"}}}, {"$sort": {"_id": 1}}]);
        let expected = json!({"results": [{"objectId": "a", "sum": 4}, {"objectId": "b", "sum": 10}]});
        assert_eq!(run("master", &[("pipeline", sums.clone())]).await.json(), expected);
        assert_eq!(run("readonly", &[("pipeline", sums)]).await.json(), expected);
        assert_eq!(run("master", &[("distinct", json!("g"))]).await.json(), json!({"results": ["a", "b"]}));
        let few = [("distinct", json!("n")), ("where", json!({"g": "a"}))];
        assert_eq!(run("master", &few).await.json(), json!({"results": [1, 3]}));
        run("readonly", &[("pipeline", json!([{"$out": "_User"}]))]).await.assert_refused(400, 119);
        run("master", &[("pipeline", json!([{"nonsense": 1}]))]).await.assert_refused(400, 102);
        assert_eq!(run("wrong", &[("distinct", json!("g"))]).await.status, 403);
        let none = master(&server, Method::GET, "/aggregate/Unknown?distinct=x", None).await;
        assert_eq!(none.json(), json!({"results": []}));
    });
}

#[test]
fn permissions_sent_back_as_they_are_shown_make_nothing_public() {
    each_backend(&json!({}), |server| async move {
        let shown = master(&server, Method::GET, "/schemas/_User", None).await.json();
        let permissions = &shown["classLevelPermissions"];
        assert_eq!(permissions["ACL"], json!({"*": {"read": true, "write": true}}));
        let back = json!({"className": "_User", "classLevelPermissions": permissions});
        assert_eq!(master(&server, Method::PUT, "/schemas/_User", Some(&back)).await.status, 200);
        let user = json!({"username": "ann", "password": "secret"});
        let made = server.post("/users", &user).await.json();
        assert_eq!(made.get("ACL"), None);
        let path = format!("/users/{}", made["objectId"].as_str().unwrap());
        let own = master(&server, Method::GET, &path, None).await.json();
        assert_eq!(own["ACL"], json!({made["objectId"].as_str().unwrap(): {"read": true, "write": true}}));
        server.get(&path).await.assert_refused(404, 101);
    });
}

#[test]
fn indexes_on_fields_that_are_not_there() {
    let body = json!({"className": "Item", "indexes": {"by_none": {"none": 1}}});
    each_backend(&json!({}), |server| {
        let body = body.clone();
        async move {
            let refused = master(&server, Method::POST, "/schemas/Item", Some(&body)).await;
            refused.assert_refused(400, 102);
            assert_eq!(refused.json()["error"], "Field none does not exist, cannot add index.");
        }
    });
    each_backend(&json!({"databaseOptions": {"disableIndexFieldValidation": true}}), |server| {
        let body = body.clone();
        async move {
            let made = master(&server, Method::POST, "/schemas/Item", Some(&body)).await;
            assert_eq!((made.status, &made.json()["indexes"]["by_none"]), (200, &json!({"none": 1})));
            let made = answer(server.master(Method::POST, "/classes/Item").json(&json!({"none": "x"}))).await;
            assert_eq!(made.status, 201, "{made:?}");
            let found = answer(server.master(Method::GET, "/classes/Item?where={\"none\":\"x\"}")).await;
            assert_eq!(found.json()["results"].as_array().map(Vec::len), Some(1), "{found:?}");
        }
    });
}

#[test]
fn purchases_can_be_switched_off() {
    each_backend(&json!({"enableProductPurchaseLegacyApi": false}), |server| async move {
        server.post("/validate_purchase", &json!({})).await.assert_refused(404, 108);
    });
}

#[test]
fn classes_defined_by_configuration() {
    let definitions = json!([{
        "className": "Item",
        "fields": {
            "name": {"type": "String", "required": true},
            "price": {"type": "Number", "defaultValue": 5},
            "owner": {"type": "Pointer", "targetClass": "_User"},
        },
        "indexes": {"by_name": {"name": 1}},
        "classLevelPermissions": {"find": {"*": true}, "create": {"*": true}},
    }]);
    let options = json!({"schema": {"definitions": definitions, "lockSchemas": true, "strict": true}});
    each_backend(&options, |server| async move {
        let item = master(&server, Method::GET, "/schemas/Item", None).await.json();
        assert_eq!(item["fields"]["name"], json!({"type": "String", "required": true}));
        assert_eq!(item["fields"]["price"], json!({"type": "Number", "defaultValue": 5}));
        assert_eq!(item["indexes"]["by_name"], json!({"name": 1}));
        assert_eq!(item["classLevelPermissions"]["addField"], json!({}));
        let made = server.post("/classes/Item", &json!({"name": "x"})).await;
        assert_eq!((made.status, &made.json()["price"]), (201, &json!(5)));
        server.post("/classes/Item", &json!({"price": 1})).await.assert_refused(400, 142);
        server.post("/classes/Item", &json!({"name": "x", "new": 1})).await.assert_refused(400, 119);
        let path = format!("/classes/Item/{}", made.json()["objectId"].as_str().unwrap());
        server.get(&path).await.assert_refused(400, 119);
        let locked = master(&server, Method::POST, "/schemas/New", Some(&json!({"className": "New"}))).await;
        locked.assert_refused(400, 119);
        assert_eq!(locked.json()["error"], "Cannot perform this operation when schemas options is used.");
    });
}

#[test]
fn permissions_can_be_taken_back() {
    each_backend(&json!({}), |server| async move {
        assert_eq!(server.post("/classes/Clp", &json!({"a": 1})).await.status, 201);
        let put = async |permissions: Json| {
            master(&server, Method::PUT, "/schemas/Clp", Some(&json!({"classLevelPermissions": permissions}))).await
        };
        assert_eq!(put(json!({"find": {}})).await.status, 200);
        server.get("/classes/Clp").await.assert_refused(400, 119);
        assert_eq!(put(json!(null)).await.status, 200);
        assert_eq!(server.get("/classes/Clp").await.status, 200);
    });
}

#[test]
fn a_find_of_one_id_is_a_get() {
    each_backend(&json!({}), |server| async move {
        let made = server.post("/classes/One", &json!({"a": 1})).await.json();
        let id = made["objectId"].as_str().unwrap();
        let closed = json!({"classLevelPermissions": {"get": {"*": true}}});
        assert_eq!(master(&server, Method::PUT, "/schemas/One", Some(&closed)).await.status, 200);
        let by_id = server.get(&format!("/classes/One?where={{\"objectId\":\"{id}\"}}")).await;
        assert_eq!(by_id.json()["results"][0]["a"], 1, "{by_id:?}");
        server.get("/classes/One?where={\"a\":1}").await.assert_refused(400, 119);
        server.get(&format!("/classes/One?count=1&where={{\"objectId\":\"{id}\"}}")).await.assert_refused(400, 119);
    });
}

#[test]
fn audiences_are_read_as_objects() {
    each_backend(&json!({}), |server| async move {
        let body = json!({"name": "All", "query": "{\"deviceType\":\"ios\"}"});
        let made = master(&server, Method::POST, "/push_audiences", Some(&body)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("/push_audiences/{}", made.json()["objectId"].as_str().unwrap());
        let audience = master(&server, Method::GET, &path, None).await.json();
        assert_eq!(audience["query"], json!({"deviceType": "ios"}));
        assert_eq!(server.get("/push_audiences").await.status, 403);
        assert_eq!(server.get(&path).await.status, 403);
    });
}

#[test]
fn the_routes_around_them() {
    each_backend(&json!({"security": {"enableCheck": true}}), |server| async move {
        let report = master(&server, Method::GET, "/security", None).await.json();
        assert_eq!(report["report"]["state"], "fail", "{report}");
        let groups: Vec<&Json> =
            report["report"]["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
        assert_eq!(groups, ["Parse Server Configuration", "Database"]);
        assert_eq!(server.get("/security").await.status, 403);
        let lines = master(&server, Method::GET, "/scriptlog?size=3", None).await;
        assert!(lines.status == 200 && lines.json().as_array().is_some_and(|lines| lines.len() <= 3), "{lines:?}");
        assert_eq!(server.get("/scriptlog").await.status, 403);
        server.post("/validate_purchase", &json!({})).await.assert_refused(400, 107);
        assert_eq!(server.post("/events/AppOpened", &json!({})).await.json(), json!({}));
        server.post("/functions/nothing", &json!({})).await.assert_refused(400, 141);
        master(&server, Method::POST, "/jobs/nothing", Some(&json!({}))).await.assert_refused(400, 141);
        let push = json!({"channels": ["a"], "data": {}});
        master(&server, Method::POST, "/push", Some(&push)).await.assert_refused(400, 115);
    });
}

#[test]
fn members_of_a_relation_go_with_its_field() {
    each_backend(&json!({}), |server| async move {
        let pointer = |class: &str, id: &Json| json!({"__type": "Pointer", "className": class, "objectId": id});
        let member = server.post("/classes/B", &json!({})).await.json();
        let add = json!({"r": {"__op": "AddRelation", "objects": [pointer("B", &member["objectId"])]}});
        let owner = server.post("/classes/A", &add).await.json();
        let related = json!({"$relatedTo": {"object": pointer("A", &owner["objectId"]), "key": "r"}});
        let members = async || {
            let found = server.post("/classes/B", &json!({"_method": "GET", "where": related})).await.json();
            found["results"].as_array().map(Vec::len)
        };
        assert_eq!(members().await, Some(1));
        for field in [json!({"__op": "Delete"}), json!({"type": "Relation", "targetClass": "B"})] {
            let body = json!({"className": "A", "fields": {"r": field}});
            assert_eq!(master(&server, Method::PUT, "/schemas/A", Some(&body)).await.status, 200);
        }
        assert_eq!(members().await, Some(0));
    });
}
