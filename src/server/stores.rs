//! Opens the store that `databaseURI` names.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{StartError, chain};
use crate::adapters::files::open::Home;
use crate::config::{DatabaseUri, Options, values};
use crate::domain::features::live_query;
use crate::model::schema::ClassSchema;
use crate::storage::Storage;
use crate::storage::mongo::{CommandListener, ImagesOf, MongoOptions, MongoStorage};
use crate::storage::observed::Observed;
use crate::storage::sqlite::{self, EmbeddedOptions, EmbeddedStorage, HistoryOf, Synchronous};

/// Opens the store and its default place for files. `listener` is called with each command sent to MongoDB.
///
/// # Errors
/// If it cannot be reached, read or locked; the message names the store and the reason.
pub async fn open(
    options: &Options,
    listener: Option<CommandListener>,
) -> Result<(Arc<dyn Storage>, Home), StartError> {
    match &options.database.uri {
        DatabaseUri::Mongo { uri } => {
            let storage = MongoStorage::connect(MongoOptions { listener, ..mongo(options, uri) })
                .await
                .map_err(|error| StartError::Storage(format!("cannot open MongoDB: {}", chain(&error))))?;
            let home = Home::Mongo(storage.database().clone());
            Ok((observed(options, storage, "mongodb"), home))
        }
        DatabaseUri::Embedded { dir } => {
            let home = Home::Embedded(dir.clone());
            let embedded = EmbeddedOptions {
                synchronous: match options.own.synchronous {
                    values::Synchronous::Full => Synchronous::Full,
                    values::Synchronous::Normal => Synchronous::Normal,
                },
                time_limit: Duration::from_millis(options.own.limits.search_ms),
                result_bytes: options.own.limits.answer_bytes,
                reader_wait: Duration::from_millis(options.own.limits.reader_wait_ms),
                transaction_timeout: Duration::from_millis(options.own.limits.transaction_ms),
                transaction_idle: Duration::from_millis(options.own.limits.transaction_idle_ms),
                queue: options.own.limits.store_queue,
                readers: options.own.limits.readers.unwrap_or(EmbeddedOptions::default().readers),
                history: history(options),
            };
            let dir = dir.clone();
            let opened = tokio::task::spawn_blocking(move || EmbeddedStorage::open(&dir, &embedded)).await;
            let storage = opened
                .map_err(|error| StartError::Storage(error.to_string()))?
                .map_err(|error| StartError::Storage(format!("cannot open the embedded store: {}", chain(&error))))?;
            Ok((observed(options, storage, "sqlite"), home))
        }
    }
}

/// The store as the server uses it.
fn observed(options: &Options, storage: impl Storage + 'static, system: &'static str) -> Arc<dyn Storage> {
    let storage = Arc::new(storage);
    let measured = options.own.metrics.enabled;
    let traced = options.own.traces.endpoint.is_some().then_some(system);
    if measured || traced.is_some() { Arc::new(Observed::new(storage, measured, traced)) } else { storage }
}

/// The folder that holds a copy of the embedded store, removed when it is no longer used.
#[derive(Debug)]
pub struct Copied {
    folder: PathBuf,
    /// Whether it outlives this process.
    stays: bool,
}

impl Copied {
    /// Copies the store in `dir` as it is at this moment into the folder `to`. A copy that is there is replaced.
    ///
    /// # Errors
    /// If there is no store, or no room.
    pub async fn of(dir: &Path, to: PathBuf) -> Result<Self, StartError> {
        // Made first, so that half a copy is removed, too.
        let copied = Self { folder: to, stays: false };
        copied.remove();
        let (dir, to) = (dir.to_owned(), copied.folder.clone());
        let copy = tokio::task::spawn_blocking(move || sqlite::copy(&dir, &to, &mut |_, _| {})).await;
        copy.map_err(|error| StartError::Storage(error.to_string()))?
            .map_err(|error| StartError::Storage(format!("cannot copy the embedded store: {}", chain(&error))))?;
        Ok(copied)
    }

    /// The copy in the folder `to`, which is made if there is none. It stays until [`Copied::done`], also when the process ends.
    ///
    /// # Errors
    /// As [`Copied::of`].
    async fn staying(dir: &Path, to: PathBuf) -> Result<Self, StartError> {
        let stays = |folder| Self { folder, stays: true };
        if to.is_dir() {
            return Ok(stays(to));
        }
        let half = Self::of(dir, to.with_extension("half")).await?;
        std::fs::rename(&half.folder, &to)
            .map_err(|error| StartError::Storage(format!("{}: {error}", to.display())))?;
        Ok(stays(to))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn done(&mut self) {
        self.stays = false;
    }

    fn remove(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.folder.display(), %error, "a copy of the database could not be removed");
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if !self.stays {
            self.remove();
        }
    }
}

/// A store for a command that reads or writes all of it.
#[derive(Debug)]
pub struct Whole {
    /// The objects.
    pub storage: Arc<dyn Storage>,
    copied: Option<Copied>,
}

