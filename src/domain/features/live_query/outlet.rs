//! The way from events to one connection: a queue of bounded length.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;

/// The end of a connection's queue at which deliveries come in. Cheap to clone.
#[derive(Debug)]
pub struct Outlet<T>(Arc<Shared<T>>);

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Shared<T> {
    queue: mpsc::Sender<T>,
    slow: CancellationToken,
    full: AtomicBool,
}

/// The end of the queue from which a connection reads.
#[derive(Debug)]
pub struct Inbox<T> {
    queue: mpsc::Receiver<T>,
    /// Is cancelled when the connection reads too slowly: it misses events from then on, and must be closed.
    pub slow: CancellationToken,
}

/// A queue of at most so many deliveries.
#[must_use]
pub fn queue<T>(length: usize) -> (Outlet<T>, Inbox<T>) {
    let (sender, receiver) = mpsc::channel(length.max(1));
    let slow = CancellationToken::new();
    let shared = Shared { queue: sender, slow: slow.clone(), full: AtomicBool::new(false) };
    (Outlet(Arc::new(shared)), Inbox { queue: receiver, slow })
}

impl<T> Outlet<T> {
    /// Puts a delivery into the queue. Once there was no room, nothing more is: what follows a gap must not be told.
    pub(super) fn put(&self, delivery: T) {
        if self.0.full.load(Ordering::Relaxed) {
            return;
        }
        if let Err(TrySendError::Full(_)) = self.0.queue.try_send(delivery) {
            self.give_up();
        }
    }

    /// Puts a delivery into the queue when there is room. False: the connection is gone.
    pub(super) async fn put_in_time(&self, delivery: T) -> bool {
        !self.0.full.load(Ordering::Relaxed) && self.0.queue.send(delivery).await.is_ok()
    }

    /// Deliveries that may wait.
    pub(super) fn most(&self) -> usize {
        self.0.queue.max_capacity()
    }

    /// Ends the connection, because it misses events.
    pub(super) fn give_up(&self) {
        self.0.full.store(true, Ordering::Relaxed);
        self.0.slow.cancel();
    }
}

impl<T> Inbox<T> {
    /// The next delivery; `None` when every subscription is gone and so is the connection's own end.
    pub async fn next(&mut self) -> Option<T> {
        self.queue.recv().await
    }
}
