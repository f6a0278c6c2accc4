//! A server of web hooks for tests: says how each is answered and notes what arrives.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use poem::http::{HeaderMap, StatusCode};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Request, Response, endpoint};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{TestServer, answer};

type Answering = Arc<dyn Fn(Json) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

/// What a hook answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: String,
    /// Before it is sent.
    pub delay: Duration,
}

impl From<Json> for Reply {
    fn from(body: Json) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_string(), delay: Duration::ZERO }
    }
}

impl Reply {
    /// An answer with this text, whatever it is.
    pub fn text(text: impl Into<String>) -> Self {
        Self { body: text.into(), ..Self::from(Json::Null) }
    }
}

/// A call that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Name of the hook.
    pub name: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Json,
}

/// The server.
#[derive(Clone)]
pub struct HookServer {
    /// Its address; hooks are below it by name.
    pub url: String,
    answering: Arc<Mutex<HashMap<String, Answering>>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl HookServer {
    /// Starts a server.
    pub async fn start() -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr().remove(0).as_socket_addr().copied().unwrap();
        let server = Self { url: format!("http://{address}"), answering: Arc::default(), arrived: Arc::default() };
        let serving = server.clone();
        tokio::spawn(
            poem::Server::new_with_acceptor(acceptor)
                .run(endpoint::make(move |request| serving.clone().serve(request))),
        );
        server
    }

    async fn serve(self, mut request: Request) -> poem::Result<Response> {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let headers = request.headers().clone();
        let body = request.take_body().into_bytes().await.unwrap();
        let body: Json = serde_json::from_slice(&body).unwrap();
        self.arrived.lock().unwrap().push(Arrived { name: name.clone(), headers, body: body.clone() });
        let answering = self.answering.lock().unwrap().get(&name).cloned();
        let reply = match answering {
            Some(answering) => answering(body).await,
            None => json!({}).into(),
        };
        tokio::time::sleep(reply.delay).await;
        let mut response = Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(reply.body))
    }

    /// Says how a hook answers.
    pub fn on<R: Into<Reply>>(&self, name: &str, reply: impl Fn(&Json) -> R + Send + Sync + 'static) {
        let answering: Answering = Arc::new(move |body| {
            let reply = reply(&body).into();
            Box::pin(async move { reply })
        });
        self.answering.lock().unwrap().insert(name.to_owned(), answering);
    }

    /// As [`HookServer::on`], for a hook that does something first.
    pub fn on_async<F>(&self, name: &str, reply: impl Fn(Json) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let answering: Answering = Arc::new(move |body| Box::pin(reply(body)));
        self.answering.lock().unwrap().insert(name.to_owned(), answering);
    }

    /// The calls since the last time, in their order.
    pub fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.arrived.lock().unwrap())
    }

    /// The names of the calls since the last time, each with the class of its object or `-`.
    pub fn take_names(&self) -> Vec<String> {
        self.take().into_iter().map(|arrived| arrived.name).collect()
    }

    /// Makes a hook of this server, named as the function, the function's handler.
    pub async fn function(&self, server: &TestServer, name: &str) {
        let body = json!({"functionName": name, "url": format!("{}/{name}", self.url)});
        let made = answer(server.master(Method::POST, "/hooks/functions").json(&body)).await;
        assert_eq!(made.status, 200, "{made:?}");
    }

    /// Makes a hook of this server the handler of a trigger. Its name is the trigger's, a colon, and the class's.
    pub async fn trigger(&self, server: &TestServer, trigger: &str, class: &str) {
        let url = format!("{}/{trigger}:{class}", self.url);
        let body = json!({"triggerName": trigger, "className": class, "url": url});
        let made = answer(server.master(Method::POST, "/hooks/triggers").json(&body)).await;
        assert_eq!(made.status, 200, "{made:?}");
    }
}
