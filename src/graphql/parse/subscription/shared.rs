//! One stream of server-sent events for all operations of a client: the "single connection mode" of `graphql-sse`
//! (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>), for browsers that open few connections over HTTP/1.
//!
//! PUT reserves a stream, whose token goes with every further request; GET opens it; POST begins an operation, whose responses come in
//! the stream; DELETE ends one. They reach the server that keeps the stream, or find none.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use poem::http::Method;
use poem::{Request, Response};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Subscriber;
use super::stream::Form;
use crate::domain::kernel::auth::Credentials;
use crate::graphql::engine::Text;
use crate::http::connections::Admitted;
use crate::http::query;

/// The header with the token of a stream.
const TOKEN: &str = "x-graphql-event-stream-token";
/// How long a stream may be reserved before it is opened.
const OPENED_WITHIN: Duration = Duration::from_secs(30);
/// Responses that wait to be read; further ones wait in their operations, where events are bounded.
const WAITING: usize = 16;

/// What a request wants of a shared stream, with the stream's token.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// One of its own.
    Reserve,
    /// To read it.
    Open(String),
    /// To run an operation.
    Begin(String),
    /// To end the operation with this id.
    End(String, String),
}

impl Step {
    /// The step of a request; `None`: it is about none.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let parameter = |name: &str| {
            let pairs = request.uri().query().unwrap_or_default();
            query::pairs(pairs).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let token = || request.header(TOKEN).map(str::to_owned);
        match *request.method() {
            Method::PUT => Some(Self::Reserve),
            // `EventSource` cannot send headers.
            Method::GET if Form::wanted(request) == Some(Form::Events) => {
                token().or_else(|| parameter("token")).map(Self::Open)
            }
            Method::POST => token().map(Self::Begin),
            Method::DELETE => token().map(|token| Self::End(token, parameter("operationId").unwrap_or_default())),
            _ => None,
        }
    }
}

/// The streams of a server. Cheap to clone.
#[derive(Clone, Default)]
pub struct SharedStreams(Arc<Mutex<HashMap<String, Arc<Shared>>>>);

impl fmt::Debug for SharedStreams {
    /// Without the tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SharedStreams").field(&self.streams().len()).finish()
    }
}

/// One stream.
pub struct Shared {
    /// Who reserved it; operations run with these rights.
    pub subscriber: Arc<Subscriber>,
    credentials: Credentials,
    sender: mpsc::Sender<Bytes>,
    /// Until it is opened.
    receiver: Mutex<Option<mpsc::Receiver<Bytes>>>,
    operations: Mutex<HashMap<String, CancellationToken>>,
    ended: CancellationToken,
    _admitted: Admitted,
}

impl SharedStreams {
    fn streams(&self) -> MutexGuard<'_, HashMap<String, Arc<Shared>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a stream for a client. It is given up when it is not opened in time.
    pub fn reserve(&self, token: String, subscriber: Subscriber, credentials: Credentials, admitted: Admitted) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            subscriber: Arc::new(subscriber),
            credentials,
            sender,
            receiver: Mutex::new(Some(receiver)),
            operations: Mutex::default(),
            ended: CancellationToken::new(),
            _admitted: admitted,
        });
        self.streams().insert(token.clone(), shared.clone());
        let streams = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = shared.ended.cancelled() => {}
                () = tokio::time::sleep(OPENED_WITHIN) => {
                    if shared.receiver().is_some() {
                        streams.end(&token);
                    }
                }
            }
        });
    }

    /// The stream with this token, for whoever reserved it.
    #[must_use]
    pub fn of(&self, token: &str, credentials: &Credentials) -> Option<Arc<Shared>> {
        self.streams().get(token).filter(|shared| shared.credentials == *credentials).cloned()
    }

    fn end(&self, token: &str) {
        if let Some(shared) = self.streams().remove(token) {
            shared.ended.cancel();
        }
    }

    /// Opens a stream; `None`: it is open already.
    #[must_use]
    pub fn open(&self, token: String, shared: &Arc<Shared>, stop: &CancellationToken) -> Option<Response> {
        let receiver = shared.receiver().take()?;
        let open = Open { streams: self.clone(), token };
        let events = stream::unfold((receiver, open), |(mut receiver, open)| async move {
            let event = receiver.recv().await?;
            Some((event, (receiver, open)))
        });
        let ends = [shared.subscriber.lost.clone(), stop.clone()];
        Some(Form::Events.answer_with(events.boxed(), shared.subscriber.bounds.ping, ends))
    }
}

/// An open stream; dropped when its client has gone, which ends what runs for it.
struct Open {
    streams: SharedStreams,
    token: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.streams.end(&self.token);
    }
}

impl Shared {
    fn receiver(&self) -> MutexGuard<'_, Option<mpsc::Receiver<Bytes>>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn operations(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the id of an operation; `None`: it is in use.
    pub fn begin(self: &Arc<Self>, id: String) -> Option<Running> {
        let ended = self.ended.child_token();
        let mut operations = self.operations();
        if operations.contains_key(&id) {
            return None;
        }
        operations.insert(id.clone(), ended.clone());
        Some(Running { shared: self.clone(), id, ended })
    }

    /// Ends an operation.
    pub fn end(&self, id: &str) {
        if let Some(ended) = self.operations().get(id) {
            ended.cancel();
        }
    }
}

/// An operation that runs; dropped, its id is free.
pub struct Running {
    shared: Arc<Shared>,
    id: String,
    ended: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.operations().remove(&self.id);
    }
}

impl Running {
    /// Puts the responses of the operation into the stream, until either of them ends, or the server.
    pub async fn tell(self, mut responses: BoxStream<'static, Text>, stop: CancellationToken) {
        let id = serde_json::Value::from(self.id.as_str()).to_string();
        let tell = async {
            while let Some(text) = responses.next().await {
                let before = format!("event: next\ndata: {{\"id\":{id},\"payload\":");
                let event = [before.as_bytes(), &text.into_bytes(), b"}\n\n"].concat();
                if self.shared.sender.send(event.into()).await.is_err() {
                    return;
                }
            }
            let complete = format!("event: complete\ndata: {{\"id\":{id}}}\n\n");
            // A client that has gone needs no last word.
            let _ = self.shared.sender.send(complete.into()).await;
        };
        tokio::select! {
            () = self.ended.cancelled() => {}
            () = stop.cancelled() => {}
            () = tell => {}
        }
    }
}
