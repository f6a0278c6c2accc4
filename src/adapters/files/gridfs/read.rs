//! Reading from GridFS.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bson::{Bson, Document, RawDocumentBuf, doc};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use mongodb::{Collection, Cursor};
use serde_json::{Map, Value as Json};

use super::{ByteStream, FileError, FileInfo, Result, StoredFile};
use crate::model::date::Date;

/// Readers that may hold more than one chunk each.
const FEW_READERS: usize = 8;
/// Chunks of a range that comes in one answer.
const SHORT: u64 = 5;

/// Chunks that a reader fetches at once, and holds in memory: all of a short range, two of a longer one; one if there are many readers.
fn fetched_at_once(chunks: u64, readers: usize) -> u32 {
    match chunks {
        _ if readers > FEW_READERS => 1,
        0..=SHORT => u32::try_from(chunks).unwrap_or(1).max(1),
        _ => 2,
    }
}

/// The collection of chunks, and how many files are being read from it.
#[derive(Clone)]
pub(super) struct Chunks {
    pub(super) rows: Collection<RawDocumentBuf>,
    readers: Arc<AtomicUsize>,
}

impl Chunks {
    pub(super) fn new(rows: Collection<RawDocumentBuf>) -> Self {
        Self { rows, readers: Arc::default() }
    }

    /// Counts a reader until it is dropped.
    fn count(&self) -> Counted {
        self.readers.fetch_add(1, Ordering::Relaxed);
        Counted(self.readers.clone())
    }
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// How many there are.
    fn readers(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A document of `fs.files` and the way to its bytes.
pub(super) struct Found {
    info: FileInfo,
    id: Bson,
    chunk: u64,
    chunks: Chunks,
}

/// The metadata of a document of `fs.files`.
pub(super) fn metadata(document: &Document) -> Map<String, Json> {
    document.get_document("metadata").map(to_map).unwrap_or_default()
}

fn to_map(document: &Document) -> Map<String, Json> {
    document.iter().map(|(key, value)| (key.clone(), to_json(value))).collect()
}

/// A value as `JSON.stringify` would write it in Node.
fn to_json(value: &Bson) -> Json {
    match value {
        Bson::Null | Bson::Undefined => Json::Null,
        Bson::Boolean(value) => Json::Bool(*value),
        Bson::Int32(number) => Json::from(*number),
        Bson::Int64(number) => Json::from(*number),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => Json::from(*number as i64),
        Bson::Double(number) => Json::from(*number),
        Bson::String(text) => Json::String(text.clone()),
        Bson::Array(values) => values.iter().map(to_json).collect(),
        Bson::Document(document) => Json::Object(to_map(document)),
        Bson::DateTime(date) => Json::String(Date::from_millis(date.timestamp_millis()).to_iso()),
        Bson::ObjectId(id) => Json::String(id.to_hex()),
        other => Json::String(other.to_string()),
    }
}

/// A number of any of BSON's kinds, if it can be a length.
fn length(document: &Document, key: &str) -> Result<u64> {
    let length = match document.get(key) {
        Some(Bson::Int32(number)) => u64::try_from(*number).ok(),
        Some(Bson::Int64(number)) => u64::try_from(*number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number in range"
        )]
        Some(Bson::Double(number)) if number.fract() == 0.0 && (0.0..9e15).contains(number) => Some(*number as u64),
        _ => None,
    };
    length.ok_or_else(|| FileError::Damaged(format!("{key} is no length")))
}

impl Found {
    pub(super) fn new(chunks: Chunks, document: &Document) -> Result<Self> {
        let id = document.get("_id").cloned().unwrap_or_default();
        let info = FileInfo {
            name: document.get_str("filename").unwrap_or_default().to_owned(),
            length: length(document, "length")?,
            modified: Date::from_millis(
                document.get_datetime("uploadDate").map(|date| date.timestamp_millis()).unwrap_or_default(),
            ),
            version: match &id {
                Bson::ObjectId(id) => id.to_hex(),
                other => other.to_string(),
            },
            content_type: document.get_str("contentType").ok().map(str::to_owned),
            metadata: metadata(document),
        };
        let chunk = length(document, "chunkSize")?;
        if chunk == 0 {
            return Err(FileError::Damaged("chunkSize is 0".to_owned()));
        }
        Ok(Self { info, id, chunk, chunks })
    }

    pub(super) fn into_info(self) -> FileInfo {
        self.info
    }
}

impl StoredFile for Found {
    fn info(&self) -> &FileInfo {
        &self.info
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        Box::pin(async move {
            let range = range.start..range.end.min(self.info.length);
            if range.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let (first, last) = (range.start / self.chunk, (range.end - 1) / self.chunk);
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let counted = self.chunks.count();
            let cursor = self
                .chunks
                .rows
                .find(doc! { "files_id": self.id.clone(), "n": { "$gte": number(first), "$lte": number(last) } })
                .sort(doc! { "n": 1 })
                .projection(doc! { "_id": 0, "n": 1, "data": 1 })
                .limit(number(last - first + 1))
                .batch_size(fetched_at_once(last - first + 1, counted.readers()))
                .await
                .map_err(FileError::store)?;
            let length = self.info.length;
            let reader = Reader { cursor, next: first, chunk: self.chunk, range, length, _counted: counted };
            Ok(stream::try_unfold(reader, Reader::step).boxed())
        })
    }
}

struct Reader {
    cursor: Cursor<RawDocumentBuf>,
    /// Number of the chunk that must come next.
    next: u64,
    chunk: u64,
    /// What is still to be read.
    range: Range<u64>,
    length: u64,
    _counted: Counted,
}

impl Reader {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let damaged = |number: u64| FileError::Damaged(format!("chunk {number} is missing or has a wrong length"));
        if !self.cursor.advance().await.map_err(FileError::store)? {
            return Err(damaged(self.next));
        }
        let document = self.cursor.current();
        let number = document.get("n").map_err(FileError::store)?;
        let number = number.and_then(|number| number.as_i64().or_else(|| number.as_i32().map(i64::from)));
        let data = document.get_binary("data").map_err(FileError::store)?.bytes;
        let start = self.next * self.chunk;
        let expected = self.chunk.min(self.length - start);
        if number.and_then(|number| u64::try_from(number).ok()) != Some(self.next) || data.len() as u64 != expected {
            return Err(damaged(self.next));
        }
        let within = |position: u64| usize::try_from(position - start).unwrap_or(usize::MAX);
        let end = self.range.end.min(start + expected);
        let piece = data.get(within(self.range.start)..within(end)).ok_or_else(|| damaged(self.next))?;
        let piece = Bytes::copy_from_slice(piece);
        self.range.start = end;
        self.next += 1;
        Ok(Some((piece, self)))
    }
}
