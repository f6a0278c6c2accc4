//! What every store does.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reparse::adapters::files::blocks::gather;
use reparse::adapters::files::{ByteStream, FileError, FileStore, NewFile};
use reparse::model::date::Date;
use serde_json::json;

use super::places::{self, Place};

const MIB: usize = 1024 * 1024;
/// Bytes in a chunk of GridFS.
const CHUNK: usize = 255 * 1024;

/// The moment of every upload.
pub const NOW: i64 = 1_790_000_000_123;

pub fn file(name: &str) -> NewFile {
    NewFile::named(name, Date::from_millis(NOW))
}

/// The longest file of a case, and more.
const LONGEST: usize = 12 * MIB;

/// Bytes that differ from place to place, made once: unoptimised, that takes a second.
pub fn pattern(length: usize) -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let byte = |at: usize| u8::try_from(at % 251).unwrap() ^ u8::try_from((at >> 12) & 255).unwrap();
        (0..LONGEST).map(byte).collect()
    });
    BYTES[..length].to_vec()
}

/// The bytes in pieces as a socket gives them: uneven, some empty.
pub fn pieces(bytes: &[u8]) -> ByteStream {
    let mut random = StdRng::seed_from_u64(bytes.len() as u64);
    let (mut rest, mut pieces) = (Bytes::copy_from_slice(bytes), Vec::new());
    while !rest.is_empty() {
        let size = if random.random_bool(0.1) { 0 } else { random.random_range(1..70_000) };
        pieces.push(Ok(rest.split_to(size.min(rest.len()))));
    }
    Box::pin(stream::iter(pieces))
}

pub async fn put(store: &dyn FileStore, name: &str, bytes: &[u8]) {
    assert_eq!(store.create(file(name), pieces(bytes)).await.unwrap(), bytes.len() as u64);
}

pub async fn get(store: &dyn FileStore, name: &str) -> Vec<u8> {
    loop {
        let found = store.open(name).await.unwrap();
        match found.read(0..found.info().length).await {
            Err(FileError::Replaced) => {}
            bytes => return gather(bytes.unwrap()).await.unwrap().to_vec(),
        }
    }
}

async fn is_missing(store: &dyn FileStore, name: &str) {
    assert!(matches!(store.open(name).await, Err(FileError::NotFound)), "{name}");
    assert!(matches!(store.delete(name).await, Err(FileError::NotFound)), "{name}");
    assert_eq!(store.metadata(name).await.unwrap(), None, "{name}");
}

