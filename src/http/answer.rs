//! JSON responses, and the form of errors.

use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Request, Response};
use serde::Serialize;

use super::gate::rate_limit::Exceeded;
use crate::error::ParseError;

/// The content type of JSON responses.
pub const JSON: &str = "application/json; charset=utf-8";

/// The route of a request, for its log line. The middleware adds this to the request, and the router sets it.
#[derive(Debug, Clone, Default)]
pub struct RouteLabel(Arc<Mutex<Option<Arc<str>>>>);

impl RouteLabel {
    /// The value that belongs to a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        request.data::<Self>().cloned().unwrap_or_default()
    }

    /// Sets the route.
    pub fn set(&self, route: Arc<str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(route);
    }

    /// The route, if it has been set.
    #[must_use]
    pub fn get(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The id by which the log knows a request. The middleware puts it on the request.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    error: &'a str,
}

/// A response with a JSON body that is already serialised.
#[must_use]
pub fn json(status: StatusCode, body: Vec<u8>) -> Response {
    Response::builder().status(status).header(header::CONTENT_TYPE, HeaderValue::from_static(JSON)).body(body)
}

/// An error as a response: `{"code":N,"error":TEXT}`, without `code` for errors of the HTTP layer.
///
/// Logs errors of the server with their causes, and messages that are hidden from the client.
#[must_use]
pub fn refusal(error: &ParseError, sanitize: bool) -> Response {
    log(error, sanitize);
    let body = ErrorBody { code: error.number(), error: error.public_message(sanitize) };
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, bytes);
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Exceeded::add_headers(error, &mut response);
    response
}

fn log(error: &ParseError, sanitize: bool) {
    if error.status >= 500 {
        let mut causes = String::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push_str(": ");
            causes.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(status = error.status, "{error}{causes}");
    } else if error.sensitive && sanitize {
        tracing::info!("refused: {error}");
    }
}
