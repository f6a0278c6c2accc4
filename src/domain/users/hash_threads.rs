//! The threads that hash passwords, behind a bounded queue.
//!
//! A hash keeps a core busy for a long while. Threads of ordinary priority on every core would let other requests wait for the
//! scheduler, so one core is left to these, and one more thread hashes there in what would otherwise be idle time. How much of that
//! there is nobody knows: what takes too long in idle time is done again by a thread of ordinary priority.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What is to be done; it may be called twice, at the same time. Says whether there was still anybody to do it for.
pub(super) type Job = Box<dyn Fn() -> bool + Send + Sync>;

/// So many times the usual, and a job in idle time takes too long.
const PATIENCE: u32 = 4;
/// What is usual as long as nothing is known of it.
const FIRST_GUESS: Duration = Duration::from_millis(100);

/// A queue, and the threads that do what is in it. They end with it.
pub(super) struct HashThreads(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    /// There may be something to do for a thread of ordinary priority.
    arrived: Condvar,
    /// There is more to do than such threads are free.
    overflowed: Condvar,
    depth: usize,
}

struct State {
    waiting: VecDeque<Arc<Job>>,
    /// Threads of ordinary priority that have nothing to do.
    free: usize,
    in_idle_time: Option<Begun>,
    /// How long the last job took at ordinary priority.
    usual: Duration,
    closed: bool,
}

/// What is being done in idle time.
struct Begun {
    since: Instant,
    job: Arc<Job>,
}

impl HashThreads {
    /// Starts threads of ordinary priority. `idle_time`: whether one more works in idle time, where the system has such a thing.
    /// `depth`: how many jobs may wait.
    pub(super) fn start(threads: usize, idle_time: bool, depth: usize) -> Self {
        let queue = Arc::new(Queue::new(depth));
        for number in 0..threads {
            let queue = queue.clone();
            spawn(format!("hash-{number}"), move || queue.work());
        }
        if idle_time {
            let queue = queue.clone();
            spawn("hash-idle".to_owned(), move || queue.work_in_idle_time());
        }
        Self(queue)
    }

    /// Queues a job. `false`: too many wait already.
    #[must_use]
    pub(super) fn put(&self, job: Job) -> bool {
        self.0.put(job)
    }
}

impl Drop for HashThreads {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.arrived.notify_all();
        self.0.overflowed.notify_all();
    }
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name).spawn(work) {
        tracing::error!(%error, "a hashing thread could not be started");
    }
}

