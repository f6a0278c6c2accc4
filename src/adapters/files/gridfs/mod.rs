//! GridFS in a MongoDB database, as parse-server's own adapter reads and writes it.
//!
//! Bucket `fs`: one document for each file in `fs.files` (`_id`, `length`, `chunkSize`, `uploadDate`, `filename`,
//! `metadata`) and its bytes in `fs.chunks` (`files_id`, `n`, `data`), 255 KiB each. The type is not kept. Several files
//! may have one name: the newest is served, [`FileStore::metadata`] tells the oldest's, deletion removes all.
//!
//! The driver's own bucket cannot read from the middle of a file and writes one chunk for each round trip, so this talks
//! to the two collections.

mod read;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};
use serde_json::{Map, Value as Json};
use tokio::sync::OnceCell;

use super::encryption::{FileKey, OVERHEAD, decrypt};
use super::{ByteStream, FileError, FileInfo, FileStore, Leftover, NewFile, Rekeyed, Result, StoredFile};
use crate::model::date::Date;
use crate::random::Random;
use read::{Chunks, Found};

/// Bytes of a file in one document of `fs.chunks`.
const CHUNK: usize = 255 * 1024;

/// The bucket.
pub struct GridFs {
    files: Collection<Document>,
    chunks: Chunks,
    key: Option<FileKey>,
    random: Arc<dyn Random>,
    ids: AtomicU32,
    indexes: OnceCell<()>,
}

impl fmt::Debug for GridFs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GridFs").field("namespace", &self.files.namespace()).finish_non_exhaustive()
    }
}

impl GridFs {
    /// The files in `database`, encrypted if there is a key.
    #[must_use]
    pub fn new(database: &Database, key: Option<FileKey>, random: Arc<dyn Random>) -> Self {
        Self {
            files: database.collection("fs.files"),
            chunks: Chunks::new(database.collection("fs.chunks")),
            key,
            random,
            ids: AtomicU32::new(0),
            indexes: OnceCell::new(),
        }
    }

    /// A new id: the seconds, five random bytes and a count, as drivers make them.
    fn id(&self, now: Date) -> ObjectId {
        let seconds = u32::try_from(now.millis() / 1000).unwrap_or_default().to_be_bytes();
        let mut random = [0; 5];
        self.random.fill(&mut random);
        let count = self.ids.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut id = [0; 12];
        let parts = seconds.iter().chain(&random).chain(&count[1..]);
        id.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        ObjectId::from_bytes(id)
    }

    /// Makes the indexes of the bucket, once.
    async fn ensure_indexes(&self) -> Result<()> {
        self.indexes
            .get_or_try_init(|| async {
                let by_name = IndexModel::builder().keys(doc! { "filename": 1, "uploadDate": 1 }).build();
                let by_number = IndexModel::builder()
                    .keys(doc! { "files_id": 1, "n": 1 })
                    .options(IndexOptions::builder().unique(true).build())
                    .build();
                self.files.create_index(by_name).await?;
                self.chunks.rows.create_index(by_number).await.map(|_| ())
            })
            .await
            .copied()
            .map_err(FileError::store)
    }

    /// The newest file of a name, as stored.
    async fn newest(&self, name: &str) -> Result<Found> {
        let found = self.files.find_one(doc! { "filename": name }).sort(doc! { "uploadDate": -1 }).await;
        let document = found.map_err(FileError::store)?.ok_or(FileError::NotFound)?;
        Found::new(self.chunks.clone(), &document)
    }

    /// The plain form of a stored file.
    async fn plain(&self, found: Found, key: Option<&FileKey>) -> Result<Box<dyn StoredFile>> {
        match key {
            Some(key) => decrypt(Box::new(found), key).await,
            None => Ok(Box::new(found)),
        }
    }

    /// Removes a file: first the document that makes it visible, then its bytes.
    async fn remove(&self, id: ObjectId) -> Result<()> {
        self.files.delete_one(doc! { "_id": id }).await.map_err(FileError::store)?;
        self.chunks.rows.delete_many(doc! { "files_id": id }).await.map_err(FileError::store)?;
        Ok(())
    }
}

