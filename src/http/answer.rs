//! JSON responses, and the form of errors.

use std::error::Error as _;
use std::sync::Arc;

use poem::Response;
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::gate::rate_limit::Exceeded;
use crate::error::ParseError;

/// The content type of JSON responses.
pub const JSON: &str = "application/json; charset=utf-8";

/// Maximum length of a request id that a client chooses.
const LONGEST_ID: usize = 128;

/// The header with the id of a request, in requests and responses.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id by which the log knows a request. The middleware puts it on the request.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// The id in `X-Request-Id`, which a proxy or the client chose. `None` if there is none, or if it is not one to 128 letters,
    /// digits, or characters of `-_.:/+=@`.
    #[must_use]
    pub fn given(headers: &HeaderMap) -> Option<Self> {
        let id = headers.get(&REQUEST_ID)?.to_str().ok()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
        ((1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(fits)).then(|| Self(id.into()))
    }
}

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
    quiet_refusal(error, sanitize)
}

/// As [`refusal`], without a line in the log, for what an administrator asked for.
#[must_use]
pub fn quiet_refusal(error: &ParseError, sanitize: bool) -> Response {
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
    if error.status == 503 && error.source.is_none() {
        // Nothing failed: there was too much to do, or the server does not accept it for now.
        tracing::warn!(status = error.status, "{error}");
    } else if error.status >= 500 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_request_ids_are_taken_over() {
        let given = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(&REQUEST_ID, HeaderValue::from_bytes(value).unwrap());
            RequestId::given(&headers).map(|id| id.0.to_string())
        };
        let longest = "x".repeat(LONGEST_ID);
        for id in
            ["a", "6c1f-44/e2:9_.+=@", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", longest.as_str()]
        {
            assert_eq!(given(id.as_bytes()).as_deref(), Some(id));
        }
        for id in ["", "a b", "a\"b", "a{b}", "a\tb", "a%0a", "x".repeat(LONGEST_ID + 1).as_str()] {
            assert_eq!(given(id.as_bytes()), None, "{id}");
        }
        assert_eq!(given(b"\xff"), None);
        assert!(RequestId::given(&HeaderMap::new()).is_none());
    }
}
