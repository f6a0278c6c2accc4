//! A file whose bytes are in memory.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use ring::digest::{SHA256, digest};

use super::blocks::once;
use super::{ByteStream, FileInfo, Result, StoredFile};
use crate::model::date::Date;

/// A file in memory.
pub struct InMemory {
    info: FileInfo,
    bytes: Bytes,
}

impl InMemory {
    /// A file that is in no store. Its version is made of its bytes.
    #[must_use]
    pub fn new(name: String, content_type: Option<String>, bytes: Bytes, modified: Date) -> Self {
        let hash = digest(&SHA256, &bytes);
        let version = URL_SAFE_NO_PAD.encode(hash);
        let length = bytes.len() as u64;
        Self {
            info: FileInfo { name, length, modified, version, content_type, metadata: serde_json::Map::new() },
            bytes,
        }
    }

    /// The bytes of a stored file, which is described by `info`.
    #[must_use]
    pub fn of(info: FileInfo, bytes: Bytes) -> Self {
        Self { info, bytes }
    }
}

impl StoredFile for InMemory {
    fn info(&self) -> &FileInfo {
        &self.info
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        Box::pin(async move {
            let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(self.bytes.len());
            Ok(once(self.bytes.slice(at(range.start)..at(range.end).max(at(range.start)))))
        })
    }
}
