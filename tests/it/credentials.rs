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
