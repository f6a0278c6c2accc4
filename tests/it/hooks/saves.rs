//! beforeSave, afterSave, beforeDelete, afterDelete.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::hook_server::{HookServer, Reply};
use crate::server::{Answer, TestServer, answer, each_backend};

async fn master_get(server: &TestServer, path: &str) -> Json {
    answer(server.master(Method::GET, path)).await.json()
}

async fn put(server: &TestServer, path: &str, body: Json) -> Answer {
    answer(server.request(Method::PUT, path).json(&body)).await
}

fn id(made: &Answer) -> String {
    made.json()["objectId"].as_str().unwrap_or_else(|| panic!("nothing was made: {made:?}")).to_owned()
}

#[test]
fn what_before_save_answers_is_written() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "Bs").await;
        hooks.on("beforeSave:Bs", |call| {
            let mut object = call["object"].clone();
            object["stamp"] = json!({"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"});
            object["n"] = json!({"__op": "Increment", "amount": 2});
            object["className"] = "Other".into();
            object["createdAt"] = "1999-01-01T00:00:00.000Z".into();
            object["ACL"] = json!({"*": {"read": true}});
            json!({"success": object})
        });
        let made = server.post("/classes/Bs", &json!({"a": 1, "n": 5})).await;
        let told = made.json();
        assert_eq!(told["stamp"]["iso"], "2020-01-01T00:00:00.000Z");
        assert_eq!(told["n"], 2);
        assert_eq!(told["ACL"], json!({"*": {"read": true}}));
        assert!(told.get("a").is_none() && told.get("className").is_none(), "{told}");
        let stored = master_get(&server, &format!("/classes/Bs/{}", id(&made))).await;
        assert_eq!((&stored["a"], &stored["n"]), (&json!(1), &json!(2)));
        assert_eq!(stored["createdAt"], told["createdAt"]);
        assert_eq!(stored["ACL"], json!({"*": {"read": true}}));
        assert_eq!(master_get(&server, "/classes/Other").await, json!({"results": []}));
        // An empty answer empties a create.
        hooks.on("beforeSave:Bs", |_| json!({"success": {}}));
        let made = server.post("/classes/Bs", &json!({"a": 1})).await;
        assert!(master_get(&server, &format!("/classes/Bs/{}", id(&made))).await.get("a").is_none());
        for kept in [json!({}), json!({"success": null}), json!({"success": "text"}), json!({"success": [1]}), json!(7)]
        {
            hooks.on("beforeSave:Bs", move |_| kept.clone());
            let made = server.post("/classes/Bs", &json!({"a": 1})).await;
            assert_eq!(master_get(&server, &format!("/classes/Bs/{}", id(&made))).await["a"], 1);
        }
    });
}

/// A default comes after beforeSave: the hook does not see it, and what it removes is filled in.
#[test]
fn defaults_come_after_before_save() {
    each_backend(&json!({}), |server| async move {
        let fields = json!({"d": {"type": "String", "defaultValue": "usual", "required": true}});
        let class = json!({"className": "Def", "fields": fields});
        answer(server.master(Method::POST, "/schemas/Def").json(&class)).await;
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "Def").await;
        for (answered, stored) in
            [(json!({}), "usual"), (json!({"d": "own"}), "own"), (json!({"d": {"__op": "Delete"}}), "usual")]
        {
            hooks.on("beforeSave:Def", move |_| json!({"success": answered}));
            let made = server.post("/classes/Def", &json!({"a": 1})).await;
            assert_eq!(hooks.take()[0].body["object"], json!({"a": 1, "className": "Def"}));
            assert_eq!(made.json()["d"], stored, "{made:?}");
            assert_eq!(master_get(&server, &format!("/classes/Def/{}", id(&made))).await["d"], stored);
        }
    });
}

