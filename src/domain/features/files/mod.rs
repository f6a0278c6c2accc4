//! Files: who may upload and download what. The bytes are in a [`FileStore`]; names of files are in fields of objects.

mod access;
mod download;
mod extensions;
mod held;
mod state;
mod transfer;
mod transforms;
mod triggers;
mod upload;

use std::sync::Arc;

pub use download::{changed, find, metadata, open, wanted};
pub use held::Share;
pub use state::room;
pub use transfer::{Content, Download, Draft, Stored, Upload};
pub use upload::{delete, put};

use crate::adapters::files::FileStore;
pub use crate::adapters::files::{ByteStream, FileError, FileInfo, StoredFile};
use crate::config::Options;
use crate::domain::features::Services;
use crate::domain::kernel::feature::Feature;
use crate::model::files::addresses::Elsewhere;
use state::Files;

/// The addresses that a store gives.
#[derive(Debug)]
struct Locations(Arc<dyn FileStore>);

impl Elsewhere for Locations {
    fn address(&self, name: &str) -> Option<String> {
        self.0.location(name)
    }
}

/// The record for the kernel.
#[must_use]
pub fn feature(options: &Options, services: &Services) -> Feature {
    let feature = Feature::new("files");
    let Some(store) = &services.files else { return feature };
    let elsewhere = store.has_locations().then(|| Arc::new(Locations(store.clone())) as Arc<dyn Elsewhere>);
    Feature { file_addresses: elsewhere, ..feature.state(Files::new(options, store.clone())) }
}
