//! An adapter of the app, in JavaScript, with the methods of parse-server's files adapters: `createFile`, `deleteFile`, `getFileData`,
//! `getFileLocation`, and where it has them `getMetadata` and `validateFilename`.
//!
//! Such an adapter takes and gives files as a whole. The server has them in memory only while the adapter works on them, a few at a time:
//! what clients send and read more slowly than that waits on disk.

use std::env;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value as Json, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::blocks::once;
use super::disk::{self, LocalFile, Temporary, blocking};
use super::in_memory::InMemory;
use super::{ByteStream, FileError, FileInfo, FileStore, NewFile, Result, StoredFile};
use crate::adapters::cloud::module::{Modules, OwnModule};
use crate::adapters::cloud::node::{Argument, CloudError, Returned, SCRIPT_FAILED, Thrown};
use crate::clock::Clock;
use crate::error::{ErrorCode, ParseError};
use crate::model::url_component;
use crate::random::Random;

/// The longest file in bytes: what fits into a message to the app's process beside the rest.
const LONGEST: u64 = 60 << 20;
/// Files that are in memory as a whole at the same time.
const PLACES: usize = 4;
/// Up to this many bytes a file waits in memory, not on disk.
const SMALL: usize = 1 << 20;
/// Names by whose addresses it is found out how the adapter makes them.
const PROBES: [&str; 2] = ["reparse-probe-1.txt", "reparse probe/2.txt"];

/// The adapter.
#[derive(Debug)]
pub struct JavaScript {
    module: Arc<OwnModule>,
    /// What addresses of files at this server begin with.
    own_address: String,
    addresses: OnceLock<Option<Addresses>>,
    places: Semaphore,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// How the adapter makes the address of a file of its name.
#[derive(Debug, PartialEq, Eq)]
struct Addresses {
    before: String,
    after: String,
    written: Written,
}

/// How a name stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    AsComponent,
    AsPath,
    Plain,
}

impl Written {
    const ALL: [Self; 3] = [Self::AsComponent, Self::AsPath, Self::Plain];

    fn write(self, name: &str) -> String {
        match self {
            Self::AsComponent => url_component::encode(name),
            Self::AsPath => url_component::encode_path(name),
            Self::Plain => name.to_owned(),
        }
    }
}

impl Addresses {
    /// What the addresses of the probes have in common; `None` if they do not depend on the name alone.
    fn of(probed: &[Option<Json>]) -> Option<Self> {
        let [Some(Json::String(first)), Some(Json::String(second))] = probed else { return None };
        let (before, after) = first.split_once(PROBES[0])?;
        let fits = |written: &Written| format!("{before}{}{after}", written.write(PROBES[1])) == *second;
        let written = Written::ALL.into_iter().find(fits)?;
        Some(Self { before: before.to_owned(), after: after.to_owned(), written })
    }
}

