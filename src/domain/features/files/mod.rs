//! Files: who may upload and download what. The bytes are in a [`FileStore`]; names of files are in fields of objects.

mod access;
mod download;
mod extensions;
mod upload;

pub use download::{metadata, open};
pub use upload::{Upload, delete, put};

use std::sync::Arc;

use crate::adapters::files::FileStore;
pub use crate::adapters::files::{ByteStream, FileError, FileInfo, StoredFile};
use crate::config::Options;
use crate::domain::features::Services;
use crate::domain::kernel::feature::Feature;
use crate::error::ParseError;
use extensions::AllowedExtensions;

/// What the feature keeps while the server runs.
pub struct Files {
    /// Where the bytes are.
    pub store: Arc<dyn FileStore>,
    /// What may be uploaded.
    extensions: AllowedExtensions,
}

/// The record for the kernel.
#[must_use]
pub fn feature(options: &Options, services: &Services) -> Feature {
    let feature = Feature::new("files");
    match &services.files {
        Some(store) => {
            let extensions = AllowedExtensions::new(&options.files.upload.file_extensions);
            feature.state(Files { store: store.clone(), extensions })
        }
        None => feature,
    }
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
