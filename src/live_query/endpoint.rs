//! The way in: an HTTP request that asks for a web socket.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Endpoint, Request, Response};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::LiveConnection;
use super::settings::Settings;
use super::socket;
use super::wire::Checked;
use crate::domain::features::live_query::LiveQueries;
use crate::domain::kernel::app::App;
use crate::error::{ParseError, Result};
use crate::http::answer::{RouteLabel, refusal};
use crate::http::connections::Connections;

/// Bytes that are read from a socket at a time, and kept for each: most messages are smaller.
const READ_BUFFER: usize = 2 << 10;
/// Bytes after which what is written goes to the socket.
const WRITE_BUFFER: usize = 8 << 10;

/// Takes over connections whose clients ask for a web socket.
#[derive(Debug, Clone)]
pub struct LiveQueryEndpoint(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    app: Arc<App>,
    live: Arc<LiveQueries>,
    settings: Arc<Settings>,
    open: Arc<Connections>,
    sockets: TaskTracker,
    stop: CancellationToken,
}

impl LiveQueryEndpoint {
    /// The endpoint of an app. `stop`: ends every socket.
    ///
    /// # Errors
    /// 1 for an app without live queries.
    pub fn new(app: &Arc<App>, stop: CancellationToken) -> Result<Self> {
        let limits = &app.options.own.limits;
        Ok(Self(Arc::new(Inner {
            live: LiveQueries::of(app)?.clone(),
            settings: Arc::new(Settings::new(&app.options)),
            open: Connections::new(limits.live_sockets, limits.live_sockets_per_address),
            app: app.clone(),
            sockets: TaskTracker::new(),
            stop,
        })))
    }

    /// Waits until every socket is gone.
    pub async fn closed(&self) {
        self.0.sockets.close();
        self.0.sockets.wait().await;
    }
}

/// Whether a request asks for a web socket.
#[must_use]
pub fn wants_web_socket(request: &Request) -> bool {
    let has = |name: header::HeaderName, word: &str| {
        let values = request.headers().get_all(name);
        values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    request.method() == Method::GET
        && has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
        && has(header::SEC_WEBSOCKET_VERSION, "13")
        && request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
}

impl Endpoint for LiveQueryEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        RouteLabel::of(&request).set("live queries".into());
        let inner = &self.0;
        let sanitize = inner.app.options.security.enable_sanitized_error_response;
        if !wants_web_socket(&request) {
            return Ok(refusal(&ParseError::unknown_route(), sanitize));
        }
        let peer = request.remote_addr().as_socket_addr();
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), std::net::SocketAddr::ip);
        let Some(admitted) = inner.open.admit(address) else {
            return Ok(refusal(&ParseError::unavailable("Too many live query connections are open.", 5), sanitize));
        };
        let Ok(upgrade) = request.take_upgrade() else {
            return Ok(refusal(&ParseError::unknown_route(), sanitize));
        };
        let inner = inner.clone();
        self.0.sockets.spawn(async move {
            let _admitted = admitted;
            let Ok(stream) = upgrade.await else { return };
            let config = WebSocketConfig::default()
                .read_buffer_size(READ_BUFFER)
                .write_buffer_size(WRITE_BUFFER)
                .max_message_size(Some(inner.settings.message_bytes))
                .max_frame_size(Some(inner.settings.message_bytes));
            let stream = WebSocketStream::from_raw_socket(Checked::new(stream), Role::Server, Some(config)).await;
            let (connection, inbox) =
                LiveConnection::new(inner.app.clone(), inner.live.clone(), inner.settings.clone());
            socket::run(stream, connection, inbox, inner.settings.ping, &inner.stop).await;
        });
        Ok(switch(request.headers()))
    }
}

/// The answer with which the connection becomes a web socket. Of the protocols that the client offers the first is taken.
fn switch(headers: &HeaderMap) -> Response {
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key))
        .body(Body::empty());
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|offered| offered.to_str().ok());
    let first = offered.and_then(|offered| offered.split(',').next()).map(str::trim).filter(|first| !first.is_empty());
    if let Some(Ok(protocol)) = first.map(HeaderValue::from_str) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}
