//! What the app's code is told and what its answers do, where whole requests show it.

use reparse::config::Options;
use reparse::server::{Environment, Server};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::app::{each_backend_with, result, rows, run};
use crate::live_query::client::Client;
use crate::server::{Answer, TestServer, answer, each_backend, runtime};

fn part(method: &str, path: &str, body: &Json) -> Json {
    json!({"method": method, "path": format!("/parse{path}"), "body": body})
}

async fn transaction(server: &TestServer, parts: &[Json]) -> Answer {
    let body = json!({"transaction": true, "requests": parts});
    answer(server.master(Method::POST, "/batch").json(&body)).await
}

/// Parts that are not about objects are done before the transaction begins: their code may write, on the embedded store too.
#[test]
fn code_of_all_parts_of_a_transaction_may_write() {
    let code = "
        const MK = { useMasterKey: true };
        const note = by => new Parse.Object('Note').save({ by }, MK);
        Parse.Cloud.define('write', async req => {
          await note('function');
          if (req.params.fails) throw 'refused';
          return new Parse.Query('Row').count(MK);
        });
        Parse.Cloud.job('job', () => note('job'));
        Parse.Cloud.beforeLogin(() => note('beforeLogin'));
        Parse.Cloud.afterLogin(req => req.object.save({ logins: 1 }, MK));
        Parse.Cloud.afterLogout(() => note('afterLogout'));
        Parse.Cloud.beforeFind('Watched', async () => { await note('beforeFind'); });
        Parse.Cloud.afterFind('Watched', async () => { await note('afterFind'); });
        Parse.Cloud.afterDelete('Watched', () => note('afterDelete'));
        Parse.Cloud.afterSave(Parse.User, req => note(`afterSave ${req.object.get('username')}`));";
    each_backend_with(code, &json!({}), |server| async move {
        let user = server.post("/users", &json!({"username": "ann", "password": "p"})).await;
        assert_eq!(user.status, 201, "{user:?}");
        let watched = server.post("/classes/Watched", &json!({})).await.json();
        let watched = format!("/classes/Watched/{}", watched["objectId"].as_str().unwrap());
        let row = part("POST", "/classes/Row", &json!({"n": 1}));
        let done = transaction(
            &server,
            &[
                row.clone(),
                part("POST", "/functions/write", &json!({})),
                part("POST", "/login", &json!({"username": "ann", "password": "p"})),
                part("POST", "/jobs/job", &json!({})),
                part("DELETE", &watched, &json!({})),
                row.clone(),
            ],
        )
        .await;
        assert_eq!(done.status, 200, "{done:?}");
        let parts = done.json();
        // It sees what was there before.
        assert_eq!(parts[1]["success"]["result"], 0);
        assert_eq!(parts[2]["success"]["logins"], 1);
        assert_eq!(rows(&server, "Row").await.len(), 2);
        let notes = rows(&server, "Note").await;
        let count = |by: &str| notes.iter().filter(|note| note["by"] == by).count();
        // The find triggers of what is deleted are called once, too.
        for by in ["function", "beforeFind", "afterFind", "afterDelete"] {
            assert_eq!(count(by), 1, "{by}: {notes:?}");
        }
        // What the parts that are not about objects wrote stays when the transaction fails.
        let refused = transaction(
            &server,
            &[part("POST", "/functions/write", &json!({})), part("POST", "/classes/Row", &json!({"n": "text"}))],
        )
        .await;
        refused.assert_refused(400, 111);
        let failed = transaction(&server, &[row, part("POST", "/functions/write", &json!({"fails": true}))]).await;
        failed.assert_refused(400, 141);
        assert_eq!(failed.json()["error"], "refused");
        assert_eq!(rows(&server, "Row").await.len(), 2);
        let notes = rows(&server, "Note").await;
        assert_eq!(notes.iter().filter(|note| note["by"] == "function").count(), 3);
    });
}

