//! The readers: a few threads, each with a connection, with two bounded queues. Queries never run on the async threads.
//!
//! Reads by id and health checks have their own queue and thread, so that they never wait for other queries. A job that
//! was not started within its time limit is refused.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::db::Db;
use super::error::EmbeddedError;
use super::functions::now;
use crate::storage::Result;

/// A job. It gets no connection if it waited too long, and is refused.
type Search = Box<dyn FnOnce(Option<&Db>) + Send>;

struct Job {
    search: Search,
    /// Deadline for its start.
    deadline: Instant,
}

#[derive(Default)]
struct Queue {
    searches: VecDeque<Job>,
    /// Quick jobs.
    quick: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    /// The next job of a thread; the thread for quick jobs takes no others.
    fn next(&mut self, quick_only: bool) -> Option<Job> {
        self.quick.pop_front().or_else(|| if quick_only { None } else { self.searches.pop_front() })
    }
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    most: usize,
    patience: Duration,
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
    /// Starts a thread for each connection, the first only for quick jobs. At most `most` jobs of a kind are queued,
    /// each for a limited time.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(connections: Vec<Db>, most: usize, patience: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), ready: Condvar::new(), most, patience });
        let mut threads = Vec::new();
        for (at, connection) in connections.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            let thread = thread::Builder::new().name(format!("db-read-{at}"));
            threads.push(thread.spawn(move || work(&shared, &connection, at == 0))?);
        }
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Runs a query on one of the threads.
    ///
    /// # Errors
    /// `Unavailable` if the queue is full, it waited too long or the store is closed; errors of the query.
    pub async fn run<T: Send + 'static>(&self, search: impl FnOnce(&Db) -> Result<T> + Send + 'static) -> Result<T> {
        self.queue(search, |queue| &mut queue.searches).await
    }

    /// Like [`Readers::run`], for quick jobs, which do not wait for queries.
    ///
    /// # Errors
    /// As [`Readers::run`].
    pub async fn run_quick<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Db) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.queue(search, |queue| &mut queue.quick).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Db) -> Result<T> + Send + 'static,
        lane: fn(&mut Queue) -> &mut VecDeque<Job>,
    ) -> Result<T> {
        let (give, take) = oneshot::channel();
        let deadline = now() + self.shared.patience;
        {
            let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.closed {
                return Err(EmbeddedError::Closed.into());
            }
            let lane = lane(&mut queue);
            if lane.len() >= self.shared.most {
                return Err(EmbeddedError::Busy.into());
            }
            let search: Search = Box::new(move |db| {
                // The request has been cancelled: do not run the query.
                if !give.is_closed() {
                    let _ = give.send(db.map_or_else(|| Err(EmbeddedError::Busy.into()), search));
                }
            });
            lane.push_back(Job { search, deadline });
        }
        // Notify all threads, because not every thread takes every job.
        self.shared.ready.notify_all();
        take.await.map_err(|_| EmbeddedError::Closed)?
    }

    /// Accepts no more jobs; returns the threads, which end after the queued ones.
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

fn work(shared: &Shared, connection: &Db, quick_only: bool) {
    loop {
        let job = {
            let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(job) = queue.next(quick_only) {
                    break job;
                }
                if queue.closed {
                    return;
                }
                queue = shared.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let in_time = now() < job.deadline;
        (job.search)(in_time.then_some(connection));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::poll;

    use crate::storage::sqlite::{EmbeddedOptions, EmbeddedStorage};

    /// How many of 50 jobs a pool takes whose readers are all busy.
    async fn taken(readers: usize, queue: usize) -> usize {
        let directory = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions { readers, queue, ..EmbeddedOptions::default() };
        let store = EmbeddedStorage::open(directory.path(), &options).unwrap();
        let (mut busy, mut releases) = (Vec::new(), Vec::new());
        for _ in 0..readers {
            let (start, started) = mpsc::channel();
            let (release, wait) = mpsc::channel::<()>();
            let mut job = Box::pin(store.readers.run(move |_| {
                start.send(()).unwrap();
                // Until `release` is dropped.
                let _ = wait.recv();
                Ok(())
            }));
            assert!(poll!(&mut job).is_pending());
            started.recv().unwrap();
            busy.push(job);
            releases.push(release);
        }
        let mut waiting = Vec::new();
        for _ in 0..50 {
            let mut job = Box::pin(store.readers.run(|_| Ok(())));
            if poll!(&mut job).is_pending() {
                waiting.push(job);
            }
        }
        let taken = waiting.len();
        drop(releases);
        for job in busy {
            job.await.unwrap();
        }
        taken
    }

    #[tokio::test]
    async fn twice_the_queue_takes_twice_the_jobs() {
        for (readers, queue) in [(1, 4), (1, 8), (2, 8), (4, 8)] {
            assert_eq!(taken(readers, queue).await, queue, "{readers} readers");
        }
    }
}
