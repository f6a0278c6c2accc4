//! Files in the data directory of the embedded store.
//!
//! ```text
//! files/
//! ├── unfinished/RANDOM         what is being written
//! └── 3f/                       the first two digits of the SHA-256 of the name
//!     ├── 3f…e1.json            the file: its name, metadata, length, and which bytes are its own
//!     └── 3f…e1.5d0c…           these bytes
//! ```
//!
//! Names are hashed, so that any name fits any disk. The `.json` is what makes a file exist: bytes are on disk before it
//! is renamed to its place, and are removed after it is gone. So a crash leaves a file as it was or as it should be, and
//! at most bytes without a `.json`, which [`FileStore::leftovers`] finds.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::disk::{self, LocalFile, Temporary, blocking};
use super::encryption::{self, FileKey, OVERHEAD, decrypt};
use super::{ByteStream, FileError, FileInfo, FileStore, Leftover, NewFile, Rekeyed, Result, StoredFile};
use crate::model::date::Date;
use crate::random::{Random, hex};
use crate::system::folders;

/// Folder of what is being written.
const UNFINISHED: &str = "unfinished";

/// The content of a `.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    /// Bytes on disk, encrypted or not.
    length: u64,
    /// Milliseconds since 1970.
    created: i64,
    /// Ending of the file with the bytes.
    bytes: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Json>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    tags: Map<String, Json>,
}

impl Entry {
    fn info(self) -> FileInfo {
        FileInfo {
            name: self.name,
            length: self.length,
            modified: Date::from_millis(self.created),
            version: self.bytes,
            content_type: self.content_type,
            metadata: self.metadata,
        }
    }
}

/// The folder `files` of a data directory. Only the process that holds the embedded store writes to it.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    key: Option<FileKey>,
    random: Arc<dyn Random>,
}

impl Directory {
    /// The files in the data directory `data`; the folder is made with the first file.
    #[must_use]
    pub fn new(data: &Path, key: Option<FileKey>, random: Arc<dyn Random>) -> Self {
        Self { root: data.join("files"), key, random }
    }

    /// Where a file of this name is, without ending.
    fn stem(&self, name: &str) -> PathBuf {
        let digest = hex(ring::digest::digest(&ring::digest::SHA256, name.as_bytes()).as_ref());
        self.root.join(digest.get(..2).unwrap_or_default()).join(digest)
    }

    fn unfinished(&self) -> PathBuf {
        self.root.join(UNFINISHED).join(self.random.hex(8))
    }

    /// Stores plain bytes under what `entry` says, in place of any file of the name.
    async fn write(&self, entry: Entry, bytes: ByteStream) -> Result<u64> {
        let bytes = match &self.key {
            Some(key) => {
                let mut iv = [0; 16];
                self.random.fill(&mut iv);
                encryption::encrypt(bytes, key, iv)
            }
            None => bytes,
        };
        let (temporary, length) = disk::write(self.unfinished(), bytes).await?;
        let entry = Entry { length, bytes: self.random.hex(8), ..entry };
        let (stem, beside) = (self.stem(&entry.name), self.unfinished());
        blocking(move || commit(&stem, temporary, beside, &entry)).await?;
        Ok(length - if self.key.is_some() { OVERHEAD } else { 0 })
    }

    async fn raw(&self, name: &str) -> Result<(Entry, Box<dyn StoredFile>)> {
        let (stem, name) = (self.stem(name), name.to_owned());
        let (entry, file) = blocking(move || find(&stem, &name)).await?;
        let file = LocalFile { info: entry.clone().info(), file: Arc::new(file) };
        Ok((entry, Box::new(file)))
    }
}

/// `3f…e1` with an ending.
fn with(stem: &Path, ending: &str) -> PathBuf {
    stem.with_extension(ending)
}

fn read_entry(path: &Path) -> io::Result<Entry> {
    parse_entry(path, &fs::read(path)?)
}

fn parse_entry(path: &Path, text: &[u8]) -> io::Result<Entry> {
    serde_json::from_slice(text)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, format!("{}: {error}", path.display())))
}

