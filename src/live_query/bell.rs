//! A waker of a part of a task, by which the task knows whether that part woke it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Wakes the task, and remembers that it did.
#[derive(Debug)]
pub struct Bell {
    rung: AtomicBool,
    task: AtomicWaker,
}

impl Bell {
    /// A bell that has rung: nobody has looked yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { rung: AtomicBool::new(true), task: AtomicWaker::new() })
    }

    /// The waker for the part, if the bell rang since the last time; the part must be polled with it until it is pending.
    #[must_use]
    pub fn heard(self: &Arc<Self>, cx: &Context<'_>) -> Option<Waker> {
        self.task.register(cx.waker());
        self.rung.swap(false, Ordering::AcqRel).then(|| Waker::from(self.clone()))
    }

    /// Has the task look at the part when it is polled next, without waking it.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_heard_once_for_each_time_it_rings() {
        let bell = Bell::new();
        let cx = Context::from_waker(Waker::noop());
        let waker = bell.heard(&cx).unwrap();
        assert!(bell.heard(&cx).is_none());
        waker.wake_by_ref();
        waker.wake();
        assert!(bell.heard(&cx).is_some());
        assert!(bell.heard(&cx).is_none());
        bell.ring();
        assert!(bell.heard(&cx).is_some());
        assert_eq!(Arc::strong_count(&bell), 1);
    }
}
