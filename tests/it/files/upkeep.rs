//! Copying stores, checking them, changing their key.

use std::fs;

use bson::{Document, doc};
use futures_util::TryStreamExt as _;
use reparse::adapters::files::directory::Directory;
use reparse::adapters::files::encryption::FileKey;
use reparse::adapters::files::file_system::FileSystem;
use reparse::adapters::files::gridfs::GridFs;
use reparse::adapters::files::upkeep::{Outcome, Tally, check, copy, rotate_key};
use reparse::adapters::files::{FileError, FileInfo, FileStore, NewFile};
use reparse::model::date::Date;
use serde_json::json;

use super::conformance::{NOW, file, get, pattern, pieces, put};
use super::places::{self, Place, random};

/// The lengths of the files that are put into a place.
fn lengths(place: &Place) -> [usize; 5] {
    let longest = [6_000_000, 600_000].into_iter().find(|length| place.tries(*length)).unwrap();
    [0, 5, 70_000, 300_000, longest]
}

async fn fill(place: &Place) {
    for length in lengths(place) {
        put(place.store.as_ref(), &format!("{length}.bin"), &pattern(length)).await;
    }
}

async fn is_full(store: &dyn FileStore, lengths: [usize; 5]) {
    for length in lengths {
        assert!(get(store, &format!("{length}.bin")).await == pattern(length), "{store:?} {length}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_store_is_copied_to_every_other_kind() {
    let sources =
        [places::gridfs(Some("one")).await, places::directory(None), places::file_system(Some("two")), places::s3()];
    for from in &sources {
        fill(from).await;
        // All but the one that is there.
        let bytes = lengths(from).iter().sum::<usize>() as u64 - 5;
        for to in [
            places::gridfs(None).await,
            places::directory(Some("three")),
            places::file_system(None),
            places::s3(),
            places::azure(),
            places::gcs(),
        ] {
            // Interrupted: one file is there, another with other bytes.
            put(to.store.as_ref(), "5.bin", &pattern(5)).await;
            put(to.store.as_ref(), "70000.bin", &vec![7; 70_000]).await;
            let mut told = 0;
            let mut progress = |_: &FileInfo, outcome: &Outcome| {
                assert!(!matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
                told += 1;
            };
            let tally = copy(from.store.as_ref(), to.store.as_ref(), &mut progress).await.unwrap();
            assert_eq!(tally, Tally { done: 4, already: 1, failed: 0, bytes }, "{} to {}", from.name, to.name);
            assert_eq!(told, 5);
            is_full(to.store.as_ref(), lengths(from)).await;
            let again = copy(from.store.as_ref(), to.store.as_ref(), &mut |_, _| {}).await.unwrap();
            assert_eq!(again, Tally { done: 0, already: 5, failed: 0, bytes: 0 });
            to.remove().await;
        }
    }
    for from in sources {
        from.remove().await;
    }
}

/// The same place seen with another key.
fn with_key(place: &Place, key: &str) -> Box<dyn FileStore> {
    let key = Some(FileKey::from_text(key));
    match place.name {
        "gridfs" => Box::new(GridFs::new(&place.database(), key, random())),
        "directory" => Box::new(Directory::new(&place.folder(), key, random())),
        _ => Box::new(FileSystem::open(place.folder(), key, random()).unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated() {
    for old in [None, Some("old")] {
        for place in [places::gridfs(old).await, places::directory(old), places::file_system(old)] {
            fill(&place).await;
            let metadata = json!({ "kept": true }).as_object().unwrap().clone();
            let new = NewFile { metadata, ..file("with.txt") };
            place.store.create(new, pieces(b"metadata")).await.unwrap();
            let store = with_key(&place, "new");
            let mut refused = |_: &FileInfo, outcome: &Outcome| {
                assert!(matches!(outcome, Outcome::Failed(FileError::Undecipherable(_))), "{outcome:?}");
            };
            let wrong = rotate_key(store.as_ref(), Some(&FileKey::from_text("wrong")), &mut refused).await.unwrap();
            assert_eq!(wrong.failed, 6);
            let key = old.map(FileKey::from_text);
            let rotated = rotate_key(store.as_ref(), key.as_ref(), &mut |_, _| {}).await.unwrap();
            assert_eq!((rotated.done, rotated.already, rotated.failed), (6, 0, 0), "{}", place.name);
            is_full(store.as_ref(), lengths(&place)).await;
            assert_eq!(get(store.as_ref(), "with.txt").await, b"metadata");
            if place.keeps_metadata {
                assert_eq!(store.metadata("with.txt").await.unwrap(), json!({ "kept": true }).as_object().cloned());
            }
            let again = rotate_key(store.as_ref(), key.as_ref(), &mut |_, _| {}).await.unwrap();
            assert_eq!((again.done, again.already, again.failed), (0, 6, 0));
            if place.name == "gridfs" {
                let files = place.database().collection::<Document>("fs.files");
                assert_eq!(files.count_documents(doc! {}).await.unwrap(), 6);
            }
            assert!(store.leftovers().await.unwrap().is_empty());
            place.remove().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_finds_what_belongs_to_no_file_and_what_cannot_be_read() {
    for place in [places::gridfs(None).await, places::directory(None), places::file_system(None)] {
        fill(&place).await;
        // As a server that was killed leaves it.
        match place.name {
            "gridfs" => {
                let chunks = place.database().collection::<Document>("fs.chunks");
                let id = bson::oid::ObjectId::from_bytes([0x60; 12]);
                chunks.insert_one(doc! { "files_id": id, "n": 0, "data": "x" }).await.unwrap();
                let files: Vec<Document> = place
                    .database()
                    .collection("fs.files")
                    .find(doc! { "filename": "300000.bin" })
                    .await
                    .unwrap()
                    .try_collect()
                    .await
                    .unwrap();
                chunks.delete_one(doc! { "files_id": files[0].get_object_id("_id").unwrap(), "n": 1 }).await.unwrap();
            }
            "directory" => {
                let files = place.folder().join("files");
                fs::create_dir_all(files.join("00")).unwrap();
                fs::write(files.join("00").join("00aa.0123"), "bytes without a name").unwrap();
                fs::write(files.join("unfinished").join("x"), "half").unwrap();
            }
            _ => fs::write(place.folder().join(".reparse-1"), "half").unwrap(),
        }
        let expected = if place.name == "directory" { 2 } else { 1 };
        let damaged = u64::from(place.name == "gridfs");
        let later = Date::parse("2100-01-01T00:00:00.000Z").unwrap();
        let young = check(place.store.as_ref(), Date::from_millis(NOW - 1_000_000_000_000), true, &mut |_, _| {})
            .await
            .unwrap();
        assert_eq!(young.leftovers.len(), 0, "{}", place.name);
        let found = check(place.store.as_ref(), later, false, &mut |_, _| {}).await.unwrap();
        assert_eq!(found.leftovers.len(), expected, "{}: {found:?}", place.name);
        assert_eq!((found.files.done, found.files.failed), (5 - damaged, damaged));
        assert_eq!(check(place.store.as_ref(), later, true, &mut |_, _| {}).await.unwrap().leftovers.len(), expected);
        assert_eq!(check(place.store.as_ref(), later, true, &mut |_, _| {}).await.unwrap().leftovers.len(), 0);
        place.remove().await;
    }
}
