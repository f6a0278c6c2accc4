//! Opens the store that the option `filesAdapter` names; the option may be what a parse-server configuration has.

use std::path::PathBuf;
use std::sync::Arc;

use mongodb::Database;
use serde_json::{Map, Value as Json};

use super::FileStore;
use super::cloud::{azure, gcs, s3};
use super::directory::Directory;
use super::encryption::FileKey;
use super::file_system::FileSystem;
use super::gridfs::GridFs;
use super::settings::{Environment, Settings};
use crate::random::Random;

/// Where files are kept when `filesAdapter` is not given: beside the objects.
pub enum Home {
    /// In the MongoDB database.
    Mongo(Database),
    /// In this data directory, which the embedded store holds.
    Embedded(PathBuf),
}

/// A file store, or what is needed to have it.
#[derive(Debug)]
pub enum Opened {
    /// It is open.
    Store(Arc<dyn FileStore>),
    /// The option names a JavaScript module: the process that runs JavaScript has to load it.
    NeedsJavaScript {
        /// As the option names it.
        module: String,
        /// The settings for its constructor.
        options: Map<String, Json>,
    },
}

/// The name of the adapter in the option `filesAdapter`, if it has one.
fn module(setting: &Json) -> Option<&str> {
    match setting {
        Json::String(module) => Some(module),
        Json::Object(map) => map.get("module").or_else(|| map.get("adapter"))?.as_str(),
        _ => None,
    }
}

/// Opens a store.
///
/// `setting` is the option `filesAdapter`: absent, the name of a module, or `{"module": …, "options": …}`. `key` comes from
/// the option `fileKey` and encrypts files at home; adapters have options of their own for that. `environment` gives the
/// variables in which the npm adapters look for missing options.
///
/// # Errors
/// A text for the person who configured it.
pub fn open(
    setting: Option<&Json>,
    home: Home,
    key: Option<FileKey>,
    random: Arc<dyn Random>,
    environment: Environment<'_>,
) -> Result<Opened, String> {
    let Some((module, options)) = setting.map(read).transpose()?.flatten() else {
        let store: Arc<dyn FileStore> = match home {
            Home::Mongo(database) => Arc::new(GridFs::new(&database, key, random)),
            Home::Embedded(data) => Arc::new(Directory::new(&data, key, random)),
        };
        return Ok(Opened::Store(store));
    };
    let mut settings = Settings::new(&module, options, environment);
    let store: Arc<dyn FileStore> = match module.as_str() {
        "@parse/fs-files-adapter" => {
            let folder = settings.text("filesSubDirectory", "")?.unwrap_or_default();
            let key = settings.text("encryptionKey", "")?.map(|text| FileKey::from_text(&text));
            settings.finish()?;
            // The npm adapter puts the folder below `files` even if it begins with a slash.
            let folder = PathBuf::from("files").join(folder.trim_start_matches('/'));
            let store = FileSystem::open(folder.clone(), key, random);
            Arc::new(store.map_err(|error| format!("filesAdapter {module}: {}: {error}", folder.display()))?)
        }
        "@parse/s3-files-adapter" => Arc::new(s3::open(settings)?),
        "@parse/gcs-files-adapter" => Arc::new(gcs::open(settings)?),
        "azure" | "parse-server-azure-storage" => Arc::new(azure::open(settings)?),
        _ => return Ok(Opened::NeedsJavaScript { options: settings.into_map(), module }),
    };
    Ok(Opened::Store(store))
}

/// An adapter's name and its settings.
type Named = (String, Map<String, Json>);

/// The adapter an option names.
fn read(setting: &Json) -> Result<Option<Named>, String> {
    match setting {
        Json::Null => Ok(None),
        Json::String(module) => Ok(Some((module.clone(), Map::new()))),
        Json::Object(map) => {
            let options = match map.get("options") {
                None | Some(Json::Null) => Map::new(),
                Some(Json::Object(options)) => options.clone(),
                Some(_) => return Err("filesAdapter.options must be an object".to_owned()),
            };
            module(setting)
                .map(|module| Some((module.to_owned(), options)))
                .ok_or_else(|| "filesAdapter.module must be a text".to_owned())
        }
        _ => Err("filesAdapter must be the name of a module or {\"module\": …, \"options\": …}".to_owned()),
    }
}