impl Queue {
    fn new(depth: usize) -> Self {
        let state = State { waiting: VecDeque::new(), free: 0, in_idle_time: None, usual: FIRST_GUESS, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), overflowed: Condvar::new(), depth: depth.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, job: Job) -> bool {
        let mut state = self.lock();
        if state.waiting.len() >= self.depth + state.free {
            return false;
        }
        state.waiting.push_back(Arc::new(job));
        self.arrived.notify_one();
        if state.overflows() {
            self.overflowed.notify_one();
        }
        true
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            let begun = Instant::now();
            if job() {
                self.lock().usual = begun.elapsed();
            }
        }
    }

    /// The next job for a thread of ordinary priority, which may have been begun in idle time; `None`: there will be none.
    fn next(&self) -> Option<Arc<Job>> {
        let mut state = self.lock();
        state.free += 1;
        loop {
            if state.closed {
                return None;
            }
            let left = state.patience_left();
            let job = if left == Some(Duration::ZERO) { state.take_over() } else { state.waiting.pop_front() };
            if job.is_some() {
                state.free -= 1;
                return job;
            }
            state = match left {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn work_in_idle_time(&self) {
        if !may_run_in_idle_time() {
            tracing::debug!("nothing is hashed in idle time here");
            return;
        }
        while let Some(job) = self.next_in_idle_time() {
            job();
            self.lock().in_idle_time = None;
        }
    }

    fn next_in_idle_time(&self) -> Option<Arc<Job>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if state.overflows()
                && let Some(job) = state.waiting.pop_front()
            {
                state.in_idle_time = Some(Begun { since: Instant::now(), job: job.clone() });
                return Some(job);
            }
            state = self.overflowed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn overflows(&self) -> bool {
        self.waiting.len() > self.free
    }

    /// How long what is done in idle time may still take.
    fn patience_left(&self) -> Option<Duration> {
        let begun = self.in_idle_time.as_ref()?;
        Some((self.usual * PATIENCE).saturating_sub(begun.since.elapsed()))
    }

    fn take_over(&mut self) -> Option<Arc<Job>> {
        self.in_idle_time.take().map(|begun| begun.job)
    }
}

/// Lets the calling thread run only where a core has nothing else to do. `false`: the system does not do that.
#[cfg(target_os = "linux")]
fn may_run_in_idle_time() -> bool {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    // A limit of processor time counts what runs in idle time like anything else.
    let cores = rustix::thread::sched_getaffinity(None).map_or(0, |cores| cores.count());
    let limited = thread::available_parallelism().map_or(0, std::num::NonZero::get) < cores as usize;
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    !limited && set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn may_run_in_idle_time() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn counting(done: &Arc<AtomicUsize>) -> Job {
        let done = done.clone();
        Box::new(move || {
            done.fetch_add(1, Ordering::SeqCst);
            true
        })
    }

    #[test]
    fn a_full_queue_takes_no_more() {
        let (queue, done) = (Queue::new(2), Arc::default());
        assert!(queue.put(counting(&done)));
        assert!(queue.put(counting(&done)));
        assert!(!queue.put(counting(&done)));
        assert!(queue.next().is_some());
        assert!(queue.put(counting(&done)), "there is room again");
    }

    #[test]
    fn idle_time_gets_what_others_are_too_busy_for() {
        let (queue, done) = (Queue::new(8), Arc::default());
        queue.lock().free = 1;
        assert!(queue.put(counting(&done)));
        assert!(!queue.lock().overflows(), "one is free for it");
        assert!(queue.put(counting(&done)));
        assert!(queue.lock().overflows());
        assert!(queue.next_in_idle_time().is_some());
        assert!(!queue.lock().overflows());
    }

    #[test]
    fn what_takes_too_long_in_idle_time_is_taken_over_once() {
        let (queue, done) = (Queue::new(8), Arc::new(AtomicUsize::new(0)));
        assert!(queue.put(counting(&done)) && queue.put(counting(&done)));
        let slow = queue.next_in_idle_time().unwrap();
        let next = queue.next().unwrap();
        assert!(!Arc::ptr_eq(&slow, &next), "there is patience yet");
        queue.lock().usual = Duration::ZERO;
        let again = queue.next().unwrap();
        assert!(Arc::ptr_eq(&slow, &again));
        assert!(queue.lock().in_idle_time.is_none());
    }

    #[test]
    fn a_thread_that_waits_wakes_up_for_what_takes_too_long() {
        let (queue, done) = (Arc::new(Queue::new(8)), Arc::new(AtomicUsize::new(0)));
        queue.lock().usual = Duration::from_millis(20);
        assert!(queue.put(counting(&done)));
        let slow = queue.next_in_idle_time().unwrap();
        let waiting = thread::spawn({
            let queue = queue.clone();
            move || queue.next()
        });
        let again = waiting.join().unwrap().unwrap();
        assert!(Arc::ptr_eq(&slow, &again));
    }

    #[test]
    fn everything_queued_is_done_and_the_threads_end() {
        let done = Arc::new(AtomicUsize::new(0));
        let threads = HashThreads::start(2, true, 1000);
        for _ in 0..1000 {
            assert!(threads.put(counting(&done)));
        }
        let begun = Instant::now();
        while done.load(Ordering::SeqCst) < 1000 {
            assert!(begun.elapsed() < Duration::from_mins(1), "jobs are lost");
            thread::sleep(Duration::from_millis(1));
        }
        let queue = Arc::downgrade(&threads.0);
        drop(threads);
        while queue.strong_count() > 0 {
            assert!(begun.elapsed() < Duration::from_mins(1), "threads stay");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
