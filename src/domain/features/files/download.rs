//! Reading files.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Files, access, failure, triggers};
use crate::adapters::files::{FileError, StoredFile};
use crate::domain::kernel::context::Context;
use crate::error::Result;

/// A file on its way to a client.
pub struct Download {
    /// The file.
    pub file: Arc<dyn StoredFile>,
    /// Whether browsers are to save it, whatever it is.
    pub force: bool,
    /// Headers that a trigger chose instead of `X-Content-Type-Options`; `None`: it was not asked, or did not say.
    pub headers: Option<Vec<(String, String)>>,
}

impl Download {
    /// A file as it is.
    #[must_use]
    pub fn of(file: Arc<dyn StoredFile>) -> Self {
        Self { file, force: false, headers: None }
    }
}

/// The name of the file that a caller who asks for `name` gets: its own, or the one that beforeFind names. Nobody who may not
/// download learns whether there is one.
///
/// # Errors
/// 119 for callers who may not download, 209 for a session that is none; what the trigger refuses.
pub async fn find(cx: &Context, name: &str) -> Result<String> {
    access::download(cx, &cx.app.options.files.download)?;
    Ok(triggers::before_find(cx, name).await?.unwrap_or_else(|| name.to_owned()))
}

/// The file of a name that [`find`] gave; `None` when there is none. `whole`: no range of it is asked for, and afterFind may
/// replace it.
///
/// # Errors
/// What the trigger refuses; failures of the store.
pub async fn open(cx: &Context, name: &str, whole: bool) -> Result<Option<Download>> {
    match cx.app.feature::<Files>()?.store.open(name).await {
        Ok(file) => triggers::after_find(cx, file, whole).await.map(Some),
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
/// As [`find`] and [`open`].
pub async fn metadata(cx: &Context, name: &str) -> Result<Option<Map<String, Json>>> {
    let name = find(cx, name).await?;
    match cx.app.feature::<Files>()?.store.metadata(&name).await {
        Ok(None) | Err(FileError::NotFound | FileError::Name(_)) => Ok(None),
        Ok(Some(metadata)) => {
            triggers::after_find_metadata(cx, &name).await?;
            Ok(Some(metadata))
        }
        Err(error) => Err(failure(error)),
    }
}
