//! The threads that hash passwords, behind a bounded queue.
//!
//! A hash keeps a core busy for a long while. Threads of ordinary priority on every core would let other requests wait for the
//! scheduler, so one core is left to these, and one more thread hashes there in what would otherwise be idle time. How much of that
//! there is nobody knows: what takes too long in idle time is done again by a thread of ordinary priority.
//!
//! Who runs in idle time may be stopped anywhere for a long while. So that thread touches nothing that others wait for: an attendant
//! of ordinary priority, which sleeps meanwhile, brings it what is to be done and takes the answers away.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Hands over what came out of a job.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

/// What is to be done; perhaps twice, at the same time. Then the first answer counts.
pub(super) trait Job: Send + Sync {
    /// Whether there is still anybody to do it for.
    fn is_wanted(&self) -> bool;

    /// Does it, without any lock.
    fn work(&self) -> Answer;
}

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
    waiting: VecDeque<Arc<dyn Job>>,
    /// Threads of ordinary priority that have nothing to do.
    free: usize,
    /// How long the last job took at ordinary priority.
    usual: Duration,
    closed: bool,
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
            let (bring, brought) = channel();
            let (answer, answers) = channel();
            spawn("hash-idle".to_owned(), move || work_in_idle_time(&brought, &answer));
            let queue = queue.clone();
            spawn("hash-attendant".to_owned(), move || queue.attend(&bring, &answers));
        }
        Self(queue)
    }

    /// Queues a job. `false`: too many wait already.
    #[must_use]
    pub(super) fn put(&self, job: Arc<dyn Job>) -> bool {
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
        let state = State { waiting: VecDeque::new(), free: 0, usual: FIRST_GUESS, closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), overflowed: Condvar::new(), depth: depth.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, job: Arc<dyn Job>) -> bool {
        let mut state = self.lock();
        if state.waiting.len() >= self.depth + state.free {
            return false;
        }
        state.waiting.push_back(job);
        self.arrived.notify_one();
        if state.overflows() {
            self.overflowed.notify_one();
        }
        true
    }

    /// Lets a job be done next, by a thread of ordinary priority.
    fn put_first(&self, job: Arc<dyn Job>) {
        self.lock().waiting.push_front(job);
        self.arrived.notify_one();
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if job.is_wanted() {
                let begun = Instant::now();
                let answer = job.work();
                self.lock().usual = begun.elapsed();
                answer();
            }
        }
    }

    /// The next job for a thread of ordinary priority; `None`: there will be none.
    fn next(&self) -> Option<Arc<dyn Job>> {
        let mut state = self.lock();
        state.free += 1;
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                state.free -= 1;
                return Some(job);
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job for which no thread of ordinary priority is free, and how long it may take in idle time.
    fn next_overflowing(&self) -> Option<(Arc<dyn Job>, Duration)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if state.overflows()
                && let Some(job) = state.waiting.pop_front()
            {
                return Some((job, state.usual * PATIENCE));
            }
            state = self.overflowed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has jobs done in idle time until there is nobody any more who does them.
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
        tracing::debug!("nothing is hashed in idle time here");
        return;
    }
    while let Ok(job) = brought.recv() {
        if answers.send(job.work()).is_err() {
            return;
        }
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
        assert!(queue.put(job()));
        assert!(queue.put(job()));
        assert!(!queue.put(job()));
        assert!(queue.next().is_some());
        assert!(queue.put(job()), "there is room again");
    }

    #[test]
    fn idle_time_gets_what_others_are_too_busy_for() {
        let queue = Queue::new(8);
        queue.lock().free = 1;
        assert!(queue.put(job()));
        assert!(!queue.lock().overflows(), "one is free for it");
        assert!(queue.put(job()));
        assert!(queue.lock().overflows());
        assert!(queue.next_overflowing().is_some());
        assert!(!queue.lock().overflows());
    }

    #[test]
    fn what_takes_too_long_in_idle_time_comes_first_elsewhere() {
        let queue = Arc::new(Queue::new(8));
        let (slow, next) = (job(), job());
        queue.lock().usual = Duration::from_millis(5);
        assert!(queue.put(slow.clone()) && queue.put(next.clone()));
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
        let threads = HashThreads::start(2, true, 1000);
        for _ in 0..1000 {
            assert!(threads.put(Arc::new(Count(done.clone()))));
        }
        until(Duration::from_mins(1), "jobs are lost", || done.load(Ordering::SeqCst) >= 1000);
        let queue = Arc::downgrade(&threads.0);
        drop(threads);
        until(Duration::from_mins(1), "threads stay", || queue.strong_count() == 0);
    }
}
