//! Triggers around users and sessions.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::hook_server::HookServer;
use crate::server::{TestServer, answer, each_backend};

async fn log_in(server: &TestServer) -> crate::server::Answer {
    server.post("/login", &json!({"username": "u", "password": "p"})).await
}

#[test]
fn sign_up_and_log_in() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        for trigger in ["beforeSave", "afterSave", "beforeLogin", "afterLogin"] {
            hooks.trigger(&server, trigger, "_User").await;
        }
        let made = server.post("/users", &json!({"username": "u", "password": "p", "n": 1})).await;
        let calls = hooks.take();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["beforeSave:_User", "afterSave:_User"]);
        assert_eq!(calls[0].body["object"]["password"], "p");
        let after = &calls[1].body["object"];
        assert_eq!(after["sessionToken"], made.json()["sessionToken"]);
        assert!(after.get("password").is_none() && !after.to_string().contains("_hashed_password"), "{after}");
        let entered = log_in(&server).await.json();
        let calls = hooks.take();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["beforeLogin:_User", "afterLogin:_User"]);
        assert!(calls[0].body.get("user").is_none() && calls[0].body["object"].get("sessionToken").is_none());
        let token = &entered["sessionToken"];
        assert_eq!((&calls[1].body["user"]["sessionToken"], &calls[1].body["object"]["sessionToken"]), (token, token));
        // A wrong password is nobody's log in.
        server.post("/login", &json!({"username": "u", "password": "wrong"})).await.assert_refused(404, 101);
        assert!(hooks.take().is_empty());
    });
}

/// What identifies a user is told as it was sent. Answers cannot change it, because nobody would check them.
#[test]
fn identities_are_told() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        for trigger in ["beforeSave", "afterSave"] {
            hooks.trigger(&server, trigger, "_User").await;
        }
        hooks.on("beforeSave:_User", |call| {
            let mut object = call["object"].clone();
            object["authData"] = json!({"anonymous": {"id": "somebody"}});
            object["by"] = "hook".into();
            json!({"success": object})
        });
        let told = || {
            let calls = hooks.take();
            calls.iter().map(|call| call.body["object"]["authData"].clone()).collect::<Vec<_>>()
        };
        let linked = |id: &str| json!({"anonymous": {"id": id}});
        let made = server.post("/users", &json!({"authData": linked("one")})).await.json();
        assert_eq!((&made["by"], made.get("authData")), (&json!("hook"), None));
        assert_eq!(told(), [linked("one"), linked("one")]);
        let user = format!("/users/{}", made["objectId"].as_str().unwrap());
        let stored = answer(server.master(Method::GET, &user)).await.json();
        assert_eq!(stored["authData"], linked("one"));
        // A sign up that is a log in calls afterSave alone.
        let entered = server.post("/users", &json!({"authData": linked("one")})).await;
        assert_eq!((entered.status, told()), (200, vec![linked("one")]));
        // An update tells the client's, and the stored one as it was.
        let token = made["sessionToken"].as_str().unwrap();
        let put =
            |body: Json| answer(server.request(Method::PUT, &user).header("X-Parse-Session-Token", token).json(&body));
        assert_eq!(put(json!({"authData": linked("two")})).await.status, 200);
        let calls = hooks.take();
        assert_eq!(calls[0].body["object"]["authData"], linked("two"));
        assert_eq!(calls[0].body["original"]["authData"], linked("one"));
        assert_eq!(put(json!({"authData": {"anonymous": null}, "password": "p"})).await.status, 200);
        assert_eq!(told()[0], json!({"anonymous": null}));
    });
}

#[test]
fn refusals() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        server.post("/users", &json!({"username": "u", "password": "p"})).await;
        let sessions = || async {
            let sessions = answer(server.master(Method::GET, "/sessions")).await.json();
            sessions["results"].as_array().unwrap().len()
        };
        let before = sessions().await;
        hooks.trigger(&server, "beforeLogin", "_User").await;
        hooks.on("beforeLogin:_User", |_| json!({"error": "banned"}));
        let refused = log_in(&server).await;
        assert_eq!((refused.status, refused.json()), (400, json!({"code": 141, "error": "banned"})));
        assert_eq!(sessions().await, before);
        hooks.on("beforeLogin:_User", |_| json!({}));
        hooks.trigger(&server, "afterLogin", "_User").await;
        hooks.on("afterLogin:_User", |_| json!({"error": "too late"}));
        assert_eq!(log_in(&server).await.json()["error"], "too late");
        assert_eq!(sessions().await, before + 1);
    });
}

#[test]
fn log_out() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let made = server.post("/users", &json!({"username": "u", "password": "p"})).await.json();
        hooks.trigger(&server, "afterLogout", "_Session").await;
        hooks.on("afterLogout:_Session", |_| json!({"error": "too late"}));
        let token = made["sessionToken"].as_str().unwrap();
        let out = answer(server.request(Method::POST, "/logout").header("X-Parse-Session-Token", token)).await;
        out.assert_refused(400, 141);
        let call = hooks.take().remove(0).body;
        assert_eq!((&call["object"]["sessionToken"], &call["user"]["objectId"]), (&json!(token), &made["objectId"]));
        assert!(call.get("context").is_none());
        let me = answer(server.request(Method::GET, "/users/me").header("X-Parse-Session-Token", token)).await;
        me.assert_refused(400, 209);
        answer(server.request(Method::POST, "/logout")).await;
        assert!(hooks.take().is_empty());
    });
}

/// The identity of a user is judged by its provider; a hook's answer cannot put in another.
#[test]
fn before_save_cannot_give_identities_away() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "_User").await;
        hooks.on("beforeSave:_User", |call| {
            let mut object = call["object"].clone();
            object["authData"] = json!({"anonymous": {"id": "stolen"}});
            object["sessionToken"] = "r:chosen".into();
            object["username"] = "changed".into();
            json!({"success": object})
        });
        let made = server.post("/users", &json!({"username": "u", "password": "p"})).await.json();
        assert_eq!(made["username"], "changed");
        assert_ne!(made["sessionToken"], "r:chosen");
        let id = made["objectId"].as_str().unwrap();
        let stored: Json = answer(server.master(Method::GET, &format!("/users/{id}"))).await.json();
        assert!(stored.get("authData").is_none() && stored["username"] == "changed", "{stored}");
        let entered = server.post("/login", &json!({"username": "changed", "password": "p"})).await;
        assert_eq!(entered.status, 200, "{entered:?}");
    });
}

#[test]
fn a_find_trigger_that_refuses_does_not_stop_a_log_in() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        server.post("/users", &json!({"username": "u", "password": "p"})).await;
        hooks.trigger(&server, "beforeFind", "_User").await;
        hooks.on("beforeFind:_User", |_| json!({"error": "no users"}));
        let entered = log_in(&server).await;
        assert_eq!(entered.status, 200, "{entered:?}");
        let entered = entered.json();
        let keys: Vec<&String> = entered.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["objectId", "sessionToken"]);
    });
}
