//! Triggers on files: what they are told, and what their answers may do.
//!
//! Web hooks are told the name, the address and the size. Code that takes bytes gets them, up to its bound; then, and only then, a file is
//! held in memory.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Map, Value as Json, json};

use super::held::Share;
use super::state::{failure, room};
use super::transfer::{Content, Download, Draft};
use crate::adapters::files::blocks::{gather, once};
use crate::adapters::files::in_memory::InMemory;
use crate::adapters::files::{ByteStream, StoredFile};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::triggers::{Answer, Handler, TriggerFile};
use crate::domain::triggers::{self, payload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::files::delivery::NO_SNIFFING;
use crate::model::trigger::{FILES, Trigger};

fn handler(cx: &Context, trigger: Trigger) -> Option<Arc<dyn Handler>> {
    cx.app.triggers.handler(trigger, FILES)
}

/// What every handler is told of a file.
fn payload(cx: &Context, trigger: Trigger, file: &TriggerFile) -> Map<String, Json> {
    let mut payload = payload::trigger(cx, trigger);
    // The context belongs to objects. A find has no request of its own either.
    payload.shift_remove("context");
    if matches!(trigger, Trigger::BeforeFind | Trigger::AfterFind) {
        payload.shift_remove("headers");
        payload.shift_remove("ip");
    }
    let mut told = json!({ "__type": "File", "name": file.name });
    if let (Some(url), Json::Object(told)) = (&file.url, &mut told) {
        told.insert("url".to_owned(), url.as_str().into());
    }
    payload.insert("file".to_owned(), told);
    payload
}

/// The refusal of a trigger, with the code that such refusals have unless the app's code chose another.
fn refused(code: ErrorCode) -> impl Fn(ParseError) -> ParseError {
    move |error| {
        if error.is(ErrorCode::ScriptFailed) && error.status == 400 {
            ParseError { code: Some(code), ..error }
        } else {
            error
        }
    }
}

/// Whoever may not read a file is forbidden to.
fn forbidden(error: ParseError) -> ParseError {
    if error.status == 400 { ParseError { status: 403, ..error } } else { error }
}

/// The bytes of a stream in memory, up to the handler's bound, and as long as all of them together have room.
async fn hold(cx: &Context, bytes: ByteStream, most: u64) -> Result<Held> {
    let mut share = room(cx)?;
    let (mut bytes, mut pieces, mut length) = (bytes, Vec::new(), 0_u64);
    while let Some(piece) = bytes.next().await {
        let piece = piece.map_err(failure)?;
        length = length.saturating_add(piece.len() as u64);
        if length > most {
            let message = format!("A file of more than {most} bytes is too large for triggers; upload it as a stream.");
            return Err(ParseError::new(ErrorCode::FileSaveError, message));
        }
        share.grow(piece.len())?;
        pieces.push(Ok(piece));
    }
    let all = gather(Box::pin(futures_util::stream::iter(pieces))).await.map_err(failure)?;
    Ok(Held { bytes: all, _room: share })
}

/// Bytes in memory, and the room they take.
struct Held {
    bytes: Bytes,
    _room: Share,
}

/// Calls beforeSave, which may refuse, change what is stored, or end the upload by saying where the file already is.
///
/// # Errors
/// What the trigger refuses (130); what the stream of the upload refuses; 130 for a file that is too large for the handler.
pub async fn before_save(
    cx: &Context,
    draft: Draft,
    content: Content,
) -> Result<ControlFlow<TriggerFile, (Draft, Content)>> {
    let Some(handler) = handler(cx, Trigger::BeforeSave) else { return Ok(Continue((draft, content))) };
    let Content { mut bytes, mut length, streamed } = content;
    let mut file = draft.to_trigger();
    let mut room = None;
    if !streamed && (handler.most_file_bytes().is_some() || length.is_none()) {
        let most = handler.most_file_bytes().unwrap_or(u64::MAX).min(cx.app.options.server.max_upload_size.bytes);
        let held = hold(cx, bytes, most).await?;
        length = Some(held.bytes.len() as u64);
        bytes = once(held.bytes.clone());
        file.data = handler.most_file_bytes().map(|_| held.bytes.clone());
        room = Some(held);
    }
    let mut payload = payload(cx, Trigger::BeforeSave, &file);
    payload.insert("fileSize".to_owned(), length.into());
    if streamed {
        payload.insert("stream".to_owned(), true.into());
    }
    let answer = triggers::fire_with_file(cx, &handler, Trigger::BeforeSave, payload, file).await;
    let answer = answer.map_err(refused(ErrorCode::FileSaveError))?;
    drop(room);
    let Some(changed) = answer.file else { return Ok(Continue((draft, Content { bytes, length, streamed }))) };
    if changed.url.is_some() {
        return Ok(Break(changed));
    }
    // A stream is stored whatever the trigger says of bytes, as parse-server does: it has seen none.
    if let Some(data) = changed.data.as_ref().filter(|_| !streamed) {
        length = Some(data.len() as u64);
        bytes = once(data.clone());
    }
    Ok(Continue((Draft::from_trigger(changed), Content { bytes, length, streamed })))
}

/// Calls afterSave. `length` is `None` for a file that is elsewhere, and for a stream that did not say it.
///
/// # Errors
/// What the trigger refuses (130), although the file is stored.
pub async fn after_save(cx: &Context, file: TriggerFile, length: Option<u64>, streamed: bool) -> Result<()> {
    let Some(handler) = handler(cx, Trigger::AfterSave) else { return Ok(()) };
    let mut payload = payload(cx, Trigger::AfterSave, &file);
    payload.insert("fileSize".to_owned(), length.into());
    if streamed {
        payload.insert("stream".to_owned(), true.into());
    }
    let answer = triggers::fire_with_file(cx, &handler, Trigger::AfterSave, payload, file).await;
    answer.map(|_| ()).map_err(refused(ErrorCode::FileSaveError))
}

/// Calls beforeDelete or afterDelete.
///
/// # Errors
/// What the trigger refuses (153).
pub async fn on_delete(cx: &Context, trigger: Trigger, name: &str) -> Result<()> {
    let Some(handler) = handler(cx, trigger) else { return Ok(()) };
    let file = TriggerFile { name: name.to_owned(), url: Some(cx.file_addresses().of(name)), ..TriggerFile::default() };
    let mut payload = payload(cx, trigger, &file);
    payload.insert("fileSize".to_owned(), Json::Null);
    let answer = triggers::fire_with_file(cx, &handler, trigger, payload, file).await;
    answer.map(|_| ()).map_err(refused(ErrorCode::FileDeleteError))
}

/// Calls beforeFind, which may refuse, and name another file.
///
/// # Errors
/// What the trigger refuses, with 403.
pub async fn before_find(cx: &Context, name: &str) -> Result<Option<String>> {
    let Some(handler) = handler(cx, Trigger::BeforeFind) else { return Ok(None) };
    let file = TriggerFile { name: name.to_owned(), ..TriggerFile::default() };
    let payload = payload(cx, Trigger::BeforeFind, &file);
    let answer = triggers::fire_with_file(cx, &handler, Trigger::BeforeFind, payload, file).await;
    Ok(answer.map_err(forbidden)?.file.map(|file| file.name).filter(|name| !name.is_empty()))
}

/// Calls afterFind for metadata, which it may refuse.
///
/// # Errors
/// What the trigger refuses, with 403.
pub async fn after_find_metadata(cx: &Context, name: &str) -> Result<()> {
    let Some(handler) = handler(cx, Trigger::AfterFind) else { return Ok(()) };
    let file = TriggerFile { name: name.to_owned(), ..TriggerFile::default() };
    let payload = payload(cx, Trigger::AfterFind, &file);
    triggers::fire_with_file(cx, &handler, Trigger::AfterFind, payload, file).await.map(|_| ()).map_err(forbidden)
}

/// Calls afterFind, before any byte leaves: it may refuse, and replace the file. It gets the bytes if all of them are asked for (`whole`).
///
/// # Errors
/// What the trigger refuses, with 403.
pub async fn after_find(cx: &Context, found: Box<dyn StoredFile>, whole: bool) -> Result<Download> {
    let found: Arc<dyn StoredFile> = Arc::from(found);
    let Some(handler) = handler(cx, Trigger::AfterFind) else { return Ok(Download::of(found)) };
    let info = found.info();
    let mut file =
        TriggerFile { name: info.name.clone(), content_type: info.content_type.clone(), ..TriggerFile::default() };
    let mut room = None;
    if let Some(most) = handler.most_file_bytes().filter(|most| whole && info.length <= *most) {
        let held = hold(cx, found.read(0..info.length).await.map_err(failure)?, most).await?;
        file.data = Some(held.bytes.clone());
        room = Some(held);
    }
    let mut payload = payload(cx, Trigger::AfterFind, &file);
    payload.insert("forceDownload".to_owned(), false.into());
    payload.insert("responseHeaders".to_owned(), json!({ "X-Content-Type-Options": NO_SNIFFING }));
    let answer = triggers::fire_with_file(cx, &handler, Trigger::AfterFind, payload, file).await;
    let Answer { file, force_download, response_headers, .. } = answer.map_err(forbidden)?;
    drop(room);
    let file = match file {
        // Also of a part: who asks for a range gets no more than who asks for all.
        Some(TriggerFile { name, content_type, data: Some(data), .. }) => {
            let now = cx.now();
            // It makes a hash of the bytes, which may be many.
            let file = tokio::task::spawn_blocking(move || InMemory::new(name, content_type, data, now));
            Arc::new(file.await.map_err(ParseError::internal)?)
        }
        _ => found,
    };
    let headers = response_headers.map(|headers| {
        let text = |value: Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.into_iter().map(|(name, value)| (name, text(value))).collect()
    });
    Ok(Download { file, force: force_download.unwrap_or(false), headers })
}
