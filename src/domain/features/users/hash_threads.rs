//! The threads that hash passwords, with a bounded queue.
//!
//! A hash keeps a core busy for a long time. With threads of normal priority on every core, other requests would wait
//! for the scheduler. So one core is left to other requests, and one more thread with idle priority hashes on it. A job
//! that takes too long there is restarted on a thread with normal priority.
//!
//! A thread with idle priority can be preempted at any point for a long time, so it must never hold a shared lock. A
//! helper thread with normal priority passes jobs in and results out.

use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};

use super::fair_queue::FairQueue;
use crate::model::measures;

/// Hands over what came out of a job.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// A job. It may run twice at the same time; the first result counts.
pub(super) trait Job: Send + Sync {
    /// Whether a request still waits for it.
    fn is_wanted(&self) -> bool;

    /// Runs it without holding a lock.
    fn work(&self) -> Answer;
}

/// A job on the idle thread that takes this many times the usual duration is restarted on a normal thread.
const PATIENCE: u32 = 4;
/// Assumed duration of a hash until one has been measured.
const FIRST_GUESS: Duration = Duration::from_millis(100);

/// The queue and its threads, which end when it is dropped.
pub(super) struct HashThreads(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    /// Signals a normal thread that there may be a job.
    arrived: Condvar,
    /// Signals that there are more jobs than free normal threads.
    overflowed: Condvar,
    depth: usize,
}

struct State {
    waiting: FairQueue<IpAddr, Arc<dyn Job>>,
    /// Threads of ordinary priority that have nothing to do.
    free: usize,
    /// Duration of the last job on a normal thread.
    usual: Duration,
    closed: bool,
}

impl HashThreads {
    /// Starts normal threads. `idle_time`: whether to start one more with idle priority, if the system supports it.
    /// `depth`: maximum number of queued jobs.
    pub(super) fn start(threads: usize, idle_time: bool, depth: usize) -> Self {
        let queue = Arc::new(Queue::new(depth));
        for number in 0..threads {
            let queue = queue.clone();
            spawn(format!("hash-{number}"), move || queue.work());
        }
        if idle_time {
            let (bring, brought) = channel();
            let (answer, answers) = channel();
            spawn("hash-idle".to_owned(), move || work_in_idle_time(&brought, &answer));
            let queue = queue.clone();
            spawn("hash-attendant".to_owned(), move || queue.attend(&bring, &answers));
        }
        Self(queue)
    }

    /// Queues a job of a caller. `false`: too many wait already. A job of a caller who has more than others may be dropped for it.
    #[must_use]
    pub(super) fn put(&self, caller: IpAddr, job: Arc<dyn Job>) -> bool {
        let taken = self.0.put(caller, job);
        if !taken {
            counter!(measures::HASHES_REFUSED).increment(1);
        }
        taken
    }

    /// Jobs that wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
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
        tracing::error!(%error, "failed to start a hash thread");
    }
}

impl Queue {
    fn new(depth: usize) -> Self {
        let state = State { waiting: FairQueue::new(), free: 0, usual: FIRST_GUESS, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), overflowed: Condvar::new(), depth: depth.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, caller: IpAddr, job: Arc<dyn Job>) -> bool {
        let mut state = self.lock();
        let most = self.depth + state.free;
        if !state.waiting.put(caller, job, most) {
            return false;
        }
        self.arrived.notify_one();
        if state.overflows() {
            self.overflowed.notify_one();
        }
        true
    }

