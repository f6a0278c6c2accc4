//! Middleware of all requests: request id, log line, CORS headers, and a 500 response if a handler panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use poem::{Endpoint, Request, Response};
use tracing::{Instrument as _, Span};

use super::answer::{REQUEST_ID, RequestId, RouteLabel, refusal};
use super::cors::Cors;
use super::metrics::{self, InFlight};
use crate::error::{ErrorCode, ParseError};

/// Status that is logged if the client disconnects before the response.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Wraps the endpoint of the whole server.
pub struct MiddlewareStack<E> {
    inner: E,
    cors: Arc<Cors>,
    prefix: String,
    counter: AtomicU64,
}

impl<E> MiddlewareStack<E> {
    /// Every request id that the client does not choose begins with `prefix`, so that the ids of several processes differ.
    #[must_use]
    pub fn new(inner: E, cors: Arc<Cors>, prefix: String) -> Self {
        Self { inner, cors, prefix, counter: AtomicU64::new(1) }
    }
}

impl<E: Endpoint<Output = Response> + 'static> Endpoint for MiddlewareStack<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let id = RequestId::given(request.headers()).unwrap_or_else(|| self.next_id());
        let shown = HeaderValue::from_str(&id.0).ok();
        let mut line = LogLine {
            started: Instant::now(),
            method: request.method().clone(),
            route: RouteLabel::default(),
            span: tracing::info_span!("request", id = %id.0, trace = tracing::field::Empty),
            version: request.version(),
            status: CLIENT_CLOSED_REQUEST,
            _in_flight: InFlight::begin(),
        };
        if let Some(trace) = trace_id(request.headers()) {
            line.span.record("trace", trace);
        }
        request.set_data(line.route.clone());
        request.set_data(id);
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = if line.method == Method::OPTIONS {
            Response::builder().content_type("text/plain; charset=utf-8").body("OK")
        } else {
            self.run(request).instrument(line.span.clone()).await
        };
        self.cors.apply(origin.as_ref(), response.headers_mut());
        if let Some(id) = shown {
            response.headers_mut().insert(&REQUEST_ID, id);
        }
        line.status = response.status().as_u16();
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response> + 'static> MiddlewareStack<E> {
    fn next_id(&self) -> RequestId {
        RequestId(format!("{}-{:x}", self.prefix, self.counter.fetch_add(1, Ordering::Relaxed)).into())
    }

    async fn run(&self, request: Request) -> Response {
        AssertUnwindSafe(self.inner.get_response(request)).catch_unwind().await.unwrap_or_else(|panic| {
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

/// The trace that a request belongs to: the id in `traceparent` (W3C Trace Context). `None` if there is none, or it is malformed.
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let named = |text: &&str, length: usize| hex(text, length) && text.bytes().any(|byte| byte != b'0');
    let version = parts.next().filter(|version| hex(version, 2) && *version != "ff")?;
    let trace = parts.next().filter(|trace| named(trace, 32))?;
    parts.next().filter(|parent| named(parent, 16))?;
    parts.next().filter(|flags| hex(flags, 2))?;
    // Later versions may have more parts.
    (version != "00" || parts.next().is_none()).then_some(trace)
}

/// The log line of a request. It is written when the request ends, also if the client disconnects or the handler panics.
struct LogLine {
    started: Instant,
    method: Method,
    route: RouteLabel,
    span: Span,
    version: Version,
    status: u16,
    _in_flight: InFlight,
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let Self { method, status, .. } = self;
        // To a tenth, as a number: programs that read the log compare it.
        let ms = (self.started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
        let route = self.route.get();
        metrics::answered(method, route.clone(), *status, self.version, self.started);
        let route = route.as_deref().unwrap_or("-");
        self.span.in_scope(|| {
            tracing::info!(target: "reparse::request", %method, %route, status, ms);
        });
    }
}

#[cfg(test)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;
    use crate::config::server::Server;

    #[test]
    fn a_trace_is_known_by_a_well_formed_header() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            trace_id(&headers).map(str::to_owned)
        };
        assert_eq!(read(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        assert_eq!(read(&format!("cc-{id}-00f067aa0ba902b7-01-more")).as_deref(), Some(id));
        for wrong in [
            String::new(),
            id.to_owned(),
            format!("00-{id}-00f067aa0ba902b7"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{id}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{id}x-00f067aa0ba902b7-01"),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
        assert_eq!(trace_id(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let broken = make_sync(|_| -> Response { panic!("on purpose") });
        let stack = MiddlewareStack::new(broken, Arc::new(Cors::new(&Server::default())), "test".into());
        for method in [Method::GET, Method::POST] {
            let response = stack.get_response(Request::builder().method(method).finish()).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.header("access-control-allow-origin"), Some("*"));
            let body = response.into_body().into_string().await.unwrap();
            assert_eq!(body, r#"{"code":1,"error":"Internal server error."}"#);
        }
    }
}
