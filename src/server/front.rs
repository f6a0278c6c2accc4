//! The endpoint of the whole server, from the moment that its address is bound: it says how the start is getting on, lets other
//! requests wait for the end of the start, and hands them to the protocols.

use std::sync::Arc;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use super::Mounts;
use crate::config::Options;
use crate::config::values::Accepts;
use crate::domain::kernel::app::App;
use crate::http::answer::{quiet_refusal, refusal};
use crate::http::mount::{below, trim};
use crate::http::record::RequestRecord;
use crate::rest::probes;

/// What answers the requests of a server.
pub(super) struct Front {
    mount_path: String,
    sanitize: bool,
    stop: CancellationToken,
    /// The paths of metrics and health checks are open while the server is closed.
    metrics_path: Option<String>,
    started: SetOnce<(Arc<App>, Mounts)>,
}

impl Front {
    pub(super) fn new(options: &Options, stop: CancellationToken) -> Self {
        let mount_path = options.server.mount_path.clone();
        let sanitize = options.security.enable_sanitized_error_response;
        let metrics = &options.own.metrics;
        let metrics_path = metrics.enabled.then(|| metrics.path.clone());
        Self { mount_path, sanitize, stop, metrics_path, started: SetOnce::new() }
    }

    /// Ends the start: requests are answered from here on.
    pub(super) fn open(&self, app: Arc<App>, mounts: Mounts) {
        if self.started.set((app, mounts)).is_err() {
            tracing::error!("the server was started twice");
        }
    }

    /// The answer to a request that comes before the server has started.
    async fn early(&self, request: Request) -> poem::Result<Response> {
        let path = below(&self.mount_path, request.uri().path()).map(trim).unwrap_or_default();
        if let Some((route, answer)) = probes::while_starting(path) {
            RequestRecord::of(&request).set_route(route.into());
            return Ok(answer);
        }
        match self.stop.run_until_cancelled(self.started.wait()).await {
            Some(started) => self.answer(started, request).await,
            None => Ok(refusal(&probes::not_started(), self.sanitize)),
        }
    }

    fn is_always_open(&self, path: &str) -> bool {
        below(&self.mount_path, path).map(trim).is_some_and(probes::is_probe)
            || self.metrics_path.as_ref().is_some_and(|metrics| below(metrics, path).is_some())
    }

    /// Connections end after an answer of a server that is about to stop, so that clients send the next request elsewhere.
    async fn answer(&self, (app, mounts): &(Arc<App>, Mounts), request: Request) -> poem::Result<Response> {
        if app.options.own.accepts == Accepts::Nothing && !self.is_always_open(request.uri().path()) {
            return Ok(quiet_refusal(&probes::closed(), self.sanitize));
        }
        app.master_key.renew(&*app.clock).await;
        let mut response = mounts.call(request).await.unwrap_or_else(poem::Error::into_response);
        if app.is_leaving() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

impl Endpoint for Front {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        match self.started.get() {
            Some(started) => self.answer(started, request).await,
            None => Box::pin(self.early(request)).await,
        }
    }
}
