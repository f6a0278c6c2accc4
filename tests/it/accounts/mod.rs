//! Accounts: mail flows and their pages, lockout, second factors, identity providers.

mod identities;
mod mail;
mod races;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer};

/// A user as the maintenance key reads it.
async fn raw(server: &TestServer, id: &str) -> Json {
    let request = server.request(Method::GET, &format!("/users/{id}")).header("X-Parse-Maintenance-Key", "maint");
    answer(request).await.json()
}

/// Signs up a user; returns its id and session token (null if there is none).
async fn sign_up(server: &TestServer, body: &Json) -> (String, Json) {
    let made = server.post("/users", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    (made["objectId"].as_str().unwrap().to_owned(), made["sessionToken"].clone())
}

async fn log_in(server: &TestServer, username: &str, password: &str) -> Answer {
    server.post("/login", &json!({"username": username, "password": password})).await
}

/// Changes a user as the user itself.
async fn put(server: &TestServer, id: &str, token: &Json, body: &Json) -> Answer {
    let request = server.request(Method::PUT, &format!("/users/{id}")).json(body);
    answer(request.header("X-Parse-Session-Token", token.as_str().unwrap())).await
}

/// Sends so many requests at once, turn by turn to each of these servers.
async fn all_at_once<F, R>(servers: &[Arc<TestServer>], count: usize, send: F) -> Vec<Answer>
where
    F: Fn(Arc<TestServer>, usize) -> R,
    R: Future<Output = Answer> + Send + 'static,
{
    let tasks: Vec<_> =
        (0..count).map(|index| tokio::spawn(send(servers[index % servers.len()].clone(), index))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}
