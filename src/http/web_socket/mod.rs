//! Web sockets: the request that asks for one, the answer to it, and the end of it.

mod checked;

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FusedStream as _;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Body, Request, Response, Upgraded};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

pub use checked::Checked;

/// Bytes that are read from a socket at a time, and kept for each: most messages are smaller.
const READ_BUFFER: usize = 2 << 10;
/// Bytes after which what is written goes to the socket.
const WRITE_BUFFER: usize = 8 << 10;
/// How long a closing client may take to say that it heard so.
const CLOSING: Duration = Duration::from_secs(30);

/// A web socket of a client.
pub type ClientSocket = WebSocketStream<Checked<Upgraded>>;

/// Whether a request asks for a web socket.
#[must_use]
pub fn wants(request: &Request) -> bool {
    request.method() == Method::GET
        && words(request, &header::UPGRADE).any(|word| word.eq_ignore_ascii_case("websocket"))
        && words(request, &header::CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"))
        && words(request, &header::SEC_WEBSOCKET_VERSION).any(|word| word == "13")
        && request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
}

/// The protocols that a client offers to speak, that which it likes best first.
pub fn offered(request: &Request) -> impl Iterator<Item = &str> {
    words(request, &header::SEC_WEBSOCKET_PROTOCOL).filter(|word| !word.is_empty())
}

fn words<'a>(request: &'a Request, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Takes a connection over: the answer with which it becomes a web socket of this protocol, and the socket that it becomes (`None`: the
/// client went away). `message_bytes`: the largest message of the client.
///
/// # Errors
/// If the connection cannot be taken over.
pub fn accept(
    request: &Request,
    protocol: Option<&str>,
    message_bytes: usize,
) -> poem::Result<(Response, impl Future<Output = Option<ClientSocket>> + use<>)> {
    let upgrade = request.take_upgrade()?;
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key))
        .body(Body::empty());
    if let Some(Ok(protocol)) = protocol.map(HeaderValue::from_str) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let socket = async move {
        let stream = upgrade.await.ok()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(message_bytes))
            .max_frame_size(Some(message_bytes));
        Some(WebSocketStream::from_raw_socket(Checked::new(stream), Role::Server, Some(config)).await)
    };
    Ok((response, socket))
}

/// Closes a socket with a code and a reason, and waits until the client heard so; who does not answer is dropped, and so is everybody
/// on `stop`.
///
/// What a client goes on sending after a message that cannot be read is thrown away: the system resets a connection that is closed with
/// bytes unread, and a client that is reset never sees the code.
pub async fn close<S>(stream: &mut WebSocketStream<S>, code: CloseCode, reason: &str, stop: &CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let unreadable = stream.is_terminated();
    let closing = async {
        match stream.close(Some(CloseFrame { code, reason: reason.into() })).await {
            // It was said before; what the client still sends is read all the same.
            Ok(()) | Err(Error::Protocol(ProtocolError::SendAfterClosing)) => {}
            Err(_) => return,
        }
        while let Some(Ok(_)) = stream.next().await {}
        let bytes = stream.get_mut();
        if unreadable && bytes.shutdown().await.is_ok() {
            let mut unread = vec![0; READ_BUFFER];
            while bytes.read(&mut unread).await.is_ok_and(|length| length > 0) {}
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(CLOSING, closing) => {}
        () = stop.cancelled() => {}
    }
}
