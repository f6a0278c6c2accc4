//! The door: what happens to every request, whatever it wants.
//!
//! It gets an id, a log line, CORS headers; a panic becomes an answer; and a request that may write is carried through even
//! when its client leaves.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request, Response};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::answer::{Matched, refusal};
use super::cors::Cors;
use crate::error::{ErrorCode, ParseError};

/// Wraps the endpoint that serves everything.
pub struct Door<E> {
    inner: Arc<E>,
    cors: Cors,
    /// Requests being worked on apart from their connection; a stopping server waits for them.
    tasks: TaskTracker,
    prefix: String,
    counter: AtomicU64,
}

impl<E> Door<E> {
    /// `prefix` begins every request id, so that ids of several processes differ.
    #[must_use]
    pub fn new(inner: E, cors: Cors, tasks: TaskTracker, prefix: String) -> Self {
        Self { inner: Arc::new(inner), cors, tasks, prefix, counter: AtomicU64::new(1) }
    }
}

impl<E: Endpoint<Output = Response> + 'static> Endpoint for Door<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let method = request.method().clone();
        let origin = request.headers().get(poem::http::header::ORIGIN).cloned();
        let id = format!("{}-{:x}", self.prefix, self.counter.fetch_add(1, Ordering::Relaxed));
        let span = tracing::info_span!("request", id = %id);
        let mut response = if method == Method::OPTIONS {
            Response::builder().content_type("text/plain; charset=utf-8").body("OK")
        } else {
            self.run(request, &method).instrument(span.clone()).await
        };
        self.cors.apply(origin.as_ref(), response.headers_mut());
        let route = response.data::<Matched>().map_or_else(|| Arc::from("-"), |matched| matched.0.clone());
        let millis = started.elapsed().as_secs_f64() * 1000.0;
        span.in_scope(|| {
            tracing::info!(target: "reparse::request", %method, %route, status = response.status().as_u16(), ms = format_args!("{millis:.1}"));
        });
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response> + 'static> Door<E> {
    async fn run(&self, request: Request, method: &Method) -> Response {
        let inner = self.inner.clone();
        let work = async move { AssertUnwindSafe(inner.get_response(request)).catch_unwind().await };
        let outcome = if matches!(*method, Method::GET | Method::HEAD) {
            work.await
        } else {
            // A client that leaves must not stop a write halfway.
            match self.tasks.spawn(work.in_current_span()).await {
                Ok(outcome) => outcome,
                Err(error) => Err(Box::new(error) as Box<_>),
            }
        };
        outcome.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .copied()
                .map(str::to_owned)
                .or_else(|| panic.downcast_ref::<String>().cloned());
            tracing::error!(panic = text.unwrap_or_default(), "a request made the server panic");
            let error = ParseError {
                status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
                ..ParseError::new(ErrorCode::InternalServerError, "Internal server error.")
            };
            refusal(&error, true)
        })
    }
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;
    use crate::config::server::Server;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let broken = make_sync(|_| -> Response { panic!("on purpose") });
        let door = Door::new(broken, Cors::new(&Server::default()), TaskTracker::new(), "test".into());
        for method in [Method::GET, Method::POST] {
            let response = door.get_response(Request::builder().method(method).finish()).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.header("access-control-allow-origin"), Some("*"));
            let body = response.into_body().into_string().await.unwrap();
            assert_eq!(body, r#"{"code":1,"error":"Internal server error."}"#);
        }
    }
}
