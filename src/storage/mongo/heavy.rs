//! Work on many bytes, which must not keep other requests waiting.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::block_in_place;

/// Work on fewer bytes takes less than a millisecond.
const LARGE: usize = 256 << 10;

/// How much of it is done at a time: as much as there are cores.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, Into::into)));

/// Does work on so many bytes. Meanwhile another thread serves what this one served, if there are many bytes.
pub(super) async fn heavy<T>(bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    // Where one thread runs everything, no other can.
    if bytes < LARGE || Handle::current().runtime_flavor() != RuntimeFlavor::MultiThread {
        return work();
    }
    // It is never closed.
    let _turn = TURNS.acquire().await.ok();
    block_in_place(work)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_are_served_during_heavy_work() {
        let work = tokio::spawn(async {
            let (other, heard) = mpsc::channel();
            tokio::spawn(async move { other.send("served") });
            heavy(LARGE, move || heard.recv_timeout(Duration::from_secs(30))).await
        });
        assert_eq!(work.await.unwrap(), Ok("served"));
    }

    #[tokio::test]
    async fn one_thread_that_runs_everything_works_itself() {
        assert_eq!(heavy(LARGE, || 7).await, 7);
        assert_eq!(heavy(1, || 7).await, 7);
    }
}
