//! [`ParseError`] as an answer of a handler.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Error, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type as _;

use super::describe;
use crate::error::ParseError;
use crate::http::answer::Refused;

/// What a handler gives when it cannot give what it is for.
#[derive(Debug)]
pub struct Refusal(pub ParseError);

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // The body is written where it is known how much the client may read.
        let mut error = Error::from_response(Response::builder().status(status).finish());
        error.set_data(Refused(Arc::new(refusal.0)));
        error
    }
}

/// Every status a refusal can have, for the document.
const STATUSES: [(u16, &str); 10] = [
    (400, "The request is refused; `code` says why."),
    (403, "The caller may not do this, or no application was named."),
    (404, "There is no such object (101), or none the caller may see; or there is no such route."),
    (408, "The request did not arrive in time."),
    (409, "The server is not configured to do this."),
    (413, "The request is too large."),
    (415, "The body is compressed."),
    (429, "Too many requests; `Retry-After` says when to come back."),
    (500, "The server failed."),
    (503, "The server or its database is busy or away; `Retry-After` says when to come back."),
];

impl ApiResponse for Refusal {
    fn meta() -> MetaResponses {
        let responses = STATUSES
            .into_iter()
            .map(|(status, description)| MetaResponse {
                description,
                status: Some(status),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: "application/json",
                    schema: describe::Error::schema_ref(),
                }],
                headers: Vec::new(),
            })
            .collect();
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        describe::Error::register(registry);
    }
}
