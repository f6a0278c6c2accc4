//! The live query server: on the main port, or on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{StartError, bind, chain};
use crate::domain::features::live_query::source::Source;
use crate::domain::features::live_query::{LiveQueries, has_server, is_served};
use crate::domain::kernel::app::App;
use crate::http::connections::Connections;
use crate::http::cors::Cors;
use crate::http::long::LongConnections;
use crate::http::middleware::MiddlewareStack;
use crate::http::serve::{self, Door, Head, Patience};
use crate::http::tls::Tls;
use crate::live_query::LiveQueryEndpoint;

/// The live query server, where the options ask for one.
pub(super) struct Live {
    endpoint: Option<LiveQueryEndpoint>,
    source: Option<Source>,
    /// Its own port.
    listener: Option<TcpListener>,
    connections: LongConnections,
}

/// What of it runs.
#[derive(Debug)]
pub(super) struct RunningLive {
    /// Where it listens, if that is not the main port.
    pub(super) addr: Option<SocketAddr>,
    accepting: Option<JoinHandle<()>>,
    telling: Option<JoinHandle<()>>,
    connections: LongConnections,
}

impl Live {
    /// Takes the port, if it has one of its own.
    pub(super) async fn open(app: &Arc<App>) -> Result<Self, StartError> {
        let connections = LongConnections::new(&app.options);
        let live = LiveQueries::of(app).map_err(|error| StartError::Configuration(chain(&error)))?;
        live.publish(app);
        if !is_served(&app.options) {
            return Ok(Self { endpoint: None, source: None, listener: None, connections });
        }
        let endpoint = has_server(&app.options).then(|| LiveQueryEndpoint::new(app, connections.clone())).transpose();
        let endpoint = endpoint.map_err(|error| StartError::Configuration(chain(&error)))?;
        let source = live.open(app).await.map_err(|error| StartError::Storage(chain(&error)))?;
        let listener = match app.options.live_query.server.as_ref().and_then(|server| server.port) {
            Some(port) => Some(bind(&app.options, port).await?),
            None => None,
        };
        Ok(Self { endpoint, source, listener, connections })
    }

    /// The connections of clients that are told of changes, by any protocol.
    pub(super) const fn connections(&self) -> &LongConnections {
        &self.connections
    }

    /// What takes web sockets on the main port.
    pub(super) fn on_main_port(&self) -> Option<LiveQueryEndpoint> {
        self.endpoint.clone().filter(|_| self.listener.is_none())
    }

    /// Tells subscribers from here on, and answers on the own port.
    pub(super) fn start(
        self,
        app: &Arc<App>,
        (cors, tls): (&Arc<Cors>, Option<&Arc<Tls>>),
        patience: Patience,
        head: Head,
    ) -> RunningLive {
        let Self { endpoint, source, listener, connections } = self;
        let telling = source.and_then(|source| Some(LiveQueries::of(app).ok()?.tell(app, source)));
        let addr = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let accepting = listener.zip(endpoint).map(|(listener, endpoint)| {
            let limits = &app.options.own.limits;
            let open = Connections::new(limits.connections, limits.connections_per_address);
            let endpoint = Arc::new(MiddlewareStack::new(Arc::new(endpoint), cors.clone(), app.random.hex(4), false));
            let (cors, tls, stop) = (cors.clone(), tls.cloned(), connections.stop().clone());
            let door = Door { endpoint, cors, patience, head, tls, stop };
            tokio::spawn(serve::serve(listener, door, open))
        });
        RunningLive { addr, accepting, telling, connections }
    }
}

impl RunningLive {
    /// Drops every connection.
    pub(super) async fn stop(self) {
        self.connections.stop().cancel();
        if let Some(accepting) = self.accepting
            && let Err(error) = accepting.await
        {
            tracing::error!(%error, "the live query port failed");
        }
        self.connections.close().await;
        if let Some(telling) = self.telling {
            telling.abort();
        }
    }
}