impl FileStore for GridFs {
    fn create(&self, file: NewFile, bytes: ByteStream) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let metadata = write::metadata(&file.metadata)?;
            self.ensure_indexes().await?;
            let stored = self.write(&file.name, file.created, metadata, bytes).await?;
            Ok(stored - if self.key.is_some() { OVERHEAD } else { 0 })
        })
    }

    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn StoredFile>>> {
        Box::pin(async move { self.plain(self.newest(name).await?, self.key.as_ref()).await })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let found = self.files.find(doc! { "filename": name }).projection(doc! { "_id": 1 }).await;
            let documents: Vec<Document> =
                found.map_err(FileError::store)?.try_collect().await.map_err(FileError::store)?;
            if documents.is_empty() {
                return Err(FileError::NotFound);
            }
            for document in documents {
                // Another client's adapter may use ids of another kind.
                let id = document.get("_id").cloned().unwrap_or_default();
                self.files.delete_one(doc! { "_id": id.clone() }).await.map_err(FileError::store)?;
                self.chunks.rows.delete_many(doc! { "files_id": id }).await.map_err(FileError::store)?;
            }
            Ok(())
        })
    }

    fn metadata<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            let found = self.files.find_one(doc! { "filename": name }).sort(doc! { "uploadDate": 1 }).await;
            Ok(found.map_err(FileError::store)?.map(|document| read::metadata(&document)))
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<BoxStream<'static, Result<FileInfo>>>> {
        Box::pin(async move {
            let overhead = if self.key.is_some() { OVERHEAD } else { 0 };
            let chunks = self.chunks.clone();
            // In the order of the index the newest of a name comes last: a file is told once the next name is seen.
            let cursor = self.files.find(doc! {}).sort(doc! { "filename": 1, "uploadDate": 1 }).await;
            let documents = cursor.map_err(FileError::store)?.map_err(FileError::store);
            let infos = documents.and_then(move |document| {
                let info = Found::new(chunks.clone(), &document).map(Found::into_info);
                ready(info.map(|info| FileInfo { length: info.length.saturating_sub(overhead), ..info }))
            });
            Ok(stream::try_unfold((infos, None::<FileInfo>), |(mut infos, mut held)| async move {
                loop {
                    let next: Option<FileInfo> = infos.try_next().await?;
                    match (held.take(), next) {
                        (None, None) => return Ok(None),
                        (Some(last), None) => return Ok(Some((last, (infos, None)))),
                        (Some(last), Some(next)) if last.name != next.name => {
                            return Ok(Some((last, (infos, Some(next)))));
                        }
                        (_, next) => held = next,
                    }
                }
            })
            .boxed())
        })
    }

    fn rekey<'a>(&'a self, name: &'a str, old: Option<&'a FileKey>) -> BoxFuture<'a, Result<Rekeyed>> {
        Box::pin(async move {
            let Some(key) = &self.key else {
                return Err(FileError::Unsupported("there is no key to encrypt files by"));
            };
            let found = self.files.find(doc! { "filename": name }).sort(doc! { "uploadDate": 1 }).await;
            let documents: Vec<Document> =
                found.map_err(FileError::store)?.try_collect().await.map_err(FileError::store)?;
            if documents.is_empty() {
                return Err(FileError::NotFound);
            }
            let mut outcome = Rekeyed::Already;
            for document in documents {
                let found = || Found::new(self.chunks.clone(), &document);
                match self.plain(found()?, Some(key)).await {
                    Ok(_) => continue,
                    Err(FileError::Undecipherable(_)) => {}
                    Err(error) => return Err(error),
                }
                let plain = self.plain(found()?, old).await?;
                let info = plain.info();
                let metadata = document.get_document("metadata").cloned().unwrap_or_default();
                // A millisecond newer than the old one, which is served until it is removed.
                let date = Date::from_millis(info.modified.millis() + 1);
                self.write(name, date, metadata, plain.read(0..info.length).await?).await?;
                self.remove(document.get_object_id("_id").map_err(FileError::store)?).await?;
                outcome = Rekeyed::Done;
            }
            Ok(outcome)
        })
    }

    /// Chunks without a file. Reads the index of all chunks.
    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>>> {
        Box::pin(async move {
            let pipeline = [
                doc! { "$group": { "_id": "$files_id" } },
                doc! { "$lookup": { "from": self.files.name(), "localField": "_id", "foreignField": "_id", "as": "file" } },
                doc! { "$match": { "file": { "$size": 0 } } },
            ];
            let cursor = self.chunks.rows.aggregate(pipeline).allow_disk_use(true).await.map_err(FileError::store)?;
            let documents: Vec<Document> = cursor.try_collect().await.map_err(FileError::store)?;
            let ids = documents.iter().filter_map(|document| document.get_object_id("_id").ok());
            Ok(ids
                .map(|id| Leftover {
                    place: id.to_hex(),
                    written: Date::from_millis(id.timestamp().timestamp_millis()),
                })
                .collect())
        })
    }

    fn remove_leftover<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let id = ObjectId::parse_str(&leftover.place).map_err(FileError::store)?;
            self.chunks.rows.delete_many(doc! { "files_id": id }).await.map_err(FileError::store)?;
            Ok(())
        })
    }
}
