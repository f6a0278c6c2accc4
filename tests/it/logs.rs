//! What the log contains about a request, and what it must not contain.

use std::io::Write;
use std::sync::{LazyLock, Mutex};

use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::server::{answer, each_backend};

static LOG: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

#[test]
fn no_secret_reaches_the_log() {
    tracing_subscriber::fmt().with_env_filter("reparse=trace").with_writer(Captured).with_ansi(false).init();
    each_backend(&json!({"restAPIKey": "rest-key-f00d"}), |server| async move {
        let with_key =
            |method: Method, path: &str| server.request(method, path).header("X-Parse-REST-API-Key", "rest-key-f00d");
        let user = json!({"username": "log_u", "password": "pass-f00d", "note": "body-f00d"});
        let token = answer(with_key(Method::POST, "/users").json(&user)).await.json()["sessionToken"]
            .as_str()
            .unwrap()
            .to_owned();
        answer(with_key(Method::GET, "/login").query(&[("username", "log_u"), ("password", "pass-f00d")])).await;
        answer(with_key(Method::GET, "/login").query(&[("username", "log_u"), ("password", "wrong-f00d")])).await;
        answer(with_key(Method::GET, "/users/me").header("X-Parse-Session-Token", &token)).await;
        answer(with_key(Method::GET, "/users/me").header("X-Parse-Session-Token", "r:f00df00df00d")).await;
        answer(server.request(Method::GET, "/classes/X?where={\"f00d\":1}")).await;
        answer(server.request(Method::GET, "/nothing/f00d").header("X-Parse-Master-Key", "guess-f00d")).await;
        answer(with_key(Method::POST, "/classes/X").body("{\"f00d\":")).await;
        let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
        assert!(log.contains("method=GET route=/login status=200"), "{log}");
        assert!(log.contains("route=/users/me status=400"), "{log}");
        for secret in ["f00d", token.as_str(), "log_u"] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    });
}
