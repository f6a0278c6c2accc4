//! What the feature keeps while the server runs.

use std::io::ErrorKind;
use std::sync::Arc;

use super::extensions::AllowedExtensions;
use super::held::{Held, Share};
use super::transforms::Transforms;
use crate::adapters::files::{FileError, FileStore};
use crate::config::Options;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};

/// Bytes of files that may be in memory at a time, for triggers and from forms.
const HELD: u64 = 512 << 20;

/// The store, and what is known of its files.
pub struct Files {
    /// Where the bytes are.
    pub store: Arc<dyn FileStore>,
    /// What may be uploaded.
    pub extensions: AllowedExtensions,
    /// Bytes of files in memory.
    pub held: Held,
    /// Images in other forms.
    pub transforms: Transforms,
}

impl Files {
    /// With this store.
    #[must_use]
    pub fn new(options: &Options, store: Arc<dyn FileStore>) -> Self {
        Self {
            store,
            extensions: AllowedExtensions::new(&options.files.upload.file_extensions),
            held: Held::new(HELD),
            transforms: Transforms::new(&options.own.files),
        }
    }
}

/// Room for files that are held in memory. A file that finds none is refused.
///
/// # Errors
/// When there is no file store.
pub fn room(cx: &Context) -> Result<Share> {
    cx.app.feature::<Files>()?.held.share(0)
}

/// A failure of the store, towards the client: what the sender of an upload did wrong, what this store cannot keep, or nothing but the
/// fact.
pub fn failure(error: FileError) -> ParseError {
    match error {
        FileError::Upload(cause) => match cause.downcast::<ParseError>() {
            Ok(refusal) => *refusal,
            Err(cause) => ParseError::internal(cause),
        },
        FileError::Store(cause) if is_full(cause.as_ref()) => ParseError {
            status: 507,
            ..ParseError::new(ErrorCode::ExceededQuota, "The disk of the files is full.").with_source(cause)
        },
        FileError::Unsupported(reason) => ParseError::new(ErrorCode::FileSaveError, reason),
        other => ParseError::internal(other),
    }
}

/// Whether a file was not stored for want of room.
fn is_full(cause: &(dyn std::error::Error + 'static)) -> bool {
    let mut failures = std::iter::successors(Some(cause), |cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    failures.any(|failure| matches!(failure.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}
