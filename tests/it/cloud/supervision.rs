//! What happens when the code fails: the server goes on, calls in flight get an error, the process is started again.

use std::time::Duration;

use reparse::adapters::cloud::node::{CloudError, Health, Source};
use serde_json::json;

use super::host::{TestApp, TestHost, options, try_start, write_app};

const HELLO: &str = "Parse.Cloud.define('hello', () => 'world');";

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_fails_the_calls_in_flight_and_nothing_else() {
    let app = TestApp::start(&format!(
        "{HELLO} Parse.Cloud.define('wait', () => new Promise(() => {{}}));
         Parse.Cloud.define('crash', () => {{ setTimeout(() => {{ throw new Error('in a timer'); }}, 10); return 'soon'; }});"
    ))
    .await;
    let first = app.cloud.process_ids();
    let (waiting, crashing) = tokio::join!(app.call("wait", json!({})), app.call("crash", json!({})));
    assert_eq!(crashing.unwrap(), json!("soon"));
    assert!(matches!(waiting, Err(CloudError::Interrupted)));
    app.host.wait_for_line("in a timer").await;
    // The next call waits for the new process; the triggers and functions stay known meanwhile.
    assert!(app.cloud.registrations().function("hello").is_some());
    assert_eq!(app.call("hello", json!({})).await.unwrap(), json!("world"));
    assert_ne!(app.cloud.process_ids(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_replaced() {
    let app = TestApp::start(&format!("{HELLO} Parse.Cloud.define('wait', () => new Promise(() => {{}}));")).await;
    let pid = app.cloud.process_ids()[0].to_string();
    let kill = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    };
    let (waiting, ()) = tokio::join!(app.call("wait", json!({})), kill);
    assert!(matches!(waiting, Err(CloudError::Interrupted)));
    assert_eq!(app.call("hello", json!({})).await.unwrap(), json!("world"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_is_ended() {
    let app = TestApp::start_with(
        &format!("{HELLO} Parse.Cloud.define('loop', () => {{ for (;;) {{}} }});"),
        |mut options| {
            options.call_timeout = Duration::from_millis(800);
            options
        },
    )
    .await;
    let error = app.call("loop", json!({})).await.unwrap_err();
    assert!(matches!(error, CloudError::TimedOut | CloudError::Interrupted));
    assert_eq!(error.code(), 141);
    for attempt in 0.. {
        if let Ok(result) = app.call("hello", json!({})).await {
            assert_eq!(result, json!("world"));
            break;
        }
        assert!(attempt < 20, "the process was not replaced");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unhandled_rejection_is_logged_and_not_fatal() {
    let app = TestApp::start(&format!(
        "{HELLO} Parse.Cloud.define('reject', () => {{ Promise.reject(new Error('nobody waits')); return 1; }});"
    ))
    .await;
    let first = app.cloud.process_ids();
    assert_eq!(app.call("reject", json!({})).await.unwrap(), json!(1));
    app.host.wait_for_line("nobody waits").await;
    assert_eq!(app.call("hello", json!({})).await.unwrap(), json!("world"));
    assert_eq!(app.cloud.process_ids(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_does_not_load_stops_the_start() {
    for (main, text) in [
        ("throw new Error('broken at load');", "broken at load"),
        ("this is no JavaScript", "main.js"),
        ("require('./missing');", "Cannot find module"),
        ("process.exit(3);", "exit status: 3"),
    ] {
        let folder = write_app(main);
        let host = std::sync::Arc::new(TestHost::default());
        let error = try_start(options(&folder), &host).await.unwrap_err();
        assert!(error.contains(text), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_node_stops_the_start() {
    let folder = write_app(HELLO);
    let mut options = options(&folder);
    if let Source::Node { node, .. } = &mut options.source {
        *node = "/nowhere/node".into();
    }
    let error = try_start(options, &std::sync::Arc::new(TestHost::default())).await.unwrap_err();
    assert!(error.contains("cannot start /nowhere/node"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_no_longer_loads_is_tried_again() {
    let app = TestApp::start(HELLO).await;
    let main = app.folder.path().join("main.js");
    std::fs::write(&main, "throw new Error('broken later');").unwrap();
    app.cloud.reload();
    let mut refused = false;
    for _ in 0..500 {
        if let Health::Failed(reason) = app.cloud.health() {
            assert!(reason.contains("broken later"), "{reason}");
            refused = matches!(app.call("hello", json!({})).await, Err(CloudError::Unavailable(_)));
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refused);
    assert!(app.cloud.registrations().function("hello").is_some());
    std::fs::write(&main, HELLO).unwrap();
    for _ in 0..500 {
        if app.cloud.health() == Health::Ready {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(app.call("hello", json!({})).await.unwrap(), json!("world"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_file_loads_the_code_again() {
    let app = TestApp::start_with(HELLO, |mut options| {
        if let Source::Node { reload, .. } = &mut options.source {
            *reload = true;
        }
        options
    })
    .await;
    // The watcher must have had a first look.
    tokio::time::sleep(Duration::from_millis(700)).await;
    std::fs::write(app.folder.path().join("main.js"), "Parse.Cloud.define('hello', () => 'changed');").unwrap();
    for _ in 0..500 {
        if app.call("hello", json!({})).await.is_ok_and(|result| result == json!("changed")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the code was not loaded again");
}

#[tokio::test(flavor = "multi_thread")]
async fn much_output_blocks_nobody() {
    let app = TestApp::start(&format!(
        "{HELLO} Parse.Cloud.define('print', () => {{
           const line = Buffer.alloc(1 << 20, 'x');
           for (let i = 0; i < 64; i++) require('fs').writeSync(1, line);
           const many = Buffer.alloc(1 << 20, 'line\\n');
           for (let i = 0; i < 16; i++) require('fs').writeSync(2, many);
           for (let i = 0; i < 50000; i++) console.log('logged', i);
           return 'printed';
         }});"
    ))
    .await;
    assert_eq!(app.call("print", json!({})).await.unwrap(), json!("printed"));
    assert_eq!(app.call("hello", json!({})).await.unwrap(), json!("world"));
    let lines = app.host.lines.lock().unwrap();
    assert!(lines.iter().all(|(line, _)| line.len() <= 16 << 10));
    assert!(lines.iter().any(|(line, _)| line.starts_with("xxx")));
    assert!(lines.len() < 66_000, "{} lines", lines.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_process() {
    let app = TestApp::start(HELLO).await;
    let pid = app.cloud.process_ids()[0];
    app.cloud.shutdown().await;
    assert!(!std::path::Path::new(&format!("/proc/{pid}/cmdline")).exists() || cfg!(not(target_os = "linux")));
    assert!(matches!(app.call("hello", json!({})).await, Err(CloudError::Unavailable(_))));
}
