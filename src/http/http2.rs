//! A connection that speaks HTTP/2, with the same bounds as one that speaks HTTP/1.1.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http_body_util::combinators::BoxBody;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use poem::http::uri::PathAndQuery;
use poem::http::{HeaderValue, Uri, header};
use poem::{Endpoint, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_io_timeout::TimeoutWriter;

use super::answer::refusal;
use super::connection::{Ends, watched};
use super::serve::Door;
use super::wire::RequestStart;
use crate::error::ParseError;

/// Requests that a client may have under way on one connection.
const REQUESTS: u32 = 100;
/// Bytes of an answer that wait for the client, beyond the part that is being sent.
const SEND_BYTES: usize = 64 << 10;

/// Serves a connection.
pub(super) async fn serve<E, S>(stream: S, ends: Ends, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let Door { endpoint, cors, patience, head: bounds, stop, .. } = door;
    let mut writer = TimeoutWriter::new(stream);
    writer.set_timeout(Some(patience.write));
    let traffic = Arc::new(Traffic::default());
    // An answer that wants to be the last ends the connection, as in HTTP/1.1.
    let last = stop.child_token();
    let service = {
        let (traffic, last) = (traffic.clone(), last.clone());
        service_fn(move |request: hyper::Request<Incoming>| {
            let exchange = Exchange::begin(&traffic);
            let (endpoint, cors, last) = (endpoint.clone(), cors.clone(), last.clone());
            async move {
                let (mut head, body) = request.into_parts();
                let mut response = if head.headers.len() > bounds.headers {
                    let mut response = refusal(&ParseError::http(431, "the headers are too large"), true);
                    cors.apply(None, response.headers_mut());
                    response
                } else {
                    as_of_http1(&mut head);
                    // Where a body ends matters to HTTP/1.1 only.
                    let body = watched(body, RequestStart::default());
                    // As in HTTP/1.1, not through the `Arc`.
                    E::get_response(&endpoint, ends.request(head, body)).await
                };
                if response.headers_mut().remove(header::CONNECTION).is_some_and(|value| value == "close") {
                    last.cancel();
                }
                let response: hyper::Response<BoxBody<Bytes, std::io::Error>> = response.into();
                Ok::<_, Infallible>(response.map(|body| Sent { body, exchange }))
            }
        })
    };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(REQUESTS)
        .max_header_list_size(u32::try_from(bounds.bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(SEND_BYTES)
        .serve_connection(TokioIo::new(Box::pin(writer)), service);
    tokio::pin!(connection);
    let mut ending = false;
    let outcome = loop {
        tokio::select! {
            outcome = &mut connection => break outcome,
            () = last.cancelled(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(patience.write.min(patience.headers) / 4) => {
                if traffic.is_stuck(patience.write) {
                    tracing::debug!(remote = %ends.remote, "connection closed: the client does not read its answers");
                    return;
                }
                if traffic.is_idle(patience.headers) {
                    // A client that does not even take note of the end is not waited for.
                    if ending {
                        return;
                    }
                    last.cancel();
                }
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection closed early");
    }
}

/// Puts what HTTP/2 has of its own where HTTP/1.1 has it: the host into its header, the path alone into the address.
fn as_of_http1(head: &mut hyper::http::request::Parts) {
    if let Some(host) = head.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        head.headers.insert(header::HOST, host);
    }
    let path = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    head.uri = Uri::from(path);
}

/// What a connection is busy with.
#[derive(Debug)]
struct Traffic {
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests under way.
    open: usize,
    /// When the last of them ended.
    since: Instant,
    /// Parts of answers that wait for the client, by request: how many, and when it read some of them last.
    unread: HashMap<u64, (usize, Instant)>,
}

impl Default for Traffic {
    fn default() -> Self {
        let state = State { open: 0, since: Instant::now(), unread: HashMap::new() };
        Self { next: AtomicU64::new(0), state: Mutex::new(state) }
    }
}

impl Traffic {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_idle(&self, patience: Duration) -> bool {
        self.with(|state| state.open == 0 && state.since.elapsed() >= patience)
    }

    fn is_stuck(&self, patience: Duration) -> bool {
        self.with(|state| state.unread.values().any(|(_, since)| since.elapsed() >= patience))
    }
}

/// A request under way, up to the last byte of its answer.
#[derive(Debug)]
struct Exchange {
    traffic: Arc<Traffic>,
    id: u64,
}

impl Exchange {
    fn begin(traffic: &Arc<Traffic>) -> Arc<Self> {
        traffic.with(|state| state.open += 1);
        let id = traffic.next.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { traffic: traffic.clone(), id })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.traffic.with(|state| {
            state.open = state.open.saturating_sub(1);
            state.since = Instant::now();
        });
    }
}

/// The body of an answer, whose parts tell when they are read.
struct Sent {
    body: BoxBody<Bytes, std::io::Error>,
    exchange: Arc<Exchange>,
}

impl hyper::body::Body for Sent {
    type Data = Part;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Part>, std::io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let exchange = self.exchange.clone();
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(|bytes| Part::new(bytes, exchange)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of an answer that waits for the client.
struct Part {
    bytes: Bytes,
    exchange: Arc<Exchange>,
}

impl Part {
    fn new(bytes: Bytes, exchange: Arc<Exchange>) -> Self {
        let now = Instant::now();
        exchange.traffic.with(|state| state.unread.entry(exchange.id).or_insert((0, now)).0 += 1);
        Self { bytes, exchange }
    }
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.exchange.traffic.with(|state| {
            if let Some((_, since)) = state.unread.get_mut(&self.exchange.id) {
                *since = Instant::now();
            }
        });
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.exchange.traffic.with(|state| {
            if let Some((count, _)) = state.unread.get_mut(&self.exchange.id) {
                *count -= 1;
                if *count == 0 {
                    state.unread.remove(&self.exchange.id);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_noticed() {
        let (traffic, long) = (Arc::new(Traffic::default()), Duration::from_hours(1));
        assert!(traffic.is_idle(Duration::ZERO) && !traffic.is_idle(long));
        let exchange = Exchange::begin(&traffic);
        assert!(!traffic.is_idle(Duration::ZERO) && !traffic.is_stuck(Duration::ZERO), "the answer is being made");
        let mut part = Part::new(Bytes::from_static(b"12345678"), exchange);
        let other = Part::new(Bytes::from_static(b"x"), part.exchange.clone());
        assert!(traffic.is_stuck(Duration::ZERO) && !traffic.is_stuck(long));
        part.advance(4);
        assert_eq!(part.chunk(), b"5678");
        drop(part);
        assert!(traffic.is_stuck(Duration::ZERO), "the other part still waits");
        drop(other);
        assert!(!traffic.is_stuck(Duration::ZERO) && traffic.is_idle(Duration::ZERO));
    }

    #[test]
    fn the_host_and_the_path_are_where_they_are_in_http1() {
        let request =
            hyper::Request::builder().uri("https://a.example:1/x?y=1").header("host", "other").body(()).unwrap();
        let (mut head, ()) = request.into_parts();
        as_of_http1(&mut head);
        assert_eq!(head.headers["host"], "a.example:1");
        assert_eq!(head.uri.to_string(), "/x?y=1");
    }
}
