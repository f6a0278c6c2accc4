//! Automatic persisted queries: a client sends the hash of a document, and the document itself only if the server does
//! not know it yet.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde_json::Value as Json;

use super::error::{INTERNAL, Refusal};
use super::generations::Generations;
use super::request::GraphQlRequest;

/// A bounded cache of documents by the SHA-256 of their text.
#[derive(Debug)]
pub struct PersistedQueries {
    /// `None` if persisted queries are off.
    known: Option<Generations<Arc<str>>>,
}

/// A document to keep once it has been validated.
#[derive(Debug)]
pub struct Registration(String);

impl PersistedQueries {
    /// Keeps at most this many documents with at most this many bytes together; none if either is 0.
    #[must_use]
    pub fn new(most: usize, max_bytes: usize) -> Self {
        let known = (most > 0 && max_bytes > 0).then(|| Generations::new(most, max_bytes));
        Self { known }
    }

    /// Adds the document to a request that contains only its hash. `Some` if the request contains a document for
    /// later requests.
    ///
    /// # Errors
    /// 200 `PERSISTED_QUERY_NOT_FOUND` if the document is unknown, `PERSISTED_QUERY_NOT_SUPPORTED` if persisted
    /// queries are off;
    /// 400 for an unknown version, or a hash that does not match the document.
    pub fn resolve(&self, request: &mut GraphQlRequest) -> Result<Option<Registration>, Refusal> {
        let Some(given) = request.persisted_query.take() else { return Ok(None) };
        let Some(known) = &self.known else {
            return if request.query.is_empty() {
                Err(Refusal::new(200, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported"))
            } else {
                Ok(None)
            };
        };
        if given.get("version").and_then(Json::as_f64) != Some(1.0) {
            return Err(Refusal::new(400, INTERNAL, "Unsupported persisted query version"));
        }
        let hash = given.get("sha256Hash").and_then(Json::as_str).unwrap_or_default();
        if request.query.is_empty() {
            let query = known
                .get(hash)
                .ok_or_else(|| Refusal::new(200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"))?;
            query.as_ref().clone_into(&mut request.query);
            return Ok(None);
        }
        if hash_of(&request.query) != hash {
            return Err(Refusal::new(400, INTERNAL, "provided sha does not match query"));
        }
        Ok(Some(Registration(hash.to_owned())))
    }

    /// Keeps a document.
    pub fn keep(&self, registration: &Registration, query: &str) {
        if let Some(known) = &self.known {
            known.keep(&registration.0, &Arc::from(query), query.len().saturating_add(registration.0.len()));
        }
    }
}

/// SHA-256 of a text, in hexadecimal digits.
fn hash_of(text: &str) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(query: &str, hash: &str) -> GraphQlRequest {
        let persisted_query = Some(json!({"version": 1, "sha256Hash": hash}));
        GraphQlRequest { query: query.to_owned(), persisted_query, ..GraphQlRequest::default() }
    }

    #[test]
    fn documents_are_known_by_their_hash_alone() {
        let queries = PersistedQueries::new(10, 10_000);
        let (text, hash) = ("{ health }", hash_of("{ health }"));
        assert_eq!(hash, "d2c7e7d0b1839e8324b9165a4224dd7bbe5ff66e461953489ecb2cf220129571");
        let code = |request: &mut GraphQlRequest| {
            let refused = queries.resolve(request).unwrap_err();
            (refused.status, refused.errors[0]["extensions"]["code"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(code(&mut asked("", &hash)), (200, "PERSISTED_QUERY_NOT_FOUND".to_owned()));
        assert_eq!(code(&mut asked("{ other }", &hash)), (400, INTERNAL.to_owned()));
        let registration = queries.resolve(&mut asked(text, &hash)).unwrap().unwrap();
        // Nothing is kept before somebody has found that it fits.
        assert_eq!(code(&mut asked("", &hash)), (200, "PERSISTED_QUERY_NOT_FOUND".to_owned()));
        queries.keep(&registration, text);
        let mut request = asked("", &hash);
        assert!(queries.resolve(&mut request).unwrap().is_none());
        assert_eq!(request.query, text);
        let mut other = asked("", &hash);
        other.persisted_query = Some(json!({"version": 2, "sha256Hash": hash}));
        assert_eq!(code(&mut other), (400, INTERNAL.to_owned()));
    }

    #[test]
    fn none_are_kept_when_the_bound_is_0() {
        let queries = PersistedQueries::new(0, 10_000);
        let refused = queries.resolve(&mut asked("", "x")).unwrap_err();
        assert_eq!(refused.errors[0]["extensions"]["code"], "PERSISTED_QUERY_NOT_SUPPORTED");
        assert!(queries.resolve(&mut asked("{ health }", "x")).unwrap().is_none());
    }
}
