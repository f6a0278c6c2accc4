//! The stores the cases run on. Each is empty and its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mongodb::{Client, Database};
use reparse::adapters::files::FileStore;
use reparse::adapters::files::directory::Directory;
use reparse::adapters::files::encryption::FileKey;
use reparse::adapters::files::file_system::FileSystem;
use reparse::adapters::files::gridfs::GridFs;
use reparse::adapters::files::open::{Home, Opened, open};
use reparse::random::{Random, SystemRandom};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A store and what has to be there as long as it is.
pub struct Place {
    /// What it is called when a case fails.
    pub name: &'static str,
    /// The store.
    pub store: Arc<dyn FileStore>,
    /// Metadata comes back as it went in; else it is lost.
    pub keeps_metadata: bool,
    /// Files are encrypted.
    pub encrypted: bool,
    mongo: Option<Database>,
    folder: Option<TempDir>,
}

impl Place {
    /// The folder of a store on disk.
    pub fn folder(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().to_owned()
    }

    /// The database of GridFS.
    pub fn database(&self) -> Database {
        self.mongo.clone().unwrap()
    }

    /// Removes the database.
    pub async fn remove(self) {
        if let Some(database) = self.mongo {
            database.drop().await.unwrap();
        }
    }
}

pub fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} must hold an address: run this by tests/tools/clouds.py"))
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A name nobody else has.
pub fn unique() -> String {
    format!("files-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The address of the tests' MongoDB.
pub fn mongo_uri() -> String {
    std::env::var("REPARSE_TEST_MONGO").expect("REPARSE_TEST_MONGO must hold the address of a mongod")
}

/// A database of its own.
pub async fn database() -> Database {
    Client::with_uri_str(mongo_uri()).await.unwrap().database(&unique())
}

pub async fn gridfs(key: Option<&str>) -> Place {
    let database = database().await;
    Place {
        name: "gridfs",
        store: Arc::new(GridFs::new(&database, key.map(FileKey::from_text), random())),
        keeps_metadata: true,
        encrypted: key.is_some(),
        mongo: Some(database),
        folder: None,
    }
}

pub fn directory(key: Option<&str>) -> Place {
    let folder = TempDir::new().unwrap();
    Place {
        name: "directory",
        store: Arc::new(Directory::new(folder.path(), key.map(FileKey::from_text), random())),
        keeps_metadata: true,
        encrypted: key.is_some(),
        mongo: None,
        folder: Some(folder),
    }
}

pub fn file_system(key: Option<&str>) -> Place {
    let folder = TempDir::new().unwrap();
    let store = FileSystem::open(folder.path().to_owned(), key.map(FileKey::from_text), random()).unwrap();
    Place {
        name: "file_system",
        store: Arc::new(store),
        keeps_metadata: false,
        encrypted: key.is_some(),
        mongo: None,
        folder: Some(folder),
    }
}

/// A store opened from what a configuration says.
pub fn configured(setting: &Json) -> Arc<dyn FileStore> {
    let home = Home::Embedded(PathBuf::from("/nowhere"));
    match open(Some(setting), home, None, random(), &|_| None).unwrap() {
        Opened::Store(store) => store,
        Opened::NeedsJavaScript { module, .. } => panic!("{module} needs JavaScript"),
    }
}

/// The setting of a bucket of the S3 emulator; `more` is put over it.
pub fn s3_setting(more: &Json) -> Json {
    let mut options = json!({
        "bucket": "parse-files",
        "bucketPrefix": format!("{}/", unique()),
        "accessKey": "id",
        "secretKey": "secret",
        "s3overrides": { "endpoint": variable("REPARSE_TEST_S3") },
    });
    for (key, value) in more.as_object().unwrap() {
        options[key] = value.clone();
    }
    json!({ "module": "@parse/s3-files-adapter", "options": options })
}

fn cloud(name: &'static str, setting: &Json) -> Place {
    let store = configured(setting);
    Place { name, store, keeps_metadata: true, encrypted: false, mongo: None, folder: None }
}

pub fn s3() -> Place {
    cloud("s3", &s3_setting(&json!({})))
}

pub fn azure() -> Place {
    // The account that every Azure emulator has.
    let options = json!({
        "accountName": "devstoreaccount1",
        "accessKey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        "container": "parse-files",
        "bucketPrefix": format!("{}/", unique()),
        "endpoint": format!("{}/devstoreaccount1", variable("REPARSE_TEST_AZURE")),
    });
    cloud("azure", &json!({ "module": "azure", "options": options }))
}

/// One of each. Google's is missing: the emulators that registries have do not take uploads by the XML API, which is the one
/// that `object_store` speaks.
pub async fn all() -> Vec<Place> {
    vec![
        gridfs(None).await,
        gridfs(Some("a key")).await,
        directory(None),
        directory(Some("a key")),
        file_system(None),
        file_system(Some("a key")),
        s3(),
        azure(),
    ]
}
