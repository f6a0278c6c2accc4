//! `POST /files/:name`: the file as the body, or in base64 in the JSON that SDKs send.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poem::{Body, Request};
use serde_json::{Map, Value as Json, json};

use crate::config::values::ByteSize;
use crate::domain::features::files::{self, ByteStream, Content, FileError, Stored, Upload};
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::body::{self, drain};
use crate::model::json::lenient_base64;
use crate::rest::call::{Call, JsonMap};
use crate::rest::reply;
use crate::rest::route::Outcome;

/// Letters of base64.
const LONG: usize = 512 << 10;

/// Uploads a file.
pub async fn upload(mut call: Call) -> Outcome {
    let name = call.path("fileName")?.to_owned();
    let stored = if let Some(request) = call.take_request() {
        from_body(&call.cx, name, request).await?
    } else {
        let (content_type, body) = (call.content_type.take(), call.take_body());
        from_json(&call.cx, name, content_type, body).await?
    };
    let mut response = reply::json(&json!({ "url": stored.url, "name": stored.name }))?;
    response.set_status(StatusCode::CREATED);
    if let Ok(location) = HeaderValue::from_str(&stored.url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The body is the file.
async fn from_body(cx: &Context, name: String, mut request: Request) -> Result<Stored> {
    let mut body = Some(request.take_body());
    let headers = request.headers();
    let patience = Duration::from_millis(cx.app.options.own.request_timeout_ms);
    let outcome = async {
        let bounds =
            Bounds { most: most(cx, headers)?, stream: text(headers, "x-parse-upload-mode") == Some("stream") };
        bounds.check_announced(headers)?;
        let upload = Upload {
            name,
            content_type: text(headers, "content-type").map(str::to_owned),
            metadata: object(headers, "x-parse-file-metadata", "X-Parse-File-Metadata")?,
            tags: object(headers, "x-parse-file-tags", "X-Parse-File-Tags")?,
            directory: text(headers, "x-parse-file-directory").map(Json::from),
        };
        files::put(cx, upload, async || {
            let bytes = bounded(body.take().unwrap_or_else(Body::empty), bounds, patience).await?;
            Ok(Content { bytes, length: announced(headers), streamed: bounds.stream })
        })
        .await
    }
    .await;
    // A client that waits for permission to send is refused without a byte; others read the answer once they have sent all.
    if let (Err(_), Some(body), false) = (&outcome, body, headers.contains_key(header::EXPECT)) {
        drain(body, patience).await;
    }
    outcome
}

/// How much is read.
#[derive(Clone, Copy)]
struct Bounds {
    most: u64,
    /// `X-Parse-Upload-Mode: stream`: such a file may be empty, and too large a one is refused in other words.
    stream: bool,
}

impl Bounds {
    fn exceeded(self) -> ParseError {
        if self.stream {
            let message = format!("File size exceeds maximum allowed: {} bytes.", self.most);
            ParseError::new(ErrorCode::FileSaveError, message)
        } else {
            ParseError::http(413, "request entity too large")
        }
    }

    fn check_announced(self, headers: &HeaderMap) -> Result<()> {
        let encoded = text(headers, "content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
        if announced(headers).is_some_and(|length| length > self.most) {
            Err(self.exceeded())
        } else if encoded {
            Err(ParseError::http(415, "unsupported content encoding"))
        } else {
            Ok(())
        }
    }
}

/// The bytes of a body, in pieces as they arrive. An error of the stream is the refusal for the client.
async fn bounded(body: Body, bounds: Bounds, patience: Duration) -> Result<ByteStream> {
    let pieces = body::pieces(body, patience);
    let mut rest = stream::try_unfold((pieces, 0_u64), move |(mut pieces, seen)| async move {
        let refuse = |error: ParseError| FileError::Upload(Box::new(error));
        let Some(piece) = pieces.next().await.transpose().map_err(refuse)? else { return Ok(None) };
        let seen = seen.saturating_add(piece.len() as u64);
        if seen > bounds.most {
            return Err(refuse(bounds.exceeded()));
        }
        Ok(Some((piece, (pieces, seen))))
    })
    .boxed();
    if bounds.stream {
        return Ok(rest);
    }
    match rest.next().await {
        None => Err(nothing()),
        Some(first) => Ok(stream::iter([first]).chain(rest).boxed()),
    }
}

fn nothing() -> ParseError {
    ParseError::new(ErrorCode::FileSaveError, "Invalid file upload.")
}

/// The JSON of SDKs, from which the keys were taken.
async fn from_json(cx: &Context, name: String, content_type: Option<String>, mut body: JsonMap) -> Result<Stored> {
    let data = match body.shift_remove("fileData") {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(data)) => data,
        Some(_) => return Err(not_object("fileData")),
    };
    let mut data = data;
    let mut map = |key: &str| match data.shift_remove(key) {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map),
        Some(_) => Err(not_object(key)),
    };
    let (metadata, tags) = (map("metadata")?, map("tags")?);
    let upload = Upload { name, content_type, metadata, tags, directory: data.shift_remove("directory") };
    let bytes = match body.shift_remove("base64") {
        Some(Json::String(text)) => Some(decode(text).await?),
        None | Some(Json::Null) => None,
        Some(_) => return Err(crate::domain::kernel::auth::unauthorized()),
    };
    files::put(cx, upload, async || {
        let bytes = bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(nothing)?;
        let length = Some(bytes.len() as u64);
        Ok(Content { bytes: stream::iter([Ok(Bytes::from(bytes))]).boxed(), length, streamed: false })
    })
    .await
}

/// Long texts are decoded apart from the threads that serve connections.
async fn decode(text: String) -> Result<Vec<u8>> {
    if text.len() < LONG {
        return Ok(lenient_base64(&text));
    }
    tokio::task::spawn_blocking(move || lenient_base64(&text)).await.map_err(ParseError::internal)
}

fn not_object(key: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, format!("{key} must be an object"))
}

/// Most bytes of the file: the option `maxUploadSize`, or what a caller with the master key asks for in a header.
fn most(cx: &Context, headers: &HeaderMap) -> Result<u64> {
    match text(headers, "x-parse-file-max-upload-size") {
        None => Ok(cx.app.options.server.max_upload_size.bytes),
        Some(_) if !cx.master_key_in_header || !matches!(cx.auth, Auth::Master) => {
            Err(ParseError { sensitive: true, ..ParseError::http(403, "unauthorized: master key is required") })
        }
        Some(size) => {
            let most = ByteSize::parse(size).map(|size| size.bytes).filter(|bytes| *bytes > 0);
            let message = || format!("Invalid maxUploadSize override value: {size}");
            most.ok_or_else(|| ParseError::new(ErrorCode::FileSaveError, message()))
        }
    }
}

/// Bytes of the body, as its sender says.
fn announced(headers: &HeaderMap) -> Option<u64> {
    text(headers, "content-length").and_then(|length| length.parse().ok())
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok())
}

/// A header that holds a JSON object.
fn object(headers: &HeaderMap, name: &'static str, shown: &str) -> Result<Map<String, Json>> {
    let Some(value) = headers.get(HeaderName::from_static(name)) else { return Ok(Map::new()) };
    serde_json::from_slice(value.as_bytes())
        .map_err(|_| ParseError::new(ErrorCode::InvalidJson, format!("Invalid JSON in {shown} header.")))
}
