//! Where the bytes of files are kept: one trait, and a store for each place.
//!
//! | module | place | read and written alike by |
//! |---|---|---|
//! | [`gridfs`] | the MongoDB database | parse-server's own GridFS adapter |
//! | [`directory`] | the data directory of the embedded store | nobody else |
//! | [`file_system`] | a folder | npm `@parse/fs-files-adapter` |
//! | [`javascript`] | wherever an adapter of the app keeps them | the adapter |
//! | [`cloud`] | S3, Google Cloud Storage, Azure | npm `@parse/s3-files-adapter`, `@parse/gcs-files-adapter`, `parse-server-azure-storage` |
//!
//! Bytes flow as streams in both directions, and a store holds at most a few MiB of one file in memory. A file is
//! there as a whole or not at all: an upload that breaks off, by its stream's error or because the future is dropped,
//! leaves nothing that can be read.

pub mod blocks;
pub mod cloud;
pub mod directory;
mod disk;
pub mod encryption;
pub mod file_system;
pub mod gridfs;
pub mod in_memory;
pub mod javascript;
pub mod open;
pub mod settings;
pub mod upkeep;

use std::error::Error;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value as Json};

use crate::model::date::Date;
use encryption::FileKey;

/// A cause from another crate.
pub type Cause = Box<dyn Error + Send + Sync>;
/// Result of everything a store does.
pub type Result<T, E = FileError> = std::result::Result<T, E>;
/// The bytes of a file, piece by piece. After an error nothing follows.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// Said of metadata that a store cannot keep.
pub(crate) const METADATA_NAME: &str = "A name in metadata is none that the file store takes.";
/// Said of more metadata than a store can keep.
pub(crate) const METADATA_SIZE: &str = "The file store does not take so much metadata.";

/// Why a store did not do as asked. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No file has this name.
    #[error("no file has this name")]
    NotFound,
    /// The place cannot hold a file of this name.
    #[error("a file cannot have this name here: {0}")]
    Name(String),
    /// Wrong key, or bytes that were changed or never encrypted. Towards clients the file does not exist.
    #[error("the file cannot be decrypted: {0}")]
    Undecipherable(&'static str),
    /// Parts of the stored file are missing.
    #[error("the stored file is damaged: {0}")]
    Damaged(String),
    /// Another file took the name between [`FileStore::open`] and [`StoredFile::read`]: opening it again helps.
    #[error("the file was replaced while it was read")]
    Replaced,
    /// The stream of an upload failed; the cause is what the sender put in.
    #[error("the upload broke off: {0}")]
    Upload(#[source] Cause),
    /// This kind of store cannot do this.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The place failed or cannot be reached.
    #[error("the file store failed: {0}")]
    Store(#[source] Cause),
}

impl FileError {
    /// A failure of the place.
    pub fn store(cause: impl Into<Cause>) -> Self {
        Self::Store(cause.into())
    }
}

/// What comes with the bytes of a new file.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Its name, as clients will ask for it; may hold folders (`a/b.txt`).
    pub name: String,
    /// Its type, where the store keeps one.
    pub content_type: Option<String>,
    /// The client's metadata.
    pub metadata: Map<String, Json>,
    /// The client's tags, where the store keeps them.
    pub tags: Map<String, Json>,
    /// The moment of the upload.
    pub created: Date,
}

impl NewFile {
    /// A file without type, metadata and tags.
    #[must_use]
    pub fn named(name: impl Into<String>, created: Date) -> Self {
        Self { name: name.into(), content_type: None, metadata: Map::new(), tags: Map::new(), created }
    }
}

/// What is known of a stored file.
#[derive(Debug, Clone)]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// Bytes a reader gets (after decryption).
    pub length: u64,
    /// When it was written.
    pub modified: Date,
    /// A text that changes whenever the bytes do; fit for an `ETag`, without quotes.
    pub version: String,
    /// The type, where the store keeps one.
    pub content_type: Option<String>,
    /// The client's metadata.
    pub metadata: Map<String, Json>,
}

/// A file that was found and can be read, as often and as partly as needed.
pub trait StoredFile: Send + Sync {
    /// What is known of it.
    fn info(&self) -> &FileInfo;

    /// The bytes of `range`, which must lie within the length.
    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>>;
}

/// What became of a file whose key was to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rekeyed {
    /// It is now encrypted by the store's key.
    Done,
    /// It was already.
    Already,
}

/// Something in the store that belongs to no file: what an upload left when its server was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Where it is, in the words of the store.
    pub place: String,
    /// When it was written, as far as the store knows.
    pub written: Date,
}

/// A place for files.
pub trait FileStore: Send + Sync + fmt::Debug {
    /// Stores a file: all of it, or nothing. Returns the number of bytes. An older file of the same name is no longer
    /// served.
    ///
    /// # Cancel safety
    /// Dropping the future is like an error of the stream: nothing of the file stays.
    ///
    /// # Errors
    /// `Upload` with the stream's own cause; `Name`; `Store`.
    fn create(&self, file: NewFile, bytes: ByteStream) -> BoxFuture<'_, Result<u64>>;

    /// Finds a file: the newest, if several have the name.
    ///
    /// # Errors
    /// `NotFound`, `Undecipherable`, `Store`.
    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn StoredFile>>>;

    /// Removes every file of this name.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// The metadata of a file; needs no key. `None` if there is no such file.
    ///
    /// # Errors
    /// `Store`.
    fn metadata<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Map<String, Json>>>>;

    /// The address clients read the file at, for stores that have one of their own; `None` where this server serves it, and as
    /// long as the keys to sign an address have to be fetched.
    fn location(&self, _name: &str) -> Option<String> {
        None
    }

    /// Whether [`FileStore::location`] gives addresses: where it does not, nobody has to ask.
    fn has_locations(&self) -> bool {
        false
    }

    /// All files, each name once.
    ///
    /// # Errors
    /// `Store`.
    fn list(&self) -> BoxFuture<'_, Result<BoxStream<'static, Result<FileInfo>>>>;

    /// Encrypts the file again by the store's key. `old` is the key it has so far; `None`: it is plain.
    ///
    /// # Errors
    /// `Undecipherable` when `old` is not its key; `Unsupported` when the store has no key of its own.
    fn rekey<'a>(&'a self, _name: &'a str, _old: Option<&'a FileKey>) -> BoxFuture<'a, Result<Rekeyed>> {
        Box::pin(async move {
            Err(FileError::Unsupported("this file store does not encrypt files by a key of this server"))
        })
    }

    /// What is in the store and belongs to no file. An upload in progress looks the same: see [`Leftover::written`].
    ///
    /// # Errors
    /// `Store`.
    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>>> {
        Box::pin(async move { Ok(Vec::new()) })
    }

    /// Removes a leftover.
    ///
    /// # Errors
    /// `Store`.
    fn remove_leftover<'a>(&'a self, _leftover: &'a Leftover) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { Ok(()) })
    }
}
