//! Object stores of the large clouds, by the crate `object_store`. A file is one object; its name is the option
//! `bucketPrefix` and the file's name. The bucket must exist.

pub mod azure;
pub mod gcs;
mod metadata;
pub mod s3;
mod web;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, TagSet,
};
use serde_json::{Map, Value as Json};

use super::blocks::blocks;
use super::{ByteStream, FileError, FileInfo, FileStore, NewFile, Result, StoredFile};
use crate::model::date::Date;
use metadata::Bounds;

/// Bytes that are sent at once; S3 takes no smaller part of a file but the last. Two of them are in memory at a time.
const PART: usize = 5 * 1024 * 1024;

/// Most bytes of an object's key, in each of the clouds.
const MOST_KEY: usize = 1024;

/// Gives the address clients read a file at.
type Locate = Box<dyn Fn(String, Path) -> BoxFuture<'static, Result<String>> + Send + Sync>;

/// What the three clouds differ in.
struct Traits {
    /// What object keys begin with.
    prefix: String,
    /// `Cache-Control` of new objects.
    cache_control: Option<String>,
    /// Which metadata and tags an object may have.
    bounds: Bounds,
    /// Clients read from the cloud, not from this server.
    locate: Option<Locate>,
}

/// A bucket.
pub struct Cloud {
    objects: Arc<dyn ObjectStore>,
    traits: Traits,
}

impl fmt::Debug for Cloud {
    /// Without the settings, which hold keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cloud({})", self.objects)
    }
}

fn failed(error: Error) -> FileError {
    match error {
        Error::NotFound { .. } => FileError::NotFound,
        Error::Precondition { .. } => FileError::Replaced,
        other => FileError::store(other),
    }
}

impl Cloud {
    fn path(&self, name: &str) -> Result<Path> {
        let key = format!("{}{name}", self.traits.prefix);
        if key.len() > MOST_KEY {
            return Err(FileError::Name(format!("its key is longer than {MOST_KEY} bytes")));
        }
        let path = Path::parse(&key).map_err(|error| FileError::Name(error.to_string()))?;
        if path.as_ref() == key { Ok(path) } else { Err(FileError::Name("it begins or ends with a slash".to_owned())) }
    }

    fn attributes(&self, file: &NewFile) -> Result<(Attributes, TagSet)> {
        let (mut attributes, tags) = self.traits.bounds.attributes(file)?;
        if let Some(value) = &self.traits.cache_control {
            attributes.insert(Attribute::CacheControl, value.clone().into());
        }
        Ok((attributes, tags))
    }

    async fn head(&self, path: &Path) -> Result<(ObjectMeta, Attributes)> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = self.objects.get_opts(path, options).await.map_err(failed)?;
        Ok((found.meta, found.attributes))
    }
}

/// What a cloud knows of an object.
fn info(name: String, meta: &ObjectMeta, attributes: &Attributes) -> FileInfo {
    let mut content_type = None;
    let mut metadata = Map::new();
    for (attribute, value) in attributes {
        match attribute {
            Attribute::ContentType => content_type = Some(value.to_string()),
            Attribute::Metadata(key) => {
                metadata.insert(key.to_string(), Json::String(value.to_string()));
            }
            _ => {}
        }
    }
    let tag = meta.e_tag.as_deref().unwrap_or_default();
    FileInfo {
        name,
        length: meta.size,
        modified: Date::from_millis(meta.last_modified.timestamp_millis()),
        version: tag.trim_start_matches("W/").trim_matches('"').to_owned(),
        content_type,
        metadata,
    }
}

