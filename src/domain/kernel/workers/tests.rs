//! One server works at a time; failures are tried again, and not for ever.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::BoxFuture;

use super::*;
use crate::clock::ManualClock;
use crate::config::Options;
use crate::domain::kernel::feature::Feature;
use crate::error::{ParseError, Result};
use crate::random::SeededRandom;
use crate::storage::sqlite::{EmbeddedOptions, EmbeddedStorage};

struct Store {
    storage: Arc<dyn Storage>,
    clock: ManualClock,
    _directory: tempfile::TempDir,
}

fn store() -> Store {
    let directory = tempfile::tempdir().unwrap();
    let storage: Arc<dyn Storage> =
        Arc::new(EmbeddedStorage::open(directory.path(), &EmbeddedOptions::default()).unwrap());
    Store { storage, clock: ManualClock::new(Date::from_millis(1_000_000)), _directory: directory }
}

impl Store {
    fn lease(&self, holder: &str) -> Lease {
        Lease::new(self.storage.clone(), Arc::new(self.clock.clone()), "count", holder)
    }

    /// A server on the store; its work counts in `rounds`.
    fn app(&self, seed: u64, work: Count) -> Arc<App> {
        let (clock, random) = (Arc::new(self.clock.clone()), Arc::new(SeededRandom::new(seed)));
        let features = vec![Feature::new("count").work(work)];
        Arc::new(App::new(Options::default(), self.storage.clone(), clock, random, features).unwrap())
    }
}

#[tokio::test]
async fn one_holds_the_lease_until_it_ends() {
    let store = store();
    let (one, other) = (store.lease("one"), store.lease("other"));
    assert!(one.take().await.unwrap());
    assert!(!other.take().await.unwrap());
    store.clock.advance(20_000);
    assert!(one.take().await.unwrap(), "renewed");
    store.clock.advance(20_000);
    assert!(!other.take().await.unwrap(), "the renewed lease still holds");
    store.clock.advance(10_001);
    assert!(other.take().await.unwrap(), "nobody renewed it");
    assert!(!one.take().await.unwrap());
    one.give_back().await.unwrap();
    assert!(!one.take().await.unwrap(), "what one does not have one cannot give back");
    other.give_back().await.unwrap();
    assert!(one.take().await.unwrap());
}

#[tokio::test]
async fn of_many_one_takes_it() {
    let store = store();
    let taken = AtomicU32::new(0);
    let leases: Vec<Lease> = (0..20).map(|holder| store.lease(&holder.to_string())).collect();
    futures_util::future::join_all(leases.iter().map(|lease| async {
        if lease.take().await.unwrap() {
            taken.fetch_add(1, Ordering::SeqCst);
        }
    }))
    .await;
    assert_eq!(taken.into_inner(), 1);
}

/// Counts its rounds; the first ones fail.
#[derive(Debug, Default, Clone)]
struct Count {
    rounds: Arc<AtomicU32>,
    failures: u32,
}

impl Count {
    fn so_far(&self) -> u32 {
        self.rounds.load(Ordering::SeqCst)
    }

    async fn until(&self, rounds: u32) {
        while self.so_far() < rounds {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Work for Count {
    fn kind(&self) -> &'static str {
        "count"
    }

    fn every(&self) -> Duration {
        Duration::from_millis(5)
    }

    fn round<'a>(&'a self, _app: &'a Arc<App>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if self.rounds.fetch_add(1, Ordering::SeqCst) < self.failures {
                return Err(ParseError::not_found());
            }
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_round_that_fails_is_tried_again_and_not_for_ever() {
    let store = store();
    let app = store.app(1, Count::default());
    for (failures, rounds) in [(0, 1), (1, 2), (100, RETRIES + 1)] {
        let work = Count { failures, ..Count::default() };
        attempts(&app, &work).await;
        assert_eq!(work.so_far(), rounds);
    }
}

#[tokio::test]
async fn only_the_holder_works_and_a_stop_gives_the_lease_back() {
    let store = store();
    let (one, other) = (Count::default(), Count::default());
    let first = Workers::start(&store.app(1, one.clone()));
    one.until(3).await;
    let second = Workers::start(&store.app(2, other.clone()));
    one.until(one.so_far() + 5).await;
    assert_eq!(other.so_far(), 0);
    first.stop().await;
    other.until(1).await;
    let so_far = one.so_far();
    other.until(other.so_far() + 2).await;
    assert_eq!(one.so_far(), so_far);
    second.stop().await;
}