impl Whole {
    /// Opens a store for reading, also while a server runs on it. Of the embedded store it shows one moment, by a copy in
    /// its directory; in MongoDB others go on writing.
    ///
    /// # Errors
    /// If there is no store or it cannot be read.
    pub async fn to_read(options: &Options) -> Result<Self, StartError> {
        let copied = match &options.database.uri {
            DatabaseUri::Mongo { .. } => None,
            DatabaseUri::Embedded { dir } => {
                Some(Copied::of(dir, dir.join(format!("copy-{}", std::process::id()))).await?)
            }
        };
        Self::shown_by(options, copied).await
    }

    /// As [`Whole::to_read`], with the copy in the folder `to`. It stays there until [`Whole::done`]: whoever was interrupted comes
    /// back to the same moment.
    ///
    /// # Errors
    /// As [`Whole::to_read`].
    pub async fn to_read_again(options: &Options, to: PathBuf) -> Result<Self, StartError> {
        let copied = match &options.database.uri {
            DatabaseUri::Mongo { .. } => None,
            DatabaseUri::Embedded { dir } => Some(Copied::staying(dir, to).await?),
        };
        Self::shown_by(options, copied).await
    }

    async fn shown_by(options: &Options, copied: Option<Copied>) -> Result<Self, StartError> {
        let storage = match &copied {
            None => open(options, None).await?.0,
            Some(copied) => patient(copied.folder()).await?,
        };
        Ok(Self { storage, copied })
    }

    /// Opens a store for writing. No server may be running on the embedded store.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn to_write(options: &Options) -> Result<Self, StartError> {
        let storage = match &options.database.uri {
            DatabaseUri::Mongo { .. } => open(options, None).await?.0,
            DatabaseUri::Embedded { dir } => patient(dir).await?,
        };
        Ok(Self { storage, copied: None })
    }

    /// Nobody will come back to the copy.
    pub fn done(&mut self) {
        if let Some(copied) = &mut self.copied {
            copied.done();
        }
    }
}

/// Opens the embedded store for one user who waits.
async fn patient(dir: &Path) -> Result<Arc<dyn Storage>, StartError> {
    const LONG: Duration = Duration::from_hours(24);
    let dir = dir.to_owned();
    let options = EmbeddedOptions {
        synchronous: Synchronous::Normal,
        time_limit: LONG,
        reader_wait: LONG,
        transaction_timeout: LONG,
        transaction_idle: LONG,
        ..EmbeddedOptions::default()
    };
    let opened = tokio::task::spawn_blocking(move || EmbeddedStorage::open(&dir, &options)).await;
    let storage = opened
        .map_err(|error| StartError::Storage(error.to_string()))?
        .map_err(|error| StartError::Storage(format!("cannot open the embedded store: {}", chain(&error))))?;
    Ok(Arc::new(storage))
}

/// Where files are kept beside the objects. Opens no embedded store: a server may be running on it.
///
/// # Errors
/// When MongoDB cannot be reached.
pub async fn home(options: &Options) -> Result<Home, StartError> {
    match &options.database.uri {
        DatabaseUri::Mongo { .. } => Ok(open(options, None).await?.1),
        DatabaseUri::Embedded { dir } => Ok(Home::Embedded(dir.clone())),
    }
}

/// Reads the classes in the store. A server may be running on it.
///
/// # Errors
/// If the store does not exist or cannot be read.
pub async fn classes(options: &Options) -> Result<Vec<ClassSchema>, StartError> {
    match &options.database.uri {
        DatabaseUri::Mongo { .. } => {
            let (storage, _) = open(options, None).await?;
            let classes = storage.classes().await;
            storage.close().await;
            classes.map_err(|error| StartError::Storage(format!("cannot read MongoDB: {}", chain(&error))))
        }
        DatabaseUri::Embedded { dir } => {
            let dir = dir.clone();
            let read = tokio::task::spawn_blocking(move || sqlite::read_classes(&dir)).await;
            read.map_err(|error| StartError::Storage(error.to_string()))?
                .map_err(|error| StartError::Storage(format!("cannot read the embedded store: {}", chain(&error))))
        }
    }
}

/// The classes whose live queries are told by the database.
fn images(options: &Options) -> Option<ImagesOf> {
    let published = live_query::followed_in_store(options)?;
    Some(ImagesOf(Arc::new(move |class| published.covers(class))))
}

/// What the embedded store keeps of the writes of classes that have live queries.
fn history(options: &Options) -> Option<HistoryOf> {
    let published = options.own.live_query_history.then(|| live_query::followed_in_store(options))??;
    let limits = &options.own.limits;
    Some(HistoryOf {
        covers: Arc::new(move |class| published.covers(class)),
        writes: limits.live_resume_events,
        seconds: limits.live_resume_seconds,
    })
}

fn mongo(options: &Options, uri: &values::Secret) -> MongoOptions {
    let driver = &options.database.driver;
    MongoOptions {
        collection_prefix: options.database.collection_prefix.clone(),
        timeout: Duration::from_millis(options.own.database_timeout_ms),
        max_time: driver.max_time_ms.map(Duration::from_millis),
        batch_size: u32::try_from(driver.batch_size).ok(),
        images: images(options),
        measured: options.own.metrics.enabled,
        ..MongoOptions::new(driver.applied_to(uri.expose()))
    }
}
