//! The way in: an HTTP request that asks for a web socket.

use std::sync::Arc;

use poem::{Endpoint, Request, Response};

use super::connection::LiveConnection;
use super::settings::Settings;
use super::socket;
use crate::domain::features::live_query::LiveQueries;
use crate::domain::kernel::app::App;
use crate::error::{ParseError, Result};
use crate::http::answer::refusal;
use crate::http::long::LongConnections;
use crate::http::record::RequestRecord;
use crate::http::web_socket;

/// Takes over connections whose clients ask for a web socket.
#[derive(Debug, Clone)]
pub struct LiveQueryEndpoint(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    app: Arc<App>,
    live: Arc<LiveQueries>,
    settings: Arc<Settings>,
    connections: LongConnections,
}

impl LiveQueryEndpoint {
    /// The endpoint of an app.
    ///
    /// # Errors
    /// 1 for an app without live queries.
    pub fn new(app: &Arc<App>, connections: LongConnections) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            live: LiveQueries::of(app)?.clone(),
            settings: Arc::new(Settings::new(&app.options)),
            app: app.clone(),
            connections,
        })))
    }
}

impl Endpoint for LiveQueryEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        RequestRecord::of(&request).set_route("live queries".into());
        let inner = &self.0;
        let sanitize = inner.app.options.security.enable_sanitized_error_response;
        if !web_socket::wants(&request) {
            return Ok(refusal(&ParseError::unknown_route(), sanitize));
        }
        let Some(admitted) = inner.connections.admit(&request) else {
            return Ok(refusal(&ParseError::unavailable("Too many live query connections are open.", 5), sanitize));
        };
        let first = web_socket::offered(&request).next();
        let Ok((response, socket)) = web_socket::accept(&request, first, inner.settings.bounds.message_bytes) else {
            return Ok(refusal(&ParseError::unknown_route(), sanitize));
        };
        let inner = inner.clone();
        self.0.connections.spawn(async move {
            let _admitted = admitted;
            let Some(stream) = socket.await else { return };
            let (connection, inbox) =
                LiveConnection::new(inner.app.clone(), inner.live.clone(), inner.settings.clone());
            socket::run(stream, connection, inbox, inner.settings.bounds.ping, inner.connections.stop()).await;
        });
        Ok(response)
    }
}
