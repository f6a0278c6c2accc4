//! The log adapter of an app (`loggerAdapter`): its method `log(level, message, fields)` gets the lines, in place of the output.
//!
//! What cloud code prints stays on the output, so that an adapter that prints does not log for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Level;
use crate::adapters::cloud::module::OwnModule;
use crate::adapters::cloud::node::{Argument, CloudError, Origin};

/// The origin of what the adapter itself logs. No request has this id, because of its brackets.
pub const ORIGIN: &str = "(loggerAdapter)";
/// The target of lines that never go to the adapter.
pub const NOT_HANDED_OVER: &str = "reparse::output";
/// Calls of the adapter at once. They begin in the order of the lines.
const CALLS: usize = 64;
/// Shortest time between two lines that say that the adapter fails.
const BETWEEN_REPORTS: Duration = Duration::from_secs(10);
/// How long a stop waits for lines that the adapter has not got yet.
const STOP: Duration = Duration::from_secs(1);

/// A line for the adapter.
#[derive(Debug)]
pub struct Line {
    /// Its severity.
    pub level: Level,
    /// Its text.
    pub message: String,
    /// What is known besides, by name.
    pub fields: Map<String, Json>,
}

/// Where lines wait for the adapter; none if the app has none.
static QUEUE: ArcSwapOption<Queue> = ArcSwapOption::const_empty();

#[derive(Debug)]
struct Queue {
    lines: mpsc::Sender<Line>,
    dropped: AtomicU64,
}

/// Whether an adapter gets the lines.
#[must_use]
pub fn runs() -> bool {
    QUEUE.load().is_some()
}

/// Gives a line to the adapter. One that finds the queue full is dropped and counted.
pub fn hand_over(line: Line) {
    if let Some(queue) = &*QUEUE.load()
        && queue.lines.try_send(line).is_err()
    {
        queue.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// An adapter that gets the lines, until this is dropped.
#[derive(Debug)]
pub struct Running {
    task: JoinHandle<()>,
}

/// Gives lines to an adapter from now on. At most `waiting` lines wait for it.
#[must_use]
pub fn start(module: Arc<OwnModule>, waiting: usize) -> Running {
    let (sender, lines) = mpsc::channel(waiting.max(1));
    let queue = Arc::new(Queue { lines: sender, dropped: AtomicU64::new(0) });
    let weak = Arc::downgrade(&queue);
    QUEUE.store(Some(queue));
    let dropped = move || weak.upgrade().map_or(0, |queue| queue.dropped.swap(0, Ordering::Relaxed));
    Running { task: tokio::spawn(hand_on(module, lines, dropped)) }
}

impl Running {
    /// Ends it, after the lines that wait, within a second.
    pub async fn stop(mut self) {
        QUEUE.store(None);
        // The only failure is that there are too many of them.
        let _ = tokio::time::timeout(STOP, &mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        QUEUE.store(None);
        self.task.abort();
    }
}

/// Calls the adapter with each line, until nobody sends any more.
async fn hand_on(module: Arc<OwnModule>, mut lines: mpsc::Receiver<Line>, dropped: impl Fn() -> u64) {
    let calls = stream::poll_fn(move |cx| lines.poll_recv(cx)).map(|line| call(&module, line));
    let mut calls = std::pin::pin!(calls.buffer_unordered(CALLS));
    let (mut lost, mut reported): (u64, Option<Instant>) = (0, None);
    while let Some(outcome) = calls.next().await {
        let full = dropped();
        lost = lost.saturating_add(full).saturating_add(u64::from(outcome.is_err()));
        if lost > 0 && reported.is_none_or(|at| at.elapsed() >= BETWEEN_REPORTS) {
            let reason = outcome.err().map_or_else(|| "it is too slow".to_owned(), |error| error.to_string());
            tracing::error!(target: NOT_HANDED_OVER, lines = lost, "option loggerAdapter: lines were lost: {reason}");
            (lost, reported) = (0, Some(Instant::now()));
        }
    }
}

async fn call(module: &OwnModule, line: Line) -> Result<(), CloudError> {
    let origin = Origin { request: ORIGIN.to_owned(), depth: 0 };
    let arguments = [line.level.name().into(), line.message.into(), line.fields.into()];
    let arguments: [Argument; 3] = arguments.map(|json: Json| Argument::Json(json));
    module.call_within(&origin, Some("log"), &arguments).await.map(drop)
}
