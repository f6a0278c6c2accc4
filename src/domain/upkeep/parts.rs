//! The form of an export: a directory of JSON Lines.
//!
//! | file | what |
//! |---|---|
//! | `export.json` | what the export is, and length and SHA-256 of each part |
//! | `classes.jsonl` | a class a line, with fields, permissions and indexes |
//! | `rows/CLASS.jsonl` | an object a line, in Parse's JSON, with the columns that clients never see |
//! | `relations/FIELD.CLASS.jsonl` | `{"owner": …, "member": …}` a line |
//! | `files.jsonl` | a file a line, with length and SHA-256 |
//! | `files/…` | the files, as the embedded store keeps them |
//!
//! `export.json` is written again after each part, so that an export that was interrupted goes on behind the last one.

use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use ring::digest::{Context, SHA256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};

use crate::adapters::files::FileError;
use crate::private_file;
use crate::random::hex;
use crate::storage::StorageError;

/// The format that this version writes.
pub const FORMAT: u32 = 1;
/// Name of the file with the contents.
const CONTENTS: &str = "export.json";
/// Name of the part with the classes.
pub const CLASSES: &str = "classes.jsonl";
/// Name of the part with the list of files.
pub const FILES: &str = "files.jsonl";
/// Bytes that are read or written at once.
const PIECE: usize = 256 * 1024;

/// Why an export cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file store failed.
    #[error(transparent)]
    Files(#[from] FileError),
    /// A file of the export cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is none, is damaged or does not fit.
    #[error("{0}")]
    Refused(String),
}

/// Result of a transfer.
pub type Result<T> = std::result::Result<T, TransferError>;

/// Length and checksum of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Lines.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// What an export is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Format of the export.
    pub format: u32,
    /// Version of the program that made it.
    pub version: String,
    /// When it was begun, in ISO form.
    pub begun: String,
    /// Whether all parts are there.
    pub complete: bool,
    /// The parts by path.
    pub parts: IndexMap<String, Part>,
}

