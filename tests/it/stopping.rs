//! On shutdown, requests in flight are finished.

use std::time::Duration;

use reparse::config::Options;
use reparse::server::{Environment, Server};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn requests_under_way_finish() {
    let dir = TempDir::new().unwrap();
    let options = json!({
        "appId": "app", "masterKey": "master", "host": "127.0.0.1", "port": 0, "bcryptCost": 12,
        "databaseURI": format!("file:{}", dir.path().display()),
    });
    let server =
        Box::pin(Server::open(Options::from_json(options).unwrap(), Environment::default())).await.unwrap().serve();
    let addr = server.addr;
    let mut idle = TcpStream::connect(addr).await.unwrap();
    let body = r#"{"username":"ann","password":"correct horse"}"#;
    let mut busy = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "POST /parse/users HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    busy.write_all(request.as_bytes()).await.unwrap();
    // The password takes longer than this to hash.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stopping = tokio::spawn(server.shutdown());
    let mut text = String::new();
    busy.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 201") && text.contains("sessionToken"), "{text}");
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(tokio::time::timeout(Duration::from_secs(10), stopping).await.unwrap().unwrap());
    assert!(TcpStream::connect(addr).await.is_err());
}
