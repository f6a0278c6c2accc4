//! Files on their way in and out.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::adapters::files::{ByteStream, StoredFile};
use crate::domain::kernel::triggers::TriggerFile;

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
    pub(super) name: String,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Map<String, Json>,
    pub(super) tags: Map<String, Json>,
    pub(super) directory: Option<String>,
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
}

/// A file as its uploader may name it from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
}

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
