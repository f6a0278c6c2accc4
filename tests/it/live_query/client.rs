//! A client of live queries, on a real socket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::server::{TestServer, answer};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The class whose events show that nothing else is on its way.
const MARK: &str = "LiveMark";

/// A client.
pub struct Client {
    pub stream: WebSocketStream<TcpStream>,
    /// Whether it follows [`MARK`], by id -1.
    marks: bool,
}

impl Client {
    /// Opens a web socket without saying anything.
    pub async fn open(server: &TestServer) -> Self {
        Self::try_open(server).await.unwrap()
    }

    /// As [`Client::open`]; the error is the answer of HTTP.
    pub async fn try_open(server: &TestServer) -> Result<Self, Error> {
        let addr = server.running.live_addr().unwrap_or(server.running.addr);
        let tcp = TcpStream::connect(addr).await.unwrap();
        let (stream, _) = client_async(format!("ws://{addr}/any/path"), tcp).await?;
        Ok(Self { stream, marks: false })
    }

    /// Opens a web socket and connects.
    pub async fn connect(server: &TestServer, more: Json) -> Self {
        let mut client = Self::open(server).await;
        let mut connect = json!({ "op": "connect", "applicationId": "app" });
        connect.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let connected = client.ask(connect).await;
        assert_eq!(connected["op"], "connected", "{connected}");
        client
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Json) {
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Sends a message and reads the next one.
    pub async fn ask(&mut self, message: Json) -> Json {
        self.send(message).await;
        self.next().await
    }

    /// Follows a query.
    pub async fn try_follow(&mut self, id: i64, query: Json, token: Option<&str>) -> Json {
        let mut message = json!({ "op": "subscribe", "requestId": id, "query": query });
        if let Some(token) = token {
            message["sessionToken"] = token.into();
        }
        self.ask(message).await
    }

    /// Follows a query, which must be accepted.
    pub async fn follow(&mut self, id: i64, query: Json, token: Option<&str>) {
        let answer = self.try_follow(id, query, token).await;
        assert_eq!((&answer["op"], &answer["requestId"]), (&json!("subscribed"), &json!(id)), "{answer}");
    }

    /// Follows a whole class.
    pub async fn follow_class(&mut self, id: i64, class: &str, token: Option<&str>) {
        self.follow(id, json!({ "className": class, "where": {} }), token).await;
    }

    /// The next frame that is no ping.
    pub async fn frame(&mut self) -> Message {
        let next = async {
            loop {
                match self.stream.next().await.expect("the socket ended").unwrap() {
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => return other,
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("no message came")
    }

    /// The next message.
    pub async fn next(&mut self) -> Json {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text: {other:?}"),
        }
    }

    /// The next message, which must be this event; gives its object.
    #[track_caller]
    pub fn event(&mut self, op: &'static str) -> impl Future<Output = Json> {
        let place = std::panic::Location::caller();
        async move {
            let event = self.next().await;
            assert_eq!(event["op"], op, "{place}: {event}");
            event
        }
    }

    /// The code with which the server closes the connection.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Message::Close(frame) => return frame.expect("a close without code").code.into(),
                Message::Text(_) => {}
                other => panic!("no close: {other:?}"),
            }
        }
    }

    /// Asserts that nothing is on its way: what is written last is what is told next.
    pub async fn quiet(&mut self, server: &TestServer) {
        if !self.marks {
            self.follow_class(-1, MARK, None).await;
            self.marks = true;
        }
        let mark = answer(server.master(Method::POST, &format!("/classes/{MARK}")).json(&json!({}))).await;
        assert_eq!(mark.status, 201, "{mark:?}");
        let next = self.next().await;
        assert_eq!(next["requestId"], -1, "{next}");
    }
}

/// Sends a request with a session.
pub async fn with_session(
    server: &TestServer,
    method: Method,
    path: &str,
    token: &str,
    body: Json,
) -> crate::server::Answer {
    answer(server.request(method, path).header("X-Parse-Session-Token", token).json(&body)).await
}

/// Signs a user up: id and token.
pub async fn sign_up(server: &TestServer, name: &str) -> (String, String) {
    let made = server.post("/users", &json!({ "username": name, "password": "p" })).await.json();
    (made["objectId"].as_str().unwrap().to_owned(), made["sessionToken"].as_str().unwrap().to_owned())
}

/// Makes an object as master and gives its id.
pub async fn make(server: &TestServer, class: &str, body: Json) -> String {
    let made = answer(server.master(Method::POST, &format!("/classes/{class}")).json(&body)).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["objectId"].as_str().unwrap().to_owned()
}

/// Changes an object as master.
pub async fn change(server: &TestServer, class: &str, id: &str, body: Json) {
    let changed = answer(server.master(Method::PUT, &format!("/classes/{class}/{id}")).json(&body)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
}

/// Makes a class with permissions.
pub async fn make_class(server: &TestServer, class: &str, fields: Json, permissions: Json) {
    let body = json!({ "className": class, "fields": fields, "classLevelPermissions": permissions });
    let made = answer(server.master(Method::POST, &format!("/schemas/{class}")).json(&body)).await;
    assert_eq!(made.status, 200, "{made:?}");
}