impl JavaScript {
    /// The adapter that a module makes with these settings. `mount`: the address of the REST API.
    #[must_use]
    pub fn open(
        module: &str,
        options: Map<String, Json>,
        modules: &Modules,
        app_id: &str,
        mount: &str,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        let mount = mount.trim_end_matches('/');
        let config = json!({ "applicationId": app_id, "appId": app_id, "mount": mount, "serverURL": mount });
        let probes = PROBES.map(|name| vec![config.clone(), name.into()]).to_vec();
        let module = modules.with_constants("filesAdapter", module, options.into(), "getFileLocation", probes);
        let own_address = format!("{mount}/files/{}/", url_component::encode(app_id));
        Self { module, own_address, addresses: OnceLock::new(), places: Semaphore::new(PLACES), clock, random }
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>> {
        self.places.acquire().await.map_err(FileError::store)
    }

    fn temporary(&self) -> PathBuf {
        env::temp_dir().join(format!("reparse-file-{}", self.random.hex(16)))
    }

    async fn call(&self, method: &str, arguments: &[Argument]) -> std::result::Result<Returned, CloudError> {
        self.module.call(Some(method), arguments).await
    }

    /// Calls a method that throws where there is no such file.
    async fn find(&self, method: &str, name: &str) -> Result<Returned> {
        match self.call(method, &[Json::from(name).into()]).await {
            Ok(returned) => Ok(returned),
            Err(CloudError::Thrown(thrown)) => {
                tracing::debug!(method, name, error = thrown.message, "the files adapter threw");
                Err(FileError::NotFound)
            }
            Err(error) => Err(FileError::store(error)),
        }
    }

    async fn check_name(&self, name: &str) -> Result<()> {
        if !self.module.has("validateFilename") {
            return Ok(());
        }
        let refusal = self.call("validateFilename", &[Json::from(name).into()]).await.map_err(FileError::store)?;
        match refusal {
            Returned::Json(Json::String(message)) => Err(FileError::Name(message)),
            Returned::Json(Json::Object(error)) => {
                let message = error.get("message").and_then(Json::as_str).unwrap_or("the files adapter refuses it");
                Err(FileError::Name(message.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn addresses(&self) -> Option<&Addresses> {
        let found = self.addresses.get_or_init(|| {
            let addresses = Addresses::of(self.module.constants());
            if addresses.is_none() {
                tracing::warn!(
                    "the addresses that the files adapter gives depend on more than names: files are served by this server"
                );
            }
            addresses.filter(|addresses| addresses.before != self.own_address || !addresses.after.is_empty())
        });
        found.as_ref()
    }
}

/// An error of `createFile`: what the adapter throws is for the client.
fn refused(error: CloudError) -> FileError {
    match error {
        CloudError::Thrown(Thrown { code: SCRIPT_FAILED, message, .. }) => {
            FileError::Upload(Box::new(ParseError::new(ErrorCode::FileSaveError, message)))
        }
        CloudError::Thrown(thrown) => FileError::Upload(Box::new(ParseError::thrown(thrown.code, thrown.message))),
        error => FileError::store(error),
    }
}

/// The stream in memory or on disk, until it is complete.
enum Held {
    Memory(Bytes),
    Disk(Temporary),
}

async fn hold(mut bytes: ByteStream, path: PathBuf) -> Result<Held> {
    let mut held = BytesMut::new();
    while held.len() <= SMALL {
        match bytes.next().await.transpose()? {
            Some(piece) => held.extend_from_slice(&piece),
            None => return Ok(Held::Memory(held.freeze())),
        }
    }
    let mut length = 0_u64;
    let limited = once(held.freeze()).chain(bytes).and_then(move |piece| {
        length += piece.len() as u64;
        std::future::ready(if length > LONGEST {
            Err(FileError::Unsupported("a files adapter in JavaScript takes no file of more than 60 MiB"))
        } else {
            Ok(piece)
        })
    });
    let (temporary, _) = disk::write(path, limited.boxed()).await?;
    Ok(Held::Disk(temporary))
}

/// A file that is kept on disk until its reader is done.
fn on_disk(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let temporary = Temporary::of(path.to_owned(), bytes)?;
    let file = File::open(path);
    // Its name goes; the bytes stay as long as it is open.
    drop(temporary);
    file
}

impl FileStore for JavaScript {
    fn create(&self, file: NewFile, bytes: ByteStream) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let NewFile { name, content_type, metadata, tags, .. } = file;
            self.check_name(&name).await?;
            let held = hold(bytes, self.temporary()).await?;
            let _place = self.place().await?;
            let data = match held {
                Held::Memory(bytes) => bytes,
                Held::Disk(temporary) => blocking(move || temporary.bytes()).await?.into(),
            };
            let length = data.len() as u64;
            let content_type = content_type.map_or(Argument::Undefined, |kind| Argument::Json(kind.into()));
            let options = json!({ "metadata": metadata, "tags": tags });
            let arguments = [Json::from(name).into(), Argument::Bytes(data), content_type, options.into()];
            self.call("createFile", &arguments).await.map_err(refused)?;
            Ok(length)
        })
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn StoredFile>>> {
        Box::pin(async move {
            let place = self.place().await?;
            let bytes = match self.find("getFileData", name).await? {
                Returned::Bytes(bytes) => bytes,
                Returned::Json(Json::String(text)) => text.into(),
                Returned::Undefined | Returned::Json(Json::Null) => return Err(FileError::NotFound),
                Returned::Json(_) => return Err(FileError::Damaged("getFileData gave no bytes".to_owned())),
            };
            let hashed = bytes.clone();
            let version = blocking(move || Ok(URL_SAFE_NO_PAD.encode(digest(&SHA256, &hashed)))).await?;
            let info = FileInfo {
                name: name.to_owned(),
                length: bytes.len() as u64,
                // Adapters do not tell. An older date would let browsers keep what they get.
                modified: self.clock.now(),
                version,
                content_type: None,
                metadata: self.metadata(name).await?.unwrap_or_default(),
            };
            if bytes.len() <= SMALL {
                return Ok(Box::new(InMemory::of(info, bytes)) as Box<dyn StoredFile>);
            }
            let path = self.temporary();
            let file = blocking(move || on_disk(&path, &bytes)).await?;
            drop(place);
            Ok(Box::new(LocalFile { info, file: Arc::new(file) }) as Box<dyn StoredFile>)
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.find("deleteFile", name).await.map(drop) })
    }

    fn metadata<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            if !self.module.has("getMetadata") {
                return Ok(Some(Map::new()));
            }
            match self.find("getMetadata", name).await {
                Ok(Returned::Json(Json::Object(mut told))) => match told.remove("metadata") {
                    Some(Json::Object(metadata)) => Ok(Some(metadata)),
                    _ => Ok(Some(Map::new())),
                },
                Ok(_) => Ok(Some(Map::new())),
                Err(FileError::NotFound) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn location(&self, name: &str) -> Option<String> {
        let Addresses { before, after, written } = self.addresses()?;
        Some(format!("{before}{}{after}", written.write(name)))
    }

    fn has_locations(&self) -> bool {
        true
    }

    fn list(&self) -> BoxFuture<'_, Result<BoxStream<'static, Result<FileInfo>>>> {
        Box::pin(async move {
            let cannot = FileError::Unsupported("a files adapter in JavaScript cannot list its files");
            Ok(stream::iter([Err(cannot)]).boxed())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_name_however_it_is_written() {
        let of = |first: &str, second: &str| Addresses::of(&[Some(first.into()), Some(second.into())]);
        let found = |before: &str, after: &str, written| {
            Some(Addresses { before: before.to_owned(), after: after.to_owned(), written })
        };
        assert_eq!(
            of("https://cdn/x/reparse-probe-1.txt?v=1", "https://cdn/x/reparse%20probe%2F2.txt?v=1"),
            found("https://cdn/x/", "?v=1", Written::AsComponent)
        );
        assert_eq!(
            of("https://cdn/reparse-probe-1.txt", "https://cdn/reparse%20probe/2.txt"),
            found("https://cdn/", "", Written::AsPath)
        );
        assert_eq!(of("/reparse-probe-1.txt", "/reparse probe/2.txt"), found("/", "", Written::Plain));
        assert_eq!(of("https://cdn/reparse-probe-1.txt?sig=a", "https://cdn/reparse%20probe/2.txt?sig=b"), None);
        assert_eq!(of("https://cdn/one", "https://cdn/one"), None);
        assert_eq!(Addresses::of(&[None, None]), None);
        assert_eq!(Addresses::of(&[]), None);
    }
}
