//! Answers that operations have in common.

use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaSchema, MetaSchemaRef};
use poem_openapi::types::Type as _;

use crate::rest::describe;

/// Every status a refusal can have.
const REFUSALS: [(u16, &str); 10] = [
    (400, "The request is refused; `code` says why."),
    (403, "The caller may not do this, or no application was named."),
    (404, "There is no such object (101), or none the caller may see; or there is no such route."),
    (408, "The request did not arrive in time."),
    (409, "The server is not configured to do this."),
    (413, "The request is too large."),
    (415, "The body is compressed."),
    (429, "Too many requests; `Retry-After` says when to come back."),
    (500, "The server failed."),
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

/// 200 with this form.
#[must_use]
pub fn ok(schema: MetaSchemaRef) -> MetaResponse {
    response(200, "Done.", schema, Vec::new())
}

/// 201 with this form and the address of the object.
#[must_use]
pub fn created(schema: MetaSchemaRef) -> MetaResponse {
    let location = MetaHeader {
        name: "Location".to_owned(),
        description: Some("Address of the object.".to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
    };
    response(201, "The object was made.", schema, vec![location])
}

/// These answers, and all refusals.
#[must_use]
pub fn with_refusals(mut answers: Vec<MetaResponse>) -> Vec<MetaResponse> {
    let refusal = |(status, about)| response(status, about, describe::Error::schema_ref(), Vec::new());
    answers.extend(REFUSALS.into_iter().map(refusal));
    answers
}
