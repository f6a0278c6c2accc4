//! Work that a request leaves to be done after its answer, so that the time of the answer tells nothing of what was found.
//!
//! A caller with a master or maintenance key waits for the work in flight before it reads: an administrator who has had a mail sent
//! finds the token that the mail carries.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::error::{ParseError, Result};
use crate::traces;

/// Requests whose work may be in flight at a time; the next one waits before its answer.
const MOST: usize = 64;
/// How long the answer waits, whatever there is to do. Usually the work is done by then, so that whoever looks for the mail right after
/// the answer, such as the test of an app, finds it.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest that a caller with a key waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// The work in flight.
#[derive(Debug)]
pub struct Afterwards {
    places: Arc<Semaphore>,
    begun: AtomicU64,
    /// Numbers of what has begun and is not done.
    in_flight: Arc<watch::Sender<BTreeSet<u64>>>,
}

impl Default for Afterwards {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), begun: AtomicU64::new(0), in_flight: Arc::default() }
    }
}

/// Says that work is done, also when it panics.
struct Done {
    number: u64,
    in_flight: Arc<watch::Sender<BTreeSet<u64>>>,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.in_flight.send_modify(|numbers| {
            numbers.remove(&self.number);
        });
    }
}

impl Afterwards {
    /// Waits for a place, then does work in the background, and returns after a fixed pause; a stopping server waits for `tasks`. Every
    /// request of a kind comes here, whether it finds anything to do or not. A failure is logged with what was being done.
    ///
    /// # Errors
    /// 1 while the server stops.
    pub async fn run<F>(&self, tasks: &TaskTracker, doing: &'static str, work: F) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let place = self.places.clone().acquire_owned().await.map_err(ParseError::internal)?;
        let number = self.begun.fetch_add(1, Ordering::SeqCst);
        self.in_flight.send_modify(|numbers| {
            numbers.insert(number);
        });
        let done = Done { number, in_flight: self.in_flight.clone() };
        let work = async move {
            if let Err(error) = work.await {
                tracing::error!(%error, "could not {doing}");
            }
            drop((done, place));
        };
        tasks.spawn(traces::carry(work).in_current_span());
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// Waits until the work that was begun before is done, two seconds at most.
    pub async fn settled(&self) {
        let next = self.begun.load(Ordering::SeqCst);
        let before = |numbers: &BTreeSet<u64>| numbers.first().is_none_or(|first| *first >= next);
        if before(&self.in_flight.borrow()) {
            return;
        }
        let mut in_flight = self.in_flight.subscribe();
        // Whoever has waited that long sees what there is.
        let _ = tokio::time::timeout(PATIENCE, in_flight.wait_for(before)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn who_waits_waits_for_what_was_begun_before() {
        let (afterwards, tasks) = (Arc::new(Afterwards::default()), TaskTracker::new());
        afterwards.settled().await;
        let (finish, finished) = oneshot::channel::<()>();
        let first = async move { finished.await.map_err(ParseError::internal) };
        afterwards.run(&tasks, "test", first).await.unwrap();
        let waiting = tokio::spawn({
            let afterwards = afterwards.clone();
            async move { afterwards.settled().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        // What begins later is not waited for.
        let (_later, never) = oneshot::channel::<()>();
        let second = async move { never.await.map_err(ParseError::internal) };
        afterwards.run(&tasks, "test", second).await.unwrap();
        finish.send(()).unwrap();
        waiting.await.unwrap();
        assert_eq!(afterwards.in_flight.borrow().len(), 1);
    }
}