/// The entry of a name and its bytes.
fn find(stem: &Path, name: &str) -> io::Result<(Entry, File)> {
    // The bytes of an entry that was just replaced may be gone; the entry that replaced it is there then.
    for _ in 0..8 {
        let entry = read_entry(&with(stem, "json"))?;
        if entry.name != name {
            return Err(ErrorKind::NotFound.into());
        }
        match File::open(with(stem, &entry.bytes)) {
            Ok(file) => return Ok((entry, file)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{}: its bytes are missing", with(stem, "json").display())))
}

fn commit(stem: &Path, bytes: Temporary, beside: PathBuf, entry: &Entry) -> io::Result<()> {
    let before = match read_entry(&with(stem, "json")) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let place = with(stem, &entry.bytes);
    bytes.publish(&place)?;
    let text = serde_json::to_vec(entry).map_err(io::Error::other)?;
    let written = Temporary::of(beside, &text).and_then(|json| json.publish(&with(stem, "json")));
    if let Err(error) = written {
        remove(&place);
        return Err(error);
    }
    if let Some(before) = before {
        remove(&with(stem, &before.bytes));
    }
    Ok(())
}

/// Removes bytes no entry names. If that fails they stay as a leftover.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "bytes of a removed file stay on disk");
    }
}

impl FileStore for Directory {
    fn create(&self, file: NewFile, bytes: ByteStream) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let entry = Entry {
                name: file.name,
                length: 0,
                created: file.created.millis(),
                bytes: String::new(),
                content_type: file.content_type,
                metadata: file.metadata,
                tags: file.tags,
            };
            self.write(entry, bytes).await
        })
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn StoredFile>>> {
        Box::pin(async move {
            let (_, raw) = self.raw(name).await?;
            match &self.key {
                Some(key) => decrypt(raw, key).await,
                None => Ok(raw),
            }
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (stem, name) = (self.stem(name), name.to_owned());
            blocking(move || {
                let json = with(&stem, "json");
                let entry = read_entry(&json)?;
                if entry.name != name {
                    return Err(ErrorKind::NotFound.into());
                }
                fs::remove_file(&json)?;
                stem.parent().map_or(Ok(()), folders::sync)?;
                remove(&with(&stem, &entry.bytes));
                Ok(())
            })
            .await
        })
    }

    fn metadata<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            let path = with(&self.stem(name), "json");
            match blocking(move || read_entry(&path)).await {
                Ok(entry) => Ok(Some(entry.metadata)),
                Err(FileError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<BoxStream<'static, Result<FileInfo>>>> {
        Box::pin(async move {
            let overhead = if self.key.is_some() { OVERHEAD } else { 0 };
            let root = self.root.clone();
            let folders = stream::iter(0..=u8::MAX).then(move |first| {
                let folder = root.join(hex(&[first]));
                async move {
                    match blocking(move || entries(&folder)).await {
                        Ok(entries) => entries.into_iter().map(Ok).collect(),
                        Err(error) => vec![Err(error)],
                    }
                }
            });
            Ok(folders
                .flat_map(stream::iter)
                .map(move |entry| {
                    let info = entry?.info();
                    Ok(FileInfo { length: info.length.saturating_sub(overhead), ..info })
                })
                .boxed())
        })
    }

    fn rekey<'a>(&'a self, name: &'a str, old: Option<&'a FileKey>) -> BoxFuture<'a, Result<Rekeyed>> {
        Box::pin(async move {
            let Some(key) = &self.key else {
                return Err(FileError::Unsupported("there is no key to encrypt files by"));
            };
            match decrypt(self.raw(name).await?.1, key).await {
                Ok(_) => return Ok(Rekeyed::Already),
                Err(FileError::Undecipherable(_)) => {}
                Err(error) => return Err(error),
            }
            let (entry, raw) = self.raw(name).await?;
            let plain = match old {
                Some(old) => decrypt(raw, old).await?,
                None => raw,
            };
            self.write(entry, plain.read(0..plain.info().length).await?).await?;
            Ok(Rekeyed::Done)
        })
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>>> {
        Box::pin(async move {
            let root = self.root.clone();
            blocking(move || leftovers(&root)).await
        })
    }

    fn remove_leftover<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let path = PathBuf::from(&leftover.place);
            blocking(move || fs::remove_file(path)).await
        })
    }
}

/// A file in a data directory, as it is stored.
#[derive(Debug)]
pub struct Stored {
    data: PathBuf,
    json: PathBuf,
    /// Bytes on disk.
    pub length: u64,
}

/// The parts of a stored file, each with its path below the data directory.
#[derive(Debug)]
pub struct StoredParts {
    /// The `.json`.
    pub entry: (PathBuf, Vec<u8>),
    /// The bytes.
    pub bytes: (PathBuf, File),
}

impl Stored {
    /// Opens both parts; `None` if the file was removed meanwhile, or its bytes are missing.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn open(&self) -> io::Result<Option<StoredParts>> {
        let below = |path: &Path| path.strip_prefix(&self.data).unwrap_or(path).to_owned();
        // The bytes of an entry that was just replaced may be gone; the entry that replaced it is there then.
        for _ in 0..8 {
            let text = match fs::read(&self.json) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let path = with(&self.json, &parse_entry(&self.json, &text)?.bytes);
            match File::open(&path) {
                Ok(file) => {
                    let entry = (below(&self.json), text);
                    return Ok(Some(StoredParts { entry, bytes: (below(&path), file) }));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        tracing::warn!(path = %self.json.display(), "the bytes of a file are missing");
        Ok(None)
    }
}

/// All files in a data directory, encrypted if they are.
pub fn stored(data: &Path) -> impl Iterator<Item = io::Result<Stored>> {
    let data = data.to_owned();
    let of_folder = move |first: u8| {
        let folder = data.join("files").join(hex(&[first]));
        let stored = |json: PathBuf| match read_entry(&json) {
            Ok(entry) => Some(Ok(Stored { data: data.clone(), json, length: entry.length })),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Err(error)),
        };
        match paths(&folder) {
            Ok(paths) => paths.into_iter().filter(|path| is_json(path)).filter_map(stored).collect(),
            Err(error) => vec![Err(error)],
        }
    };
    (0..=u8::MAX).flat_map(of_folder)
}

/// What is in a folder that may not be there.
fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "json")
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for path in paths(folder)?.into_iter().filter(|path| is_json(path)) {
        match read_entry(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => found.push(other?),
        }
    }
    Ok(found)
}

fn leftovers(root: &Path) -> io::Result<Vec<Leftover>> {
    let mut found = paths(&root.join(UNFINISHED))?;
    for folder in paths(root)?.into_iter().filter(|path| !path.ends_with(UNFINISHED)) {
        // Bytes before entries: what is committed in between has its entry by then.
        let bytes: Vec<PathBuf> = paths(&folder)?.into_iter().filter(|path| !is_json(path)).collect();
        found.extend(bytes.into_iter().filter(|path| {
            let named = read_entry(&path.with_extension("json"));
            !named.is_ok_and(|entry| path.extension().is_some_and(|ending| ending == entry.bytes.as_str()))
        }));
    }
    found
        .into_iter()
        .filter_map(|path| match fs::metadata(&path) {
            Ok(metadata) => {
                Some(Ok(Leftover { place: path.display().to_string(), written: disk::modified(&metadata) }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Err(error)),
        })
        .collect()
}