/// The directory of an export.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The directory at a path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn failed(path: &Path) -> impl FnOnce(io::Error) -> TransferError + '_ {
        move |source| TransferError::File { path: path.to_owned(), source }
    }

    /// The contents of an export that was begun before; `None`: the directory is empty or not there.
    ///
    /// # Errors
    /// If it holds something else, or an export of a newer version.
    pub async fn contents(&self) -> Result<Option<Contents>> {
        let path = self.0.join(CONTENTS);
        let text = match fs::read(&path).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match fs::read_dir(&self.0).await {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(Self::failed(&self.0)(error)),
                    Ok(mut entries) => match entries.next_entry().await.map_err(Self::failed(&self.0))? {
                        None => Ok(None),
                        Some(_) => Err(TransferError::Refused(format!("{} holds something else", self.0.display()))),
                    },
                };
            }
            Err(error) => return Err(Self::failed(&path)(error)),
        };
        let contents: Contents = serde_json::from_slice(&text)
            .map_err(|error| TransferError::Refused(format!("{} is damaged: {error}", path.display())))?;
        if contents.format > FORMAT {
            return Err(TransferError::Refused(format!(
                "the export has format {}, made by a newer version of reparse; this version reads up to format {FORMAT}",
                contents.format
            )));
        }
        Ok(Some(contents))
    }

    /// Writes the contents, so that either the old or the new ones are there.
    ///
    /// # Errors
    /// `File`.
    pub async fn note(&self, contents: &Contents) -> Result<()> {
        let (path, draft) = (self.0.join(CONTENTS), self.0.join(format!("{CONTENTS}.new")));
        let text = serde_json::to_vec_pretty(contents)
            .map_err(|error| TransferError::Refused(format!("the contents cannot be written: {error}")))?;
        let write = async {
            fs::create_dir_all(&self.0).await?;
            let mut file = private().open(&draft).await?;
            file.write_all(&text).await?;
            file.sync_all().await?;
            fs::rename(&draft, &path).await
        };
        write.await.map_err(Self::failed(&path))
    }

    /// Begins a part, from the start if there is half of one.
    ///
    /// # Errors
    /// `File`.
    pub async fn begin(&self, part: &str) -> Result<PartWriter> {
        let path = self.0.join(part);
        let open = async {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).await?;
            }
            private().open(&path).await
        };
        let file = BufWriter::with_capacity(PIECE, open.await.map_err(Self::failed(&path))?);
        Ok(PartWriter { path, file, context: Context::new(&SHA256), lines: 0, bytes: 0 })
    }

    /// Checks that a part has the bytes that were written.
    ///
    /// # Errors
    /// `File`; `Refused` if it has others.
    pub async fn verify(&self, name: &str, part: &Part) -> Result<()> {
        let path = self.0.join(name);
        let mut context = Context::new(&SHA256);
        let read = async {
            let mut file = File::open(&path).await?;
            let mut buffer = vec![0; PIECE];
            let mut bytes = 0;
            loop {
                let read = file.read(&mut buffer).await?;
                if read == 0 {
                    return Ok(bytes);
                }
                context.update(buffer.get(..read).unwrap_or_default());
                bytes += read as u64;
            }
        };
        let bytes: u64 = read.await.map_err(Self::failed(&path))?;
        if bytes == part.bytes && hex(context.finish().as_ref()) == part.sha256 {
            return Ok(());
        }
        Err(TransferError::Refused(format!("{} is damaged: its checksum is another one", path.display())))
    }

    /// Opens a part for reading.
    ///
    /// # Errors
    /// `File`.
    pub async fn read(&self, name: &str) -> Result<PartReader> {
        let path = self.0.join(name);
        let file = File::open(&path).await.map_err(Self::failed(&path))?;
        Ok(PartReader { path, file: BufReader::with_capacity(PIECE, file), line: 0 })
    }
}

/// A file that only this user may read: an export holds password hashes and session tokens.
fn private() -> OpenOptions {
    let mut options = private_file::options();
    options.write(true).create(true).truncate(true);
    options.into()
}

/// Writes the lines of a part.
pub struct PartWriter {
    path: PathBuf,
    file: BufWriter<File>,
    context: Context,
    lines: u64,
    bytes: u64,
}

impl PartWriter {
    /// Writes a line.
    ///
    /// # Errors
    /// `File`.
    pub async fn line(&mut self, line: &(impl Serialize + Sync)) -> Result<()> {
        let mut text = serde_json::to_vec(line)
            .map_err(|error| TransferError::Refused(format!("a line cannot be written: {error}")))?;
        text.push(b'\n');
        self.context.update(&text);
        self.lines += 1;
        self.bytes += text.len() as u64;
        self.file.write_all(&text).await.map_err(Folder::failed(&self.path))
    }

    /// Waits until the part is on disk.
    ///
    /// # Errors
    /// `File`.
    pub async fn end(self) -> Result<Part> {
        let Self { path, mut file, context, lines, bytes } = self;
        let end = async {
            file.flush().await?;
            file.get_ref().sync_all().await
        };
        end.await.map_err(Folder::failed(&path))?;
        Ok(Part { lines, bytes, sha256: hex(context.finish().as_ref()) })
    }
}

/// Reads the lines of a part.
#[derive(Debug)]
pub struct PartReader {
    path: PathBuf,
    file: BufReader<File>,
    line: u64,
}

impl PartReader {
    /// The next line; `None`: there is no more.
    ///
    /// # Errors
    /// `File`; `Refused` if it is none of this kind.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let mut text = Vec::new();
        let read = self.file.read_until(b'\n', &mut text).await.map_err(Folder::failed(&self.path))?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            TransferError::Refused(format!("{} line {} cannot be read: {error}", self.path.display(), self.line))
        })
    }
}
