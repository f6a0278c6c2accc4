//! Middleware of all requests: request id, log line, CORS headers, and a 500 response if a handler panics.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, Method, StatusCode, Version, header};
use poem::{Endpoint, Request, Response};
use tracing::Instrument as _;

use super::access_log::AccessLine;
use super::answer::{REQUEST_ID, RequestId, refusal};
use super::compression::Packing;
use super::cors::Cors;
use super::handed::Handed;
use super::metrics::{self, InFlight};
use super::record::RequestRecord;
use crate::error::{ErrorCode, ParseError};
use crate::traces::{self, Context, TRACEPARENT};

/// Status that is logged and counted if the client disconnects before the response.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Wraps the endpoint of the whole server.
pub struct MiddlewareStack<E> {
    inner: Arc<E>,
    cors: Arc<Cors>,
    prefix: String,
    compression: bool,
    counter: AtomicU64,
}

impl<E> MiddlewareStack<E> {
    /// Every request id that the client does not choose begins with `prefix`, so that the ids of several processes differ. `compression`:
    /// whether answers are compressed for those who take that.
    #[must_use]
    pub fn new(inner: Arc<E>, cors: Arc<Cors>, prefix: String, compression: bool) -> Self {
        Self { inner, cors, prefix, compression, counter: AtomicU64::new(1) }
    }
}

impl<E: Endpoint<Output = Response> + 'static> Endpoint for MiddlewareStack<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let id = RequestId::given(request.headers()).unwrap_or_else(|| self.next_id());
        let sender = request.headers().get(TRACEPARENT).and_then(|text| Context::read(text.to_str().ok()?));
        let shown = HeaderValue::from_str(&id.0).ok();
        let (started, record) = (Instant::now(), RequestRecord::default());
        if let Some(address) = peer(&request) {
            record.set_address(address);
        }
        let (trace, operation) = (tracing::field::Empty, tracing::field::Empty);
        let span = tracing::info_span!("request", id = %id.0, trace, operation);
        let mut underway = Underway {
            started,
            method: request.method().clone(),
            access: AccessLine::begin(&request, started, &record, &span),
            record: record.clone(),
            version: request.version(),
            status: CLIENT_CLOSED_REQUEST,
            traced: traces::request(|| sender),
            _in_flight: InFlight::begin(),
        };
        if let Some(place) = underway.traced.context().or(sender) {
            span.record("trace", place.trace_id());
        }
        underway.traced.set("url.scheme", if *request.scheme() == Scheme::HTTPS { "https" } else { "http" });
        if underway.traced.is_recorded() {
            underway.traced.set("reparse.request_id", id.0.to_string());
        }
        request.set_data(record);
        request.set_data(id);
        let origin = request.headers().get(header::ORIGIN).cloned();
        let packing = if self.compression { Packing::of(&request) } else { None };
        let mut response = if underway.method == Method::OPTIONS {
            Response::builder().content_type("text/plain; charset=utf-8").body("OK")
        } else {
            underway.traced.scope(self.run(request).instrument(span)).await
        };
        if let Some(packing) = packing {
            response = packing.apply(response).await;
        }
        self.cors.apply(origin.as_ref(), response.headers_mut());
        if let Some(id) = shown {
            response.headers_mut().insert(&REQUEST_ID, id);
        }
        underway.status = response.status().as_u16();
        Ok(match underway.access.take() {
            Some(line) => line.follow(response),
            None => response,
        })
    }
}

impl<E: Endpoint<Output = Response> + 'static> MiddlewareStack<E> {
    fn next_id(&self) -> RequestId {
        RequestId(format!("{}-{:x}", self.prefix, self.counter.fetch_add(1, Ordering::Relaxed)).into())
    }

    async fn run(&self, request: Request) -> Response {
        // Not through the `Arc`, which is an endpoint, too: its future wraps this one.
        AssertUnwindSafe(E::get_response(&self.inner, request)).catch_unwind().await.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .copied()
                .map(str::to_owned)
                .or_else(|| panic.downcast_ref::<String>().cloned());
            tracing::error!(panic = text.unwrap_or_default(), "a request handler panicked");
            let error = ParseError {
                status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
                ..ParseError::new(ErrorCode::InternalServerError, "Internal server error.")
            };
            refusal(&error, true)
        })
    }
}

/// The address at the other end of the connection, or the one that a program on this machine got the request from.
fn peer(request: &Request) -> Option<IpAddr> {
    let handed = request.data::<Handed>().map(|handed| handed.ip);
    handed.or_else(|| request.remote_addr().as_socket_addr().map(|address| address.ip().to_canonical()))
}

/// A request until its answer begins, also if the client disconnects or the handler panics.
struct Underway {
    started: Instant,
    method: Method,
    record: RequestRecord,
    /// Its line in the log, until it is known what becomes of the answer.
    access: Option<AccessLine>,
    version: Version,
    status: u16,
    traced: traces::Span,
    _in_flight: InFlight,
}

impl Underway {
    /// Completes the span of the request.
    fn end_span(&mut self, route: Option<&str>) {
        if !self.traced.is_recorded() {
            return;
        }
        // A method that nobody knows is not repeated, as OpenTelemetry asks.
        let method = Some(metrics::known(&self.method)).filter(|method| *method != "other");
        self.traced.set("http.request.method", method.unwrap_or("_OTHER"));
        let method = method.unwrap_or("HTTP");
        self.traced.rename(|| match route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        });
        if let Some(route) = route {
            self.traced.set("http.route", route.to_owned());
        }
        let version = if self.version == Version::HTTP_2 { "2" } else { "1.1" };
        self.traced.set("network.protocol.version", version);
        self.traced.set("http.response.status_code", i64::from(self.status));
        if self.status >= 500 {
            self.traced.fail(self.status.to_string());
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let route = self.record.route();
        metrics::answered(&self.method, route.clone(), self.status, self.version, self.started);
        if let Some(line) = self.access.take() {
            line.broken_off(self.status);
        }
        self.end_span(route.as_deref());
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
        let stack =
            MiddlewareStack::new(Arc::new(broken), Arc::new(Cors::new(&Server::default())), "test".into(), false);
        for method in [Method::GET, Method::POST] {
            let response = stack.get_response(Request::builder().method(method).finish()).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.header("access-control-allow-origin"), Some("*"));
            let body = response.into_body().into_string().await.unwrap();
            assert_eq!(body, r#"{"code":1,"error":"Internal server error."}"#);
        }
    }
}
