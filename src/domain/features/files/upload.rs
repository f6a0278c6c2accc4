//! Making and deleting files.

use serde_json::{Map, Value as Json};

use super::{Files, access, failure};
use crate::adapters::files::{ByteStream, FileError, NewFile};
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::files::names;

/// Random bytes in front of a name, written as twice as many digits.
const PREFIX_BYTES: usize = 16;

/// What a client says of a file it uploads.
#[derive(Debug, Default)]
pub struct Upload {
    /// The name it gives.
    pub name: String,
    /// The type it gives, as it was sent.
    pub content_type: Option<String>,
    /// Metadata.
    pub metadata: Map<String, Json>,
    /// Tags.
    pub tags: Map<String, Json>,
    /// The directory, of whatever type it was sent.
    pub directory: Option<Json>,
}

/// The file an upload becomes, if the caller may upload it. No byte of it was looked at.
///
/// # Errors
/// 403 for the read-only key; 130 for callers, extensions and types that may not be uploaded; 122 for the name and the
/// directory; 119 for a directory without the master key; 105 for a denied keyword in metadata or tags; 209.
fn admit(cx: &Context, upload: Upload) -> Result<NewFile> {
    let Upload { name, content_type, metadata, tags, directory } = upload;
    refuse_read_only(cx, "read-only masterKey isn't allowed to create a file.")?;
    let options = &cx.app.options.files;
    access::upload(cx, &options.upload)?;
    names::check(&name)?;
    let master = matches!(cx.auth, Auth::Master);
    if !master {
        cx.app.feature::<Files>()?.extensions.check(&name, content_type.as_deref())?;
    }
    let directory = match directory {
        None => None,
        Some(_) if !master => {
            let message = "Directory can only be set using the Master Key.";
            return Err(ParseError::new(ErrorCode::OperationForbidden, message));
        }
        Some(Json::String(directory)) => {
            names::check_directory(&directory)?;
            Some(directory)
        }
        Some(_) => return Err(ParseError::new(ErrorCode::InvalidFileName, "Directory must be a string.")),
    };
    cx.app.denylist.check_map(&metadata)?;
    cx.app.denylist.check_map(&tags)?;
    let content_type = content_type.filter(|text| !text.is_empty());
    let named = names::with_extension(&name, Some(content_type.as_deref().unwrap_or("text/plain")));
    let kept = names::content_type(&named, content_type.as_deref()).map(str::to_owned);
    let prefix = (!options.preserve_file_name).then(|| cx.app.random.hex(PREFIX_BYTES));
    let stored = names::stored(directory.as_deref(), prefix.as_deref(), &named);
    Ok(NewFile { name: stored, content_type: kept, metadata, tags, created: cx.now() })
}

/// Stores an upload: all of it, or nothing. `bytes` is called once the caller, the name and the type are known to be allowed;
/// what it refuses goes to the client. Returns the name of the file.
///
/// # Errors
/// See [`admit`]; what `bytes` and its stream refuse; failures of the store.
pub async fn put<F>(cx: &Context, upload: Upload, bytes: F) -> Result<String>
where
    F: AsyncFnOnce() -> Result<ByteStream>,
{
    let file = admit(cx, upload)?;
    let name = file.name.clone();
    let bytes = bytes().await?;
    match cx.app.feature::<Files>()?.store.create(file, bytes).await {
        Ok(_) => Ok(name),
        Err(FileError::Name(reason)) => Err(ParseError::new(ErrorCode::InvalidFileName, reason)),
        Err(error) => Err(failure(error)),
    }
}

/// Deletes a file.
///
/// # Errors
/// 403 without the master key; 153 when there is no such file.
pub async fn delete(cx: &Context, name: &str) -> Result<()> {
    refuse_read_only(cx, "read-only masterKey isn't allowed to delete a file.")?;
    if !matches!(cx.auth, Auth::Master) {
        return Err(forbidden("unauthorized: master key is required"));
    }
    match cx.app.feature::<Files>()?.store.delete(name).await {
        Ok(()) => Ok(()),
        Err(FileError::NotFound | FileError::Name(_)) => {
            Err(ParseError::new(ErrorCode::FileDeleteError, "FileNotFound"))
        }
        Err(error) => Err(failure(error)),
    }
}

fn refuse_read_only(cx: &Context, message: &'static str) -> Result<()> {
    if cx.auth.is_read_only() { Err(forbidden(message)) } else { Ok(()) }
}

/// 403, sanitised, without a code.
fn forbidden(message: &'static str) -> ParseError {
    ParseError { sensitive: true, ..ParseError::http(403, message) }
}