/// Waits for what is removed in the background.
async fn has_no_leftovers(store: &dyn FileStore) {
    for _ in 0..200 {
        if store.leftovers().await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{store:?} still has {:?}", store.leftovers().await.unwrap());
}

async fn lives(place: &Place) {
    let store = place.store.as_ref();
    is_missing(store, "a.txt").await;
    let metadata = json!({ "by": "me", "what": "a b" }).as_object().unwrap().clone();
    let new = NewFile { content_type: Some("text/plain".to_owned()), metadata: metadata.clone(), ..file("a.txt") };
    assert_eq!(store.create(new, pieces(b"hello")).await.unwrap(), 5);
    let found = store.open("a.txt").await.unwrap();
    assert_eq!(found.info().name, "a.txt");
    assert_eq!(found.info().length, 5);
    assert!(!found.info().version.is_empty() && !found.info().version.contains('"'));
    assert_eq!(gather(found.read(0..5).await.unwrap()).await.unwrap(), "hello");
    let expected = if place.keeps_metadata { metadata } else { serde_json::Map::new() };
    assert_eq!(found.info().metadata, expected);
    assert_eq!(store.metadata("a.txt").await.unwrap(), Some(expected));
    store.delete("a.txt").await.unwrap();
    is_missing(store, "a.txt").await;
}

async fn keeps_every_length(place: &Place) {
    let store = place.store.as_ref();
    let lengths: Vec<usize> = [
        0,
        1,
        15,
        16,
        17,
        65_535,
        65_536,
        65_537,
        CHUNK - 32,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        262_144,
        262_145,
        600_000,
        4 * CHUNK,
        5 * MIB - 1,
        5 * MIB,
        5 * MIB + 1,
        11 * MIB + 7,
    ]
    .into_iter()
    .filter(|length| place.tries(*length))
    .collect();
    let mut random = StdRng::seed_from_u64(1);
    for &length in &lengths {
        let (name, bytes) = (format!("{length}.bin"), pattern(length));
        put(store, &name, &bytes).await;
        let found = store.open(&name).await.unwrap();
        assert_eq!(found.info().length, length as u64);
        let whole = gather(found.read(0..length as u64).await.unwrap()).await.unwrap();
        assert!(whole == bytes, "{length}");
        for _ in 0..8 {
            let start = random.random_range(0..=length);
            let end = random.random_range(start..=length.min(start + 300_000));
            let part = gather(found.read(start as u64..end as u64).await.unwrap()).await.unwrap();
            assert!(part == bytes[start..end], "{length}: {start}..{end}");
        }
    }
    if !place.lists {
        return;
    }
    let listed: Vec<_> = store.list().await.unwrap().try_collect().await.unwrap();
    let found: BTreeSet<_> = listed.iter().map(|info| (info.name.clone(), info.length)).collect();
    assert_eq!(listed.len(), lengths.len());
    assert_eq!(found, lengths.iter().map(|length| (format!("{length}.bin"), *length as u64)).collect());
}

/// A client that breaks off leaves nothing.
async fn takes_all_or_nothing(place: &Place) {
    let store = place.store.as_ref();
    for length in [0, 10, 300_000, 6_000_000, 11_000_000].into_iter().filter(|length| place.tries(*length)) {
        let broken = pieces(&pattern(length)).chain(stream::iter([Err(FileError::Upload("the client left".into()))]));
        let error = store.create(file("broken.bin"), broken.boxed()).await.unwrap_err();
        assert!(matches!(error, FileError::Upload(_)), "{error:?}");
        assert_eq!(error.source().unwrap().to_string(), "the client left");
        is_missing(store, "broken.bin").await;
        let silent = pieces(&pattern(length)).chain(stream::pending());
        let waited = tokio::time::timeout(Duration::from_millis(300), store.create(file("silent.bin"), silent.boxed()));
        assert!(waited.await.is_err());
        is_missing(store, "silent.bin").await;
    }
    has_no_leftovers(store).await;
    if place.lists {
        assert_eq!(store.list().await.unwrap().count().await, 0);
    }
}

async fn serves_the_newest(place: &Place) {
    let store = place.store.as_ref();
    for number in 0..3_usize {
        let new =
            NewFile { created: Date::from_millis(NOW + i64::try_from(number).unwrap() * 1000), ..file("same.txt") };
        store.create(new, pieces(&pattern(number * 1000 + 1))).await.unwrap();
        assert_eq!(get(store, "same.txt").await, pattern(number * 1000 + 1));
    }
    let listed: Vec<_> = if place.lists {
        store.list().await.unwrap().try_collect().await.unwrap()
    } else {
        vec![store.open("same.txt").await.unwrap().info().clone()]
    };
    assert_eq!(listed.iter().map(|info| (info.name.as_str(), info.length)).collect::<Vec<_>>(), [("same.txt", 2001)]);
    // A broken one does not hide the whole one.
    let broken = pieces(&pattern(20)).chain(stream::iter([Err(FileError::Upload("no".into()))]));
    store.create(file("same.txt"), broken.boxed()).await.unwrap_err();
    assert_eq!(get(store, "same.txt").await, pattern(2001));
    store.delete("same.txt").await.unwrap();
    is_missing(store, "same.txt").await;
    has_no_leftovers(store).await;
}

async fn takes_many_at_once(place: &Place) {
    let store = &place.store;
    let uploads = (1..=12_usize).map(|number| {
        let store = Arc::clone(store);
        async move {
            put(store.as_ref(), "same.bin", &pattern(number * 30_000)).await;
            put(store.as_ref(), &format!("{number}.bin"), &pattern(number * 30_000)).await;
            get(store.as_ref(), "same.bin").await.len()
        }
    });
    let read: Vec<usize> = stream::iter(uploads).buffer_unordered(12).collect().await;
    assert!(read.iter().all(|length| length % 30_000 == 0 && *length > 0), "{read:?}");
    for number in 1..=12 {
        assert!(get(store.as_ref(), &format!("{number}.bin")).await == pattern(number * 30_000));
    }
    let last = get(store.as_ref(), "same.bin").await;
    assert!(last == pattern(last.len()));
}

/// A name is kept as it is, or refused; it never becomes another one.
async fn takes_any_name(place: &Place) {
    let store = place.store.as_ref();
    let long = "n".repeat(128);
    let good = [
        "a b@c~d.txt",
        "dir/x.txt",
        "dir/deeper/x.txt",
        "f945cb0d24a097099e864cf71ede68ee_small.txt",
        "A.txt",
        "a.TXT",
        &long,
    ];
    for name in good {
        put(store, name, name.as_bytes()).await;
    }
    let odd = [
        "",
        ".",
        "..",
        "../up.txt",
        "a/../../up.txt",
        "/root.txt",
        "a//b.txt",
        "a/",
        "a\0b",
        "a\nb",
        "%2e%2e",
        "a%2Fb",
        "ü.txt",
        "con",
        "a?b=c#d",
        "\\x",
        ".reparse-1",
        "a:b",
        &"x".repeat(2000),
    ];
    let mut taken = Vec::new();
    for name in odd {
        match store.create(file(name), pieces(name.as_bytes())).await {
            Ok(_) => taken.push(name),
            Err(FileError::Name(_) | FileError::Store(_)) => {}
            Err(error) => panic!("{name:?}: {error:?}"),
        }
    }
    for name in good.iter().chain(&taken) {
        assert_eq!(String::from_utf8(get(store, name).await).unwrap(), *name);
    }
    for name in odd.iter().filter(|name| !taken.contains(name)) {
        assert!(matches!(store.open(name).await, Err(FileError::NotFound | FileError::Store(_))), "{name:?}");
    }
    for name in good {
        store.delete(name).await.unwrap();
        is_missing(store, name).await;
    }
}

/// Runs each case on each store, all of them at once.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        $(
            mod $case {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_every_store() {
                    let places = super::places::all().await;
                    let names: Vec<_> = places.iter().map(|place| (place.name, place.encrypted)).collect();
                    assert_eq!(names.len(), 10, "{names:?}");
                    futures_util::future::join_all(places.iter().map(super::$case)).await;
                    for place in places {
                        place.remove().await;
                    }
                }
            }
        )*
    };
}

cases!(lives, keeps_every_length, takes_all_or_nothing, serves_the_newest, takes_many_at_once, takes_any_name);
