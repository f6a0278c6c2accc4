//! GridFS: documents that parse-server wrote, and how ours look.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt as _;
use mongodb::options::IndexOptions;
use reparse::adapters::files::encryption::FileKey;
use reparse::adapters::files::gridfs::GridFs;
use reparse::adapters::files::{FileError, FileStore as _, NewFile};
use serde_json::{Value as Json, json};

use super::conformance::{NOW, file, get, pattern, pieces};
use super::places::{self, random};

/// Documents parse-server 9.10 wrote, as extended JSON.
const FIXTURES: &str = include_str!("../../data/gridfs.json");

fn document(json: &Json) -> Document {
    serde_json::from_value(json.clone()).unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_parse_server_are_read() {
    let fixtures: Json = serde_json::from_str(FIXTURES).unwrap();
    let mut seen = 0;
    for set in fixtures["sets"].as_array().unwrap() {
        let database = places::database().await;
        for collection in ["fs.files", "fs.chunks"] {
            let documents: Vec<Document> = set[collection].as_array().unwrap().iter().map(document).collect();
            database.collection::<Document>(collection).insert_many(documents).await.unwrap();
        }
        let key = set["fileKey"].as_str();
        let store = GridFs::new(&database, key.map(FileKey::from_text), random());
        let plain = GridFs::new(&database, None, random());
        let wrong = GridFs::new(&database, Some(FileKey::from_text("another")), random());
        for expected in set["expect"].as_array().unwrap() {
            let name = expected["name"].as_str().unwrap();
            let bytes = base64(expected["base64"].as_str().unwrap());
            assert!(get(&store, name).await == bytes, "{name}");
            assert_eq!(Json::Object(store.metadata(name).await.unwrap().unwrap()), expected["metadata"], "{name}");
            assert!(matches!(wrong.open(name).await, Err(FileError::Undecipherable(_))), "{name}");
            assert_eq!(get(&plain, name).await.len(), bytes.len() + if key.is_some() { 32 } else { 0 });
            seen += 1;
        }
        database.drop().await.unwrap();
    }
    assert!(seen >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_laid_out_as_parse_servers() {
    for (key, lengths) in [(None, vec![261_120, 261_120, 77_760]), (Some("a key"), vec![261_120, 261_120, 77_792])] {
        let place = places::gridfs(key).await;
        let metadata = json!({ "by": "me", "n": 1, "big": 3_000_000_000_u64, "deep": { "list": [true, null, 1.5] } });
        let new = NewFile {
            metadata: metadata.as_object().unwrap().clone(),
            content_type: Some("text/plain".to_owned()),
            ..file("dir/a.txt")
        };
        place.store.create(new, pieces(&pattern(600_000))).await.unwrap();
        let files: Vec<Document> =
            place.database().collection("fs.files").find(doc! {}).await.unwrap().try_collect().await.unwrap();
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!(
            file.keys().collect::<Vec<_>>(),
            ["_id", "length", "chunkSize", "uploadDate", "filename", "metadata"]
        );
        let id = file.get_object_id("_id").unwrap();
        let length = if key.is_some() { 600_032 } else { 600_000 };
        assert_eq!(file.get("length"), Some(&Bson::Int32(length)));
        assert_eq!(file.get("chunkSize"), Some(&Bson::Int32(261_120)));
        assert_eq!(file.get_datetime("uploadDate").unwrap().timestamp_millis(), NOW);
        assert_eq!(file.get_str("filename").unwrap(), "dir/a.txt");
        assert_eq!(
            file.get_document("metadata").unwrap(),
            &doc! { "by": "me", "n": 1_i32, "big": 3e9, "deep": { "list": [true, Bson::Null, 1.5] } }
        );
        let chunks: Vec<Document> = place
            .database()
            .collection("fs.chunks")
            .find(doc! {})
            .sort(doc! { "n": 1 })
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(chunks.len(), 3);
        for ((chunk, length), number) in chunks.iter().zip(lengths).zip(0..) {
            assert_eq!(chunk.keys().collect::<Vec<_>>(), ["_id", "files_id", "n", "data"]);
            assert_eq!(chunk.get_object_id("files_id").unwrap(), id);
            assert_eq!(chunk.get_i32("n").unwrap(), number);
            assert_eq!(chunk.get_binary_generic("data").unwrap().len(), length);
        }
        let names = |collection: &str| {
            let collection = place.database().collection::<Document>(collection);
            async move {
                let indexes: Vec<_> = collection.list_indexes().await.unwrap().try_collect().await.unwrap();
                let unique = |options: &Option<IndexOptions>| options.as_ref().and_then(|options| options.unique);
                indexes.iter().map(|index| (index.keys.clone(), unique(&index.options))).collect::<Vec<_>>()
            }
        };
        assert!(names("fs.files").await.contains(&(doc! { "filename": 1, "uploadDate": 1 }, None)));
        assert!(names("fs.chunks").await.contains(&(doc! { "files_id": 1, "n": 1 }, Some(true))));
        place.remove().await;
    }
}

/// Older files of a name stay behind the newest one; their metadata is what the route for it tells, as in parse-server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_is_the_oldest_files() {
    let place = places::gridfs(None).await;
    for number in 0..2 {
        let metadata = json!({ "number": number }).as_object().unwrap().clone();
        let created = reparse::model::date::Date::from_millis(NOW + number * 1000);
        place.store.create(NewFile { metadata, created, ..file("a.txt") }, pieces(b"x")).await.unwrap();
    }
    assert_eq!(place.store.metadata("a.txt").await.unwrap(), json!({ "number": 0 }).as_object().cloned());
    assert_eq!(place.store.open("a.txt").await.unwrap().info().metadata["number"], 1);
    place.remove().await;
}

/// A damaged file is an error of the stream, never fewer bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_and_changed_chunks_are_noticed() {
    let place = places::gridfs(None).await;
    place.store.create(file("a.bin"), pieces(&pattern(1_000_000))).await.unwrap();
    let chunks = place.database().collection::<Document>("fs.chunks");
    chunks.delete_one(doc! { "n": 2 }).await.unwrap();
    let found = place.store.open("a.bin").await.unwrap();
    let read: Result<Vec<_>, _> = found.read(0..1_000_000).await.unwrap().try_collect().await;
    assert!(matches!(read, Err(FileError::Damaged(_))));
    place.remove().await;
}
