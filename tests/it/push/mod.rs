//! Push messages, handed to own code behind an address.

mod refusals;
mod sending;
mod taking_over;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::hooks::hook_server::HookServer;
use crate::server::{TestServer, answer, each_backend, runtime};

/// Runs a case on every store, with servers that hand pushes to a service.
fn each_store<F, R>(more: &Json, case: F)
where
    F: Fn(Arc<TestServer>, HookServer) -> R,
    R: Future<Output = ()>,
{
    let service = runtime().block_on(service());
    each_backend(&options(&service, more), |server| {
        service.take();
        case(server, service.clone())
    });
}

/// A service that sends to every device.
async fn service() -> HookServer {
    let service = HookServer::start().await;
    service.on("send", transmitted);
    service
}

/// The answer of a service that sends to every device it is handed.
fn transmitted(body: &Json) -> Json {
    let devices = body["installations"].as_array().unwrap().iter();
    devices.map(|device| json!({"device": device, "transmitted": true})).collect()
}

/// Options of a server whose pushes go to the service.
fn options(service: &HookServer, more: &Json) -> Json {
    let mut push =
        json!({"adapter": {"module": "webhook", "options": {"url": service.url, "types": ["ios", "android"]}}});
    let mut options = more.clone();
    for (key, value) in options["push"].take().as_object().into_iter().flatten() {
        push[key] = value.clone();
    }
    options["push"] = push;
    options
}

async fn install(server: &TestServer, number: usize, fields: &Json) {
    let mut body = json!({
        "deviceType": "ios", "deviceToken": format!("token-{number}"), "installationId": format!("installation-{number}"),
    });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let made = server.post("/installations", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
}

/// Sends a push and gives the id of its row.
async fn push(server: &TestServer, body: &Json) -> String {
    let sent = answer(server.master(Method::POST, "/push").json(body)).await;
    assert_eq!((sent.status, sent.json()), (200, json!({"result": true})), "{sent:?}");
    sent.header("X-Parse-Push-Status-Id").to_owned()
}

async fn row(server: &TestServer, id: &str) -> Json {
    answer(server.master(Method::GET, &format!("/classes/_PushStatus/{id}"))).await.json()
}

/// The row of a push once it has a status.
async fn row_when(server: &TestServer, id: &str, status: &str) -> Json {
    let mut row = Json::Null;
    for _ in 0..600 {
        row = self::row(server, id).await;
        if row["status"] == status {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the push never was {status}: {row}");
}

/// The tokens of the devices that the service was handed since the last time, in order.
fn tokens(service: &HookServer) -> Vec<String> {
    let calls = service.take();
    let devices = calls.iter().flat_map(|call| call.body["installations"].as_array().unwrap());
    let mut tokens: Vec<String> = devices.map(|device| device["deviceToken"].as_str().unwrap().to_owned()).collect();
    tokens.sort();
    tokens
}
