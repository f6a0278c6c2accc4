//! A push service for tests: answers as it is told, and notes what arrives.

use std::sync::{Arc, Mutex};

use poem::http::{HeaderMap, StatusCode};
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Request, Response, endpoint};
use serde_json::{Value as Json, json};

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Arrived {
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What is answered: status, headers, body.
pub type Reply = (u16, Vec<(&'static str, &'static str)>, Json);

/// An answer without headers.
pub fn reply(status: u16, body: Json) -> Reply {
    (status, Vec::new(), body)
}

type Answering = Arc<dyn Fn(&Arrived) -> Reply + Send + Sync>;

/// The service.
#[derive(Clone)]
pub struct Service {
    /// Its address.
    pub url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    answering: Answering,
}

impl Service {
    /// Starts a service. It speaks HTTP/1.1 and HTTP/2.
    pub async fn start(answering: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr().remove(0).as_socket_addr().copied().unwrap();
        let answering: Answering = Arc::new(answering);
        let service = Self { url: format!("http://{address}"), arrived: Arc::default(), answering };
        let serving = service.clone();
        let serve = endpoint::make(move |request| serving.clone().serve(request));
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(serve));
        service
    }

    async fn serve(self, mut request: Request) -> poem::Result<Response> {
        let path = request.uri().path().to_owned();
        let headers = request.headers().clone();
        let arrived = Arrived { path, headers, body: request.take_body().into_vec().await.unwrap() };
        let (status, headers, body) = (self.answering)(&arrived);
        self.arrived.lock().unwrap().push(arrived);
        let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Ok(response.body(if body.is_null() { String::new() } else { body.to_string() }))
    }

    /// The requests since the last time.
    pub fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.arrived.lock().unwrap())
    }
}

/// What Google answers to whoever asks for an access token.
pub fn access_token() -> Json {
    json!({"access_token": "access", "expires_in": 3600, "token_type": "Bearer"})
}
