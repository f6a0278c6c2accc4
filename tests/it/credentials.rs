//! Credentials in headers and bodies, and methods in bodies.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{MASTER, answer, each_backend};

#[test]
fn keys_in_the_body() {
    each_backend(&json!({}), |server| async move {
        let send = async |body: Json| {
            answer(
                server.bare(Method::POST, "/classes/Body").header("Content-Type", "text/plain").body(body.to_string()),
            )
            .await
        };
        let made =
            send(json!({"_ApplicationId": "app", "_ClientVersion": "js1", "_InstallationId": "i", "a": 1})).await;
        assert_eq!(made.status, 201, "{made:?}");
        for refused in [
            json!({"a": 1}),
            json!({"_ApplicationId": "nope"}),
            json!({"_ApplicationId": {"$ne": 1}}),
            json!({"_ApplicationId": "app", "_SessionToken": {"$ne": 1}}),
            json!({"_ApplicationId": "app", "_MasterKey": [MASTER]}),
            json!({"_ApplicationId": "app", "_InstallationId": 7}),
            json!({"_ApplicationId": "app", "_ContentType": {}}),
        ] {
            let got = send(refused.clone()).await;
            assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})), "{refused}");
            assert_eq!(got.header("content-type"), "application/json; charset=utf-8");
        }
        let context = send(json!({"_ApplicationId": "app", "_context": "[1]"})).await;
        context.assert_refused(400, 107);
        // A body without a known application in a GET is no credential at all.
        let got = answer(server.bare(Method::GET, "/classes/Body").body("{\"_ApplicationId\":\"app\"}")).await;
        assert_eq!(got.status, 403);
    });
}

#[test]
fn method_override() {
    each_backend(&json!({}), |server| async move {
        let made = server.post("/classes/Over", &json!({"a": 1})).await.json();
        let id = made["objectId"].as_str().unwrap().to_owned();
        let path = format!("/classes/Over/{id}");
        assert_eq!(server.post(&path, &json!({"_method": "GET"})).await.json()["a"], 1);
        assert_eq!(server.post(&path, &json!({"_method": "put", "a": 2})).await.status, 200);
        assert_eq!(
            server.post("/classes/Over", &json!({"_method": "GET", "where": {"a": 2}})).await.json()["results"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        assert_eq!(server.post(&path, &json!({"_method": "DELETE"})).await.json(), json!({}));
        for bad in [json!("a b"), json!(1), json!({}), json!(["GET"])] {
            server.post(&path, &json!({"_method": bad})).await.assert_refused(400, 107);
        }
        assert_eq!(server.post(&path, &json!({"_method": "OPTIONS"})).await.status, 404);
    });
}

#[test]
fn the_master_key_from_elsewhere_is_refused() {
    each_backend(
        &json!({"masterKeyIps": ["10.0.0.1"], "readOnlyMasterKey": "ro", "readOnlyMasterKeyIps": ["10.0.0.1"], "maintenanceKeyIps": ["10.0.0.1"]}),
        |server| async move {
            for (header, key) in
                [("X-Parse-Master-Key", MASTER), ("X-Parse-Master-Key", "ro"), ("X-Parse-Maintenance-Key", "maint")]
            {
                let got = answer(
                    server
                        .request(Method::GET, "/serverInfo")
                        .header(header, key)
                        .header("X-Forwarded-For", "10.0.0.1"),
                )
                .await;
                assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})), "{key}");
            }
            let got = answer(server.request(Method::GET, "/classes/X").header("X-Parse-Master-Key", "wrong")).await;
            assert_eq!(got.status, 200, "{got:?}");
        },
    );
}

/// The maintenance key reads and writes rows; what needs the master key itself stays closed.
#[test]
fn the_maintenance_key_is_no_master_key() {
    each_backend(&json!({"mountGraphQL": true}), |server| async move {
        let made = server.post("/users", &json!({"username": "ann", "password": "pw"})).await.json();
        let id = made["objectId"].as_str().unwrap().to_owned();
        let with = |method: Method, path: &str| server.request(method, path).header("X-Parse-Maintenance-Key", "maint");
        let refused = [
            (Method::POST, "/loginAs", json!({"userId": id})),
            (Method::GET, "/schemas", Json::Null),
            (Method::POST, "/schemas/New", json!({})),
            (Method::DELETE, "/purge/_User", Json::Null),
            (Method::PUT, "/config", json!({"params": {"a": 1}})),
            (Method::GET, "/hooks/functions", Json::Null),
            (Method::GET, "/aggregate/_User?pipeline=[]", Json::Null),
            (Method::GET, "/serverInfo", Json::Null),
            (Method::GET, "/scriptlog", Json::Null),
            (Method::GET, "/users?explain=true", Json::Null),
        ];
        for (method, path, body) in refused {
            let got = answer(with(method, path).json(&body)).await;
            assert!(matches!(got.status, 400 | 403), "{path}: {got:?}");
        }
        let row = answer(with(Method::GET, &format!("/users/{id}"))).await;
        assert_eq!(row.json()["username"], "ann", "{row:?}");
    });
}

/// Who holds the read-only master key must not be able to act as a user.
#[test]
fn the_read_only_master_key_reveals_no_secrets() {
    each_backend(&json!({"readOnlyMasterKey": "ro"}), |server| async move {
        let anonymous = json!({"authData": {"anonymous": {"id": "secret-id"}}});
        let made = server.post("/users", &anonymous).await.json();
        let (id, token) = (made["objectId"].as_str().unwrap(), made["sessionToken"].as_str().unwrap());
        let get = |path: String| answer(server.request(Method::GET, &path).header("X-Parse-Master-Key", "ro"));
        let encoded = |condition: Json| {
            percent_encoding::utf8_percent_encode(&condition.to_string(), percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        for (class, condition) in [
            ("users", json!({"_perishable_token": {"$regex": "^a"}})),
            ("users", json!({"authData.anonymous.id": {"$regex": "^s"}})),
            ("sessions", json!({"sessionToken": {"$regex": "^r:"}})),
            ("sessions", json!({"$or": [{"sessionToken": token}]})),
            ("users", json!({"objectId": {"$inQuery": {"className": "_Session", "where": {"sessionToken": token}}}})),
        ] {
            get(format!("/{class}?where={}", encoded(condition.clone()))).await.assert_refused(400, 119);
        }
        for asked in [
            format!("pipeline={}", encoded(json!([{"$project": {"sessionToken": 1}}]))),
            format!("pipeline={}", encoded(json!([{"$group": {"_id": "$sessionToken"}}]))),
            format!("pipeline={}", encoded(json!([{"$match": {"_session_token": {"$gt": "r:"}}}]))),
            "distinct=sessionToken".to_owned(),
            format!("distinct=user&where={}", encoded(json!({"sessionToken": token}))),
        ] {
            get(format!("/aggregate/_Session?{asked}")).await.assert_refused(400, 119);
        }
        for path in ["/aggregate/_Session?pipeline=[]".to_owned(), "/sessions".to_owned(), format!("/users/{id}")] {
            let got = get(path).await;
            assert_eq!(got.status, 200, "{got:?}");
            assert!(!got.text.contains(token) && !got.text.contains("secret-id"), "{got:?}");
        }
    });
}
