//! A server with cloud code, as clients see it: nested calls, crashes, and what is refused meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reparse::config::Options;
use reparse::server::{Environment, Server};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::server::{Answer, TestServer, answer, each_backend, runtime};

/// Runs a case on every store with a server that has this cloud code.
pub fn each_backend_with<F, R>(code: &str, more: &Json, case: F)
where
    F: Fn(Arc<TestServer>) -> R,
    R: Future<Output = ()>,
{
    let folder = TempDir::new().unwrap();
    let main = folder.path().join("main.js");
    std::fs::write(&main, code).unwrap();
    let mut options = json!({"cloud": main, "cloudTimeoutMs": 20_000});
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    each_backend(&options, case);
}

pub async fn run(server: &TestServer, name: &str, params: Json) -> Answer {
    server.post(&format!("/functions/{name}"), &params).await
}

pub async fn result(server: &TestServer, name: &str, params: Json) -> Json {
    let answer = run(server, name, params).await;
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    answer.json()["result"].clone()
}

pub async fn rows(server: &TestServer, class: &str) -> Vec<Json> {
    let found = answer(server.master(Method::GET, &format!("/classes/{class}?limit=10000"))).await.json();
    found["results"].as_array().unwrap().clone()
}

/// Waits until a call succeeds: Node is started again after a crash.
async fn recovered(server: &TestServer) {
    let until = Instant::now() + Duration::from_secs(30);
    while run(server, "pid", json!({})).await.status != 200 {
        assert!(Instant::now() < until, "cloud code did not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn triggers_that_save_nest_deep_and_many_at_once() {
    let code = "
        const MK = { useMasterKey: true };
        Parse.Cloud.beforeSave('Chain', async req => {
          const level = req.object.get('level');
          if (level > 0) await new Parse.Object('Chain').save({ level: level - 1 }, MK);
        });
        Parse.Cloud.afterSave('Wide', async req => {
          await new Parse.Object('Plain').save({ of: req.object.id }, MK);
        });";
    let limits = json!({"limits": {"connectionsPerAddress": 4000}});
    each_backend_with(code, &limits, |server| async move {
        let made = server.post("/classes/Chain", &json!({"level": 200})).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(rows(&server, "Chain").await.len(), 201);
        let saves = (0..1000).map(|n| {
            let server = &server;
            async move { server.post("/classes/Wide", &json!({"n": n})).await.status }
        });
        // Others are answered in the meantime.
        let (made, read) = tokio::join!(join_all(saves), server.get("/classes/Elsewhere"));
        assert!(made.iter().all(|status| *status == 201), "{made:?}");
        assert_eq!(read.status, 200);
        assert_eq!(rows(&server, "Plain").await.len(), 1000);
    });
}

#[test]
fn calls_without_end_are_refused() {
    let code = "
        Parse.Cloud.define('again', () => Parse.Cloud.run('again'));
        Parse.Cloud.beforeSave('Loop', () => new Parse.Object('Loop').save(null, { useMasterKey: true }));";
    each_backend_with(code, &json!({"cloudDepth": 20}), |server| async move {
        run(&server, "again", json!({})).await.assert_refused(400, 141);
        server.post("/classes/Loop", &json!({})).await.assert_refused(400, 141);
        assert!(rows(&server, "Loop").await.is_empty());
    });
}

/// A trigger of a class of the server's own may write while the write that caused it is under way.
#[test]
fn triggers_of_users_roles_and_installations_may_write() {
    let code = "
        const MK = { useMasterKey: true };
        const note = req => new Parse.Object('Note').save({ trigger: req.triggerName, of: req.object.className }, MK);
        for (const C of [Parse.User, Parse.Role, Parse.Installation]) {
          Parse.Cloud.beforeSave(C, note);
          Parse.Cloud.afterSave(C, note);
          Parse.Cloud.beforeDelete(C, note);
        }
        Parse.Cloud.beforeLogin(note);
        Parse.Cloud.afterFind(Parse.User, async req => {
          await new Parse.Object('Note').save({ trigger: 'afterFind', of: '_User', n: req.objects.length }, MK);
        });";
    each_backend_with(code, &json!({}), |server| async move {
        let sign_ups = (0..10).map(|n| {
            let server = &server;
            async move { server.post("/users", &json!({"username": format!("u{n}"), "password": "p"})).await }
        });
        let users = join_all(sign_ups).await;
        assert!(users.iter().all(|user| user.status == 201), "{users:?}");
        let logged_in = server.get("/login?username=u0&password=p").await;
        assert_eq!(logged_in.status, 200, "{logged_in:?}");
        let role = json!({"name": "R", "ACL": {}});
        let made = answer(server.master(Method::POST, "/roles").json(&role)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let installation = json!({"deviceType": "web", "installationId": "i"});
        assert_eq!(server.post("/installations", &installation).await.status, 201);
        let found = answer(server.master(Method::GET, "/users?limit=3")).await;
        assert_eq!(found.json()["results"].as_array().unwrap().len(), 3);
        let id = users[0].json()["objectId"].as_str().unwrap().to_owned();
        assert_eq!(answer(server.master(Method::DELETE, &format!("/users/{id}"))).await.status, 200);
        let notes = rows(&server, "Note").await;
        let count = |trigger: &str, of: &str| {
            notes.iter().filter(|note| note["trigger"] == trigger && note["of"] == of).count()
        };
        assert_eq!((count("beforeSave", "_User"), count("afterSave", "_User")), (10, 10));
        assert_eq!((count("beforeLogin", "_User"), count("beforeDelete", "_User")), (1, 1));
        assert_eq!((count("beforeSave", "_Role"), count("afterSave", "_Installation")), (1, 1));
        assert!(count("afterFind", "_User") >= 1);
    });
}

/// Inside a transaction nobody else may write to the embedded store; triggers write all the same.
#[test]
fn triggers_of_transactions_may_write() {
    let code = "
        const MK = { useMasterKey: true };
        Parse.Cloud.beforeSave('InTx', req => new Parse.Object('Note').save({ n: req.object.get('n') }, MK));
        Parse.Cloud.afterSave('InTx', req => new Parse.Object('After').save({ n: req.object.get('n') }, MK));";
    each_backend_with(code, &json!({}), |server| async move {
        let requests: Vec<_> =
            (0..5).map(|n| json!({"method": "POST", "path": "/parse/classes/InTx", "body": {"n": n}})).collect();
        let done = server.post("/batch", &json!({"requests": requests, "transaction": true})).await;
        assert_eq!(done.status, 200, "{done:?}");
        let until = Instant::now() + Duration::from_secs(10);
        while rows(&server, "After").await.len() < 5 {
            assert!(Instant::now() < until, "afterSave did not come");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((rows(&server, "InTx").await.len(), rows(&server, "Note").await.len()), (5, 5));
    });
}

#[test]
fn no_write_goes_without_its_trigger_when_node_is_killed() {
    let code = "
        Parse.Cloud.define('pid', () => process.pid);
        Parse.Cloud.beforeSave('Stamped', async req => {
          await new Promise(go => setTimeout(go, 1));
          req.object.set('stamp', req.object.get('n'));
        });
        Parse.Cloud.afterSave('Stamped', () => {});";
    each_backend_with(code, &json!({}), |server| async move {
        let killer = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                let pid = run(&server, "pid", json!({})).await;
                if pid.status == 200 {
                    let pid = pid.json()["result"].to_string();
                    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
                }
            }
        };
        let writers = join_all((0..8).map(|writer| {
            let server = &server;
            async move {
                let mut acknowledged = Vec::new();
                for n in 0..125 {
                    let n = writer * 1000 + n;
                    let made = server.post("/classes/Stamped", &json!({"n": n})).await;
                    match made.status {
                        201 => acknowledged.push(n),
                        // Refused in the form of all errors.
                        400 | 503 => assert_eq!(made.json()["code"], 141, "{made:?}"),
                        _ => panic!("{made:?}"),
                    }
                }
                acknowledged
            }
        }));
        let ((), acknowledged) = tokio::join!(killer, writers);
        recovered(&server).await;
        let rows = rows(&server, "Stamped").await;
        for row in &rows {
            assert_eq!(row["stamp"], row["n"], "a write went without its beforeSave");
        }
        let stored: std::collections::BTreeSet<i64> = rows.iter().map(|row| row["n"].as_i64().unwrap()).collect();
        assert_eq!(stored.len(), rows.len());
        for n in acknowledged.into_iter().flatten() {
            assert!(stored.contains(&n), "an acknowledged write is gone");
        }
    });
}

#[test]
fn what_cloud_code_does_to_itself_does_not_reach_the_server() {
    let code = "
        Parse.Cloud.define('pid', () => process.pid);
        Parse.Cloud.define('loop', () => { for (;;); });
        Parse.Cloud.define('never', (req, res) => {});
        Parse.Cloud.define('exit', () => process.exit(3));
        Parse.Cloud.define('later', () => { setTimeout(() => { throw new Error('by a timer'); }, 1); return 1; });
        Parse.Cloud.define('reject', () => { Promise.reject(new Error('nobody awaits')); return 1; });
        Parse.Cloud.define('print', () => { for (let n = 0; n < 200; n++) process.stdout.write('x'.repeat(1 << 20)); return 1; });
        Parse.Cloud.define('cycle', () => { const a = {}; a.a = a; return a; });
        Parse.Cloud.define('bigint', () => 1n);
        Parse.Cloud.beforeSave('Guarded', () => {});";
    each_backend_with(code, &json!({"cloudTimeoutMs": 4000}), |server| async move {
        let bounded = async |name: &str| {
            let started = Instant::now();
            let answer = run(&server, name, json!({})).await;
            assert!(started.elapsed() < Duration::from_secs(20), "{name} took {:?}", started.elapsed());
            answer
        };
        for name in ["cycle", "bigint", "never"] {
            bounded(name).await.assert_refused(400, 141);
        }
        let before = result(&server, "pid", json!({})).await;
        assert_eq!(result(&server, "reject", json!({})).await, 1);
        assert_eq!(result(&server, "print", json!({})).await, 1);
        assert_eq!(result(&server, "pid", json!({})).await, before, "that is no reason to end");
        for name in ["loop", "exit"] {
            let plain_row = json!({});
            let (failed, plain) = tokio::join!(bounded(name), server.post("/classes/Plain", &plain_row));
            failed.assert_refused(400, 141);
            assert_eq!(plain.status, 201, "classes without triggers are not concerned");
            recovered(&server).await;
        }
        assert_eq!(result(&server, "later", json!({})).await, 1);
        tokio::time::sleep(Duration::from_millis(50)).await;
        recovered(&server).await;
        assert_eq!(server.post("/classes/Guarded", &json!({})).await.status, 201);
        assert_eq!(server.get("/health").await.status, 200);
    });
}

/// A program that ends at once after the first time: writes of classes with triggers are refused, health says so.
#[test]
fn a_trigger_is_not_skipped_while_its_code_is_away() {
    let folder = TempDir::new().unwrap();
    let flag = folder.path().join("broken");
    let code = format!(
        "if (require('fs').existsSync({flag:?})) throw new Error('broken on purpose');
         Parse.Cloud.define('exit', () => process.exit(1));
         Parse.Cloud.beforeSave('Guarded', req => {{ req.object.set('checked', true); }});
         Parse.Cloud.beforeSave('Guarded2', req => {{ req.object.set('checked', true); }});"
    );
    each_backend_with(&code, &json!({}), |server| {
        let flag = flag.clone();
        async move {
            assert_eq!(server.post("/classes/Guarded", &json!({})).await.json()["checked"], true);
            std::fs::write(&flag, "").unwrap();
            run(&server, "exit", json!({})).await.assert_refused(400, 141);
            let until = Instant::now() + Duration::from_secs(20);
            while server.get("/health").await.status == 200 {
                assert!(Instant::now() < until, "health does not say so");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let refused = server.post("/classes/Guarded", &json!({})).await;
            assert_eq!((refused.status, &refused.json()["code"]), (503, &json!(141)), "{refused:?}");
            assert_eq!(server.post("/classes/Plain", &json!({})).await.status, 201);
            assert_eq!(rows(&server, "Guarded").await.len(), 1);
            std::fs::remove_file(&flag).unwrap();
            let until = Instant::now() + Duration::from_secs(30);
            while server.post("/classes/Guarded", &json!({})).await.status != 201 {
                assert!(Instant::now() < until, "cloud code did not come back");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(rows(&server, "Guarded").await.iter().all(|row| row["checked"] == true));
        }
    });
}

#[test]
fn code_that_cannot_be_loaded_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    for (cloud, node, expected) in [
        (write("throws.js", "throw new Error('not today')"), None, "not today"),
        (write("syntax.js", "this is no JavaScript"), None, "SyntaxError"),
        (folder.path().join("none.js"), None, "there is no file"),
        (write("good.js", ""), Some("/nowhere/node"), "REPARSE_NODE"),
    ] {
        let mut given = json!({
            "appId": "app", "masterKey": "master", "databaseURI": format!("file:{}", folder.path().join("data").display()),
            "host": "127.0.0.1", "port": 0, "cloud": cloud,
        });
        if let Some(node) = node {
            given["node"] = node.into();
        }
        let options = Options::from_json(given).unwrap();
        let opened = runtime().block_on(Server::open(options, Environment::default()));
        let error = opened.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
