//! Responses of handlers.

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::route::Outcome;
use crate::domain::kernel::context::Context;
use crate::domain::read::Found;
use crate::domain::write::Saved;
use crate::error::{ErrorCode, ParseError};
use crate::http::answer;
use crate::model::names;
use crate::model::rows::JsonRows;

/// Maximum bytes of a query's response besides its rows.
const ROOM_AROUND_ROWS: usize = 64;

/// 200 with this body.
///
/// # Errors
/// 1 if it cannot be serialised, which does not happen.
pub fn json(body: &(impl Serialize + ?Sized)) -> Outcome {
    Ok(bytes(serde_json::to_vec(body).map_err(ParseError::internal)?))
}

/// 200 with a body that is already JSON.
#[must_use]
pub fn bytes(body: Vec<u8>) -> Response {
    answer::json(StatusCode::OK, body)
}

/// As [`bytes`], out of pieces.
#[must_use]
pub fn body(body: poem::Body) -> Response {
    let mut response = bytes(Vec::new());
    response.set_body(body);
    response
}

/// `{}`.
#[must_use]
pub fn empty() -> Response {
    bytes(b"{}".to_vec())
}

/// The response to a create or an update, with the status and `Location` that the domain returned.
///
/// # Errors
/// As [`json`].
pub fn saved(cx: &Context, saved: &Saved) -> Outcome {
    let mut response = json(&saved.body)?;
    if saved.created {
        response.set_status(StatusCode::CREATED);
    }
    if let Some((class, id)) = &saved.location {
        let base = &cx.client.base_url;
        let location = match class.as_str() {
            names::USER => format!("{base}/users/{id}"),
            class => format!("{base}/classes/{class}/{id}"),
        };
        if let Ok(value) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(header::LOCATION, value);
        }
    }
    Ok(response)
}

/// The response to a query.
///
/// # Errors
/// As [`json`].
pub fn found(found: &Found<JsonRows>) -> Outcome {
    if let Some(plan) = &found.plan {
        return json(&serde_json::json!({ "results": plan }));
    }
    let rows = found.results.as_bytes();
    let mut body = Vec::with_capacity(rows.len() + ROOM_AROUND_ROWS);
    body.extend_from_slice(b"{\"results\":[");
    body.extend_from_slice(rows);
    body.push(b']');
    if let Some(count) = found.count {
        body.extend_from_slice(b",\"count\":");
        body.extend_from_slice(count.to_string().as_bytes());
    }
    body.push(b'}');
    Ok(bytes(body))
}

/// 108: this server does not have the feature.
#[must_use]
pub fn unavailable(what: &str) -> ParseError {
    ParseError::new(ErrorCode::CommandUnavailable, format!("{what} is not available on this server."))
}
