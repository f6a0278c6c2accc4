//! The way from events to one connection: a queue of bounded length. An empty one has no room of its own: most connections wait, most of
//! the time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

/// The end of a connection's queue at which deliveries come in. Cheap to clone.
#[derive(Debug)]
pub struct Outlet<T>(Arc<Shared<T>>);

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The end of the queue from which a connection reads.
#[derive(Debug)]
pub struct Inbox<T>(Arc<Shared<T>>);

/// The connection read too slowly: it misses events from then on, and must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed;

#[derive(Debug)]
struct Shared<T> {
    /// Deliveries that may wait.
    most: usize,
    queue: Mutex<Queue<T>>,
    /// Tells one who waits that there is room again.
    room: Notify,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<T>,
    state: State,
    /// Who reads.
    reader: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// There was no room. What follows a gap must not be told.
    Missed,
    /// Nobody reads any more.
    Gone,
}

/// A queue of at most so many deliveries.
#[must_use]
pub fn queue<T>(length: usize) -> (Outlet<T>, Inbox<T>) {
    let queue = Queue { waiting: VecDeque::new(), state: State::Open, reader: None };
    let shared = Arc::new(Shared { most: length.max(1), queue: Mutex::new(queue), room: Notify::new() });
    (Outlet(shared.clone()), Inbox(shared))
}

impl<T> Shared<T> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Outlet<T> {
    /// Puts a delivery into the queue; without room for it, the connection ends.
    pub(super) fn put(&self, delivery: T) {
        let mut queue = self.0.queue();
        if queue.state != State::Open {
            return;
        }
        if queue.waiting.len() < self.0.most {
            queue.waiting.push_back(delivery);
        } else {
            queue.state = State::Missed;
        }
        wake(queue);
    }

    /// Puts a delivery into the queue when there is room. False: the connection is gone.
    pub(super) async fn put_in_time(&self, delivery: T) -> bool {
        loop {
            let room = self.0.room.notified();
            {
                let mut queue = self.0.queue();
                let open = queue.state == State::Open;
                if !open || queue.waiting.len() < self.0.most {
                    if open {
                        queue.waiting.push_back(delivery);
                        wake(queue);
                    }
                    // Whoever else waits looks, too.
                    self.0.room.notify_one();
                    return open;
                }
            }
            room.await;
        }
    }

    /// Deliveries that may wait.
    pub(super) fn most(&self) -> usize {
        self.0.most
    }

    /// Ends the connection, because it misses events.
    pub(super) fn give_up(&self) {
        let mut queue = self.0.queue();
        if queue.state == State::Open {
            queue.state = State::Missed;
            self.0.room.notify_one();
        }
        wake(queue);
    }
}

fn wake<T>(mut queue: MutexGuard<'_, Queue<T>>) {
    let reader = queue.reader.take();
    drop(queue);
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl<T> Inbox<T> {
    /// The next delivery.
    ///
    /// # Errors
    /// If the connection read too slowly; what still waits is not told.
    pub async fn next(&mut self) -> Result<T, Missed> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Inbox::next`].
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Result<T, Missed>> {
        let mut queue = self.0.queue();
        if queue.state == State::Missed {
            return Poll::Ready(Err(Missed));
        }
        let Some(next) = queue.waiting.pop_front() else {
            queue.wait(cx);
            return Poll::Pending;
        };
        if queue.waiting.is_empty() {
            queue.waiting.shrink_to(FEW);
        }
        if queue.waiting.len() + 1 == self.0.most {
            self.0.room.notify_one();
        }
        Poll::Ready(Ok(next))
    }

    /// Waits until the connection misses events.
    pub async fn missed(&mut self) -> Missed {
        poll_fn(|cx| {
            let mut queue = self.0.queue();
            if queue.state == State::Missed {
                return Poll::Ready(Missed);
            }
            queue.wait(cx);
            Poll::Pending
        })
        .await
    }
}

/// Places that an empty queue keeps after it was in use.
const FEW: usize = 4;

impl<T> Queue<T> {
    fn wait(&mut self, cx: &Context<'_>) {
        if self.reader.as_ref().is_none_or(|reader| !reader.will_wake(cx.waker())) {
            self.reader = Some(cx.waker().clone());
        }
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.state = State::Gone;
        let (waiting, reader) = (std::mem::take(&mut queue.waiting), queue.reader.take());
        drop(queue);
        self.0.room.notify_one();
        drop((waiting, reader));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn deliveries_come_in_order_until_there_is_no_room() {
        let (outlet, mut inbox) = queue(2);
        outlet.put(1);
        outlet.put(2);
        assert_eq!(inbox.next().await, Ok(1));
        outlet.put(3);
        assert_eq!((inbox.next().await, inbox.next().await), (Ok(2), Ok(3)));
        for number in 4..7 {
            outlet.put(number);
        }
        assert_eq!(inbox.next().await, Err(Missed), "6 had no room, so 4 and 5 are not told either");
        assert_eq!(inbox.missed().await, Missed);
        assert!(!outlet.put_in_time(7).await);
    }

    #[tokio::test]
    async fn who_is_patient_waits_for_room() {
        let (outlet, mut inbox) = queue(1);
        assert!(outlet.put_in_time(1).await);
        let waiting = tokio::spawn({
            let outlet = outlet.clone();
            async move { outlet.put_in_time(2).await && outlet.put_in_time(3).await }
        });
        for number in 1..=3 {
            assert_eq!(inbox.next().await, Ok(number));
        }
        assert!(waiting.await.unwrap());
        assert!(outlet.put_in_time(4).await);
        let waiting = tokio::spawn(async move { outlet.put_in_time(5).await });
        tokio::task::yield_now().await;
        drop(inbox);
        assert!(!waiting.await.unwrap(), "nobody reads any more");
    }

    #[test]
    fn a_reader_is_woken_once_for_what_it_waits_for() {
        let (outlet, mut inbox) = queue(5);
        let woken = Arc::new(Count::default());
        let waker = Waker::from(woken.clone());
        let cx = Context::from_waker(&waker);
        assert!(inbox.poll_next(&cx).is_pending());
        outlet.put('a');
        outlet.put('b');
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert_eq!(inbox.poll_next(&cx), Poll::Ready(Ok('a')));
        outlet.give_up();
        assert_eq!(inbox.poll_next(&cx), Poll::Ready(Err(Missed)));
        drop(inbox);
        assert_eq!(Arc::strong_count(&woken), 2, "nothing keeps a waker");
    }
}
