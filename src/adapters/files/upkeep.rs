//! What the owner of a store does with all of its files: copy them elsewhere, check them, change their key.

use futures_util::{StreamExt as _, TryStreamExt as _};
use ring::digest::{Context, Digest, SHA256};

use super::encryption::FileKey;
use super::{FileError, FileInfo, FileStore, Leftover, NewFile, Rekeyed, Result, StoredFile};
use crate::model::date::Date;

/// What happened to one file.
#[derive(Debug)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It had been done before.
    Already,
    /// It was not done; the others go on.
    Failed(FileError),
}

/// Hears of each file, right after it was dealt with.
pub type Progress<'a> = &'a mut (dyn FnMut(&FileInfo, &Outcome) + Send);

/// How many files came to which end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Files that were dealt with.
    pub done: u64,
    /// Files that needed nothing.
    pub already: u64,
    /// Files that failed.
    pub failed: u64,
    /// Bytes of the files that were dealt with.
    pub bytes: u64,
}

impl Tally {
    fn count(&mut self, info: &FileInfo, outcome: &Outcome) {
        match outcome {
            Outcome::Done => {
                self.done += 1;
                self.bytes += info.length;
            }
            Outcome::Already => self.already += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }
}

/// Copies every file of `from` to `to` and reads it there again: the SHA-256 of both must agree. Can be run again after
/// an interruption: a file that is there already, with the same bytes, is not sent again.
///
/// # Errors
/// When the files cannot be listed. What fails for one file is told to `progress` and counted.
pub async fn copy(from: &dyn FileStore, to: &dyn FileStore, progress: Progress<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut files = from.list().await?;
    while let Some(info) = files.try_next().await? {
        let outcome = copy_one(from, to, &info.name).await.unwrap_or_else(Outcome::Failed);
        tally.count(&info, &outcome);
        progress(&info, &outcome);
    }
    Ok(tally)
}

async fn copy_one(from: &dyn FileStore, to: &dyn FileStore, name: &str) -> Result<Outcome> {
    let source = from.open(name).await?;
    let length = source.info().length;
    let mut known = None;
    match to.open(name).await {
        Ok(there) if there.info().length == length => {
            let expected = digest(source.as_ref()).await?;
            if digest(there.as_ref()).await?.as_ref() == expected.as_ref() {
                return Ok(Outcome::Already);
            }
            known = Some(expected);
        }
        // Something else under this name, or the start of an earlier copy under another key: it is replaced.
        Ok(_) | Err(FileError::NotFound | FileError::Undecipherable(_) | FileError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    let expected = match known {
        Some(expected) => expected,
        None => digest(source.as_ref()).await?,
    };
    let info = source.info();
    let file = NewFile {
        name: info.name.clone(),
        content_type: info.content_type.clone(),
        metadata: info.metadata.clone(),
        tags: serde_json::Map::new(),
        created: info.modified,
    };
    to.create(file, source.read(0..length).await?).await?;
    let copied = to.open(name).await?;
    if digest(copied.as_ref()).await?.as_ref() == expected.as_ref() {
        Ok(Outcome::Done)
    } else {
        Err(FileError::Damaged("the copy does not have the bytes of the original".to_owned()))
    }
}

/// The SHA-256 of a file's bytes.
///
/// # Errors
/// If it cannot be read, or has fewer bytes than noted.
pub async fn digest(file: &dyn StoredFile) -> Result<Digest> {
    let mut context = Context::new(&SHA256);
    let mut bytes = file.read(0..file.info().length).await?;
    let mut length = 0;
    while let Some(piece) = bytes.next().await.transpose()? {
        length += piece.len() as u64;
        context.update(&piece);
    }
    if length == file.info().length {
        Ok(context.finish())
    } else {
        Err(FileError::Damaged("it has fewer bytes than noted".to_owned()))
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Files read from their first to their last byte.
    pub files: Tally,
    /// What belongs to no file and was written before the time given.
    pub leftovers: Vec<Leftover>,
}

/// Reads every file and looks for leftovers written before `before` (younger ones may be uploads in progress). With
/// `repair` the leftovers are removed. Files that cannot be read are told and counted, never removed.
///
/// # Errors
/// When the store cannot be listed, or a leftover cannot be removed.
pub async fn check(store: &dyn FileStore, before: Date, repair: bool, progress: Progress<'_>) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut files = store.list().await?;
    while let Some(info) = files.try_next().await? {
        let read = async { digest(store.open(&info.name).await?.as_ref()).await };
        let outcome = read.await.map_or_else(Outcome::Failed, |_| Outcome::Done);
        findings.files.count(&info, &outcome);
        progress(&info, &outcome);
    }
    findings.leftovers = store.leftovers().await?;
    findings.leftovers.retain(|leftover| leftover.written < before);
    if repair {
        for leftover in &findings.leftovers {
            store.remove_leftover(leftover).await?;
        }
    }
    Ok(findings)
}

/// Encrypts every file by the key of `store`. `old` is the key they have so far; `None`: they are plain. Can be run again
/// after an interruption.
///
/// # Errors
/// When the files cannot be listed. What fails for one file is told to `progress` and counted.
pub async fn rotate_key(store: &dyn FileStore, old: Option<&FileKey>, progress: Progress<'_>) -> Result<Tally> {
    let mut tally = Tally::default();
    // First the names: stores may list a file again that was written meanwhile.
    let files: Vec<FileInfo> = store.list().await?.try_collect().await?;
    for info in files {
        let outcome = match store.rekey(&info.name, old).await {
            Ok(Rekeyed::Done) => Outcome::Done,
            Ok(Rekeyed::Already) => Outcome::Already,
            Err(error) => Outcome::Failed(error),
        };
        tally.count(&info, &outcome);
        progress(&info, &outcome);
    }
    Ok(tally)
}
