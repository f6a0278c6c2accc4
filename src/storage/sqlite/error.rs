//! Errors of the embedded store, with messages for administrators.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::storage::StorageError;
use crate::storage::sqlite::codec::CodecError;

/// An error of the embedded store.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Another process uses the directory.
    #[error("the data directory {} is in use by process {pid}; only one server may use it at a time", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// Process id of that process as a string; `?` if it cannot be read.
        pid: String,
    },
    /// The file was created by a newer version of reparse.
    #[error("the database {} has format {found}, created by a newer version of reparse; this version reads up to format {known}", file.display())]
    TooNew {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known.
        known: i64,
    },
    /// The file is not a database of reparse, or damaged.
    #[error("the database file is damaged or not a reparse database: {0}. Restore it from a backup")]
    Damaged(String),
    /// Something is where a backup is to be restored.
    #[error("{} is there already; a backup is restored into a directory without data", .0.display())]
    Occupied(PathBuf),
    /// The disk is full.
    #[error("the disk that holds the database is full")]
    DiskFull,
    /// A file of the database has been removed or replaced while the server runs.
    #[error("{} was removed or replaced while the server runs; what is written would be lost", .0.display())]
    Gone(PathBuf),
    /// The file cannot be written.
    #[error("the database file cannot be written: {0}")]
    ReadOnly(String),
    /// A file or directory cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A write was rolled back because its commit failed.
    #[error("the write could not be committed: {0}")]
    Commit(String),
    /// Any other error of SQLite.
    #[error("{0}")]
    Sqlite(String),
    /// The store is closed.
    #[error("the database is closed")]
    Closed,
    /// The queue is full, or the operation waited too long.
    #[error("too many operations are queued for the database")]
    Busy,
    /// A query exceeded its time limit while it waited for processor or disk most of the time.
    #[error("the machine is too busy for the query")]
    Starved,
}

impl From<rusqlite::Error> for EmbeddedError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly(error.to_string())
            }
            _ => Self::Sqlite(error.to_string()),
        }
    }
}

impl From<EmbeddedError> for StorageError {
    fn from(error: EmbeddedError) -> Self {
        match error {
            EmbeddedError::Closed | EmbeddedError::Busy | EmbeddedError::Starved | EmbeddedError::Gone(_) => {
                Self::Unavailable(Box::new(error))
            }
            EmbeddedError::DiskFull => Self::DiskFull(Box::new(error)),
            other => Self::Other(Box::new(other)),
        }
    }
}

impl From<CodecError> for StorageError {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::TooDeep => Self::Refused(error.to_string()),
            CodecError::Damaged(_) => EmbeddedError::Damaged(error.to_string()).into(),
        }
    }
}

/// Converts an error of SQLite to an error of a store.
#[must_use]
pub fn translate(error: rusqlite::Error) -> StorageError {
    if let Some(own) = super::functions::take_error() {
        return own;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StorageError::TimedOut,
        Some(ErrorCode::ConstraintViolation) => duplicate(&error).unwrap_or_else(|| EmbeddedError::from(error).into()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StorageError::Unavailable(Box::new(error)),
        Some(ErrorCode::TooBig) => StorageError::Refused("the object is too large".to_owned()),
        _ => EmbeddedError::from(error).into(),
    }
}

/// The index in `UNIQUE constraint failed: index 'x'`, or `_id_` for the column `id`.
fn duplicate(error: &rusqlite::Error) -> Option<StorageError> {
    let text = error.to_string();
    let what = text.split_once("UNIQUE constraint failed: ")?.1;
    let index = match what.strip_prefix("index '").and_then(|rest| rest.rsplit_once('\'')) {
        Some((name, _)) => super::names::index_of(name)?,
        None => "_id_".to_owned(),
    };
    Some(StorageError::Duplicate { index })
}

/// Whether the error is that the table of a class does not exist.
#[must_use]
pub fn is_missing_table(error: &rusqlite::Error) -> bool {
    error.to_string().contains("no such table: ")
}

/// An error and its causes in one line.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = inner.source();
    }
    text
}
