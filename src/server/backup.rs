//! Puts backups together: the copy of the embedded store, the files beside it, the place where backups go.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use super::StartError;
use super::stores::Copied;
use crate::adapters::backup::{About, Backups, Parts, Source};
use crate::adapters::files::file_system::FileSystem;
use crate::adapters::files::open::{self, Home, Opened};
use crate::adapters::files::{ByteStream, FileError, FileStore};
use crate::config::{DatabaseUri, Options};
use crate::model::date::Date;
use crate::random::Random;

/// The data directory of this server.
#[derive(Debug)]
struct OfDirectory(PathBuf);

impl Source for OfDirectory {
    fn stream(&self, now: Date) -> BoxFuture<'_, Result<ByteStream, FileError>> {
        Box::pin(async move {
            let (parts, copied) = parts(&self.0, "copy-backup", now).await.map_err(FileError::store)?;
            Ok(parts.stream(copied))
        })
    }
}

/// What a backup of a data directory is made of, and the copy of its database, which is removed when it is dropped. A server may be
/// running on it.
///
/// # Errors
/// If there is no store, or no room for the copy.
pub async fn parts(data: &Path, folder: &str, now: Date) -> Result<(Parts, Copied), StartError> {
    let copied = Copied::of(data, data.join(folder)).await?;
    let parts = Parts { copy: copied.folder().to_owned(), data: data.to_owned(), about: About::new(now.to_iso()) };
    Ok((parts, copied))
}

/// What the server needs to make backups; `None` if the options give no times for it.
pub(super) fn backups(options: &Options, random: &Arc<dyn Random>) -> Result<Option<Backups>, StartError> {
    let own = &options.own.backup;
    let DatabaseUri::Embedded { dir } = &options.database.uri else { return Ok(None) };
    if own.schedule.0.is_empty() {
        return Ok(None);
    }
    let refuse = |error: String| StartError::Configuration(format!("option backup.to: {error}"));
    let folder = |path: PathBuf| {
        let store = FileSystem::open(path.clone(), None, random.clone());
        store.map_err(|error| refuse(format!("{}: {error}", path.display())))
    };
    let place: Arc<dyn FileStore> = match own.to.as_ref().map(|to| &to.0) {
        None | Some(Json::Null) => Arc::new(folder(dir.join("backups"))?),
        Some(Json::String(path)) => Arc::new(folder(PathBuf::from(path))?),
        Some(adapter) => {
            let variables = |name: &str| std::env::var(name).ok();
            let home = Home::Embedded(dir.clone());
            match open::open(Some(adapter), home, None, random.clone(), &variables).map_err(refuse)? {
                Opened::Store(store) => store,
                Opened::NeedsJavaScript { module, .. } => {
                    return Err(refuse(format!("{module} is none of the adapters that the server has")));
                }
            }
        }
    };
    Ok(Some(Backups { source: Arc::new(OfDirectory(dir.clone())), place }))
}
