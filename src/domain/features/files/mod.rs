//! Files: who may upload and download what. The bytes are in a [`FileStore`]; names of files are in fields of objects.

mod access;
mod download;
mod extensions;
mod held;
mod triggers;
mod upload;

pub use download::{Download, find, metadata, open};
pub use held::Share;
pub use upload::{Content, Draft, Stored, Upload, delete, put};

use std::sync::Arc;

use crate::adapters::files::FileStore;
pub use crate::adapters::files::{ByteStream, FileError, FileInfo, StoredFile};
use crate::config::Options;
use crate::domain::features::Services;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::error::{ParseError, Result};
use extensions::AllowedExtensions;
use held::Held;

/// What the feature keeps while the server runs.
pub struct Files {
    /// Where the bytes are.
    pub store: Arc<dyn FileStore>,
    /// What may be uploaded.
    extensions: AllowedExtensions,
    /// Bytes of files in memory.
    held: Held,
}

/// Bytes of files that may be in memory at a time, for triggers and from forms.
const HELD: u64 = 512 << 20;

/// The record for the kernel.
#[must_use]
pub fn feature(options: &Options, services: &Services) -> Feature {
    let feature = Feature::new("files");
    match &services.files {
        Some(store) => {
            let extensions = AllowedExtensions::new(&options.files.upload.file_extensions);
            feature.state(Files { store: store.clone(), extensions, held: Held::new(HELD) })
        }
        None => feature,
    }
}

/// The address at which clients read a file.
///
/// # Errors
/// When there is no file store.
pub fn address(cx: &Context, name: &str) -> Result<String> {
    Ok(cx.file_addresses().of(name))
}

/// Room for files that are held in memory. A file that finds none is refused.
///
/// # Errors
/// When there is no file store.
pub fn room(cx: &Context) -> Result<Share> {
    cx.app.feature::<Files>()?.held.share(0)
}

/// A failure of the store, towards the client: what the sender of an upload did wrong, or nothing but the fact.
fn failure(error: FileError) -> ParseError {
    match error {
        FileError::Upload(cause) => match cause.downcast::<ParseError>() {
            Ok(refusal) => *refusal,
            Err(cause) => ParseError::internal(cause),
        },
        other => ParseError::internal(other),
    }
}
