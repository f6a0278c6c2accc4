//! Files on a local disk: written beside their place and renamed, so that a name never shows half a file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::blocks::blocks;
use super::{ByteStream, FileError, FileInfo, Result, StoredFile};
use crate::model::date::Date;
use crate::private_file;
use crate::system::folders;

/// Bytes that go to the disk at once.
const WRITE: usize = 512 * 1024;
/// Bytes that are read from the disk at once.
const READ: usize = 128 * 1024;

/// Runs what blocks on the threads for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(FileError::store)?.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FileError::NotFound,
        _ => FileError::store(error),
    })
}

/// A file under a temporary name, removed unless it is published. It is moved into each blocking call and back, so
/// that a future dropped in the middle of one removes it, too.
pub(super) struct Temporary {
    file: File,
    path: PathBuf,
    published: bool,
}

impl Temporary {
    /// Makes the file, and its folder if need be.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let open = || private_file::options().write(true).create_new(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                open()?
            }
            other => other?,
        };
        Ok(Self { file, path, published: false })
    }

    /// Makes the file from bytes in memory.
    pub(super) fn of(path: PathBuf, bytes: &[u8]) -> io::Result<Self> {
        let mut temporary = Self::create(path)?;
        temporary.file.write_all(bytes)?;
        Ok(temporary)
    }

    /// All of its bytes.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    /// Gives the file its name, which then survives a power failure. Replaces what has the name.
    pub(super) fn publish(mut self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        match fs::rename(&self.path, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::rename(&self.path, path)?;
                // The name of the new folder has to be on disk, too.
                path.parent().and_then(Path::parent).map_or(Ok(()), folders::sync)?;
            }
            other => other?,
        }
        self.published = true;
        path.parent().map_or(Ok(()), folders::sync)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.published
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "an unfinished upload could not be removed");
        }
    }
}

/// Writes a stream to a temporary file.
pub(super) async fn write(path: PathBuf, bytes: ByteStream) -> Result<(Temporary, u64)> {
    let mut temporary = blocking(move || Temporary::create(path)).await?;
    let mut pieces = blocks(bytes, WRITE);
    let mut length = 0;
    while let Some(piece) = pieces.next().await.transpose()? {
        length += piece.len() as u64;
        temporary = blocking(move || temporary.file.write_all(&piece).map(|()| temporary)).await?;
    }
    Ok((temporary, length))
}

/// When a file was written.
pub(super) fn modified(metadata: &fs::Metadata) -> Date {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Date::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A file on disk that was found.
pub(super) struct LocalFile {
    /// What is known of it.
    pub info: FileInfo,
    /// The open file: a deletion in the meantime does not disturb a reader.
    pub file: Arc<File>,
}

impl StoredFile for LocalFile {
    fn info(&self) -> &FileInfo {
        &self.info
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        Box::pin(async move {
            let file = Arc::clone(&self.file);
            Ok(stream::try_unfold((file, range), |(file, range)| async move {
                if range.is_empty() {
                    return Ok(None);
                }
                let want = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(READ);
                let (position, from) = (range.start, Arc::clone(&file));
                // Made here and not on the thread that reads: there may be hundreds of those, and the allocator keeps memory for each
                // thread that asks for some.
                let buffer = vec![0; want];
                let piece = blocking(move || read_at(&from, position, buffer)).await?;
                if piece.is_empty() {
                    return Err(FileError::Damaged("it is shorter than noted".to_owned()));
                }
                let start = range.start + piece.len() as u64;
                Ok(Some((piece, (file, start..range.end))))
            })
            .boxed())
        })
    }
}

#[cfg(unix)]
fn read_at(file: &File, position: u64, mut buffer: Vec<u8>) -> io::Result<Bytes> {
    use std::os::unix::fs::FileExt as _;
    let read = file.read_at(&mut buffer, position)?;
    buffer.truncate(read);
    Ok(buffer.into())
}

#[cfg(windows)]
fn read_at(file: &File, position: u64, mut buffer: Vec<u8>) -> io::Result<Bytes> {
    use std::os::windows::fs::FileExt as _;
    let read = file.seek_read(&mut buffer, position)?;
    buffer.truncate(read);
    Ok(buffer.into())
}
