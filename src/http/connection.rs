//! One connection: HTTP/1.1 with keep-alive, or HTTP/2 (module `http2`), and the requests on it as the endpoint gets them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Body, Endpoint, Request, RequestParts, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_io_timeout::TimeoutWriter;

use super::handed::Handed;
use super::record::Received;
use super::serve::Door;
use super::wire::{RequestStart, Wire};

/// What is known of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The server's address.
    pub local: SocketAddr,
    /// The client's address.
    pub remote: SocketAddr,
    /// Whether the server encrypts it.
    pub https: bool,
    /// Whether a program hands requests on over it, and keeps it open for as long as it likes.
    pub handed: bool,
}

impl Ends {
    /// A request as the endpoint gets it.
    pub(super) fn request(
        self,
        mut head: hyper::http::request::Parts,
        (body, received): (Body, Option<Received>),
    ) -> Request {
        let addresses = (LocalAddr(Addr::SocketAddr(self.local)), RemoteAddr(Addr::SocketAddr(self.remote)));
        let told = if self.handed { Handed::take(&mut head.headers) } else { None };
        let scheme = if self.https { Scheme::HTTPS } else { Scheme::HTTP };
        let head = RequestParts::from((head, addresses.0, addresses.1, scheme));
        let mut request = Request::from_parts(head, body);
        if let Some(told) = told {
            request.set_data(told);
        }
        if let Some(received) = received {
            request.set_data(received);
        }
        request
    }
}

/// Serves a connection by HTTP/1.1.
pub(super) async fn serve<E, S>(stream: S, ends: Ends, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let Door { endpoint, cors, patience, head: bounds, stop, .. } = door;
    let start = RequestStart::default();
    // A client that does not read its response must not keep it in memory forever.
    let mut writer = TimeoutWriter::new(stream);
    writer.set_timeout(Some(patience.write));
    let wire = Wire::new(Box::pin(writer), cors, start.clone(), ends.remote.ip());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (endpoint, start) = (endpoint.clone(), start.clone());
        async move {
            let (head, body) = request.into_parts();
            let request = ends.request(head, watched(body, start));
            // Not through the `Arc`, which is an endpoint, too: its future wraps this one.
            Ok::<_, Infallible>(hyper::Response::from(E::get_response(&endpoint, request).await))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout((!ends.handed).then_some(patience.headers))
        .max_headers(bounds.headers)
        .max_buf_size(bounds.bytes)
        // As express writes them. Clients exist that look for `X-Parse-Job-Status-Id` letter by letter, the PHP SDK for one.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades();
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection closed early");
    }
}

/// The body of a request, and what arrives of it, if it is not empty. It signals to `start` when it has been read completely, because
/// then the next request begins.
pub(super) fn watched(body: Incoming, start: RequestStart) -> (Body, Option<Received>) {
    if body.is_end_stream() {
        start.expect();
        return (Body::empty(), None);
    }
    let received = Received::default();
    (Body::from(BoxBody::new(Watched { body, start, received: received.clone() })), Some(received))
}

struct Watched {
    body: Incoming,
    start: RequestStart,
    received: Received,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.start.expect();
        }
        match &frame {
            Some(Ok(frame)) => self.received.add(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) => self.received.break_off(),
            None => {}
        }
        Poll::Ready(frame.map(|frame| frame.map_err(std::io::Error::other)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
