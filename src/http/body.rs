//! Request bodies: limited in size, time and number of values; read once and parsed once.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use poem::Body;
use poem::http::{HeaderMap, header};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::{ErrorCode, ParseError, Result};

/// Maximum bytes of an oversized body that are read and discarded, so that the client can read the error.
const DRAINED: usize = 64 << 20;

/// Reads a body.
///
/// # Errors
/// 413 above `limit` bytes, 408 if it takes longer than `patience`, 415 if it is compressed, 400 if the client disconnects.
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

/// A body with files may take so long for each byte beyond the patience for a request: slower ones are given up.
const SLOWEST_BYTES_PER_SECOND: u64 = 16 << 10;

/// The bytes of a body that may be long, in pieces as they arrive.
///
/// The stream's errors are 408 when they arrive too slowly, 400 when the client breaks off.
#[must_use]
pub fn pieces(body: Body, patience: Duration) -> BoxStream<'static, Result<Bytes>> {
    let started = Instant::now();
    let pieces = Box::pin(body.into_bytes_stream());
    let paced = stream::try_unfold((pieces, 0_u64), move |(mut pieces, seen)| async move {
        let deadline = started + patience + Duration::from_secs(seen / SLOWEST_BYTES_PER_SECOND);
        let piece = tokio::time::timeout_at(deadline, pieces.next()).await;
        let Some(piece) = piece.map_err(|_| ParseError::http(408, "request timeout"))? else { return Ok(None) };
        let piece = piece.map_err(|error| ParseError::http(400, "request aborted").with_source(error))?;
        let seen = seen.saturating_add(piece.len() as u64);
        Ok(Some((piece, (pieces, seen))))
    });
    paced.boxed()
}

/// Reads and discards the rest of a body, up to a limit and for at most `patience`, so that the client can read the
/// response.
pub async fn drain(body: Body, patience: Duration) {
    let read = async {
        let mut stream = body.into_bytes_stream();
        let mut seen = 0_usize;
        while let Some(Ok(chunk)) = stream.next().await {
            seen = seen.saturating_add(chunk.len());
            if seen > DRAINED {
                break;
            }
        }
    };
    // A slower client does not get the response.
    let _ = tokio::time::timeout(patience, read).await;
}

/// Limits the bytes of JSON that are parsed at the same time, because values need many times the memory of their text.
#[derive(Debug)]
pub struct Parsing {
    bytes: Arc<Semaphore>,
    budget: u32,
    max_values: usize,
}

/// A part of the parsing budget, which is returned when this is dropped.
#[derive(Debug, Default)]
pub struct Budget(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

/// Bodies up to this many bytes do not use the budget, because too few can arrive at once to matter.
const SMALL: usize = 64 << 10;
/// Larger bodies are parsed on other threads than those that serve connections.
const LARGE: usize = 512 << 10;

impl Parsing {
    /// `budget`: maximum bytes of bodies that are parsed or held as values at the same time. `max_values`: maximum number of
    /// values in one body.
    #[must_use]
    pub fn new(budget: u64, max_values: usize) -> Self {
        let budget =
            u32::try_from(budget).unwrap_or(u32::MAX).min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self { bytes: Arc::new(Semaphore::new(usize::try_from(budget).unwrap_or(usize::MAX))), budget, max_values }
    }

    /// Waits until the budget has room for a body of this length. A body larger than the budget uses all of it.
    pub async fn reserve(&self, length: usize) -> Budget {
        if length <= SMALL {
            return Budget::default();
        }
        let share = u32::try_from(length).unwrap_or(u32::MAX).min(self.budget);
        // The semaphore is never closed.
        Budget(self.bytes.clone().acquire_many_owned(share).await.ok())
    }

    /// Parses a body as a JSON object. An empty body counts as an empty object, and so does `[]`, which PHP sends for an
    /// empty object.
    ///
    /// # Errors
    /// 107 if it is not a JSON object, not UTF-8, nested deeper than 127 levels, or contains a number out of range or too
    /// many values.
    pub async fn object(&self, bytes: Vec<u8>) -> Result<Map<String, Json>> {
        let most = self.max_values;
        if bytes.len() < LARGE {
            return parse_object(&bytes, most);
        }
        tokio::task::spawn_blocking(move || parse_object(&bytes, most)).await.map_err(ParseError::internal)?
    }

    /// Counts the values of a JSON body that other code parses.
    ///
    /// # Errors
    /// 107 if it contains too many values.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        check_values(bytes, self.max_values)
    }
}

