//! Writing to GridFS: chunks first, and then the document that makes the file visible.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Bson, Document, RawBinaryRef, RawDocumentBuf, cstr, doc};
use bytes::Bytes;
use futures_util::StreamExt as _;
use mongodb::Collection;
use serde_json::{Map, Value as Json};
use tokio::task::JoinHandle;

use super::super::blocks::blocks;
use super::super::encryption;
use super::super::{METADATA_NAME, METADATA_SIZE};
use super::{ByteStream, CHUNK, FileError, GridFs, Result};
use crate::model::date::Date;

/// Chunks that go to the database at once. While they do, the next ones are read.
const AT_ONCE: usize = 4;
/// Bytes of metadata: a document of the database may have 16 MiB, with the rest of what it says.
const MOST_METADATA: usize = 15 << 20;

impl GridFs {
    /// Stores plain bytes; returns the length as stored.
    pub(super) async fn write(&self, name: &str, date: Date, metadata: Document, bytes: ByteStream) -> Result<u64> {
        let bytes = match &self.key {
            Some(key) => {
                let mut iv = [0; 16];
                self.random.fill(&mut iv);
                encryption::encrypt(bytes, key, iv)
            }
            None => bytes,
        };
        let id = self.id(date);
        let (files, chunks) = (self.files.clone(), self.chunks.rows.clone());
        let mut upload = Upload { id, files, chunks, in_flight: None, written: false, kept: false };
        let mut pieces = blocks(bytes, CHUNK);
        let (mut waiting, mut number, mut length) = (Vec::with_capacity(AT_ONCE), 0_i32, 0_u64);
        while let Some(piece) = pieces.next().await.transpose()? {
            length += piece.len() as u64;
            waiting.push(chunk(self.id(date), id, number, &piece)?);
            number = number.checked_add(1).ok_or_else(|| FileError::Name("the file is too long".to_owned()))?;
            if waiting.len() == AT_ONCE {
                upload.insert(std::mem::replace(&mut waiting, Vec::with_capacity(AT_ONCE))).await?;
            }
        }
        if !waiting.is_empty() {
            upload.insert(waiting).await?;
        }
        let stored = i32::try_from(length)
            .map_or_else(|_| i64::try_from(length).map(Bson::Int64).unwrap_or_default(), Bson::Int32);
        let chunk = i32::try_from(CHUNK).unwrap_or_default();
        let document = doc! {
            "_id": id,
            "length": stored,
            "chunkSize": chunk,
            "uploadDate": bson::DateTime::from_millis(date.millis()),
            "filename": name,
            "metadata": metadata,
        };
        upload.landed().await?;
        upload.publish(document).await?;
        Ok(length)
    }
}

/// The metadata of a file as it is stored.
///
/// # Errors
/// [`FileError::Unsupported`] for names that no document can have, and for more than fits into one.
pub(super) fn metadata(map: &Map<String, Json>) -> Result<Document> {
    let document = to_document(map);
    match RawDocumentBuf::try_from(&document) {
        Ok(raw) if raw.as_bytes().len() <= MOST_METADATA => Ok(document),
        Ok(_) => Err(FileError::Unsupported(METADATA_SIZE)),
        Err(_) => Err(FileError::Unsupported(METADATA_NAME)),
    }
}

/// JSON as Node's driver stores it: whole numbers of 32 bits as such, all others as doubles.
pub(super) fn to_bson(json: &Json) -> Bson {
    match json {
        Json::Null => Bson::Null,
        Json::Bool(value) => Bson::Boolean(*value),
        Json::Number(number) => match number.as_i64().and_then(|number| i32::try_from(number).ok()) {
            Some(number) => Bson::Int32(number),
            None => Bson::Double(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Bson::String(text.clone()),
        Json::Array(values) => Bson::Array(values.iter().map(to_bson).collect()),
        Json::Object(map) => Bson::Document(to_document(map)),
    }
}

/// [`to_bson`] for an object.
pub(super) fn to_document(map: &Map<String, Json>) -> Document {
    map.iter().map(|(key, value)| (key.clone(), to_bson(value))).collect()
}

/// A document of `fs.chunks`.
fn chunk(id: ObjectId, file: ObjectId, number: i32, bytes: &Bytes) -> Result<RawDocumentBuf> {
    if bytes.len() > CHUNK {
        return Err(FileError::Damaged("a chunk is too long".to_owned()));
    }
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), id);
    document.append(cstr!("files_id"), file);
    document.append(cstr!("n"), number);
    document.append(cstr!("data"), RawBinaryRef { subtype: BinarySubtype::Generic, bytes });
    Ok(document)
}

/// What an upload has written; removed again unless it comes to its end.
struct Upload {
    id: ObjectId,
    files: Collection<Document>,
    chunks: Collection<RawDocumentBuf>,
    /// Runs on its own, so that a dropped upload knows when its last write has landed.
    in_flight: Option<JoinHandle<mongodb::error::Result<()>>>,
    written: bool,
    kept: bool,
}

impl Upload {
    /// Waits for the chunks before and sends these.
    async fn insert(&mut self, documents: Vec<RawDocumentBuf>) -> Result<()> {
        self.landed().await?;
        let chunks = self.chunks.clone();
        self.written = true;
        self.in_flight = Some(tokio::spawn(async move { chunks.insert_many(documents).await.map(|_| ()) }));
        Ok(())
    }

    /// Makes the file visible.
    async fn publish(mut self, document: Document) -> Result<()> {
        let files = self.files.clone();
        self.written = true;
        self.in_flight = Some(tokio::spawn(async move { files.insert_one(document).await.map(|_| ()) }));
        self.landed().await?;
        self.kept = true;
        Ok(())
    }

    async fn landed(&mut self) -> Result<()> {
        // Taken only once it is done: whoever drops this future must still find it.
        if let Some(in_flight) = &mut self.in_flight {
            let outcome = in_flight.await;
            self.in_flight = None;
            outcome.map_err(FileError::store)?.map_err(FileError::store)?;
        }
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.kept || !self.written {
            return;
        }
        let (id, in_flight) = (self.id, self.in_flight.take());
        let (files, chunks) = (self.files.clone(), self.chunks.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Some(in_flight) = in_flight {
                let _ = in_flight.await;
            }
            // The document may be there although its insertion failed for us.
            let hidden = files.delete_one(doc! { "_id": id }).await.map(|_| ());
            let removed = match hidden {
                Ok(()) => chunks.delete_many(doc! { "files_id": id }).await.map(|_| ()),
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!(%id, %error, "chunks of an unfinished upload stay in fs.chunks");
            }
        });
    }
}
