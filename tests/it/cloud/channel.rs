//! Calls in both directions, and what is registered.

use std::time::Duration;

use futures_util::future::join_all;
use reparse::adapters::cloud::node::{Call, Origin, Source};
use serde_json::{Value as Json, json};

use super::host::{TestApp, function};

#[tokio::test(flavor = "multi_thread")]
async fn registrations_are_published_and_follow_the_code() {
    let app = TestApp::start(
        "Parse.Cloud.define('one', () => { Parse.Cloud.define('two', () => 2, { rateLimit: { requestCount: 1 } }); });
         Parse.Cloud.beforeSave('Thing', () => {}, { skipWithMasterKey: true });
         Parse.Cloud.beforeLogin(() => {});
         Parse.Cloud.afterFind(Parse.File, () => {});
         Parse.Cloud.job('work', () => {});",
    )
    .await;
    let before = app.cloud.registrations().clone();
    assert!(before.function("one").is_some() && before.function("two").is_none());
    assert!(before.trigger("beforeSave", "Thing").unwrap().skip_with_master_key);
    assert!(before.trigger("beforeLogin", "_User").is_some() && before.trigger("afterFind", "@File").is_some());
    assert!(before.trigger("afterSave", "Thing").is_none());
    assert!(before.jobs.contains("work"));

    let mut changed = app.cloud.registrations_changed();
    changed.mark_unchanged();
    app.call("one", json!({})).await.unwrap();
    // The answer comes after the note: what is registered in a call counts at once.
    assert_eq!(app.cloud.registrations().function("two").unwrap().rate_limit, Some(json!({"requestCount": 1})));
    assert!(changed.has_changed().unwrap());
    assert_eq!(app.call("two", json!({})).await.unwrap(), json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_run_at_once() {
    let app = TestApp::start(
        "let open = 0, waiting = [];
         Parse.Cloud.define('together', async req => {
           if (++open === 1000) waiting.forEach(go => go());
           else await new Promise(go => waiting.push(go));
           return req.params.n;
         });",
    )
    .await;
    // None is answered before all have arrived.
    let calls = (0..1000).map(|n| app.call("together", json!({"n": n})));
    let results: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results, (0..1000).map(Json::from).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_nest_two_hundred_deep_a_hundred_at_once() {
    let app = TestApp::start(
        "Parse.Cloud.define('down', async req => {
           if (req.params.n === 0) return 'bottom';
           return Parse.Cloud.run('down', { n: req.params.n - 1 }, { context: { n: req.params.n } });
         });",
    )
    .await;
    let results = join_all((0..100).map(|_| app.call("down", json!({"n": 200})))).await;
    assert!(results.into_iter().all(|result| result.unwrap() == json!("bottom")));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_the_sdk_carry_rights_context_and_origin() {
    let app = TestApp::start(
        "Parse.Cloud.define('save', async req => {
           console.log('saving', { n: 1 });
           const thing = new Parse.Object('Thing');
           thing.set('n', 1);
           await thing.save(null, { useMasterKey: true, context: { from: 'here' } });
           await new Parse.Query('Thing').find({ sessionToken: 'r:token', installationId: 'inst' });
           const job = await Parse.Cloud.startJob('work', {});
           await Parse.Cloud.sendEmail({ to: 'a@example.com', subject: 's', text: 't' });
           return [thing.id, job];
         });",
    )
    .await;
    let payload = json!({"params": {}, "context": {}});
    let origin = Origin { request: "request-7".to_owned(), depth: 0 };
    let answer = app.cloud.call(&Call { origin: &origin, ..function("save", &payload) }).await.unwrap();
    assert_eq!(answer.read::<Json>().unwrap(), json!({"result": ["made", "job1"]}));
    assert_eq!(app.host.wait_for_line("saving { n: 1 }").await, "request-7");
    let requests = app.host.requests.lock().unwrap();
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "classes/Thing"));
    assert!(requests[0].auth.use_master_key);
    assert_eq!(requests[0].context, Some(json!({"from": "here"})));
    assert_eq!(serde_json::from_slice::<Json>(&requests[0].body).unwrap(), json!({"n": 1}));
    assert_eq!(requests[1].auth.session_token.as_deref(), Some("r:token"));
    assert_eq!(requests[1].auth.installation_id.as_deref(), Some("inst"));
    assert!(!requests[1].auth.use_master_key);
    assert_eq!(app.host.mails.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_carry_bytes() {
    let app = TestApp::start(
        "Parse.Cloud.define('upload', req => {
           const { filename, contentType, data } = req.params.up;
           return [filename, contentType, data.toString()];
         });
         Parse.Cloud.beforeSave(Parse.File, async req => {
           const text = Buffer.from(await req.file.getData(), 'base64').toString();
           return new Parse.File('upper.txt', { base64: Buffer.from(text.toUpperCase()).toString('base64') }, 'text/plain');
         });",
    )
    .await;
    let files = json!([{"name": "up", "filename": "a.txt", "contentType": "text/plain", "start": 1, "length": 3}]);
    let payload = json!({"params": {}, "context": {}, "files": files});
    let answer = app.cloud.call(&Call { attachment: b"-abc-", ..function("upload", &payload) }).await.unwrap();
    assert_eq!(answer.read::<Json>().unwrap(), json!({"result": ["a.txt", "text/plain", "abc"]}));

    let payload =
        json!({"className": "@File", "file": {"name": "a.txt", "contentType": "text/plain"}, "hasData": true});
    let call = Call { kind: "trigger", attachment: b"bytes", ..function("beforeSave", &payload) };
    let answer = app.cloud.call(&call).await.unwrap();
    assert_eq!(answer.attachment.as_ref(), b"BYTES");
    assert_eq!(answer.read::<Json>().unwrap()["file"]["name"], "upper.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_answered_ends_at_its_deadline() {
    let app = TestApp::start(
        "Parse.Cloud.define('never', (req, res) => {});
         Parse.Cloud.define('hello', () => 'world');",
    )
    .await;
    let payload = json!({"params": {}});
    let deadline = Some(Duration::from_millis(100));
    let error = app.cloud.call(&Call { deadline, ..function("never", &payload) }).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (141, "Cloud code did not answer in time."));
    assert_eq!(app.call("hello", json!({})).await.unwrap(), json!("world"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_share_the_calls() {
    let app = TestApp::start_with(
        "Parse.Cloud.define('pid', async () => {
           await new Promise(go => setTimeout(go, 20));
           return process.pid;
         });",
        |mut options| {
            if let Source::Node { workers, .. } = &mut options.source {
                *workers = 2;
            }
            options
        },
    )
    .await;
    let pids = join_all((0..20).map(|_| app.call("pid", json!({})))).await;
    let pids: std::collections::BTreeSet<_> = pids.into_iter().map(|pid| pid.unwrap().as_u64().unwrap()).collect();
    assert_eq!(pids.len(), 2);
}