    /// Puts a job at the head of the queue for a normal thread.
    fn put_first(&self, job: Arc<dyn Job>) {
        self.lock().waiting.put_first(job);
        self.arrived.notify_one();
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if job.is_wanted() {
                let begun = Instant::now();
                let answer = job.work();
                let took = begun.elapsed();
                self.lock().usual = took;
                histogram!(measures::HASH_SECONDS).record(took.as_secs_f64());
                answer();
            }
        }
    }

    /// The next job for a normal thread; `None` when the queue has been closed.
    fn next(&self) -> Option<Arc<dyn Job>> {
        let mut state = self.lock();
        state.free += 1;
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.waiting.take() {
                state.free -= 1;
                return Some(job);
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job for which no normal thread is free, and its time limit on the idle thread.
    fn next_overflowing(&self) -> Option<(Arc<dyn Job>, Duration)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if state.overflows()
                && let Some(job) = state.waiting.take()
            {
                return Some((job, state.usual * PATIENCE));
            }
            state = self.overflowed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Passes jobs to the idle thread until that has ended.
    fn attend(&self, bring: &Sender<Arc<dyn Job>>, answers: &Receiver<Answer>) {
        while let Some((job, patience)) = self.next_overflowing() {
            if !job.is_wanted() {
                continue;
            }
            if bring.send(job.clone()).is_err() {
                return self.put_first(job);
            }
            let answer = match answers.recv_timeout(patience) {
                Err(RecvTimeoutError::Timeout) => {
                    self.put_first(job);
                    answers.recv().ok()
                }
                Err(RecvTimeoutError::Disconnected) => return self.put_first(job),
                Ok(answer) => Some(answer),
            };
            match answer {
                Some(answer) => answer(),
                None => return,
            }
        }
    }
}

impl State {
    fn overflows(&self) -> bool {
        self.waiting.len() > self.free
    }
}

fn work_in_idle_time(brought: &Receiver<Arc<dyn Job>>, answers: &Sender<Answer>) {
    if !may_run_in_idle_time() {
        tracing::debug!("idle priority is not available: no idle hash thread");
        return;
    }
    while let Ok(job) = brought.recv() {
        if answers.send(job.work()).is_err() {
            return;
        }
    }
}

/// Gives the calling thread idle priority; `false` if the system does not support it.
#[cfg(target_os = "linux")]
fn may_run_in_idle_time() -> bool {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    // With a quota of processor time, idle time counts like any other.
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

    /// Counts how often it was done.
    #[derive(Default)]
    struct Count(Arc<AtomicUsize>);

    impl Job for Count {
        fn is_wanted(&self) -> bool {
            true
        }

        fn work(&self) -> Answer {
            let count = self.0.clone();
            Box::new(move || {
                count.fetch_add(1, Ordering::SeqCst);
            })
        }
    }

    const CALLER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const OTHER: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn job() -> Arc<dyn Job> {
        Arc::new(Count::default())
    }

    fn until(limit: Duration, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < limit, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_full_queue_takes_no_more() {
        let queue = Queue::new(2);
        assert!(queue.put(CALLER, job()));
        assert!(queue.put(CALLER, job()));
        assert!(!queue.put(CALLER, job()));
        assert!(queue.put(OTHER, job()), "the other one has more than its share");
        assert!(!queue.put(OTHER, job()));
        assert!(queue.next().is_some());
        assert!(queue.put(CALLER, job()), "there is room again");
    }

    #[test]
    fn idle_time_gets_what_others_are_too_busy_for() {
        let queue = Queue::new(8);
        queue.lock().free = 1;
        assert!(queue.put(CALLER, job()));
        assert!(!queue.lock().overflows(), "one is free for it");
        assert!(queue.put(CALLER, job()));
        assert!(queue.lock().overflows());
        assert!(queue.next_overflowing().is_some());
        assert!(!queue.lock().overflows());
    }

    #[test]
    fn what_takes_too_long_in_idle_time_comes_first_elsewhere() {
        let queue = Arc::new(Queue::new(8));
        let (slow, next) = (job(), job());
        queue.lock().usual = Duration::from_millis(5);
        assert!(queue.put(CALLER, slow.clone()) && queue.put(CALLER, next.clone()));
        let (bring, brought) = channel();
        let (answer, answers) = channel();
        let attendant = thread::spawn({
            let queue = queue.clone();
            move || queue.attend(&bring, &answers)
        });
        let in_idle_time: Arc<dyn Job> = brought.recv().unwrap();
        assert!(Arc::ptr_eq(&in_idle_time, &slow));
        until(Duration::from_mins(1), "it does not come back", || queue.lock().waiting.len() == 2);
        assert!(Arc::ptr_eq(&queue.next().unwrap(), &slow));
        // Once it is done all the same, there is time for the next.
        answer.send(in_idle_time.work()).unwrap();
        assert!(Arc::ptr_eq(&brought.recv().unwrap(), &next));
        // Nobody works in idle time any more.
        drop((brought, answer));
        attendant.join().unwrap();
        assert!(Arc::ptr_eq(&queue.next().unwrap(), &next));
    }

    #[test]
    fn everything_queued_is_done_and_the_threads_end() {
        let done = Arc::new(AtomicUsize::new(0));
        let threads = HashThreads::start(2, true, 2000);
        for _ in 0..1000 {
            assert!(threads.put(CALLER, Arc::new(Count(done.clone()))));
        }
        until(Duration::from_mins(1), "jobs are lost", || done.load(Ordering::SeqCst) >= 1000);
        let queue = Arc::downgrade(&threads.0);
        drop(threads);
        until(Duration::from_mins(1), "threads stay", || queue.strong_count() == 0);
    }
}
