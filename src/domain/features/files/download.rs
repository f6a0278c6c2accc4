//! Reading files.

use serde_json::{Map, Value as Json};

use super::{Files, access, failure};
use crate::adapters::files::{FileError, StoredFile};
use crate::domain::kernel::context::Context;
use crate::error::Result;

/// Finds a file for a caller who may download; `None` when there is no such file, which a caller who may not download does
/// not learn.
///
/// # Errors
/// 119 for callers who may not download, 209 for a session that is none; failures of the store.
pub async fn open(cx: &Context, name: &str) -> Result<Option<Box<dyn StoredFile>>> {
    access::download(cx, &cx.app.options.files.download)?;
    match cx.app.feature::<Files>()?.store.open(name).await {
        Ok(file) => Ok(Some(file)),
        // A file that cannot be decrypted, or whose name the place cannot have, does not exist for clients.
        Err(FileError::NotFound | FileError::Name(_)) => Ok(None),
        Err(error @ FileError::Undecipherable(_)) => {
            tracing::warn!("{error}");
            Ok(None)
        }
        Err(error) => Err(failure(error)),
    }
}

/// The metadata of a file, for a caller who may download; `None` when there is no such file.
///
/// # Errors
/// As [`open`].
pub async fn metadata(cx: &Context, name: &str) -> Result<Option<Map<String, Json>>> {
    access::download(cx, &cx.app.options.files.download)?;
    match cx.app.feature::<Files>()?.store.metadata(name).await {
        Ok(metadata) => Ok(metadata),
        Err(FileError::NotFound | FileError::Name(_)) => Ok(None),
        Err(error) => Err(failure(error)),
    }
}
