//! Request bodies: bounded in size and time, read once, parsed once.

use std::time::Duration;

use futures_util::StreamExt as _;
use poem::Body;
use poem::http::{HeaderMap, header};
use serde_json::{Map, Value as Json};

use crate::error::{ErrorCode, ParseError, Result};

/// How much of a body that is too large is read and thrown away, so that the client gets to read the refusal.
const DRAINED: usize = 64 << 20;

/// Reads a body.
///
/// # Errors
/// 413 above `limit` bytes, 408 when it takes longer than `patience`, 415 for a compressed one, 400 when the client breaks off.
pub async fn read(body: Body, headers: &HeaderMap, limit: u64, patience: Duration) -> Result<Vec<u8>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let encoded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if announced == Some(0) {
        return Ok(Vec::new());
    }
    let collect = async {
        let mut stream = body.into_bytes_stream();
        let mut bytes = Vec::with_capacity(announced.unwrap_or(0).min(limit).min(1 << 20));
        let mut seen = 0_usize;
        let mut over = announced.is_some_and(|length| length > limit);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| ParseError::http(400, "request aborted").with_source(error))?;
            seen = seen.saturating_add(chunk.len());
            over = over || seen > limit;
            if !over && !encoded {
                bytes.extend_from_slice(&chunk);
            } else if seen > DRAINED {
                break;
            } else {
                bytes = Vec::new();
            }
        }
        if over {
            Err(ParseError::http(413, "request entity too large"))
        } else if encoded && seen > 0 {
            Err(ParseError::http(415, "unsupported content encoding"))
        } else {
            Ok(bytes)
        }
    };
    tokio::time::timeout(patience, collect).await.unwrap_or_else(|_| Err(ParseError::http(408, "request timeout")))
}

/// Parses a body as a JSON object; an empty body is an empty object.
///
/// # Errors
/// 107 when it is no JSON, no object, nested deeper than 127 levels, no UTF-8, or holds a number no one can represent.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Json>> {
    match parse(bytes)? {
        Json::Object(map) => Ok(map),
        _ => Err(ParseError::new(ErrorCode::InvalidJson, "the request body must be a JSON object")),
    }
}

/// Parses a body as JSON; an empty body is an empty object.
///
/// # Errors
/// As [`parse_object`], but for the demand that it be an object.
pub fn parse(bytes: &[u8]) -> Result<Json> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Object(Map::new()));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| ParseError::new(ErrorCode::InvalidJson, format!("invalid JSON: {error}")))
}

/// Whether the body is a form with files, the one kind that is not JSON.
#[must_use]
pub fn is_multipart(headers: &HeaderMap) -> bool {
    is_of_kind(headers, b"multipart/form-data")
}

/// Whether the body says to be a form without files. Many clients send JSON under this name, since it is their default.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    is_of_kind(headers, b"application/x-www-form-urlencoded")
}

fn is_of_kind(headers: &HeaderMap, kind: &[u8]) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|given| given.as_bytes().get(..kind.len()))
        .is_some_and(|given| given.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bodies_are_refused() {
        let deep = "[".repeat(100_000);
        let nested = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
        for bad in [
            b"{" as &[u8],
            b"[1]",
            b"\"text\"",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":1e999}",
            b"{\"a\":NaN}",
            b"{}{}",
            deep.as_bytes(),
            nested.as_bytes(),
            b"\0",
        ] {
            let error = parse_object(bad).unwrap_err();
            assert!(error.is(ErrorCode::InvalidJson), "{:?}", String::from_utf8_lossy(bad.get(..20).unwrap_or(bad)));
            assert_eq!(error.status, 400);
        }
    }

    #[test]
    fn empty_bodies_are_empty_objects() {
        for empty in [b"" as &[u8], b" \r\n", b"\xef\xbb\xbf{}"] {
            assert!(parse_object(empty).unwrap().is_empty());
        }
    }
}
