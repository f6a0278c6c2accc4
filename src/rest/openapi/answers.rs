//! Responses that operations share.

use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaSchema, MetaSchemaRef};
use poem_openapi::types::Type as _;

use crate::rest::describe;

/// The statuses of error responses.
const REFUSALS: [(u16, &str); 10] = [
    (400, "The request was refused; see `code`."),
    (403, "The caller has no permission, or the application id is missing or unknown."),
    (404, "The object does not exist or the caller may not see it (101), or the route does not exist."),
    (408, "The client took too long to send the request."),
    (409, "The server is not configured to do this."),
    (413, "The request is too large."),
    (415, "The body is compressed."),
    (429, "Too many requests. Retry after the time given in `Retry-After`."),
    (500, "Internal server error."),
    (503, "The server or its database is overloaded or unavailable. Retry after the time given in `Retry-After`."),
];

fn response(status: u16, description: &'static str, schema: MetaSchemaRef, headers: Vec<MetaHeader>) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: "application/json", schema }],
        headers,
    }
}

/// 200 with this schema.
#[must_use]
pub fn ok(schema: MetaSchemaRef) -> MetaResponse {
    response(200, "Success.", schema, Vec::new())
}

/// 201 with this schema and the URL of the object.
#[must_use]
pub fn created(schema: MetaSchemaRef) -> MetaResponse {
    let location = MetaHeader {
        name: "Location".to_owned(),
        description: Some("URL of the object.".to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
    };
    response(201, "The object was created.", schema, vec![location])
}

/// These responses and all error responses.
#[must_use]
pub fn with_refusals(mut answers: Vec<MetaResponse>) -> Vec<MetaResponse> {
    let refusal = |(status, about)| response(status, about, describe::Error::schema_ref(), Vec::new());
    answers.extend(REFUSALS.into_iter().map(refusal));
    answers
}
