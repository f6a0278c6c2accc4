//! The stores the cases run on. Each is empty and its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mongodb::{Client, Database};
use reparse::adapters::cloud::module::Modules;
use reparse::adapters::files::FileStore;
use reparse::adapters::files::directory::Directory;
use reparse::adapters::files::encryption::FileKey;
use reparse::adapters::files::file_system::FileSystem;
use reparse::adapters::files::gridfs::GridFs;
use reparse::adapters::files::javascript::JavaScript;
use reparse::adapters::files::open::{Home, Opened, open};
use reparse::clock::{Clock, SystemClock};
use reparse::random::{Random, SystemRandom};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::cloud::host::TestApp;

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
    /// It can list its files, and what belongs to none.
    pub lists: bool,
    mongo: Option<Database>,
    folder: Option<TempDir>,
    /// The app whose adapter it is.
    app: Option<TestApp>,
}

impl Place {
    /// Whether a case tries a file of this length here. Encryption does the same with every 64 KiB, and what is not optimised takes long
    /// for it: more than some of them would show nothing more.
    pub fn tries(&self, length: usize) -> bool {
        !self.encrypted || length <= 1024 * 1024
    }

    /// The folder of a store on disk.
    pub fn folder(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().to_owned()
    }

    /// The database of GridFS.
    pub fn database(&self) -> Database {
        self.mongo.clone().unwrap()
    }

    /// Removes the database, and ends the app.
    pub async fn remove(self) {
        if let Some(database) = self.mongo {
            database.drop().await.unwrap();
        }
        if let Some(app) = self.app {
            app.cloud.shutdown().await;
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
        lists: true,
        mongo: Some(database),
        folder: None,
        app: None,
    }
}

pub fn directory(key: Option<&str>) -> Place {
    let folder = TempDir::new().unwrap();
    Place {
        name: "directory",
        store: Arc::new(Directory::new(folder.path(), key.map(FileKey::from_text), random())),
        keeps_metadata: true,
        encrypted: key.is_some(),
        lists: true,
        mongo: None,
        folder: Some(folder),
        app: None,
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
        lists: true,
        mongo: None,
        folder: Some(folder),
        app: None,
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
    Place { name, store, keeps_metadata: true, encrypted: false, lists: true, mongo: None, folder: None, app: None }
}

pub fn s3() -> Place {
    cloud("s3", &s3_setting(&json!({})))
}

pub fn azure_setting() -> Json {
    // The account that every Azure emulator has.
    let options = json!({
        "accountName": "devstoreaccount1",
        "accessKey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        "container": "parse-files",
        "bucketPrefix": format!("{}/", unique()),
        "endpoint": format!("{}/devstoreaccount1", variable("REPARSE_TEST_AZURE")),
    });
    json!({ "module": "azure", "options": options })
}

pub fn azure() -> Place {
    cloud("azure", &azure_setting())
}

pub fn gcs_setting() -> Json {
    let options = json!({
        "bucket": "parse-files",
        "bucketPrefix": format!("{}/", unique()),
        "apiEndpoint": variable("REPARSE_TEST_GOOGLE"),
    });
    json!({ "module": "@parse/gcs-files-adapter", "options": options })
}

pub fn gcs() -> Place {
    cloud("gcs", &gcs_setting())
}

const ADAPTER: &str = "
module.exports = class {
  constructor({ missing }) { this.files = new Map(); this.missing = missing; }
  get(name) { if (!this.files.has(name)) throw new Error(this.missing); return this.files.get(name); }
  async createFile(name, data, contentType, { metadata }) { this.files.set(name, { data: Buffer.from(data), metadata }); }
  async deleteFile(name) { this.get(name); this.files.delete(name); }
  async getFileData(name) { return this.get(name).data; }
  async getMetadata(name) { return { metadata: this.get(name).metadata }; }
  getFileLocation({ mount }, name) { return `${mount}/elsewhere/${encodeURIComponent(name)}?v=1`; }
};";

pub async fn javascript() -> Place {
    let app = TestApp::start("").await;
    std::fs::write(app.folder.path().join("files.js"), ADAPTER).unwrap();
    let modules = Modules::default();
    let options = json!({ "missing": "there is no such file" }).as_object().unwrap().clone();
    let (clock, mount): (Arc<dyn Clock>, _) = (Arc::new(SystemClock), "http://localhost:1/parse/");
    let store = JavaScript::open("./files.js", options, &modules, "app", mount, (clock, random()));
    modules.load(&app.cloud).await.unwrap();
    Place {
        name: "javascript",
        store: Arc::new(store),
        keeps_metadata: true,
        encrypted: false,
        lists: false,
        mongo: None,
        folder: None,
        app: Some(app),
    }
}

/// One of each.
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
        gcs(),
        javascript().await,
    ]
}
