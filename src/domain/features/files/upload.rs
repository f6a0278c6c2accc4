//! Making and deleting files.

use std::ops::ControlFlow::{Break, Continue};

use serde_json::{Map, Value as Json};

use super::{Files, access, failure, triggers};
use crate::adapters::files::{ByteStream, FileError, NewFile};
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::triggers::TriggerFile;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::files::names;
use crate::model::trigger::Trigger;

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

/// The bytes of an upload.
pub struct Content {
    /// They arrive while they are stored.
    pub bytes: ByteStream,
    /// How many there will be, if that is known.
    pub length: Option<u64>,
    /// Whether the client asked for a stream: then no trigger gets them.
    pub streamed: bool,
}

/// A file that may be stored, before it has the name under which it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    name: String,
    content_type: Option<String>,
    metadata: Map<String, Json>,
    tags: Map<String, Json>,
    directory: Option<String>,
}

impl Draft {
    /// As triggers have it.
    pub(super) fn to_trigger(&self) -> TriggerFile {
        let Self { name, content_type, metadata, tags, directory } = self.clone();
        TriggerFile { name, content_type, metadata, tags, directory, ..TriggerFile::default() }
    }

    /// As a trigger made it.
    pub(super) fn from_trigger(file: TriggerFile) -> Self {
        let TriggerFile { name, content_type, metadata, tags, directory, .. } = file;
        Self { name, content_type, metadata, tags, directory: directory.filter(|directory| !directory.is_empty()) }
    }

    /// The file with the name under which it is stored.
    fn named(self, cx: &Context) -> NewFile {
        let Self { name, content_type, metadata, tags, directory } = self;
        let content_type = content_type.filter(|text| !text.is_empty());
        let named = names::with_extension(&name, Some(content_type.as_deref().unwrap_or("text/plain")));
        let kept = names::content_type(&named, content_type.as_deref()).map(str::to_owned);
        let prefix = (!cx.app.options.files.preserve_file_name).then(|| cx.app.random.hex(PREFIX_BYTES));
        let stored = names::stored(directory.as_deref(), prefix.as_deref(), &named);
        NewFile { name: stored, content_type: kept, metadata, tags, created: cx.now() }
    }
}

/// The file an upload becomes, if the caller may upload it. No byte of it was looked at.
///
/// # Errors
/// 403 for the read-only key; 130 for callers, extensions and types that may not be uploaded; 122 for the name and the
/// directory; 119 for a directory without the master key; 105 for a denied keyword in metadata or tags; 209.
fn admit(cx: &Context, upload: Upload) -> Result<Draft> {
    let Upload { name, content_type, metadata, tags, directory } = upload;
    refuse_read_only(cx, "read-only masterKey isn't allowed to create a file.")?;
    access::upload(cx, &cx.app.options.files.upload)?;
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
    Ok(Draft { name, content_type, metadata, tags, directory })
}

/// A file as its uploader may name it from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// Stores an upload: all of it, or nothing. `content` is called once the caller, the name and the type are known to be allowed;
/// what it refuses goes to the client.
///
/// # Errors
/// See [`admit`]; what `content` and its stream refuse; what triggers refuse; failures of the store.
pub async fn put<F>(cx: &Context, upload: Upload, content: F) -> Result<Stored>
where
    F: AsyncFnOnce() -> Result<Content>,
{
    let draft = admit(cx, upload)?;
    let content = content().await?;
    let (draft, content) = match triggers::before_save(cx, draft, content).await? {
        Continue(upload) => upload,
        Break(elsewhere) => {
            triggers::after_save(cx, &elsewhere.name, &elsewhere.url, None, false).await?;
            return Ok(elsewhere);
        }
    };
    let Content { bytes, length, streamed } = content;
    let file = draft.named(cx);
    let name = file.name.clone();
    let stored = match cx.app.feature::<Files>()?.store.create(file, bytes).await {
        Ok(stored) => stored,
        Err(FileError::Name(reason)) => return Err(ParseError::new(ErrorCode::InvalidFileName, reason)),
        Err(error) => return Err(failure(error)),
    };
    let url = super::address(cx, &name)?;
    triggers::after_save(cx, &name, &url, if streamed { length } else { Some(stored) }, streamed).await?;
    Ok(Stored { name, url })
}

/// Deletes a file.
///
/// # Errors
/// 403 without the master key; 153 when there is no such file, and when a trigger refuses.
pub async fn delete(cx: &Context, name: &str) -> Result<()> {
    refuse_read_only(cx, "read-only masterKey isn't allowed to delete a file.")?;
    if !matches!(cx.auth, Auth::Master) {
        return Err(forbidden("unauthorized: master key is required"));
    }
    triggers::on_delete(cx, Trigger::BeforeDelete, name).await?;
    match cx.app.feature::<Files>()?.store.delete(name).await {
        Ok(()) => {}
        Err(FileError::NotFound | FileError::Name(_)) => {
            return Err(ParseError::new(ErrorCode::FileDeleteError, "FileNotFound"));
        }
        Err(error) => return Err(failure(error)),
    }
    triggers::on_delete(cx, Trigger::AfterDelete, name).await
}

fn refuse_read_only(cx: &Context, message: &'static str) -> Result<()> {
    if cx.auth.is_read_only() { Err(forbidden(message)) } else { Ok(()) }
}

/// 403, sanitised, without a code.
fn forbidden(message: &'static str) -> ParseError {
    ParseError { sensitive: true, ..ParseError::http(403, message) }
}