impl FileStore for Cloud {
    fn create(&self, file: NewFile, bytes: ByteStream) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let path = self.path(&file.name)?;
            let (attributes, tags) = self.attributes(&file)?;
            let mut parts = blocks(bytes, PART);
            let first = parts.next().await.transpose()?.unwrap_or_default();
            let second = if first.len() < PART { None } else { parts.next().await.transpose()? };
            let Some(second) = second else {
                let length = first.len() as u64;
                let options = PutOptions { attributes, tags, ..PutOptions::default() };
                self.objects.put_opts(&path, first.into(), options).await.map_err(failed)?;
                return Ok(length);
            };
            let options = PutMultipartOptions { attributes, tags, ..PutMultipartOptions::default() };
            let upload = self.objects.put_multipart_opts(&path, options).await.map_err(failed)?;
            Parts { upload: Some(upload) }.send([first, second], parts).await
        })
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn StoredFile>>> {
        Box::pin(async move {
            let Ok(path) = self.path(name) else { return Err(FileError::NotFound) };
            let (meta, attributes) = self.head(&path).await?;
            let info = info(name.to_owned(), &meta, &attributes);
            Ok(Box::new(Object { objects: Arc::clone(&self.objects), path, tag: meta.e_tag, info })
                as Box<dyn StoredFile>)
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Ok(path) = self.path(name) else { return Err(FileError::NotFound) };
            // To S3 it is no error to delete what is not there.
            self.head(&path).await?;
            let gone = self.objects.delete_stream(Box::pin(stream::once(async { Ok(path) }))).next().await;
            gone.transpose().map(|_| ()).map_err(failed)
        })
    }

    fn metadata<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            match self.open(name).await {
                Ok(file) => Ok(Some(file.info().metadata.clone())),
                Err(FileError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn location(&self, name: &str) -> Option<String> {
        let (locate, path) = (self.traits.locate.as_ref()?, self.path(name).ok()?);
        match locate(name.to_owned(), path.clone()).now_or_never() {
            Some(Ok(address)) => Some(address),
            Some(Err(error)) => {
                tracing::warn!("an address of a file cannot be signed: {error}");
                None
            }
            // The keys have expired and are fetched again, for the next one who asks.
            None => {
                tokio::runtime::Handle::try_current().ok()?.spawn(locate(name.to_owned(), path));
                None
            }
        }
    }

    fn has_locations(&self) -> bool {
        self.traits.locate.is_some()
    }

    fn list(&self) -> BoxFuture<'_, Result<BoxStream<'static, Result<FileInfo>>>> {
        Box::pin(async move {
            let prefix = self.traits.prefix.clone();
            // Objects are listed by folder; what the prefix has beyond its last slash is compared here.
            let folder = prefix.rsplit_once('/').map(|(folder, _)| Path::parse(folder)).transpose();
            let folder = folder.map_err(|error| FileError::Name(error.to_string()))?;
            let objects = self.objects.list(folder.as_ref());
            Ok(objects
                .filter_map(move |meta| {
                    let found = match meta {
                        Ok(meta) => {
                            let name = meta.location.as_ref().strip_prefix(prefix.as_str()).map(str::to_owned);
                            name.map(|name| Ok(info(name, &meta, &Attributes::new())))
                        }
                        Err(error) => Some(Err(failed(error))),
                    };
                    async move { found }
                })
                .boxed())
        })
    }
}

/// An upload in several parts. What was sent is thrown away unless it comes to its end.
struct Parts {
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Parts {
    async fn send(mut self, first: [Bytes; 2], rest: ByteStream) -> Result<u64> {
        let mut parts = stream::iter(first.map(Ok)).chain(rest);
        let (mut length, mut in_flight) = (0, None);
        while let Some(part) = parts.next().await.transpose()? {
            length += part.len() as u64;
            // One part travels while the next one arrives.
            if let Some(sent) = in_flight.take() {
                Self::landed(sent).await?;
            }
            let upload = self.upload.as_mut().ok_or(FileError::Unsupported("the upload has ended"))?;
            in_flight = Some(tokio::spawn(upload.put_part(part.into())));
        }
        if let Some(sent) = in_flight {
            Self::landed(sent).await?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await.map_err(failed)?;
        }
        self.upload = None;
        Ok(length)
    }

    async fn landed(sent: tokio::task::JoinHandle<object_store::Result<()>>) -> Result<()> {
        sent.await.map_err(FileError::store)?.map_err(failed)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "parts of an unfinished upload stay in the object store");
            }
        });
    }
}

/// An object that was found.
struct Object {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    tag: Option<String>,
    info: FileInfo,
}

impl StoredFile for Object {
    fn info(&self) -> &FileInfo {
        &self.info
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        Box::pin(async move {
            if range.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let whole = range == (0..self.info.length);
            let range = (!whole).then_some(GetRange::Bounded(range));
            let options = GetOptions { range, if_match: self.tag.clone(), ..GetOptions::default() };
            let found = self.objects.get_opts(&self.path, options).await.map_err(failed)?;
            Ok(found.into_stream().map(|piece| piece.map_err(failed)).boxed())
        })
    }
}
