//! How much memory a long file needs. Run by hand: `cargo test --test it files::memory -- --ignored --nocapture`.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::conformance::file;
use super::places;

const PIECE: usize = 64 * 1024;

/// Peak and present resident memory of this process in MiB; the peak is counted anew after each call.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let read = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    (read("VmHWM:"), read("VmRSS:"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes 1 GiB to each store"]
async fn of_a_gibibyte() {
    let length: u64 = std::env::var("REPARSE_TEST_MIB").map_or(1024, |text| text.parse().unwrap()) << 20;
    let piece = Bytes::from(vec![7; PIECE]);
    for place in places::all().await {
        if place.name == "javascript" {
            // It takes no such file.
            place.remove().await;
            continue;
        }
        let name = place.name;
        let (_, before) = memory();
        let clock = Instant::now();
        let pieces = stream::iter((0..length / PIECE as u64).map({
            let piece = piece.clone();
            move |_| Ok(piece.clone())
        }));
        place.store.create(file("long.bin"), pieces.boxed()).await.unwrap();
        let written = clock.elapsed();
        let (writing, _) = memory();
        let clock = Instant::now();
        let found = place.store.open("long.bin").await.unwrap();
        let mut bytes = found.read(0..length).await.unwrap();
        let mut read = 0;
        while let Some(piece) = bytes.next().await {
            read += piece.unwrap().len() as u64;
        }
        assert_eq!(read, length);
        let (reading, _) = memory();
        println!(
            "{name:<12} encrypted {:<5} write {written:>6.1?} +{} MiB, read {:>6.1?} +{} MiB",
            place.encrypted,
            writing.saturating_sub(before),
            clock.elapsed(),
            reading.saturating_sub(before),
        );
        drop((found, bytes));
        place.store.delete("long.bin").await.unwrap();
        place.remove().await;
    }
}