/// What a hook only repeats is not written: it may have been changed by somebody else meanwhile.
#[test]
fn what_before_save_repeats_does_not_undo_other_writes() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let made = server.post("/classes/Race", &json!({"n": 1, "t": "old"})).await;
        let path = format!("/classes/Race/{}", id(&made));
        hooks.trigger(&server, "beforeSave", "Race").await;
        let inner = server.base.clone() + &path;
        hooks.on_async("beforeSave:Race", move |call| {
            let inner = inner.clone();
            async move {
                if call["context"].get("inner").is_none() {
                    let body = json!({"n": {"__op": "Increment", "amount": 1}});
                    let request = reqwest::Client::new().put(inner).json(&body);
                    let request = request.header("X-Parse-Application-Id", "app");
                    answer(request.header("X-Parse-Cloud-Context", r#"{"inner":1}"#)).await;
                }
                json!({"success": call["object"]}).into()
            }
        });
        assert_eq!(put(&server, &path, json!({"t": "new"})).await.status, 200);
        let stored = master_get(&server, &path).await;
        assert_eq!((&stored["n"], &stored["t"]), (&json!(2), &json!("new")));
    });
}

#[test]
fn before_save_may_refuse() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        for class in ["No", "_User", "_Role", "_Installation"] {
            hooks.trigger(&server, "beforeSave", class).await;
            hooks.on(&format!("beforeSave:{class}"), |_| json!({"error": "not today"}));
        }
        let master = |path: &str, body: Json| answer(server.master(Method::POST, path).json(&body));
        for (path, body) in [
            ("/classes/No", json!({"a": 1})),
            ("/users", json!({"username": "u", "password": "p"})),
            ("/classes/_User", json!({"username": "u", "password": "p"})),
            ("/roles", json!({"name": "r", "ACL": {}})),
            ("/installations", json!({"deviceType": "web", "installationId": "i"})),
        ] {
            for refused in [server.post(path, &body).await, master(path, body.clone()).await] {
                refused.assert_refused(400, 141);
                assert_eq!(refused.json()["error"], "not today");
            }
        }
        let part = json!({"method": "POST", "path": "/parse/classes/No", "body": {"a": 1}});
        let parts = server.post("/batch", &json!({"requests": [part]})).await.json();
        assert_eq!(parts[0]["error"]["code"], 141);
        for class in ["_User", "_Role", "_Installation"] {
            assert_eq!(master_get(&server, &format!("/classes/{class}")).await, json!({"results": []}));
        }
        // Nothing was made, not even the class.
        answer(server.master(Method::GET, "/schemas/No")).await.assert_refused(400, 103);
    });
}

/// `adv_93vw`, `adv_xprv`: what hooks answer passes the same rules as what clients send.
#[test]
fn what_before_save_must_not_answer() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "beforeSave", "Bad").await;
        let deep = (0..300).fold(json!(1), |inner, _| json!({"d": inner}));
        for (object, code) in [
            (json!({"_hashed_password": "x"}), 105),
            (json!({"_rperm": ["*"]}), 105),
            (json!({"__proto__": {"a": 1}}), 105),
            (json!({"constructor": {"prototype": 1}}), 105),
            (json!({"o": {"_bsontype": "Code"}}), 105),
            (json!({"a b": 1}), 105),
            (json!({"o": {"$inc": 1}}), 121),
            (json!({"o": {"a.b": 1}}), 121),
            (json!({"n": {"__op": "Launch"}}), 108),
            (json!({"r": {"__op": "Batch", "ops": [{"__op": "Batch", "ops": [{"__op": "Batch", "ops": []}]}]}}), 108),
            (json!({"a": {"__op": "Add", "objects": {"length": 1_000_000}}}), 107),
            (json!({"ACL": "all"}), 123),
            (json!({"objectId": "role:admins"}), 119),
        ] {
            let shown = object.to_string();
            hooks.on("beforeSave:Bad", move |_| json!({"success": object}));
            let refused = server.post("/classes/Bad", &json!({"a": 1})).await;
            assert_eq!((refused.status, refused.json()["code"].as_i64()), (400, Some(code)), "{shown}: {refused:?}");
        }
        // What is nested without end is no JSON of ours: as if nothing had been answered.
        hooks.on("beforeSave:Bad", move |_| json!({"success": {"deep": deep}}));
        let made = server.post("/classes/Bad", &json!({"a": 1})).await;
        assert!(made.status < 500, "{made:?}");
        assert_eq!(answer(server.bare(Method::GET, "/health")).await.status, 200);
    });
}

