//! Web sockets of GraphQL clients: `graphql-transport-ws`, and its predecessor `graphql-ws`.
//!
//! async-graphql-poem speaks the protocols; here are the socket below it, and what it does not bound.

use std::borrow::Cow;
use std::collections::HashSet;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use async_graphql::http::WebSocketProtocols;
use async_graphql::{Data, Executor};
use async_graphql_poem::{GraphQLProtocol, GraphQLWebSocket};
use futures_util::future::poll_fn;
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use poem::http::{HeaderMap, HeaderName, HeaderValue};
use poem::web::websocket::Message as Said;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_util::sync::CancellationToken;

use super::subscriber::Subscriber;
use crate::domain::features::live_query::Bounds;
use crate::domain::kernel::app::App;
use crate::graphql::parse::gate::GateCheck;
use crate::http::caller::Caller;
use crate::http::web_socket::{self, ClientSocket};

/// How long a client may take to say who it is.
const HELLO: Duration = Duration::from_secs(30);
/// The connection was not begun (`graphql-transport-ws`).
const UNAUTHORIZED: u16 = 4401;
/// The connection was refused.
const FORBIDDEN: u16 = 4403;
/// A message is none of the protocol.
const INVALID: u16 = 4400;
/// Said to a client that missed events, or whose key counts no more.
const GO_AWAY: &str = "events are not read fast enough, or the key counts no more";
/// The longest reason of a close frame.
const REASON_BYTES: usize = 123;
/// The connection was not begun in time.
const TOO_LATE: u16 = 4408;
/// An operation has the id of one that still runs (`graphql-transport-ws`).
const TAKEN: u16 = 4409;

/// The protocol in which a client offers to speak; `None`: none of GraphQL's.
#[must_use]
pub fn protocol<'a>(mut offered: impl Iterator<Item = &'a str>) -> Option<WebSocketProtocols> {
    offered.find_map(|name| WebSocketProtocols::from_str(name).ok())
}

/// What a client claimed with the request for the socket; its first message may claim more.
pub struct Opening {
    /// The app.
    pub app: Arc<App>,
    /// Credentials in the headers of the request.
    pub claims: Caller,
    /// The headers.
    pub headers: HeaderMap,
    /// Rate limits and allowed routes.
    pub gate: GateCheck,
}

impl Opening {
    /// Lets the client in by its first message: `{"X-Parse-Session-Token": …}`, the same in `headers`, or `{"sessionToken": …}`.
    async fn admit(mut self, payload: Json, lost: CancellationToken) -> crate::error::Result<Subscriber> {
        let mut add = |name: &str, value: &Json| {
            let name = if name == "sessionToken" { "x-parse-session-token" } else { name };
            let name = HeaderName::from_str(name).ok();
            if let Some((name, Ok(value))) = name.zip(value.as_str().map(HeaderValue::from_str)) {
                self.headers.insert(name, value);
            }
        };
        for (name, value) in payload.as_object().into_iter().flatten() {
            match value {
                Json::Object(headers) if name == "headers" => headers.iter().for_each(|(name, value)| add(name, value)),
                value => add(name, value),
            }
        }
        self.claims.read(&self.headers, &self.app)?;
        Subscriber::admit(&self.app, self.claims, self.gate, lost).await
    }
}

/// Why a connection ends.
enum End {
    /// It has been said, by either side, or nobody is there.
    Said,
    /// It is closed, with a code and a reason.
    Closed(CloseCode, Cow<'static, str>),
    /// It is dropped.
    Dropped,
}

/// Serves a socket until it ends.
pub async fn run<E: Executor>(
    socket: ClientSocket,
    protocol: WebSocketProtocols,
    executor: E,
    opening: Opening,
    stop: &CancellationToken,
) {
    let every = Bounds::new(&opening.app.options).ping;
    let wire = Arc::new(Wire {
        socket: Mutex::new(socket),
        silent: AtomicBool::new(false),
        standing: Mutex::new(Standing::Unknown),
        broken: OnceLock::new(),
        running: (protocol == WebSocketProtocols::GraphQLWS).then(Mutex::default),
        lost: CancellationToken::new(),
    });
    let end = {
        let hello = {
            let wire = wire.clone();
            move |payload| async move { wire.admit(opening, payload).await }
        };
        let (sink, stream) = (Outgoing(wire.clone()), Incoming(wire.clone()));
        let speaking = GraphQLWebSocket::new_with_pair(sink, stream, executor, GraphQLProtocol(protocol))
            .on_connection_init(hello)
            .serve();
        tokio::select! {
            () = speaking => match wire.broken.get() {
                Some((code, reason)) => End::Closed(*code, reason.clone()),
                None => End::Said,
            },
            () = wire.lost.cancelled() => End::Closed(CloseCode::Again, GO_AWAY.into()),
            () = wire.is_silent(every) => End::Dropped,
            () = wire.waits_for_hello() => End::Closed(TOO_LATE.into(), "Connection initialisation timeout".into()),
            () = stop.cancelled() => End::Dropped,
        }
    };
    // What ran for the client has ended before the socket does.
    let Some(wire) = Arc::into_inner(wire) else { return };
    let mut socket = wire.socket.into_inner().unwrap_or_else(PoisonError::into_inner);
    match end {
        End::Closed(code, reason) => web_socket::close(&mut socket, code, &reason, stop).await,
        End::Said => web_socket::close(&mut socket, CloseCode::Normal, "", stop).await,
        End::Dropped => {}
    }
}

/// What is known of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Admitted,
    Refused,
}

