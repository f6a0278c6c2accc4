//! How much there is of everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts of one server.
#[derive(Debug, Default)]
pub struct Counts {
    clients: AtomicUsize,
    subscriptions: AtomicUsize,
    events: AtomicU64,
}

impl Counts {
    /// Clients that are connected.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Subscriptions.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.load(Ordering::Relaxed)
    }

    /// Events that subscriptions were told, from the start of the server.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    pub(super) fn event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_subscription(&self) {
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_subscription(&self) {
        self.subscriptions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that is counted until this is dropped.
#[derive(Debug)]
pub struct Counted(Arc<Counts>);

impl Counted {
    /// Counts a client.
    #[must_use]
    pub fn new(counts: &Arc<Counts>) -> Self {
        counts.clients.fetch_add(1, Ordering::Relaxed);
        Self(counts.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