fn parse_object(bytes: &[u8], max_values: usize) -> Result<Map<String, Json>> {
    match parse(bytes, max_values)? {
        Json::Object(map) => Ok(map),
        Json::Array(list) if list.is_empty() => Ok(Map::new()),
        _ => Err(ParseError::new(ErrorCode::InvalidJson, "the request body must be a JSON object")),
    }
}

fn parse(bytes: &[u8], max_values: usize) -> Result<Json> {
    let bytes = without_mark(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Json::Object(Map::new()));
    }
    check_values(bytes, max_values)?;
    serde_json::from_slice(bytes).map_err(|error| invalid(&error))
}

fn check_values(bytes: &[u8], max_values: usize) -> Result<()> {
    // A value needs at least two bytes, so most bodies need no counting.
    if bytes.len() / 2 > max_values && count_values(bytes) > max_values {
        return Err(ParseError::new(ErrorCode::InvalidJson, "the request body holds too many values"));
    }
    Ok(())
}

fn invalid(error: &serde_json::Error) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, format!("invalid JSON: {error}"))
}

/// Removes the byte order mark that some clients send.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// An upper bound for the number of values in a JSON text: counts arrays, objects and commas outside of strings.
fn count_values(bytes: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (1_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count = count.saturating_add(1),
            _ => {}
        }
    }
    count
}

/// Finds a string member of a JSON object without building values.
///
/// # Errors
/// 107 if the bytes are not a JSON object.
pub fn member(bytes: &[u8], name: &str) -> Result<Option<String>> {
    let bytes = without_mark(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let found = reader.deserialize_any(Member(name)).map_err(|error| invalid(&error))?;
    reader.end().map_err(|error| invalid(&error))?;
    Ok(found)
}

struct Member<'a>(&'a str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == self.0 {
                let raw: &RawValue = map.next_value()?;
                found = serde_json::from_str(raw.get()).ok();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Whether a body begins like a JSON object or array, whatever its content type says.
#[must_use]
pub fn looks_like_json(bytes: &[u8]) -> bool {
    without_mark(bytes).iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|first| matches!(first, b'{' | b'['))
}

/// Whether the body is a multipart form.
#[must_use]
pub fn is_multipart(headers: &HeaderMap) -> bool {
    is_of_kind(headers, b"multipart/form-data")
}

/// Whether the content type is that of a form without files. Many clients send JSON with it, because it is their default.
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
            let error = parse_object(bad, 1000).unwrap_err();
            assert!(error.is(ErrorCode::InvalidJson), "{:?}", String::from_utf8_lossy(bad.get(..20).unwrap_or(bad)));
            assert_eq!(error.status, 400);
        }
    }

    #[test]
    fn empty_bodies_are_empty_objects() {
        for empty in [b"" as &[u8], b" \r\n", b"\xef\xbb\xbf{}", b"[]"] {
            assert!(parse_object(empty, 1000).unwrap().is_empty());
        }
    }

    #[test]
    fn values_are_counted() {
        assert!(parse_object(br#"{"a":[1,2,3]}"#, 5).is_ok());
        let refused = parse_object(br#"{"a":[1,2,3],"b":{}}"#, 5).unwrap_err();
        assert!(refused.is(ErrorCode::InvalidJson));
        let text = format!(r#"{{"a":"{}\""}}"#, ",".repeat(100));
        assert!(parse_object(text.as_bytes(), 5).is_ok(), "{text}");
    }

    #[test]
    fn a_member_is_found_without_building_values() {
        assert_eq!(member(br#"{"a":[1,{"id":"x"}],"id":"app","b":1}"#, "id").unwrap().as_deref(), Some("app"));
        for none in [&br#"{"a":1}"#[..], b"", b"[1]", br#"{"id":1}"#, br#"{"id":null}"#] {
            assert_eq!(member(none, "id").unwrap(), None);
        }
        for bad in [&b"{"[..], b"{}{}", b"\"x\"", b"{\"id\":\"a\""] {
            assert!(member(bad, "id").is_err());
        }
    }
}
