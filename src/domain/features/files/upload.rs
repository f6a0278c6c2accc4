//! Making and deleting files.

use std::ops::ControlFlow::{Break, Continue};

use serde_json::Value as Json;

use super::state::{Files, failure};
use super::transfer::{Content, Draft, Stored, Upload};
use super::{access, triggers};
use crate::adapters::files::{FileError, NewFile};
use crate::domain::kernel::audit::{Deed, What};
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::noting;
use crate::domain::kernel::triggers::TriggerFile;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::files::names;
use crate::model::trigger::Trigger;

/// Random bytes in front of a name, written as twice as many digits.
const PREFIX_BYTES: usize = 16;

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

/// The file with the name under which it is stored.
fn named(cx: &Context, draft: Draft) -> NewFile {
    let Draft { name, content_type, metadata, tags, directory } = draft;
    let content_type = content_type.filter(|text| !text.is_empty());
    let named = names::with_extension(&name, Some(content_type.as_deref().unwrap_or("text/plain")));
    let kept = names::content_type(&named, content_type.as_deref()).map(str::to_owned);
    let prefix = (!cx.app.options.files.preserve_file_name).then(|| cx.app.random.hex(PREFIX_BYTES));
    let stored = names::stored(directory.as_deref(), prefix.as_deref(), &named);
    NewFile { name: stored, content_type: kept, metadata, tags, created: cx.now() }
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
    let streamed = content.streamed;
    let (draft, content) = match triggers::before_save(cx, draft, content).await? {
        Continue(upload) => upload,
        Break(elsewhere) => {
            let stored = Stored { name: elsewhere.name.clone(), url: elsewhere.url.clone().unwrap_or_default() };
            triggers::after_save(cx, elsewhere, None, streamed).await?;
            return Ok(stored);
        }
    };
    let Content { bytes, length, .. } = content;
    let told = draft.to_trigger();
    let file = named(cx, draft);
    let name = file.name.clone();
    let stored = match cx.app.feature::<Files>()?.store.create(file, bytes).await {
        Ok(stored) => stored,
        Err(FileError::Name(reason)) => return Err(ParseError::new(ErrorCode::InvalidFileName, reason)),
        Err(error) => return Err(failure(error)),
    };
    if cx.caller.is_master() {
        noting::note(cx, || Deed::new(What::CreateFile).of(&name)).await;
    }
    let url = cx.file_addresses().of(&name);
    let told = TriggerFile { name: name.clone(), url: Some(url.clone()), ..told };
    triggers::after_save(cx, told, if streamed { length } else { Some(stored) }, streamed).await?;
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
    noting::note(cx, || Deed::new(What::DeleteFile).of(name)).await;
    triggers::on_delete(cx, Trigger::AfterDelete, name).await
}

fn refuse_read_only(cx: &Context, message: &'static str) -> Result<()> {
    cx.admit_write()?;
    if cx.auth.is_read_only() { Err(forbidden(message)) } else { Ok(()) }
}

/// 403, sanitised, without a code.
fn forbidden(message: &'static str) -> ParseError {
    ParseError { sensitive: true, ..ParseError::http(403, message) }
}
