//! GraphQL, over HTTP.

mod custom;
mod disclosure;
mod documents;
pub mod files;
mod hostile;
mod objects;
mod persisted;
mod playground;
mod protocol;
mod queries;
mod users;

use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use serde_json::{Value as Json, json};

use crate::server::{APP, Answer, MASTER, TestServer, answer};

/// Options that every case here has on top.
pub fn options(extra: &Json) -> Json {
    let mut options = json!({"mountGraphQL": true, "mountPlayground": true});
    for (key, value) in extra.as_object().unwrap() {
        options[key] = value.clone();
    }
    options
}

/// A client of one server.
#[derive(Clone)]
pub struct Graph {
    url: String,
    client: Client,
    headers: Vec<(&'static str, String)>,
}

impl Graph {
    /// A client with the application id.
    pub fn of(server: &Arc<TestServer>) -> Self {
        Self::at(server, "/graphql")
    }

    /// The same, of the endpoint mounted at `path`.
    pub fn at(server: &Arc<TestServer>, path: &str) -> Self {
        let url = format!("http://{}{path}", server.running.addr);
        let client = crate::server::client();
        Self { url, client, headers: vec![("X-Parse-Application-Id", APP.to_owned())] }
    }

    /// The same with one more header.
    pub fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut more = self.clone();
        more.headers.push((name, value.into()));
        more
    }

    /// The same with the master key.
    pub fn master(&self) -> Self {
        self.with("X-Parse-Master-Key", MASTER)
    }

    /// A request without a body.
    pub fn request(&self, method: reqwest::Method, query: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{query}", self.url));
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    /// Posts a JSON body.
    pub async fn post(&self, body: &Json) -> Answer {
        answer(self.request(reqwest::Method::POST, "").json(body)).await
    }

    /// Runs a document.
    pub async fn run(&self, query: &str, variables: Json) -> Answer {
        self.post(&json!({"query": query, "variables": variables})).await
    }

    /// Runs a document that must succeed; gives its data.
    #[track_caller]
    pub fn data(&self, query: &str, variables: Json) -> impl Future<Output = Json> {
        let (graph, query) = (self.clone(), query.to_owned());
        async move {
            let got = graph.run(&query, variables).await;
            let mut body = got.json();
            assert!(got.status == 200 && body.get("errors").is_none(), "{query}\n{}", got.text);
            body["data"].take()
        }
    }

    /// Runs a document that must fail at one field; gives message and code.
    pub async fn error(&self, query: &str, variables: Json) -> (String, Json) {
        let got = self.run(query, variables).await;
        let body = got.json();
        let error = &body["errors"][0];
        (
            error["message"].as_str().unwrap_or_else(|| panic!("{query} did not fail: {}", got.text)).to_owned(),
            error["extensions"]["code"].clone(),
        )
    }
}
