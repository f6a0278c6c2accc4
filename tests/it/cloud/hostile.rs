//! Who may join, and what a connection may send.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use reparse::adapters::cloud::node::{Cloud, CloudError, CloudOptions, Source};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::host::{TestHost, call, node, try_start};

const TOKEN: &str = "the token of this test";

/// A program of somebody else that joins with the bootstrap, as the npm package does.
fn program(socket: &Path, token: &str) -> Child {
    let bootstrap = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/cloud/node/bootstrap/load.js");
    let quoted = |path: &Path| serde_json::Value::from(path.to_str().unwrap()).to_string();
    let (bootstrap, socket) = (quoted(&bootstrap), quoted(socket));
    let script = format!(
        "const state = {{ calls: 0 }};
         require({bootstrap}).join({{
           socket: {socket}, token: {token:?}, takeConsole: false,
           run: Parse => Parse.Cloud.define('count', () => ++state.calls),
           given: {{ 'passwordPolicy.validatorCallback': password => password.length > state.calls }},
         }}).then(channel => channel.closed).then(() => process.exit(0), error => {{ console.error(error.message); process.exit(1); }});"
    );
    Command::new(node())
        .args(["-e", &script])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn socket(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("cloud.sock")
}

async fn start(socket: &Path) -> (Arc<TestHost>, tokio::task::JoinHandle<Result<Arc<Cloud>, String>>) {
    let host = Arc::new(TestHost::default());
    let source = Source::Joining { socket: socket.to_path_buf(), token: TOKEN.to_owned() };
    let options = CloudOptions { max_frame: 1 << 20, ..CloudOptions::new(source) };
    let starting = {
        let host = host.clone();
        tokio::spawn(async move { try_start(options, &host).await })
    };
    for _ in 0..500 {
        if socket.exists() {
            return (host, starting);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no socket");
}

/// Whether the server closes the connection after these bytes.
async fn is_closed_after(socket: &Path, bytes: &[u8]) -> bool {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(8), stream.read_to_end(&mut answer)).await.is_ok()
}

fn frame(kind: u8, json: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(json.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend([0, 0, 0, 0, kind, 0, 0, 0, 0, 0, 0, 1]);
    bytes.extend(json.as_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_program_joins_and_may_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    let (_, starting) = start(&socket).await;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let mut first = program(&socket, TOKEN);
    let cloud = starting.await.unwrap().unwrap();
    assert_eq!(call(&cloud, "count", json!({})).await.unwrap(), json!(1));
    assert_eq!(call(&cloud, "count", json!({})).await.unwrap(), json!(2));
    let callback = cloud.load_module("option:passwordPolicy.validatorCallback", None).await.unwrap();
    assert!(callback.is_callable());
    first.kill().await.unwrap();
    let _second = program(&socket, TOKEN);
    // A call that is sent before the end of the first program is noticed fails with it.
    let mut counted = call(&cloud, "count", json!({})).await;
    for _ in 0..100 {
        if counted.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        counted = call(&cloud, "count", json!({})).await;
    }
    assert_eq!(counted.unwrap(), json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_joins_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    let (_, starting) = start(&socket).await;
    let stranger = program(&socket, "another token").wait_with_output().await.unwrap();
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("the token is wrong"));
    let hello = json!({"kind": "hello", "payload": {"protocol": 1, "token": "x"}}).to_string();
    let other_protocol = json!({"kind": "hello", "payload": {"protocol": 99, "token": TOKEN}}).to_string();
    let call = json!({"kind": "rest", "payload": {"method": "GET", "path": "classes/_User"}}).to_string();
    let refused = [
        frame(1, &hello),
        frame(1, &other_protocol),
        frame(1, &call),
        frame(5, &hello),
        frame(1, "no JSON"),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        vec![0xff; 64],
        vec![0; 3],
        Vec::new(),
    ];
    let closed = join_all(refused.iter().map(|bytes| is_closed_after(&socket, bytes))).await;
    assert_eq!(closed, [true; 9]);
    // The right one still can.
    let _program = program(&socket, TOKEN);
    starting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_of_a_joined_program_ends_its_connection_alone() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    let (_, starting) = start(&socket).await;
    let hello = json!({"kind": "hello", "payload": {"protocol": 1, "token": TOKEN}}).to_string();
    let mut stream = UnixStream::connect(&socket).await.unwrap();
    stream.write_all(&frame(1, &hello)).await.unwrap();
    let mut load = vec![0; 4096];
    // The welcome, then the call `load`, which has number 1.
    while !String::from_utf8_lossy(&load).contains("\"load\"") {
        load.resize(4096, 0);
        assert_ne!(stream.read(&mut load).await.unwrap(), 0);
    }
    stream.write_all(&frame(2, r#"{"functions":{"f":{}}}"#)).await.unwrap();
    let cloud = starting.await.unwrap().unwrap();
    assert!(cloud.registrations().function("f").is_some());
    let calling = {
        let cloud = cloud.clone();
        tokio::spawn(async move { call(&cloud, "f", json!({})).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Notes that cannot be read are ignored, answers of calls that nobody made too.
    for harmless in [frame(5, "no JSON"), frame(2, "{}"), frame(3, "{}"), frame(4, ""), frame(7, "")] {
        let mut harmless = harmless;
        harmless[15] = 77;
        stream.write_all(&harmless).await.unwrap();
    }
    // A frame that is longer than the limit.
    stream.write_all(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2]).await.unwrap();
    assert!(matches!(calling.await.unwrap(), Err(CloudError::Interrupted)));
    let _program = program(&socket, TOKEN);
    assert_eq!(call(&cloud, "count", json!({})).await.unwrap(), json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_too_long_fail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket(&folder);
    let (_, starting) = start(&socket).await;
    let _program = program(&socket, TOKEN);
    let cloud = starting.await.unwrap().unwrap();
    let error = call(&cloud, "count", json!({"text": "x".repeat(2 << 20)})).await.unwrap_err();
    assert!(matches!(error, CloudError::Protocol(_)));
    assert_eq!(call(&cloud, "count", json!({})).await.unwrap(), json!(1));
}
