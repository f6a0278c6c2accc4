//! What was measured of requests and of operations of the store, until it is counted.
//!
//! To count something is to look at a dozen places in memory at which nothing else looks. So what was measured is only put on a list; it is
//! counted with others when the list is full, or when somebody reads the metrics.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use metrics::{Counter, Histogram, SharedString, counter, histogram};

use super::{REQUEST_SECONDS, REQUESTS, STORE_OPERATIONS, STORE_SECONDS};

/// Something that was measured.
#[derive(Debug)]
pub struct Sample {
    /// What.
    pub of: Measured,
    /// How long it took.
    pub seconds: f64,
}

/// What was measured. Nothing in it is a client's word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// A list of so many is counted.
const FULL: usize = 512;

type List = Mutex<Vec<Sample>>;

/// Each thread has one of them, so that threads seldom wait for each other.
static LISTS: [List; 16] = [const { Mutex::new(Vec::new()) }; 16];
static THREADS: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static LIST: &'static List = {
        let [first, ..] = &LISTS;
        LISTS.get(THREADS.fetch_add(1, Ordering::Relaxed) % LISTS.len()).unwrap_or(first)
    };
}

/// The metrics of what has been counted before: they are looked up once, because that takes longer than to count.
static KNOWN: LazyLock<Mutex<Metrics>> = LazyLock::new(Mutex::default);

type Metrics = HashMap<Measured, (Histogram, Counter), RandomState>;

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a sample. Called only while metrics are on.
pub fn note(sample: Sample) {
    let full = LIST.with(|list| {
        let mut list = open(list);
        if list.capacity() == 0 {
            list.reserve_exact(FULL);
        }
        list.push(sample);
        (list.len() >= FULL).then(|| std::mem::take(&mut *list))
    });
    if let Some(full) = full {
        count(full);
    }
}

/// Counts what has been noted.
pub fn count_all() {
    for list in &LISTS {
        let noted = std::mem::take(&mut *open(list));
        count(noted);
    }
}

fn count(samples: Vec<Sample>) {
    let mut known = open(&KNOWN);
    for Sample { of, seconds } in samples {
        let (histogram, counter) = known.entry(of).or_insert_with_key(metrics);
        histogram.record(seconds);
        counter.increment(1);
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
                note(Sample { of: Measured::Operation { name: "test", done }, seconds: 0.5 });
            }
        };
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            noted(FULL + 3, true);
            thread::spawn(move || noted(4, false)).join().unwrap();
            count_all();
            count_all();
        });
        let text = recorder.handle().render();
        let has = |line: String| assert!(text.lines().any(|one| one == line), "no {line} in\n{text}");
        has(format!("{STORE_OPERATIONS}{{operation=\"test\",outcome=\"ok\"}} {}", FULL + 3));
        has(format!("{STORE_OPERATIONS}{{operation=\"test\",outcome=\"error\"}} 4"));
        has(format!("{STORE_SECONDS}_count{{operation=\"test\"}} {}", FULL + 7));
    }
}
