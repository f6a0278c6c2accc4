//! Reading files.

use serde_json::{Map, Value as Json};

use super::state::{Files, failure};
use super::transfer::Download;
use super::{access, triggers};
use crate::adapters::files::FileError;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::model::files::image::Change;

/// The name of the file that a caller who asks for `name` gets: its own, or the one that beforeFind names. Nobody who may not
/// download learns whether there is one.
///
/// # Errors
/// 119 for callers who may not download, 209 for a session that is none; what the trigger refuses.
pub async fn find(cx: &Context, name: &str) -> Result<String> {
    access::download(cx, &cx.app.options.files.download)?;
    Ok(triggers::before_find(cx, name).await?.unwrap_or_else(|| name.to_owned()))
}

/// The file of a name that [`find`] gave; `None` when there is none. `whole`: no range of it is asked for, and afterFind gets the
/// bytes.
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
    let metadata = match cx.app.feature::<Files>()?.store.metadata(&name).await {
        Ok(metadata) => metadata,
        Err(FileError::NotFound | FileError::Name(_)) => None,
        Err(error) => return Err(failure(error)),
    };
    // Other than for a download it is asked for a missing file, too, as by parse-server.
    triggers::after_find_metadata(cx, &name).await?;
    Ok(metadata)
}

/// What the query of a download asks for; `None` where images are not changed.
///
/// # Errors
/// 102 for a value that is none.
pub fn wanted<'a>(cx: &Context, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Option<Change>> {
    let options = &cx.app.options.own.files;
    if options.transforms { Change::read(pairs, options.transform_side) } else { Ok(None) }
}

/// An image as it was asked for.
///
/// # Errors
/// 102 for what is no image, or too large a one; 503 when too many are being made.
pub async fn changed(cx: &Context, found: Download, change: Change) -> Result<Download> {
    let Files { held, transforms, .. } = cx.app.feature::<Files>()?;
    let file = transforms.make(held, found.file.as_ref(), change).await?;
    Ok(Download { file, ..found })
}
