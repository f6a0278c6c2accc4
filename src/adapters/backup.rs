//! A data directory of the embedded store as one file, and back: a tar archive whose last entry, `SHA256`, holds the SHA-256 of
//! all bytes before it.
//!
//! | entry | what |
//! |---|---|
//! | `backup.json` | format of the archive, version of the program, moment |
//! | `reparse.db` | the database |
//! | `keys.json` | the keys that the server generated, if it did |
//! | `files/3f/3f…e1.json`, `files/3f/3f…e1.5d0c…` | the files in the data directory, as they are stored |

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use crate::adapters::files::{ByteStream, FileError, FileStore, directory};
use crate::model::date::Date;
use crate::private_file;
use crate::random::hex;

/// The format that this version writes.
const FORMAT: u32 = 1;
/// Name of the first entry.
const ABOUT: &str = "backup.json";
/// Name of the last entry.
const SUM: &str = "SHA256";
/// Name of the database.
const DATABASE: &str = "reparse.db";
/// Name of the generated keys.
const KEYS: &str = "keys.json";
/// A header, and the unit in which entries are filled up.
const BLOCK: u64 = 512;
/// The last entry with its header, and the two blocks that end an archive.
const END: u64 = 4 * BLOCK;
/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;
/// Pieces of a stream that wait for their reader.
const QUEUE: usize = 4;

/// Makes backups of a server's data while it runs.
pub trait Source: Send + Sync + fmt::Debug {
    /// A backup of the data as it is now.
    ///
    /// # Errors
    /// If the data cannot be copied.
    fn stream(&self, now: Date) -> BoxFuture<'_, Result<ByteStream, FileError>>;
}

/// What a server needs to make backups by itself.
#[derive(Debug, Clone)]
pub struct Backups {
    /// Makes them.
    pub source: Arc<dyn Source>,
    /// Where they go.
    pub place: Arc<dyn FileStore>,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Format of the archive.
    pub format: u32,
    /// Version of the program that made it.
    pub version: String,
    /// The moment, in ISO form.
    pub made: String,
}

impl About {
    /// Of a backup that is made at a moment.
    #[must_use]
    pub fn new(made: String) -> Self {
        Self { format: FORMAT, version: env!("CARGO_PKG_VERSION").to_owned(), made }
    }
}

/// Why a backup cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The bytes are not those that were written.
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    /// A newer version made it.
    #[error("the backup has format {0}, made by a newer version of reparse; this version reads up to format {FORMAT}")]
    TooNew(u32),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] io::Error),
}

/// Where the parts of a backup are.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The directory with a copy of the database that nobody changes.
    pub copy: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// What is said of it.
    pub about: About,
}

impl Parts {
    /// About how many bytes the archive will have.
    ///
    /// # Errors
    /// If a file cannot be looked at.
    pub fn size(&self) -> io::Result<u64> {
        let mut sum = fs::metadata(self.copy.join(DATABASE))?.len();
        for stored in directory::stored(&self.data) {
            sum += stored?.length;
        }
        Ok(sum)
    }

    /// Writes the archive. Blocks. `progress` is called with the number of bytes that were written since the last call.
    ///
    /// A file that is removed meanwhile may be missing; one that is added may be there. The database is read before files are,
    /// so that files it names are there.
    ///
    /// # Errors
    /// If something cannot be read or written.
    pub fn write(&self, out: impl Write, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        let mut builder = Builder::new(Summed { inner: out, context: Context::new(&SHA256), progress });
        let about = serde_json::to_vec_pretty(&self.about)?;
        append(&mut builder, Path::new(ABOUT), about.len() as u64, about.as_slice())?;
        append_file(&mut builder, Path::new(DATABASE), File::open(self.copy.join(DATABASE))?)?;
        match File::open(self.data.join(KEYS)) {
            Ok(keys) => append_file(&mut builder, Path::new(KEYS), keys)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        for stored in directory::stored(&self.data) {
            let Some(directory::StoredParts { entry, bytes }) = stored?.open()? else { continue };
            append_file(&mut builder, &bytes.0, bytes.1)?;
            append(&mut builder, &entry.0, entry.1.len() as u64, entry.1.as_slice())?;
        }
        let sum = hex(builder.get_ref().context.clone().finish().as_ref());
        append(&mut builder, Path::new(SUM), sum.len() as u64, sum.as_bytes())?;
        builder.into_inner()?.inner.flush()
    }

    /// The archive as a stream, written as it is read. `hold` is kept until it is done.
    #[must_use]
    pub fn stream(self, hold: impl Send + 'static) -> ByteStream {
        let (give, take) = tokio::sync::mpsc::channel(QUEUE);
        tokio::task::spawn_blocking(move || {
            let out = BufWriter::with_capacity(PIECE, Channel(give.clone()));
            if let Err(error) = self.write(out, &mut |_| {}) {
                // Whoever read it may be gone.
                let _gone = give.blocking_send(Err(FileError::store(error)));
            }
            drop(hold);
        });
        Box::pin(futures_util::stream::unfold(
            take,
            |mut take| async move { take.recv().await.map(|piece| (piece, take)) },
        ))
    }
}

/// Sends what is written to the reader of a stream.
struct Channel(tokio::sync::mpsc::Sender<Result<bytes::Bytes, FileError>>);

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes::Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sums up what is written.
struct Summed<'p, W> {
    inner: W,
    context: Context,
    progress: &'p mut dyn FnMut(u64),
}

