//! Files that npm's adapters wrote are read by ours, and the other way round, plain and encrypted.
//!
//! Needs Node and the packages of `compat/`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use reparse::adapters::files::encryption::FileKey;
use reparse::adapters::files::file_system::FileSystem;
use reparse::adapters::files::gridfs::GridFs;
use reparse::adapters::files::{FileStore, NewFile};
use reparse::random::hex;
use serde_json::{Value as Json, json};

use super::conformance::{file, get, pattern, pieces};
use super::places::{configured, database, mongo_uri, random, s3_setting, unique};

const LENGTHS: [usize; 6] = [1, 31, 261_120, 300_000, 600_000, 6_000_000];

/// Has npm's adapter do something in `folder`.
async fn node(task: &Json, folder: &Path) -> Json {
    let compat = Path::new(env!("CARGO_MANIFEST_DIR")).join("compat");
    let mut command = Command::new("node");
    command.arg(compat.join("files/adapters.cjs")).arg(task.to_string()).current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// Ours reads what npm's wrote and the other way round.
async fn both_ways(store: &dyn FileStore, adapter: &str, options: &Json, folder: &Path, metadata: bool) {
    let names = |by: &str| LENGTHS.map(|length| (format!("{by} {length}@~.txt"), length));
    let theirs = json!({
        "adapter": adapter,
        "options": options,
        "write": names("npm").map(|(name, length)| json!({ "name": name, "length": length, "metadata": { "by": "npm" } })),
    });
    node(&theirs, folder).await;
    for (name, length) in names("npm") {
        assert!(get(store, &name).await == pattern(length), "{adapter} {name}");
        if metadata {
            assert_eq!(store.metadata(&name).await.unwrap(), json!({ "by": "npm" }).as_object().cloned());
        }
    }
    for (name, length) in names("ours") {
        let new = NewFile { metadata: json!({ "by": "us" }).as_object().unwrap().clone(), ..file(&name) };
        store.create(new, pieces(&pattern(length))).await.unwrap();
    }
    let read = names("ours").map(|(name, _)| name);
    let answer = node(&json!({ "adapter": adapter, "options": options, "read": read }), folder).await;
    for (name, length) in names("ours") {
        assert_eq!(answer["read"][&name], sha256(&pattern(length)), "{adapter} {name}");
        if adapter == "gridfs" {
            assert_eq!(answer["metadata"][&name], json!({ "by": "us" }));
        }
        if let Some(location) = store.location(&name) {
            assert_eq!(answer["location"][&name], location);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gridfs() {
    for key in [None, Some("file secret")] {
        let database = database().await;
        let (before, options) = mongo_uri().split_once("/?").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let uri = format!("{before}/{}?{options}", database.name());
        let store = GridFs::new(&database, key.map(FileKey::from_text), random());
        let folder = tempfile::tempdir().unwrap();
        both_ways(&store, "gridfs", &json!({ "uri": uri, "fileKey": key }), folder.path(), true).await;
        database.drop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_system() {
    for key in [None, Some("a key")] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("files/sub");
        let store = FileSystem::open(place, key.map(FileKey::from_text), random()).unwrap();
        let mut options = json!({ "filesSubDirectory": "sub" });
        if let Some(key) = key {
            options["encryptionKey"] = json!(key);
        }
        both_ways(&store, "fs", &options, folder.path(), false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3() {
    let folder = tempfile::tempdir().unwrap();
    let more =
        [json!({}), json!({ "directAccess": true }), json!({ "directAccess": true, "baseUrl": "https://cdn.example" })];
    for more in more {
        let mut setting = s3_setting(&more);
        setting["options"]["bucketPrefix"] = json!(format!("{}-", unique()));
        let store: Arc<dyn FileStore> = configured(&setting);
        // Amazon's client in Node wants to be told.
        setting["options"]["s3overrides"]["forcePathStyle"] = json!(true);
        both_ways(store.as_ref(), "s3", &setting["options"], folder.path(), true).await;
    }
}
