//! A folder of files as npm `@parse/fs-files-adapter` (3.0) lays it out: `files/SUBFOLDER/NAME`, the name as
//! `encodeURIComponent` writes it, nothing beside it. So there is no metadata. Encrypted by its option `encryptionKey` as
//! [`super::encryption`] says.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use super::disk::{self, LocalFile, blocking};
use super::encryption::{self, FileKey, OVERHEAD, decrypt};
use super::{ByteStream, FileError, FileInfo, FileStore, Leftover, NewFile, Rekeyed, Result, StoredFile};
use crate::model::url_component;
use crate::random::Random;

/// Start of the names of unfinished uploads. The npm adapter passes over names with a dot in front.
const UNFINISHED: &str = ".reparse-";

/// The folder.
#[derive(Debug)]
pub struct FileSystem {
    folder: PathBuf,
    key: Option<FileKey>,
    random: Arc<dyn Random>,
}

impl FileSystem {
    /// The files in `folder`, which is made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: PathBuf, key: Option<FileKey>, random: Arc<dyn Random>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, key, random })
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        let encoded = url_component::encode(name);
        if encoded.is_empty() || encoded == "." || encoded == ".." || encoded.starts_with(UNFINISHED) {
            return Err(FileError::Name("it is reserved".to_owned()));
        }
        if encoded.len() > 255 {
            return Err(FileError::Name("it is longer than 255 bytes".to_owned()));
        }
        Ok(self.folder.join(encoded))
    }

    async fn write(&self, path: PathBuf, bytes: ByteStream) -> Result<u64> {
        let temporary = self.folder.join(format!("{UNFINISHED}{}", self.random.hex(8)));
        let bytes = match &self.key {
            Some(key) => {
                let mut iv = [0; 16];
                self.random.fill(&mut iv);
                encryption::encrypt(bytes, key, iv)
            }
            None => bytes,
        };
        let (temporary, length) = disk::write(temporary, bytes).await?;
        blocking(move || temporary.publish(&path)).await?;
        Ok(length - if self.key.is_some() { OVERHEAD } else { 0 })
    }

    async fn raw(&self, name: &str) -> Result<Box<dyn StoredFile>> {
        let Ok(path) = self.path(name) else { return Err(FileError::NotFound) };
        let name = name.to_owned();
        let (file, info) = blocking(move || {
            let file = File::open(&path)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok((file, info(name, &metadata)))
        })
        .await?;
        Ok(Box::new(LocalFile { info, file: Arc::new(file) }))
    }
}

/// What the disk knows of a file; the length is that of the stored bytes.
fn info(name: String, metadata: &fs::Metadata) -> FileInfo {
    let modified = disk::modified(metadata);
    let version = format!("{:x}-{:x}", modified.millis(), metadata.len());
    FileInfo { name, length: metadata.len(), modified, version, content_type: None, metadata: Map::new() }
}

impl FileStore for FileSystem {
    fn create(&self, file: NewFile, bytes: ByteStream) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { self.write(self.path(&file.name)?, bytes).await })
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn StoredFile>>> {
        Box::pin(async move {
            let raw = self.raw(name).await?;
            match &self.key {
                Some(key) => decrypt(raw, key).await,
                None => Ok(raw),
            }
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Ok(path) = self.path(name) else { return Err(FileError::NotFound) };
            blocking(move || fs::remove_file(path)).await
        })
    }

    fn metadata<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            match self.raw(name).await {
                Ok(file) => Ok(Some(file.info().metadata.clone())),
                Err(FileError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<BoxStream<'static, Result<FileInfo>>>> {
        Box::pin(async move {
            let folder = self.folder.clone();
            let overhead = if self.key.is_some() { OVERHEAD } else { 0 };
            let entries = blocking(move || fs::read_dir(folder)).await?;
            Ok(stream::try_unfold(entries, move |mut entries| async move {
                let next = blocking(move || {
                    let found = entries.by_ref().find_map(|entry| file(entry).transpose()).transpose()?;
                    Ok(found.map(|info| (info, entries)))
                })
                .await?;
                Ok(next.map(|(info, entries)| {
                    (FileInfo { length: info.length.saturating_sub(overhead), ..info }, entries)
                }))
            })
            .boxed())
        })
    }

    fn rekey<'a>(&'a self, name: &'a str, old: Option<&'a FileKey>) -> BoxFuture<'a, Result<Rekeyed>> {
        Box::pin(async move {
            let Some(key) = &self.key else {
                return Err(FileError::Unsupported("there is no key to encrypt files by"));
            };
            match decrypt(self.raw(name).await?, key).await {
                Ok(_) => return Ok(Rekeyed::Already),
                Err(FileError::Undecipherable(_)) => {}
                Err(error) => return Err(error),
            }
            let raw = self.raw(name).await?;
            let plain = match old {
                Some(old) => decrypt(raw, old).await?,
                None => raw,
            };
            self.write(self.path(name)?, plain.read(0..plain.info().length).await?).await?;
            Ok(Rekeyed::Done)
        })
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>>> {
        Box::pin(async move {
            let folder = self.folder.clone();
            blocking(move || unfinished(&folder)).await
        })
    }

    fn remove_leftover<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = PathBuf::from(&leftover.place);
            blocking(move || fs::remove_file(path)).await
        })
    }
}

/// A directory entry as a file; `None` if it is none of ours.
fn file(entry: io::Result<fs::DirEntry>) -> io::Result<Option<FileInfo>> {
    let entry = entry?;
    let Ok(encoded) = entry.file_name().into_string() else { return Ok(None) };
    let Ok(name) = percent_decode_str(&encoded).decode_utf8() else { return Ok(None) };
    let metadata = match entry.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let ours = metadata.is_file() && !encoded.starts_with('.') && url_component::encode(&name) == encoded;
    Ok(ours.then(|| info(name.into_owned(), &metadata)))
}

fn unfinished(folder: &Path) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let written = disk::modified(&entry.metadata()?);
            found.push(Leftover { place: entry.path().display().to_string(), written });
        }
    }
    Ok(found)
}
