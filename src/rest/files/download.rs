//! `GET /files/:appId/…`: whole files and parts of them, as streams, with the headers that keep browsers from running them.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Body, Response};
use serde_json::json;

use crate::domain::features::files::{self, ByteStream, Download, FileError, FileInfo, StoredFile};
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::conditional::{self, Conditions, Decision};
use crate::http::query;
use crate::http::range::{self, Multipart, Selection};
use crate::model::files::delivery::{self, Delivery, NO_SNIFFING};
use crate::model::files::image::Change;
use crate::rest::call::Call;
use crate::rest::reply;
use crate::rest::route::Outcome;

/// What reading a stored file gives.
type FileResult<T> = std::result::Result<T, FileError>;

/// A file that is replaced again and again while it is read is tried so often.
const ATTEMPTS: usize = 3;
/// So many bytes tell whether a file begins like a page.
const BEGINNING: u64 = 512;

/// Whether the address names this application.
fn names_application(call: &Call) -> Result<bool> {
    Ok(call.path("appId")? == call.cx.app.options.keys.app_id)
}

/// The metadata of a file.
pub async fn metadata(call: Call) -> Outcome {
    if !names_application(&call)? {
        return Ok(reply::empty());
    }
    let found = files::metadata(&call.cx, call.path("fileName")?).await;
    // As parse-server: a refusal is 403 here and 400 for the file itself.
    let status = |error: ParseError| {
        if error.is(ErrorCode::OperationForbidden) { ParseError { status: 403, ..error } } else { error }
    };
    match found.map_err(status)? {
        Some(metadata) => reply::json(&json!({ "metadata": metadata })),
        None => Ok(reply::empty()),
    }
}

/// A file.
pub async fn download(mut call: Call) -> Outcome {
    let Some(request) = call.take_request() else { return Err(ParseError::unknown_route()) };
    if !names_application(&call)? {
        return Err(ParseError { sensitive: true, ..ParseError::http(403, "Invalid application ID.") });
    }
    let name = files::find(&call.cx, call.path("fileName")?).await?;
    let pairs: Vec<(String, String)> = query::pairs(&call.query).collect();
    let image = files::wanted(&call.cx, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let asked = DownloadRequest { headers: request.headers(), head: request.method() == Method::HEAD, image };
    for _ in 1..ATTEMPTS {
        match asked.answer(&call, &name).await? {
            Ok(response) => return Ok(response),
            Err(FileError::Replaced) => {}
            Err(error) => return Err(ParseError::internal(error)),
        }
    }
    asked.answer(&call, &name).await?.map_err(ParseError::internal)
}

/// What a client asks for.
struct DownloadRequest<'a> {
    headers: &'a HeaderMap,
    /// Without the bytes.
    head: bool,
    /// In this form.
    image: Option<Change>,
}

impl DownloadRequest<'_> {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    async fn answer(&self, call: &Call, name: &str) -> Result<FileResult<Response>> {
        // What is no range is ignored, as everywhere in HTTP: then the whole file is asked for.
        let whole = !self.header(header::RANGE).is_some_and(|range| range.starts_with("bytes="));
        let Some(found) = files::open(&call.cx, name, whole).await? else {
            return Ok(Ok(Response::builder()
                .status(StatusCode::NOT_FOUND)
                .content_type("text/plain")
                .body("File not found.")));
        };
        let Download { file, force, headers } = match self.image {
            Some(change) => files::changed(&call.cx, found, change).await?,
            None => found,
        };
        let answer = self.file(call, &file).await;
        Ok(answer.map(|mut response| {
            if force {
                set(&mut response, header::CONTENT_DISPOSITION, &delivery::download(&file.info().name));
            }
            if let Some(headers) = headers {
                response.headers_mut().remove(header::X_CONTENT_TYPE_OPTIONS);
                for (name, value) in &headers {
                    set_chosen(&mut response, name, value);
                }
            }
            response
        }))
    }

    async fn file(&self, call: &Call, file: &Arc<dyn StoredFile>) -> FileResult<Response> {
        let info = file.info();
        let etag = conditional::etag(&info.version);
        let conditions = Conditions {
            if_match: self.header(header::IF_MATCH),
            if_none_match: self.header(header::IF_NONE_MATCH),
            if_modified_since: self.header(header::IF_MODIFIED_SINCE),
            if_unmodified_since: self.header(header::IF_UNMODIFIED_SINCE),
            if_range: self.header(header::IF_RANGE),
        };
        let selection = match conditional::decide(conditions, &etag, info.modified) {
            Decision::NotModified => return Ok(plain(StatusCode::NOT_MODIFIED, info, &etag)),
            Decision::Failed => return Ok(plain(StatusCode::PRECONDITION_FAILED, info, &etag)),
            // RFC 9110, 14.2: ranges are defined for GET alone.
            Decision::Send if !self.head => range::select(self.header(header::RANGE), info.length),
            Decision::Send | Decision::SendWhole => Selection::Whole,
        };
        let mut response = match selection {
            Selection::Unsatisfiable => {
                let mut response = plain(StatusCode::RANGE_NOT_SATISFIABLE, info, &etag);
                set(&mut response, header::CONTENT_RANGE, &range::unsatisfied(info.length));
                return Ok(response);
            }
            Selection::Whole => self.whole(file).await?,
            Selection::Parts(parts) => match parts.as_slice() {
                [part] => one(file, part.clone()).await?,
                _ => several(file, parts, &call.cx.app.random.hex(16)).await?,
            },
        };
        validators(&mut response, info, &etag);
        Ok(response)
    }

    async fn whole(&self, file: &Arc<dyn StoredFile>) -> FileResult<Response> {
        let length = file.info().length;
        if self.head {
            let delivery = delivery(file).await?;
            return Ok(deliver(StatusCode::OK, &delivery, length, &delivery.content_type, Body::empty()));
        }
        let mut bytes = file.read(0..length).await?;
        let first = bytes.next().await.transpose()?.unwrap_or_default();
        let delivery = named(file.info()).checked(&file.info().name, &first);
        let body = body(stream::iter([Ok(first)]).chain(bytes).boxed());
        Ok(deliver(StatusCode::OK, &delivery, length, &delivery.content_type, body))
    }
}