#[test]
fn after_save_comes_last_and_changes_only_the_answer() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "afterSave", "As").await;
        hooks.on("afterSave:As", |_| json!({"success": {"instead": true}}));
        let made = server.post("/classes/As", &json!({"a": 1})).await;
        assert_eq!((made.status, made.json()), (201, json!({"instead": true})));
        let place = made.header("location").to_owned();
        let path = place.split("/parse").nth(1).unwrap().to_owned();
        let call = hooks.take().remove(0).body;
        assert_eq!(call["object"]["a"], 1);
        assert!(call["object"]["objectId"].is_string() && call.get("original").is_none());
        for reply in [json!({"error": "too late"}), json!({"success": [1]}), json!({"success": null}), json!("x")] {
            hooks.on("afterSave:As", move |_| reply.clone());
            let changed = put(&server, &path, json!({"a": {"__op": "Increment", "amount": 1}})).await;
            assert_eq!(changed.status, 200, "{changed:?}");
            assert!(changed.json()["updatedAt"].is_string());
        }
        assert_eq!(server.get(&path).await.json()["a"], 5);
        let call = hooks.take().pop().unwrap().body;
        assert_eq!((&call["object"]["a"], &call["original"]["a"]), (&json!(5), &json!(4)));
        // What is refused is not told of.
        put(&server, "/classes/As/none", json!({"a": 1})).await.assert_refused(404, 101);
        assert!(hooks.take().is_empty());
    });
}

#[test]
fn deletions() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let made = server.post("/classes/Del", &json!({"a": 1})).await;
        let path = format!("/classes/Del/{}", id(&made));
        for trigger in ["beforeDelete", "afterDelete"] {
            hooks.trigger(&server, trigger, "Del").await;
        }
        hooks.on("beforeDelete:Del", |_| json!({"error": "keep it"}));
        let delete = || answer(server.request(Method::DELETE, &path));
        assert_eq!(delete().await.json(), json!({"code": 141, "error": "keep it"}));
        assert_eq!(server.get(&path).await.status, 200);
        hooks.on("beforeDelete:Del", |_| json!({}));
        hooks.on("afterDelete:Del", |_| json!({"error": "too late"}));
        hooks.take();
        assert_eq!(delete().await.json(), json!({"code": 141, "error": "too late"}));
        assert_eq!(server.get(&path).await.status, 404);
        let calls = hooks.take();
        assert_eq!(calls.len(), 2);
        assert!(calls.iter().all(|call| call.body["object"]["a"] == 1 && call.body["object"]["className"] == "Del"));
        assert_eq!(delete().await.json()["error"], "Object not found for delete.");
        assert!(hooks.take().is_empty());
        // Purging is the server's own doing.
        server.post("/classes/Del", &json!({"a": 2})).await;
        assert_eq!(answer(server.master(Method::DELETE, "/purge/Del")).await.status, 200);
        assert!(hooks.take().is_empty());
    });
}

/// After a commit, and never while the writer is held: the hooks themselves write.
#[test]
fn transactions() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "afterSave", "Tx").await;
        let base = server.base.clone();
        hooks.on_async("afterSave:Tx", move |call| {
            let url = format!("{base}/classes/TxLog");
            async move {
                let body = json!({"of": call["object"]["n"]});
                let request = reqwest::Client::new().post(url).json(&body).header("X-Parse-Application-Id", "app");
                assert_eq!(answer(request).await.status, 201);
                json!({}).into()
            }
        });
        let part = |n: i32| json!({"method": "POST", "path": "/parse/classes/Tx", "body": {"n": n}});
        let all = json!({"transaction": true, "requests": [part(1), part(2), part(3)]});
        let done = server.post("/batch", &all).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert_eq!(hooks.take_names(), ["afterSave:Tx"; 3]);
        let log = server.get("/classes/TxLog?order=of&keys=of").await.json();
        let of: Vec<&Json> = log["results"].as_array().unwrap().iter().map(|row| &row["of"]).collect();
        assert_eq!(of, [1, 2, 3]);
        // What is undone is not told of.
        let bad = json!({"method": "PUT", "path": "/parse/classes/Tx/none", "body": {"n": 1}});
        let undone = json!({"transaction": true, "requests": [part(4), bad]});
        server.post("/batch", &undone).await.assert_refused(404, 101);
        assert!(hooks.take().is_empty());
    });
}

