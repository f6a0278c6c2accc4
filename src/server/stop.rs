//! The running server and its shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::live::RunningLive;
use crate::adapters::cloud::node::Cloud;
use crate::adapters::otlp::Exporter;
use crate::config::{Options, live};
use crate::domain::features::logs::adapter;
use crate::domain::kernel::app::App;
use crate::domain::kernel::workers::Workers;
use crate::http::gate::Gate;
use crate::http::tls::Tls;

/// A server that accepts requests. Dropping this value does not stop it.
#[derive(Debug)]
pub struct RunningServer {
    /// The address it listens on.
    pub addr: SocketAddr,
    /// The application it serves.
    pub app: Arc<App>,
    pub(super) stop: CancellationToken,
    pub(super) accepting: JoinHandle<()>,
    pub(super) following: JoinHandle<()>,
    pub(super) workers: Option<Workers>,
    pub(super) cloud: Option<Arc<Cloud>>,
    pub(super) logger: Option<adapter::Running>,
    pub(super) live: RunningLive,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) gate: Arc<Gate>,
    pub(super) exporter: Option<Exporter>,
}

impl RunningServer {
    /// Where live queries listen, if they have a port of their own.
    #[must_use]
    pub const fn live_addr(&self) -> Option<SocketAddr> {
        self.live.addr
    }

    /// Reads the certificate again.
    pub async fn reload_certificate(&self) {
        if let Some(tls) = &self.tls {
            tls.reload().await;
        }
    }

    /// Takes newer options, as far as they can change while the server runs. Returns the names of those that take effect with the next
    /// start.
    pub fn reload(&self, newer: &Options) -> Vec<String> {
        let (next, waiting) = live::changed(&self.app.options, newer);
        if let Err(error) = self.gate.change(&next.security.rate_limit) {
            tracing::warn!("option rateLimit: {error}");
        }
        self.app.master_key.change(next.keys.master_key.expose());
        self.app.options.replace(next);
        waiting
    }

    /// Shuts down: says so in `/health/ready` for `shutdownDelayMs`, accepts no more requests, waits up to `shutdownTimeoutMs` for those in flight, closes the store.
    /// Returns whether everything finished in time.
    pub async fn shutdown(self) -> bool {
        self.app.leave();
        tokio::time::sleep(Duration::from_millis(self.app.options.own.shutdown_delay_ms)).await;
        self.stop.cancel();
        self.app.stop();
        let finish = async {
            if let Some(workers) = self.workers {
                workers.stop().await;
            }
            self.live.stop().await;
            let accepting = self.accepting.await;
            self.app.tasks.wait().await;
            if let Some(logger) = self.logger {
                logger.stop().await;
            }
            // Requests in flight needed it up to here.
            if let Some(cloud) = &self.cloud {
                cloud.shutdown().await;
            }
            accepting
        };
        let bound = Duration::from_millis(self.app.options.own.shutdown_timeout_ms);
        let in_time = tokio::time::timeout(bound, finish).await.is_ok();
        self.following.abort();
        self.app.storage.close().await;
        if let Some(exporter) = &self.exporter {
            exporter.flush().await;
        }
        in_time
    }

    /// Shuts down at once, because nobody waits for answers any more. What has been acknowledged is stored.
    pub async fn abandon(self) {
        self.stop.cancel();
        self.app.stop();
        self.accepting.abort();
        self.following.abort();
        if let Some(cloud) = &self.cloud {
            cloud.shutdown().await;
        }
        self.app.storage.close().await;
    }
}