/// One part of a file.
async fn one(file: &Arc<dyn StoredFile>, part: Range<u64>) -> FileResult<Response> {
    let delivery = delivery(file).await?;
    let (range, length) = (range::content_range(&part, file.info().length), part.end.saturating_sub(part.start));
    let body = body(file.read(part).await?);
    let mut response = deliver(StatusCode::PARTIAL_CONTENT, &delivery, length, &delivery.content_type, body);
    set(&mut response, header::CONTENT_RANGE, &range);
    Ok(response)
}

/// Several parts of a file, one after the other.
async fn several(file: &Arc<dyn StoredFile>, parts: Vec<Range<u64>>, boundary: &str) -> FileResult<Response> {
    let delivery = delivery(file).await?;
    let frame = Multipart::new(&parts, file.info().length, &delivery.content_type, boundary);
    let file = file.clone();
    let heads: Vec<_> = frame.heads.into_iter().zip(parts).collect();
    let framed = stream::iter(heads).then(move |(head, part)| {
        let file = file.clone();
        async move {
            let bytes = file.read(part).await?;
            FileResult::Ok(stream::iter([Ok(Bytes::from(head))]).chain(bytes))
        }
    });
    let tail = stream::iter([Ok(Bytes::from(frame.tail))]);
    let body = body(framed.try_flatten().chain(tail).boxed());
    Ok(deliver(StatusCode::PARTIAL_CONTENT, &delivery, frame.length, &frame.content_type, body))
}

fn named(info: &FileInfo) -> Delivery {
    Delivery::of(&info.name, info.content_type.as_deref(), false)
}

/// How a file is handed out, by its name and its beginning.
async fn delivery(file: &Arc<dyn StoredFile>) -> FileResult<Delivery> {
    let info = file.info();
    let mut beginning = file.read(0..info.length.min(BEGINNING)).await?;
    let first = beginning.next().await.transpose()?.unwrap_or_default();
    Ok(named(info).checked(&info.name, &first))
}

fn body(bytes: ByteStream) -> Body {
    Body::from_bytes_stream(bytes.map_err(|error| {
        tracing::warn!("a download broke off: {error}");
        std::io::Error::other(error)
    }))
}

fn deliver(status: StatusCode, delivery: &Delivery, length: u64, content_type: &str, body: Body) -> Response {
    let mut response = Response::builder().status(status).body(body);
    set(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    set(&mut response, header::CONTENT_SECURITY_POLICY, delivery.policy);
    if let Some(disposition) = &delivery.disposition {
        set(&mut response, header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// An answer without bytes.
fn plain(status: StatusCode, info: &FileInfo, etag: &str) -> Response {
    let mut response = Response::builder().status(status).finish();
    validators(&mut response, info, etag);
    response
}

fn validators(response: &mut Response, info: &FileInfo, etag: &str) {
    set(response, header::X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
    set(response, header::ACCEPT_RANGES, "bytes");
    set(response, header::ETAG, etag);
    set(response, header::LAST_MODIFIED, &conditional::http_date(info.modified));
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A header that a trigger chose: any but those of the connection.
fn set_chosen(response: &mut Response, name: &str, value: &str) {
    let Ok(name) = header::HeaderName::try_from(name) else { return };
    let frames =
        [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TRAILER];
    if !frames.contains(&name) {
        set(response, name, value);
    }
}
