//! The way from events to one connection: a queue of bounded length.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;

use super::event::Delivery;

/// The end of a connection's queue at which deliveries come in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: mpsc::Sender<Delivery>,
    slow: CancellationToken,
    full: AtomicBool,
}

/// The end of the queue from which a connection reads.
#[derive(Debug)]
pub struct Inbox {
    queue: mpsc::Receiver<Delivery>,
    /// Is cancelled when the connection reads too slowly: it misses events from then on, and must be closed.
    pub slow: CancellationToken,
}

/// A queue of at most so many deliveries.
#[must_use]
pub fn queue(length: usize) -> (Outlet, Inbox) {
    let (sender, receiver) = mpsc::channel(length.max(1));
    let slow = CancellationToken::new();
    let shared = Shared { queue: sender, slow: slow.clone(), full: AtomicBool::new(false) };
    (Outlet(Arc::new(shared)), Inbox { queue: receiver, slow })
}

impl Outlet {
    /// Puts a delivery into the queue. Once there was no room, nothing more is: what follows a gap must not be told.
    pub(super) fn put(&self, delivery: Delivery) {
        if self.0.full.load(Ordering::Relaxed) {
            return;
        }
        if let Err(TrySendError::Full(_)) = self.0.queue.try_send(delivery) {
            self.give_up();
        }
    }

    /// Ends the connection, because it misses events.
    pub(super) fn give_up(&self) {
        self.0.full.store(true, Ordering::Relaxed);
        self.0.slow.cancel();
    }
}

impl Inbox {
    /// The next delivery; `None` when every subscription is gone and so is the connection's own end.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.queue.recv().await
    }
}
