//! Connections: HTTP/1.1 with keep-alive, limits for headers, timeouts, and graceful shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

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
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::Connections;
use super::cors::Cors;
use super::handed::Handed;
use super::wire::{RequestStart, Wire};

/// Opens a listening socket. `backlog`: maximum number of connections that wait to be accepted.
///
/// # Errors
/// If the address is in use, or does not belong to this machine.
pub fn listen(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// Maximum size of what comes before the body of a request.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// Bytes of the first line and all headers.
    pub bytes: usize,
    /// Number of headers.
    pub headers: usize,
}

/// Timeouts of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first byte on a new connection.
    pub first_byte: Duration,
    /// For the headers of a request, including the pause since the previous request.
    pub headers: Duration,
    /// For the client to read some of the response, once the send buffer is full.
    pub write: Duration,
}

/// Who accepts: what all connections of a server share.
#[derive(Debug)]
pub struct Door<E> {
    /// Answers the requests.
    pub endpoint: Arc<E>,
    /// Headers for refusals that come before the endpoint.
    pub cors: Arc<Cors>,
    /// How long clients may keep a connection waiting.
    pub patience: Patience,
    /// Size of the head of a request.
    pub head: Head,
    /// Accept no more, and finish.
    pub stop: CancellationToken,
}

impl<E> Clone for Door<E> {
    fn clone(&self) -> Self {
        let Self { endpoint, cors, patience, head, stop } = self;
        Self { endpoint: endpoint.clone(), cors: cors.clone(), patience: *patience, head: *head, stop: stop.clone() }
    }
}

/// Accepts connections until `stop`, then waits until open connections have finished their current request.
pub async fn serve<E>(listener: TcpListener, door: Door<E>, open: Arc<Connections>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = door.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, remote)) => {
                let Some(admitted) = open.admit(remote.ip()) else {
                    tracing::debug!(%remote, "connection refused: too many are open");
                    continue;
                };
                let served = client(stream, remote, door.clone());
                connections.spawn(async move {
                    served.await;
                    drop(admitted);
                });
            }
            Err(error) => cannot_accept(&error).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Accepts connections of the program that hands requests on, like [`serve`]. The program has its own bounds for its clients.
pub async fn serve_program<E>(listener: UnixListener, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = door.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let here = SocketAddr::from(([127, 0, 0, 1], 0));
                connections.spawn(connection(stream, (here, here), true, door.clone()));
            }
            Err(error) => cannot_accept(&error).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Mostly too many open files; connections that close make room.
async fn cannot_accept(error: &std::io::Error) {
    tracing::warn!(%error, "failed to accept a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn client<E>(stream: TcpStream, remote: SocketAddr, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
{
    if !matches!(tokio::time::timeout(door.patience.first_byte, stream.readable()).await, Ok(Ok(()))) {
        return;
    }
    let local = stream.local_addr().unwrap_or(remote);
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    connection(stream, (local, remote), false, door).await;
}

/// Serves a connection. `handed`: a program hands requests on over it, and keeps it open for as long as it likes.
async fn connection<E, S>(stream: S, (local, remote): (SocketAddr, SocketAddr), handed: bool, door: Door<E>)
where
    E: Endpoint<Output = Response> + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let Door { endpoint, cors, patience, head: bounds, stop } = door;
    let start = RequestStart::default();
    // A client that does not read its response must not keep it in memory forever.
    let mut writer = TimeoutWriter::new(stream);
    writer.set_timeout(Some(patience.write));
    let wire = Wire::new(Box::pin(writer), cors, start.clone());
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (endpoint, start) = (endpoint.clone(), start.clone());
        async move {
            let addresses = (LocalAddr(Addr::SocketAddr(local)), RemoteAddr(Addr::SocketAddr(remote)));
            let (mut head, body) = request.into_parts();
            let told = if handed { Handed::take(&mut head.headers) } else { None };
            let head = RequestParts::from((head, addresses.0, addresses.1, Scheme::HTTP));
            let mut request = Request::from_parts(head, watched(body, start));
            if let Some(told) = told {
                request.set_data(told);
            }
            Ok::<_, Infallible>(hyper::Response::from(endpoint.get_response(request).await))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout((!handed).then_some(patience.headers))
        .max_headers(bounds.headers)
        .max_buf_size(bounds.bytes)
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

/// The body of a request. It signals when it has been read completely, because then the next request begins.
fn watched(body: Incoming, start: RequestStart) -> Body {
    if body.is_end_stream() {
        start.expect();
        return Body::empty();
    }
    Body::from(BoxBody::new(Watched { body, start }))
}

struct Watched {
    body: Incoming,
    start: RequestStart,
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
        Poll::Ready(frame.map(|frame| frame.map_err(std::io::Error::other)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