/// beforeSave and beforeDelete are asked before the transaction begins: hooks may write by themselves, and others need not wait.
#[test]
fn transactions_wait_for_no_hook() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let kept = server.post("/classes/Before", &json!({"n": 0})).await;
        let gone = server.post("/classes/Before", &json!({"n": 9})).await;
        for trigger in ["beforeSave", "beforeDelete"] {
            hooks.trigger(&server, trigger, "Before").await;
        }
        let base = server.base.clone();
        let writes = move |call: Json| {
            let url = format!("{base}/classes/BeforeLog");
            async move {
                let body = json!({"of": call["object"]["n"]});
                let request = reqwest::Client::new().post(url).json(&body).header("X-Parse-Application-Id", "app");
                assert_eq!(answer(request).await.status, 201);
                let mut object = call["object"].clone();
                object["by"] = "hook".into();
                json!({"success": object}).into()
            }
        };
        hooks.on_async("beforeSave:Before", writes.clone());
        hooks.on_async("beforeDelete:Before", writes);
        let part = |method: &str, id: &str, body: Json| {
            let path = format!("/parse/classes/Before{id}");
            json!({"method": method, "path": path, "body": body})
        };
        let (kept, gone) = (format!("/{}", id(&kept)), format!("/{}", id(&gone)));
        let requests = [
            part("POST", "", json!({"n": 1})),
            part("PUT", &kept, json!({"n": 2})),
            part("DELETE", &gone, json!({})),
            part("GET", "", json!({})),
            part("POST", "", json!({"n": 3})),
        ];
        let done = server.post("/batch", &json!({"transaction": true, "requests": requests})).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert_eq!(done.json()[0]["success"]["by"], "hook");
        // Each is called once.
        let calls = hooks.take_names();
        assert_eq!(calls, ["beforeSave:Before", "beforeSave:Before", "beforeDelete:Before", "beforeSave:Before"]);
        let rows = server.get("/classes/Before?order=n").await.json();
        let rows: Vec<(&Json, &Json)> =
            rows["results"].as_array().unwrap().iter().map(|row| (&row["n"], &row["by"])).collect();
        let hook = json!("hook");
        assert_eq!(rows, [(&json!(1), &hook), (&json!(2), &hook), (&json!(3), &hook)]);
        // What a hook refuses undoes all.
        hooks.on("beforeSave:Before", |call| if call["object"]["n"] == 5 { json!({"error": "no"}) } else { json!({}) });
        let requests = [part("POST", "", json!({"n": 4})), part("POST", "", json!({"n": 5}))];
        let refused = server.post("/batch", &json!({"transaction": true, "requests": requests})).await;
        refused.assert_refused(400, 141);
        assert_eq!(server.get("/classes/Before?count=1&limit=0").await.json()["count"], 3);
    });
}

