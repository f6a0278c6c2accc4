//! What an export and an import have in common: the data of an app, and what they say of it.

use std::fmt;
use std::sync::Arc;

use crate::adapters::files::FileStore;
use crate::config::Options;
use crate::model::names::ClassName;
use crate::random::Random;
use crate::storage::{Storage, StorageError};

/// What an export reads, and an import writes.
#[derive(Debug)]
pub struct Data<'a> {
    /// The store.
    pub storage: &'a dyn Storage,
    /// The file store; `None`: files are left out.
    pub files: Option<&'a dyn FileStore>,
    /// The options of its server, which say what indexes it makes by itself.
    pub options: &'a Options,
    /// The random source.
    pub random: Arc<dyn Random>,
}

/// Something that was left out. The rest goes on.
#[derive(Debug)]
pub enum Trouble {
    /// An object.
    Row {
        /// Its class.
        class: ClassName,
        /// Its `objectId`.
        id: String,
        /// Why.
        why: String,
    },
    /// An index.
    Index {
        /// Its class.
        class: ClassName,
        /// Its name.
        name: String,
        /// Why.
        why: StorageError,
    },
    /// A file.
    File {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { class, id, why } => write!(formatter, "{class} {id}: {why}"),
            Self::Index { class, name, why } => write!(formatter, "index {name} of {class}: {why}"),
            Self::File { name, why } => write!(formatter, "file {name}: {why}"),
        }
    }
}

/// What an export or an import says while it goes on.
#[derive(Debug)]
pub enum Step<'a> {
    /// So many lines more of a part are done.
    Done(&'a str, u64),
    /// Something was left out.
    Trouble(Trouble),
}

/// Hears of each step.
pub type Tell<'a> = &'a mut (dyn FnMut(Step<'_>) + Send);
