//! Which fields reads show and writes take, where it depends on more than the row.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer, each_backend};

async fn master(server: &TestServer, method: Method, path: &str, body: &Json) -> Answer {
    answer(server.master(method, path).json(body)).await
}

async fn sign_up(server: &TestServer, name: &str) -> (String, String) {
    let made = server.post("/users", &json!({"username": name, "password": "pw"})).await.json();
    (made["objectId"].as_str().unwrap().to_owned(), made["sessionToken"].as_str().unwrap().to_owned())
}

fn encoded(value: &Json) -> String {
    percent_encoding::utf8_percent_encode(&value.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn a_part_of_an_acl_cannot_be_written() {
    each_backend(&json!({}), |server| async move {
        let made = server.post("/classes/Open", &json!({"a": 1})).await.json();
        let path = format!("/classes/Open/{}", made["objectId"].as_str().unwrap());
        for part in
            [json!({"ACL.x": {"read": true}}), json!({"ACL.*.read": true}), json!({"ACL.x": {"__op": "Delete"}})]
        {
            answer(server.request(Method::PUT, &path).json(&part)).await.assert_refused(400, 111);
            server.post("/classes/Open", &part).await.assert_refused(400, 111);
        }
        assert_eq!(server.get(&path).await.json().get("ACL"), None);
    });
}

#[test]
fn linked_identities_are_shown_to_who_asks_for_them() {
    each_backend(&json!({"mountGraphQL": true}), |server| async move {
        let made = server.post("/users", &json!({"authData": {"anonymous": {"id": "me"}}})).await.json();
        let (id, token) = (made["objectId"].as_str().unwrap(), made["sessionToken"].as_str().unwrap());
        let own = |path: String| answer(server.request(Method::GET, &path).header("X-Parse-Session-Token", token));
        for query in ["keys=authData", "excludeKeys=emailVerified", "keys=username,authData"] {
            let got = own(format!("/users/{id}?{query}")).await.json();
            assert_eq!(got["authData"]["anonymous"]["id"], "me", "{query}: {got}");
        }
        assert_eq!(own(format!("/users/{id}?keys=username")).await.json().get("authData"), None);
        let question = json!({"query": "{ viewer { user { authData } } }"});
        let asked = crate::server::client().post(server.base.replace("/parse", "/graphql"));
        let asked = asked.header("X-Parse-Application-Id", "app");
        let got = answer(asked.header("X-Parse-Session-Token", token).json(&question)).await.json();
        assert_eq!(got["data"]["viewer"]["user"]["authData"]["anonymous"]["id"], "me", "{got}");
    });
}

#[test]
fn sets_for_owners_only_unhide() {
    each_backend(&json!({}), |server| async move {
        let (owner, token) = sign_up(&server, "owner").await;
        let fields = json!({"owner": {"type": "Pointer", "targetClass": "_User"}, "a": {"type": "Number"},
            "rel": {"type": "Relation", "targetClass": "_User"}});
        let open = json!({"*": true});
        for (class, sets) in [
            ("Alone", json!({"userField:owner": ["a"]})),
            ("Both", json!({"*": ["a", "rel"], "userField:owner": ["a"]})),
        ] {
            let mut permissions = json!({"protectedFields": sets});
            for right in ["find", "get", "create", "update"] {
                permissions[right] = open.clone();
            }
            let schema = json!({"fields": fields, "classLevelPermissions": permissions});
            assert_eq!(master(&server, Method::POST, &format!("/schemas/{class}"), &schema).await.status, 200);
            let row = json!({"a": 1, "owner": {"__type": "Pointer", "className": "_User", "objectId": owner}});
            assert_eq!(master(&server, Method::POST, &format!("/classes/{class}"), &row).await.status, 201);
            let path = format!("/classes/{class}");
            let mine = answer(server.request(Method::GET, &path).header("X-Parse-Session-Token", &token)).await.json();
            let others = server.get(&path).await.json();
            let shows = |found: &Json, field: &str| found["results"][0].get(field).is_some();
            if class == "Alone" {
                assert!(shows(&mine, "a") && shows(&others, "a"), "nobody misses it: {mine} {others}");
            } else {
                assert!(shows(&mine, "rel") && !shows(&mine, "a"), "{mine}");
                assert!(!shows(&others, "rel") && !shows(&others, "a"), "{others}");
            }
        }
    });
}

#[test]
fn relations_that_a_user_sees_can_be_followed() {
    each_backend(&json!({}), |server| async move {
        let (user, token) = sign_up(&server, "ann").await;
        let permissions =
            json!({"find": {"*": true}, "get": {"*": true}, "protectedFields": {"*": ["rel"], "authenticated": []}});
        let fields = json!({"rel": {"type": "Relation", "targetClass": "_User"}, "one": {"type": "Pointer", "targetClass": "_User"}});
        let schema = json!({"fields": fields, "classLevelPermissions": permissions});
        assert_eq!(master(&server, Method::POST, "/schemas/Team", &schema).await.status, 200);
        let pointer = json!({"__type": "Pointer", "className": "_User", "objectId": user});
        let row = json!({"rel": {"__op": "AddRelation", "objects": [pointer]}, "one": pointer});
        let team = master(&server, Method::POST, "/classes/Team", &row).await.json()["objectId"].clone();
        let related = json!({"$relatedTo": {"object": {"__type": "Pointer", "className": "Team", "objectId": team}, "key": "rel"}});
        let path = format!("/classes/Team?where={}&redirectClassNameForKey=rel", encoded(&related));
        let found = answer(server.request(Method::GET, &path).header("X-Parse-Session-Token", &token)).await.json();
        assert_eq!(found["results"][0]["objectId"], user.as_str(), "{found}");
        assert_eq!(found["results"][0]["className"], "_User", "{found}");
        server.get(&path).await.assert_refused(400, 119);
        // Only relations lead to another class.
        let found = server.get("/classes/Team?redirectClassNameForKey=one").await.json();
        assert_eq!((&found["results"][0]["objectId"], &found["results"][0]["className"]), (&team, &json!("Team")));
    });
}

#[test]
fn ids_that_a_query_selects_stand_for_pointers() {
    each_backend(&json!({}), |server| async move {
        let first = server.post("/classes/Link", &json!({"n": 1})).await.json()["objectId"].clone();
        let next = json!({"__type": "Pointer", "className": "Link", "objectId": first});
        server.post("/classes/Link", &json!({"n": 2, "next": next})).await;
        for (operator, expected) in [("$select", json!([2])), ("$dontSelect", json!([1]))] {
            let query = json!({"query": {"className": "Link", "where": {"n": 1}}, "key": "objectId"});
            let path = format!("/classes/Link?where={}", encoded(&json!({"next": {operator: query}})));
            let found = server.get(&path).await.json();
            let numbers: Json = found["results"].as_array().unwrap().iter().map(|row| row["n"].clone()).collect();
            assert_eq!(numbers, expected, "{operator}");
        }
    });
}

#[test]
fn files_in_aggregations_have_addresses() {
    each_backend(&json!({}), |server| async move {
        let file = json!({"__type": "File", "name": "a.txt"});
        assert_eq!(server.post("/classes/Doc", &json!({"file": file})).await.status, 201);
        for pipeline in [json!([{"$match": {}}]), json!([{"$project": {"file": 1}}])] {
            let path = format!("/aggregate/Doc?pipeline={}", encoded(&pipeline));
            let got = answer(server.master(Method::GET, &path)).await.json();
            let url = got["results"][0]["file"]["url"].as_str().unwrap_or_default();
            assert!(url.ends_with("/files/app/a.txt"), "{got}");
        }
    });
}

#[test]
fn a_class_that_is_refused_is_not_there() {
    each_backend(&json!({}), |server| async move {
        for bad in [json!({"a": "foo"}), json!({"a": 0}), json!({"a": null}), json!({"a": true})] {
            let schema = json!({"fields": {"a": {"type": "String"}}, "indexes": {"i": bad}});
            master(&server, Method::POST, "/schemas/Indexed", &schema).await.assert_refused(400, 102);
            assert_eq!(answer(server.master(Method::GET, "/schemas/Indexed")).await.status, 400);
        }
        let schema = json!({"fields": {"a": {"type": "String"}}, "indexes": {"i": {"a": 1}}});
        let made = master(&server, Method::POST, "/schemas/Indexed", &schema).await;
        assert_eq!(made.status, 200, "{made:?}");
        for name in ["", "_id_", "i"] {
            let change = json!({"indexes": {name: {"a": -1}}});
            master(&server, Method::PUT, "/schemas/Indexed", &change).await.assert_refused(400, 102);
        }
        // A class can be sent back as it was read.
        let fields = json!({"fields": made.json()["fields"]});
        let again = master(&server, Method::PUT, "/schemas/Indexed", &fields).await;
        assert_eq!(again.status, 200, "{again:?}");
    });
}

#[test]
fn a_new_session_may_name_its_installation() {
    each_backend(&json!({}), |server| async move {
        let (_, token) = sign_up(&server, "ann").await;
        let body = json!({"installationId": "device", "sessionToken": "r:mine"});
        let request = server.request(Method::POST, "/sessions").header("X-Parse-Session-Token", &token);
        let made = answer(request.json(&body)).await.json();
        let path = format!("/sessions/{}", made["objectId"].as_str().unwrap());
        let row = answer(server.master(Method::GET, &path)).await.json();
        assert_eq!(row["installationId"], "device", "{row}");
        assert_ne!(row["sessionToken"], "r:mine", "{row}");
    });
}