#[test]
fn a_job_keeps_its_last_message() {
    let code = "
        Parse.Cloud.job('told', req => { req.message('one'); req.message('two'); });
        Parse.Cloud.job('number', req => { req.message('last'); return 5; });
        Parse.Cloud.job('nothing', req => { req.message('last'); throw undefined; });
        Parse.Cloud.job('text', req => { req.message('last'); return 'done'; });";
    each_backend_with(code, &json!({}), |server| async move {
        for (name, status, message) in [
            ("told", "succeeded", "two"),
            ("number", "succeeded", "last"),
            ("nothing", "failed", "last"),
            ("text", "succeeded", "done"),
        ] {
            let started = answer(server.master(Method::POST, &format!("/jobs/{name}")).json(&json!({}))).await;
            let path = format!("/classes/_JobStatus/{}", started.header("x-parse-job-status-id"));
            let ended = loop {
                let row = answer(server.master(Method::GET, &path)).await.json();
                if row["status"] != "running" {
                    break row;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            };
            assert_eq!((&ended["status"], &ended["message"]), (&json!(status), &json!(message)), "{name}");
        }
    });
}

#[test]
fn a_client_reads_what_before_save_reverted() {
    let code = "
        Parse.Cloud.beforeSave('Kept', req => {
          if (req.object.get('revert')) req.object.revert('n');
          if (req.object.get('nothing')) req.object.set('n', undefined);
        }, { fields: { fixed: { constant: true, default: 'F' } } });
        Parse.Cloud.beforeFind('Kept', req => { req.context.found = true; });
        Parse.Cloud.beforeDelete('Kept', req => { throw Object.keys(req.context).join(); });";
    each_backend_with(code, &json!({}), |server| async move {
        let made = server.post("/classes/Kept", &json!({"n": 1})).await.json();
        let path = format!("/classes/Kept/{}", made["objectId"].as_str().unwrap());
        let change = async |body: Json| answer(server.request(Method::PUT, &path).json(&body)).await.json();
        let changed = change(json!({"n": 2, "revert": true, "fixed": "mine"})).await;
        assert_eq!((&changed["n"], &changed["fixed"]), (&json!(1), &json!("F")), "{changed:?}");
        assert_eq!(change(json!({"n": 2, "nothing": true, "revert": false})).await["n"], Json::Null);
        assert_eq!(server.get(&path).await.json()["n"], Json::Null);
        let deleted =
            answer(server.request(Method::DELETE, &path).header("X-Parse-Cloud-Context", "{\"own\":1}")).await;
        assert_eq!(deleted.json()["error"], "own");
        let made = server.post("/classes/Kept", &json!({"n": 2, "revert": true})).await;
        assert_eq!(made.json()["n"], json!({"__op": "Delete"}), "{made:?}");
    });
}

#[test]
fn objects_that_before_find_answers_are_counted() {
    let code = "Parse.Cloud.beforeFind('Hidden', req => (req.master ? undefined : []));";
    each_backend_with(code, &json!({}), |server| async move {
        assert_eq!(server.post("/classes/Hidden", &json!({})).await.status, 201);
        let counted = server.get("/classes/Hidden?count=1&limit=0").await.json();
        assert_eq!(counted, json!({"results": [], "count": 0}));
        let all = answer(server.master(Method::GET, "/classes/Hidden?count=1&limit=0")).await.json();
        assert_eq!(all["count"], 1);
    });
}

/// Who may not read a field sees in afterSave what it has written itself.
#[test]
fn after_save_sees_what_is_written() {
    let code = "
        const seen = [];
        Parse.Cloud.define('seen', () => seen.splice(0));
        Parse.Cloud.afterSave(Parse.User, req => { seen.push(req.object.get('email')); });
        Parse.Cloud.afterSave('Box', req => {
          seen.push(Object.keys(req.object.toJSON()).filter(key => !/At$|Id$/.test(key)).sort());
        });";
    each_backend_with(code, &json!({}), |server| async move {
        let new = json!({"username": "ann", "password": "p", "email": "ann@example.com"});
        assert_eq!(server.post("/users", &new).await.status, 201);
        assert_eq!(result(&server, "seen", json!({})).await, json!(["ann@example.com"]));
        let class = json!({
            "className": "Box",
            "fields": {"secret": {"type": "String"}, "inside": {"type": "Relation", "targetClass": "Box"}},
            "classLevelPermissions": {
                "create": {"*": true}, "update": {"*": true}, "get": {"*": true}, "addField": {"*": true},
                "protectedFields": {"*": ["secret"]},
            },
        });
        assert_eq!(answer(server.master(Method::POST, "/schemas/Box").json(&class)).await.status, 200);
        let made = server.post("/classes/Box", &json!({"secret": "s", "open": 1})).await.json();
        let path = format!("/classes/Box/{}", made["objectId"].as_str().unwrap());
        answer(server.request(Method::PUT, &path).json(&json!({"open": 2}))).await;
        assert_eq!(result(&server, "seen", json!({})).await, json!([["open", "secret"], ["inside", "open"]]));
    });
}

#[test]
fn triggers_of_a_log_in_know_the_caller() {
    let code = "
        const seen = [];
        Parse.Cloud.define('seen', () => seen.splice(0));
        const note = req => { seen.push([req.triggerName, req.master ?? null, req.installationId ?? null, req.user?.get('username') ?? null]); };
        // Of a validator the rate limit alone counts here.
        Parse.Cloud.beforeLogin(note, { requireMaster: true });
        Parse.Cloud.afterLogin(note);
        Parse.Cloud.beforeFind(Parse.User, req => { seen.push(req.triggerName); });
        Parse.Cloud.afterFind(Parse.User, req => { seen.push(req.triggerName); });";
    each_backend_with(code, &json!({}), |server| async move {
        let new = json!({"username": "ann", "password": "p"});
        let id = server.post("/users", &new).await.json()["objectId"].clone();
        let seen = async || result(&server, "seen", json!({})).await;
        answer(server.master(Method::POST, "/login").json(&new)).await;
        assert_eq!(
            seen().await,
            json!([
                ["beforeLogin", true, "cloud", null],
                ["afterLogin", true, "cloud", "ann"],
                "beforeFind",
                "afterFind"
            ])
        );
        // Other ways to a session read the user without them.
        let as_ann = answer(server.master(Method::POST, "/loginAs").json(&json!({"userId": id}))).await;
        assert_eq!(as_ann.json()["username"], "ann", "{as_ann:?}");
        let anonymous = json!({"authData": {"anonymous": {"id": "a"}}});
        for status in [201, 200] {
            assert_eq!(server.post("/users", &anonymous).await.status, status);
        }
        assert_eq!(seen().await, json!([["beforeLogin", false, null, null]]));
    });
}

/// The SDK that the server carries is a build for browsers.
#[test]
fn the_carried_sdk_has_hooks_and_file_triggers_have_a_log() {
    let code = "
        Parse.Cloud.beforeFind(Parse.File, req => { req.log.info('read'); });
        Parse.Cloud.afterFind(Parse.File, req => { req.log.info('read'); });
        Parse.Cloud.define('hooks', async () => {
          await Parse.Hooks.createFunction('far', 'http://127.0.0.1:1/a');
          await Parse.Hooks.createTrigger('Far', 'beforeSave', 'http://127.0.0.1:1/b');
          await Parse.Hooks.updateFunction('far', 'http://127.0.0.1:1/c');
          const all = [await Parse.Hooks.getFunctions(), await Parse.Hooks.getTrigger('Far', 'beforeSave')];
          await Parse.Hooks.removeFunction('far');
          await Parse.Hooks.removeTrigger('Far', 'beforeSave');
          const none = await Parse.Hooks.create({ url: 'x' }).catch(error => error.code);
          return [...all, await Parse.Hooks.getTriggers(), none];
        });";
    let files = json!({"fileUpload": {"enableForPublic": true}});
    each_backend_with(code, &files, |server| async move {
        assert_eq!(
            result(&server, "hooks", json!({})).await,
            json!([
                [{"functionName": "far", "url": "http://127.0.0.1:1/c"}],
                {"className": "Far", "triggerName": "beforeSave", "url": "http://127.0.0.1:1/b"},
                [],
                143,
            ])
        );
        let sent = server.request(Method::POST, "/files/a.txt").header("Content-Type", "text/plain").body("hello");
        let name = answer(sent).await.json()["name"].as_str().unwrap().to_owned();
        let read = server.get(&format!("/files/app/{name}")).await;
        assert_eq!((read.status, read.text.as_str()), (200, "hello"));
    });
}

#[test]
fn a_function_gives_the_master_key() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let key = write("key", "master");
    let module = format!("module.exports = async () => require('fs').readFileSync({key:?}, 'utf8');");
    let module = write("key.js", &module);
    let main = write("main.js", "Parse.Cloud.define('key', () => [Parse.masterKey, Parse.Server.masterKey]);");
    let options = json!({"masterKey": {"module": module}, "masterKeyTtl": 60, "cloud": main});
    each_backend(&options, |server| {
        let key = key.clone();
        async move {
            assert_eq!(result(&server, "key", json!({})).await, json!(["master", "master"]));
            let with = async |key: &str| {
                let request = server.request(Method::GET, "/schemas").header("X-Parse-Master-Key", key);
                answer(request).await.status
            };
            assert_eq!((with("master").await, with("other").await, with("").await), (200, 403, 403));
            std::fs::write(&key, "other").unwrap();
            assert_eq!(with("master").await, 200);
            server.clock.advance(61_000);
            assert_eq!((with("other").await, with("master").await), (200, 403));
            std::fs::write(&key, "master").unwrap();
        }
    });
    for (text, expected) in [
        ("module.exports = () => 5;", "it gave no text"),
        ("module.exports = () => { throw new Error('no vault'); };", "no vault"),
        ("module.exports = () => 'maintenance';", "masterKey and maintenanceKey should be different"),
        ("module.exports = {};", "it exports no function"),
    ] {
        let data = format!("file:{}", folder.path().join("data").display());
        let given = json!({
            "appId": "app", "masterKey": {"module": write("bad.js", text)}, "maintenanceKey": "maintenance",
            "databaseURI": data, "host": "127.0.0.1", "port": 0,
        });
        let options = Options::from_json(given).unwrap();
        let opened = runtime().block_on(Server::open(options, Environment::default()));
        let error = opened.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_function_without_a_handler_stops_no_start() {
    each_backend_with("Parse.Cloud.define('empty'); Parse.Cloud.job('idle');", &json!({}), |server| async move {
        run(&server, "empty", json!({})).await.assert_refused(400, 141);
    });
}

/// Code is told of sockets, clients and subscriptions, with the codes that it chose itself.
#[test]
fn live_queries_tell_code() {
    let code = "
        const seen = [];
        Parse.Cloud.define('seen', () => seen.splice(0));
        Parse.Cloud.onLiveQueryEvent(req => {
          seen.push([req.event, req.clients, req.subscriptions, req.useMasterKey ?? null, req.sessionToken ? 'token' : null,
            req.user?.get('username') ?? null, typeof req.client?.id]);
        });
        Parse.Cloud.onLiveQueryEvent(() => { throw new Error('of no concern'); });
        Parse.Cloud.beforeConnect(req => { if (req.installationId === 'bad') throw new Parse.Error(599, 'no'); });
        Parse.Cloud.beforeSubscribe('LiveRow', req => {
          if (req.query.toJSON().where.bad) throw new Parse.Error(598, 'no');
        });
        Parse.Cloud.afterLiveQueryEvent('LiveRow', req => { seen.push([req.event, 'original' in req]); });";
    let options = json!({"liveQuery": {"classNames": ["LiveRow"]}, "startLiveQueryServer": true});
    each_backend_with(code, &options, |server| async move {
        let seen = async |count: usize| {
            let mut all = Vec::new();
            let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
            while all.len() < count {
                assert!(std::time::Instant::now() < until, "{all:?}");
                all.extend(result(&server, "seen", json!({})).await.as_array().unwrap().clone());
            }
            Json::Array(all)
        };
        let user = server.post("/users", &json!({"username": "ann", "password": "p"})).await.json();
        let token = user["sessionToken"].as_str().unwrap();
        let mut client = Client::connect(&server, json!({"sessionToken": token})).await;
        let opened = json!(["ws_connect", 0, 0, null, null, null, "undefined"]);
        assert_eq!(seen(2).await, json!([opened, ["connect", 0, 0, false, "token", "ann", "string"]]));
        client.follow_class(1, "LiveRow", None).await;
        assert_eq!(seen(1).await, json!([["subscribe", 1, 1, false, "token", null, "string"]]));
        let bad = client.try_follow(2, json!({"className": "LiveRow", "where": {"bad": 1}}), None).await;
        assert_eq!((&bad["op"], &bad["code"], &bad["requestId"]), (&json!("error"), &json!(598), &json!(2)));
        let made = server.post("/classes/LiveRow", &json!({})).await.json();
        client.event("create").await;
        let path = format!("/classes/LiveRow/{}", made["objectId"].as_str().unwrap());
        answer(server.master(Method::DELETE, &path)).await;
        client.event("delete").await;
        assert_eq!(seen(2).await, json!([["create", true], ["delete", false]]));
        let ended = client.ask(json!({"op": "unsubscribe", "requestId": 1})).await;
        assert_eq!(ended["op"], "unsubscribed");
        assert_eq!(seen(1).await, json!([["unsubscribe", 1, 0, false, "token", null, "string"]]));
        client.stream.close(None).await.unwrap();
        assert_eq!(seen(1).await, json!([["ws_disconnect", 0, 0, false, "token", null, "undefined"]]));
        let mut refused = Client::open(&server).await;
        let answer = refused.ask(json!({"op": "connect", "applicationId": "app", "installationId": "bad"})).await;
        assert_eq!((&answer["op"], &answer["code"]), (&json!("error"), &json!(599)));
        refused.stream.close(None).await.unwrap();
        let lost = json!(["ws_disconnect_error", 0, 0, null, null, null, "undefined"]);
        assert_eq!(seen(2).await, json!([opened, lost]));
        let mut client = Client::connect(&server, json!({})).await;
        let named = json!({"className": "LiveRow", "where": {}, "keys": ["n"], "watch": ["n"]});
        assert_eq!(client.try_follow(1, named, None).await["op"], "subscribed");
        server.post("/classes/LiveRow", &json!({"n": 1, "other": 2})).await;
        let told = client.event("create").await;
        assert_eq!((&told["object"]["n"], told["object"].get("other")), (&json!(1), None), "{told}");
    });
}
