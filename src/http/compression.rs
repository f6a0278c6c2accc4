//! Answers compressed with gzip, for clients that take them (option `compression`).
//!
//! How long a compressed text is tells something of what is in it. Whoever sees only lengths, but can put text of their own beside a secret
//! and have the answer sent again and again, can guess the secret ("BREACH"). That needs a browser that adds credentials by itself, or a
//! secret that is always in the answer. So answers to requests with a cookie or an `Authorization` are left as they are, and so are those
//! with a session token.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::combinators::BoxBody;
use hyper::body::Body as _;
use memchr::memmem;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use poem::{Body, Request, Response};

use super::answer::refusal;
use crate::error::ParseError;

/// Shorter answers fit into the first packet as they are.
const SHORTEST: u64 = 1 << 10;
/// Longer ones are compressed on other threads than those that serve connections.
const LONG: usize = 64 << 10;
/// What the name of a secret in an answer contains.
const SECRET: &[u8] = b"sessionToken";

/// Headers by which a browser proves who its user is without being asked.
static CREDENTIALS: [HeaderName; 2] = [header::COOKIE, header::AUTHORIZATION];
/// Headers of answers that are compressed already, are parts of something, or are compared by their bytes.
static FIXED: [HeaderName; 3] = [header::CONTENT_ENCODING, header::CONTENT_RANGE, header::ETAG];

/// What a client takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    takes_gzip: bool,
}

impl Packing {
    /// What may be done with the answer to a request; `None`: nothing.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let open = *request.method() != Method::HEAD && !CREDENTIALS.iter().any(|name| headers.contains_key(name));
        open.then(|| Self { takes_gzip: takes_gzip(headers) })
    }

    /// Compresses a JSON answer that is known as a whole, if that is worth it.
    pub(super) async fn apply(self, mut response: Response) -> Response {
        if FIXED.iter().any(|name| response.headers().contains_key(name)) || !is_json(response.headers()) {
            return response;
        }
        let body: BoxBody<Bytes, std::io::Error> = response.take_body().into();
        let worth = body.size_hint().exact().is_some_and(|bytes| bytes >= SHORTEST);
        let body = Body::from(body);
        if !worth {
            response.set_body(body);
            return response;
        }
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if !self.takes_gzip {
            response.set_body(body);
            return response;
        }
        let plain = match body.into_bytes().await {
            Ok(plain) => plain,
            Err(error) => return refusal(&ParseError::internal(error), true),
        };
        match packed(&plain).await {
            Some(packed) => {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                response.headers_mut().remove(header::CONTENT_LENGTH);
                response.set_body(packed);
            }
            None => response.set_body(plain),
        }
        response
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/") && kind.split(';').next().is_some_and(|kind| kind.trim_end().ends_with("json"))
}

/// The bytes compressed; `None` if they have a secret in them, or do not get fewer.
async fn packed(plain: &Bytes) -> Option<Bytes> {
    if memmem::find(plain, SECRET).is_some() {
        return None;
    }
    let packed = if plain.len() < LONG {
        gzip(plain)
    } else {
        let plain = plain.clone();
        tokio::task::spawn_blocking(move || gzip(&plain)).await.ok()?
    };
    packed.filter(|packed| packed.len() < plain.len())
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    packer.write_all(plain).ok()?;
    packer.finish().ok().map(Bytes::from)
}

/// Whether a client takes answers that are compressed with gzip: `gzip` or `*` among `Accept-Encoding`, with a weight that is not 0.
#[must_use]
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get(header::ACCEPT_ENCODING).and_then(|offers| offers.to_str().ok()).unwrap_or_default();
    let weight = |wanted: &str| {
        offers.split(',').find_map(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            parts.next().filter(|name| name.eq_ignore_ascii_case(wanted))?;
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse().ok());
            Some(weight.unwrap_or(0.0))
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight: f64| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_whoever_takes_it() {
        let takes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        for value in ["gzip", "br, gzip;q=0.5", "*", "GZIP", "gzip;q=1, *;q=0", "deflate, *;q=0.1"] {
            assert!(takes(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "gzip;q=0, *", "*;q=0", "gzip;q=x", "xgzip"] {
            assert!(!takes(value), "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn only_what_is_worth_it_and_has_no_secret_is_compressed() {
        let plain = Bytes::from("a long text ".repeat(10_000));
        let packed_text = packed(&plain).await.unwrap();
        assert!(packed_text.len() < plain.len() / 10);
        let mut secret = plain.to_vec();
        secret.extend_from_slice(b"{\"sessionToken\":\"r:1\"}");
        assert_eq!(packed(&Bytes::from(secret)).await, None);
        assert_eq!(packed(&Bytes::from_static(b"abc")).await, None);
    }
}
