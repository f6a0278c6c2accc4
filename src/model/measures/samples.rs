//! What was measured of requests and of operations of the store, until it is counted.
//!
//! To count something is to look at a dozen places in memory at which nothing else looks. So a time is only put with others of its kind;
//! they are counted together when there are enough of them, or when somebody reads the metrics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Counter, Histogram, SharedString, counter, histogram};

use super::{REQUEST_SECONDS, REQUESTS, STORE_OPERATIONS, STORE_SECONDS};

/// What was measured. Nothing in it is a client's word.
#[derive(Debug, PartialEq, Eq)]
pub enum Measured {
    /// A request that was answered, or that the client gave up.
    Request {
        /// Its method.
        method: &'static str,
        /// Its route, as the table of routes has it; `None`: there is no such route.
        route: Option<Arc<str>>,
        /// The status of the answer.
        status: u16,
        /// Whether it came by HTTP/2.
        http2: bool,
    },
    /// An operation of the store.
    Operation {
        /// Its name.
        name: &'static str,
        /// Whether it succeeded.
        done: bool,
    },
}

/// So many times of a kind are counted together.
const TOGETHER: usize = 64;

/// Times of one kind that are not counted yet, in seconds.
struct Times {
    of: Measured,
    seconds: Vec<f64>,
    /// Looked up once, because that takes longer than to count.
    metrics: Option<(Histogram, Counter)>,
}

impl Times {
    fn new(of: Measured) -> Self {
        Self { of, seconds: Vec::new(), metrics: None }
    }

    /// Whether it counted them, because there were enough.
    fn note(&mut self, seconds: f64) -> bool {
        self.seconds.push(seconds);
        let enough = self.seconds.len() >= TOGETHER;
        if enough {
            self.count();
        }
        enough
    }

    fn count(&mut self) {
        if self.seconds.is_empty() {
            return;
        }
        let (histogram, counter) = self.metrics.get_or_insert_with(|| metrics(&self.of));
        counter.increment(self.seconds.len() as u64);
        self.seconds.drain(..).for_each(|seconds| histogram.record(seconds));
    }
}

/// The kinds that threads have seen, the frequent ones first. There is one at most for each method, route, status and protocol that
/// occurred, and two for each operation.
type List = Mutex<Vec<Times>>;

/// Each thread uses one of them, so that threads seldom wait for each other.
static LISTS: [List; 16] = [const { Mutex::new(Vec::new()) }; 16];
static THREADS: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static LIST: &'static List = {
        let [first, ..] = &LISTS;
        LISTS.get(THREADS.fetch_add(1, Ordering::Relaxed) % LISTS.len()).unwrap_or(first)
    };
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes how many seconds something took. Called only while metrics are on.
pub fn note(of: Measured, seconds: f64) {
    LIST.with(|list| {
        let mut list = open(list);
        let known = list.iter().position(|times| times.of == of);
        let place = known.unwrap_or_else(|| {
            list.push(Times::new(of));
            list.len() - 1
        });
        let enough = list.get_mut(place).is_some_and(|times| times.note(seconds));
        if enough && let Some(front) = list.get_mut(..=place) {
            front.rotate_right(1);
        }
    });
}

/// Counts what has been noted.
pub fn count_all() {
    for list in &LISTS {
        open(list).iter_mut().for_each(Times::count);
    }
}

fn metrics(of: &Measured) -> (Histogram, Counter) {
    match of {
        Measured::Request { method, route, status, http2 } => {
            let route = route.clone().map_or_else(|| SharedString::const_str("-"), SharedString::from);
            let protocol = if *http2 { "HTTP/2" } else { "HTTP/1.1" };
            let seconds = histogram!(REQUEST_SECONDS, "method" => *method, "route" => route.clone());
            let requests = counter!(
                REQUESTS,
                "method" => *method, "route" => route, "status" => status.to_string(), "protocol" => protocol
            );
            (seconds, requests)
        }
        Measured::Operation { name, done } => {
            // Both are there from the first operation on, so that a rate of errors has somewhere to begin.
            let [ok, error] =
                ["ok", "error"].map(|outcome| counter!(STORE_OPERATIONS, "operation" => *name, "outcome" => outcome));
            (histogram!(STORE_SECONDS, "operation" => *name), if *done { ok } else { error })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn what_all_threads_noted_is_counted_once() {
        let noted = |times: usize, done: bool| {
            for _ in 0..times {
                note(Measured::Operation { name: "test", done }, 0.5);
            }
        };
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            noted(TOGETHER + 3, true);
            thread::spawn(move || noted(4, false)).join().unwrap();
            count_all();
            count_all();
        });
        let text = recorder.handle().render();
        let has = |line: String| assert!(text.lines().any(|one| one == line), "no {line} in\n{text}");
        has(format!("{STORE_OPERATIONS}{{operation=\"test\",outcome=\"ok\"}} {}", TOGETHER + 3));
        has(format!("{STORE_OPERATIONS}{{operation=\"test\",outcome=\"error\"}} 4"));
        has(format!("{STORE_SECONDS}_count{{operation=\"test\"}} {}", TOGETHER + 7));
    }
}