/// A socket, and what is known of the client behind it.
struct Wire {
    socket: Mutex<ClientSocket>,
    /// Whether the last ping waits for its answer.
    silent: AtomicBool,
    standing: Mutex<Standing>,
    /// Why what the client sent ends the connection.
    broken: OnceLock<(CloseCode, Cow<'static, str>)>,
    /// Ids of operations that run, in the protocol that wants each to be its only one.
    running: Option<Mutex<HashSet<String>>>,
    lost: CancellationToken,
}

impl Wire {
    fn socket(&self) -> MutexGuard<'_, ClientSocket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an operation that the client begins or ends. Returns its id if another with that id still runs.
    fn heard(&self, text: &str) -> Option<String> {
        let mut running = self.running.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let (kind, id) = Head::read(text)?;
        match kind.as_ref() {
            "subscribe" if running.contains(&id) => return Some(id),
            "subscribe" => drop(running.insert(id)),
            "complete" => drop(running.remove(&id)),
            _ => {}
        }
        None
    }

    /// Takes note of an operation that the server ends.
    fn said(&self, text: &str) {
        let Some(running) = &self.running else { return };
        if !text.starts_with(NEXT)
            && let Some((kind, id)) = Head::read(text)
            && matches!(kind.as_ref(), "complete" | "error")
        {
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
    }

    async fn admit(&self, opening: Opening, payload: Json) -> async_graphql::Result<Data> {
        let sanitize = opening.app.options.security.enable_sanitized_error_response;
        match opening.admit(payload, self.lost.clone()).await {
            Ok(subscriber) => {
                *self.standing() = Standing::Admitted;
                let mut data = Data::default();
                data.insert(Arc::new(subscriber));
                Ok(data)
            }
            Err(error) => {
                *self.standing() = Standing::Refused;
                Err(async_graphql::Error::new(error.public_message(sanitize)))
            }
        }
    }

    /// Waits until a client does not answer a ping before the next one is due.
    async fn is_silent(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            if self.silent.swap(true, Ordering::Relaxed) {
                return;
            }
            if poll_fn(|cx| self.socket().poll_ready_unpin(cx)).await.is_err()
                || self.socket().start_send_unpin(Message::Ping(Bytes::new())).is_err()
                || poll_fn(|cx| self.socket().poll_flush_unpin(cx)).await.is_err()
            {
                return;
            }
        }
    }

    /// Waits until a client has not said in time who it is.
    async fn waits_for_hello(&self) {
        tokio::time::sleep(HELLO).await;
        if *self.standing() != Standing::Unknown {
            std::future::pending::<()>().await;
        }
    }

    /// The code with which the connection is closed, and a reason that fits into the frame. The library says what went wrong with codes that
    /// mean something else to clients.
    fn farewell(&self, code: u16, reason: String) -> CloseFrame {
        let code = match (code, *self.standing()) {
            (1002, Standing::Refused) => FORBIDDEN,
            (1002, _) => INVALID,
            (1011, _) => UNAUTHORIZED,
            (code, _) => code,
        };
        CloseFrame { code: code.into(), reason: fitting(reason).into() }
    }
}

/// How messages begin that end nothing, and are the most.
const NEXT: &str = r#"{"type":"next""#;

/// What a message is, and which operation it is about.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    id: Option<String>,
}

impl<'a> Head<'a> {
    fn read(text: &'a str) -> Option<(Cow<'a, str>, String)> {
        let Self { kind, id } = serde_json::from_str(text).ok()?;
        Some((kind, id?))
    }
}

/// The part of a reason that fits into a close frame.
fn fitting(mut reason: String) -> String {
    while reason.len() > REASON_BYTES {
        reason.pop();
    }
    reason
}

/// What the client says.
struct Incoming(Arc<Wire>);

impl Stream for Incoming {
    type Item = std::io::Result<Said>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let wire = &self.0;
        let mut socket = wire.socket();
        loop {
            let broken = match ready!(socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => match wire.heard(text.as_str()) {
                    None => return Poll::Ready(Some(Ok(Said::text(text.as_str())))),
                    Some(id) => (TAKEN.into(), fitting(format!("Subscriber for {id} already exists")).into()),
                },
                Some(Ok(Message::Binary(_))) => (CloseCode::Unsupported, "messages are text".into()),
                Some(Ok(Message::Pong(_))) => {
                    wire.silent.store(false, Ordering::Relaxed);
                    continue;
                }
                // Answered by the library with the next flush.
                Some(Ok(Message::Ping(_) | Message::Close(_))) => {
                    if let Poll::Ready(Err(_)) = socket.poll_flush_unpin(cx) {
                        return Poll::Ready(None);
                    }
                    continue;
                }
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(Error::Capacity(_))) => (CloseCode::Size, "the message is too large".into()),
                Some(Err(Error::Utf8(_))) => (CloseCode::Invalid, "the message is not UTF-8".into()),
                Some(Err(Error::Protocol(_))) => (CloseCode::Protocol, "not a web socket".into()),
                Some(Err(_)) | None => return Poll::Ready(None),
            };
            wire.broken.get_or_init(|| broken);
            return Poll::Ready(None);
        }
    }
}

/// What is said to the client.
struct Outgoing(Arc<Wire>);

impl Sink<Said> for Outgoing {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Result<(), Error>> {
        self.0.socket().poll_ready_unpin(cx)
    }

    fn start_send(self: Pin<&mut Self>, said: Said) -> Result<(), Error> {
        let message = match said {
            Said::Text(text) => {
                self.0.said(&text);
                Message::text(text)
            }
            Said::Close(Some((code, reason))) => Message::Close(Some(self.0.farewell(code.into(), reason))),
            _ => Message::Close(None),
        };
        self.0.socket().start_send_unpin(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Result<(), Error>> {
        self.0.socket().poll_flush_unpin(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Result<(), Error>> {
        self.0.socket().poll_close_unpin(cx)
    }
}