impl<W: Write> Write for Summed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.context.update(bytes.get(..written).unwrap_or_default());
        (self.progress)(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn append(builder: &mut Builder<impl Write>, path: &Path, length: u64, bytes: impl Read) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(length);
    builder.append_data(&mut header, path, bytes)
}

fn append_file(builder: &mut Builder<impl Write>, path: &Path, file: File) -> io::Result<()> {
    let length = file.metadata()?.len();
    append(builder, path, length, BufReader::with_capacity(PIECE, file.take(length)))
}

/// Checks that a backup has the bytes that were written. Blocks. `progress` is called with the number of bytes that were read
/// since the last call.
///
/// # Errors
/// `Damaged`; `File`.
pub fn verify(file: &Path, progress: &mut dyn FnMut(u64)) -> Result<(), BackupError> {
    let mut file = File::open(file)?;
    let mut verifier = Verifier::of(file.metadata()?.len())?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return verifier.finish();
        }
        verifier.update(buffer.get(..read).unwrap_or_default());
        progress(read as u64);
    }
}

/// Checks the bytes of a backup as they come.
pub struct Verifier {
    /// Bytes before the checksum that have not come yet.
    left: u64,
    context: Context,
    end: Vec<u8>,
}

impl Verifier {
    /// Of a backup of so many bytes.
    ///
    /// # Errors
    /// `Damaged` if no backup has that length.
    pub fn of(length: u64) -> Result<Self, BackupError> {
        let left = length.checked_sub(END).filter(|_| length.is_multiple_of(BLOCK));
        let left = left.ok_or(BackupError::Damaged("it is not as long as a backup is; its end may be missing"))?;
        Ok(Self { left, context: Context::new(&SHA256), end: Vec::new() })
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let before = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (before, end) = bytes.split_at_checked(before).unwrap_or((bytes, &[]));
        self.context.update(before);
        self.left -= before.len() as u64;
        // No more than a backup has, whatever the length was said to be.
        let room = usize::try_from(END).unwrap_or_default() + 1 - self.end.len();
        self.end.extend_from_slice(end.get(..end.len().min(room)).unwrap_or_default());
    }

    /// After the last bytes.
    ///
    /// # Errors
    /// `Damaged`.
    pub fn finish(self) -> Result<(), BackupError> {
        // The end is written again, so that no byte of it is left out of the comparison.
        let mut expected = Builder::new(Vec::new());
        let sum = hex(self.context.finish().as_ref());
        append(&mut expected, Path::new(SUM), sum.len() as u64, sum.as_bytes())?;
        if self.left == 0 && expected.into_inner()? == self.end {
            return Ok(());
        }
        Err(BackupError::Damaged("its checksum is another one"))
    }
}

/// Puts what is in a backup into an empty directory. Blocks. Verify it before.
///
/// # Errors
/// `TooNew`; `Damaged` if it holds something else than a data directory; `File`.
pub fn unpack(file: &Path, to: &Path, progress: &mut dyn FnMut(u64)) -> Result<About, BackupError> {
    const NONE: BackupError = BackupError::Damaged("it is no backup of a data directory");
    let mut archive = Archive::new(BufReader::with_capacity(PIECE, File::open(file)?));
    let mut about: Option<About> = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if entry.header().entry_type() != EntryType::Regular || !is_plain(&path) {
            return Err(NONE);
        }
        if about.is_none() {
            let mut text = String::new();
            (&mut entry).take(64 * 1024).read_to_string(&mut text)?;
            let read: About = serde_json::from_str(&text).map_err(|_| NONE)?;
            if path != Path::new(ABOUT) {
                return Err(NONE);
            }
            if read.format > FORMAT {
                return Err(BackupError::TooNew(read.format));
            }
            about = Some(read);
            continue;
        }
        if path == Path::new(SUM) {
            break;
        }
        let place = to.join(&path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut out = private_file::options().write(true).create_new(true).open(&place)?;
        io::copy(&mut entry, &mut out)?;
        out.sync_all()?;
        progress(entry.size());
    }
    about.ok_or(NONE)
}

/// Whether a path stays below the folder it is in, and is one of those that a backup has.
fn is_plain(path: &Path) -> bool {
    let names: Vec<Component<'_>> = path.components().collect();
    names.iter().all(|name| matches!(name, Component::Normal(_)))
        && match names.as_slice() {
            [_] => [ABOUT, DATABASE, KEYS, SUM].iter().any(|known| path == Path::new(known)),
            [first, _, _] => first.as_os_str() == "files",
            _ => false,
        }
}
