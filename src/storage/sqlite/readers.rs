//! The readers: a few threads, each with a connection, behind one bounded queue. Searches never run on the async threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::db::Db;
use super::error::EmbeddedError;
use crate::storage::Result;

type Job = Box<dyn FnOnce(&Db) + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    most: usize,
}

/// The pool of readers.
pub struct Readers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Readers")
    }
}

impl Readers {
    /// Starts a thread for each connection; at most `most` searches wait.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(connections: Vec<Db>, most: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), ready: Condvar::new(), most });
        let mut threads = Vec::new();
        for (at, connection) in connections.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            threads
                .push(thread::Builder::new().name(format!("db-read-{at}")).spawn(move || work(&shared, &connection))?);
        }
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Runs a search on one of the threads.
    ///
    /// # Errors
    /// `Unavailable` when too many wait or the store is closed; what the search gives.
    pub async fn run<T: Send + 'static>(&self, search: impl FnOnce(&Db) -> Result<T> + Send + 'static) -> Result<T> {
        let (give, take) = oneshot::channel();
        {
            let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.closed {
                return Err(EmbeddedError::Closed.into());
            }
            if queue.jobs.len() >= self.shared.most {
                return Err(EmbeddedError::Busy.into());
            }
            queue.jobs.push_back(Box::new(move |db| {
                // Nobody waits any more: do not search.
                if !give.is_closed() {
                    let _ = give.send(search(db));
                }
            }));
        }
        self.shared.ready.notify_one();
        take.await.map_err(|_| EmbeddedError::Closed)?
    }

    /// Takes no more searches; gives the threads, which end when what waits is done.
    pub fn stop(&self) -> Vec<JoinHandle<()>> {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.ready.notify_all();
        std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.ready.notify_all();
    }
}

fn work(shared: &Shared, connection: &Db) {
    loop {
        let job = {
            let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(job) = queue.jobs.pop_front() {
                    break job;
                }
                if queue.closed {
                    return;
                }
                queue = shared.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        job(connection);
    }
}
