//! Connections that stay open for as long as their clients like: web sockets, and answers that are streams.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use poem::Request;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connections::{Admitted, Connections};
use crate::config::Options;

/// The long connections of a server, of all protocols. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LongConnections {
    open: Arc<Connections>,
    running: TaskTracker,
    stop: CancellationToken,
}

impl LongConnections {
    /// As many as the options allow.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let limits = &options.own.limits;
        let open = Connections::new(limits.live_sockets, limits.live_sockets_per_address);
        Self { open, running: TaskTracker::new(), stop: CancellationToken::new() }
    }

    /// Counts the connection of a request; `None` if too many are open.
    #[must_use]
    pub fn admit(&self, request: &Request) -> Option<Admitted> {
        let peer = request.remote_addr().as_socket_addr();
        self.open.admit(peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), SocketAddr::ip))
    }

    /// Serves one that has left HTTP; [`LongConnections::close`] waits for it.
    pub fn spawn(&self, serving: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(serving);
    }

    /// Is cancelled when all of them are to end.
    #[must_use]
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Ends all of them.
    pub async fn close(&self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }
}