/// As [`transactions_wait_for_no_hook`], for classes whose writes have rules of their own. Nothing is written while hooks are asked.
#[test]
fn transactions_wait_for_no_hook_of_system_classes() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let device = json!({"deviceType": "ios", "installationId": "old", "deviceToken": "t"});
        assert_eq!(server.post("/installations", &device).await.status, 201);
        for class in ["_User", "_Role", "_Installation"] {
            hooks.trigger(&server, "beforeSave", class).await;
            let (base, class) = (server.base.clone(), class.to_owned());
            hooks.on_async(&format!("beforeSave:{class}"), move |call| {
                let url = format!("{base}/classes/SystemLog");
                let body = json!({"of": class});
                async move {
                    let request = reqwest::Client::new().post(url).json(&body);
                    assert_eq!(answer(request.header("X-Parse-Application-Id", "app")).await.status, 201);
                    let mut object = call["object"].clone();
                    object["by"] = "hook".into();
                    // Longer than a transaction of the embedded store may be idle.
                    Reply { delay: Duration::from_millis(300), ..json!({"success": object}).into() }
                }
            });
        }
        let part = |path: &str, body: Json| json!({"method": "POST", "path": format!("/parse{path}"), "body": body});
        let requests = [
            part("/users", json!({"username": "u", "password": "p"})),
            part("/roles", json!({"name": "r", "ACL": {}})),
            part("/installations", json!({"deviceType": "ios", "installationId": "new", "deviceToken": "t"})),
        ];
        let batch = |requests: Vec<Json>| {
            let body = json!({"transaction": true, "requests": requests});
            answer(server.master(Method::POST, "/batch").json(&body))
        };
        let done = batch(requests.to_vec()).await;
        assert_eq!(done.status, 200, "{done:?}");
        assert!(done.json().as_array().unwrap().iter().all(|part| part["success"]["by"] == "hook"), "{done:?}");
        assert_eq!(hooks.take_names(), ["beforeSave:_User", "beforeSave:_Role", "beforeSave:_Installation"]);
        let devices = master_get(&server, "/classes/_Installation").await;
        let devices = devices["results"].as_array().unwrap();
        assert_eq!(devices.iter().map(|row| &row["installationId"]).collect::<Vec<_>>(), ["new"]);
        assert_eq!(master_get(&server, "/classes/SystemLog?count=1&limit=0").await["count"], 3);
        // What is refused leaves the other rows of the device.
        hooks.on("beforeSave:_Installation", |_| json!({"error": "no"}));
        let newer = json!({"deviceType": "ios", "installationId": "newer", "deviceToken": "t"});
        batch(vec![part("/installations", newer)]).await.assert_refused(400, 141);
        assert_eq!(master_get(&server, "/classes/_Installation?count=1&limit=0").await["count"], 1);
    });
}

/// The SDK answers objects with all their fields; stored is a pointer to each, at any depth.
#[test]
fn objects_that_before_save_answers_become_pointers() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        let target = id(&server.post("/classes/Target", &json!({"n": 1})).await);
        hooks.trigger(&server, "beforeSave", "Holder").await;
        let whole = json!({"__type": "Object", "className": "Target", "objectId": target, "n": 1, "in": {"deep": [1]}});
        hooks.on("beforeSave:Holder", move |call| {
            let mut object = call["object"].clone();
            object["one"] = whole.clone();
            object["list"] = json!([whole, {"__type": "Object", "className": "Target"}]);
            object["plain"] = json!({"inner": whole});
            json!({"success": object})
        });
        let made = server.post("/classes/Holder", &json!({"a": 1})).await;
        let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": target});
        assert_eq!(made.json()["one"], pointer, "{made:?}");
        let holder = format!("/classes/Holder/{}", id(&made));
        let stored = master_get(&server, &holder).await;
        assert_eq!((&stored["one"], &stored["list"][0], &stored["plain"]["inner"]), (&pointer, &pointer, &pointer));
        // What names no object stays what it is.
        assert_eq!(stored["list"][1], json!({"__type": "Object", "className": "Target"}));
        let included = master_get(&server, &format!("{holder}?include=one,list")).await;
        assert_eq!((&included["one"]["n"], &included["list"][0]["n"]), (&json!(1), &json!(1)));
        let fields = answer(server.master(Method::GET, "/schemas/Holder")).await.json();
        assert_eq!(fields["fields"]["one"], json!({"type": "Pointer", "targetClass": "Target"}));
        // So does what a client sends, where a hook has seen it.
        hooks.on("beforeSave:Holder", |_| json!({}));
        let sent = json!({"__type": "Object", "className": "Target", "objectId": target, "n": 2});
        let made = server.post("/classes/Holder", &json!({"one": sent})).await;
        assert_eq!(made.json()["one"], pointer, "{made:?}");
        server.post("/classes/Unhooked", &json!({"one": sent})).await.assert_refused(400, 111);
    });
}

#[test]
fn the_client_hears_of_an_error_after_the_configuration_is_saved() {
    each_backend(&json!({}), |server| async move {
        let hooks = HookServer::start().await;
        hooks.trigger(&server, "afterSave", "@Config").await;
        hooks.on("afterSave:@Config", |_| json!({"error": "too late"}));
        let change = json!({"params": {"color": "red"}});
        let refused = answer(server.master(Method::PUT, "/config").json(&change)).await;
        assert_eq!((refused.status, refused.json()), (400, json!({"code": 141, "error": "too late"})));
        assert_eq!(master_get(&server, "/config").await["params"]["color"], "red");
    });
}
