//! The queue of what the app's code is told of connections and subscriptions (`onLiveQueryEvent`). Nobody waits for it.

use std::sync::{Arc, OnceLock, Weak};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::domain::kernel::app::App;
use crate::domain::kernel::triggers::{Call, Target};

/// What waits to be told. More is dropped.
const WAITING: usize = 1024;
/// What is told at the same time.
const AT_ONCE: usize = 64;

/// What the code is told, in order.
#[derive(Debug, Default)]
pub(super) struct Listeners(OnceLock<Sender<Map<String, Json>>>);

impl Listeners {
    /// Tells the code when its turn comes.
    pub(super) fn tell(&self, app: &Arc<App>, event: &'static str, told: Map<String, Json>) {
        let queue = self.0.get_or_init(|| {
            let (queue, waiting) = mpsc::channel(WAITING);
            tokio::spawn(tell_all(Arc::downgrade(app), waiting));
            queue
        });
        if queue.try_send(told).is_err() {
            tracing::warn!(event, "onLiveQueryEvent takes too long: it is not told");
        }
    }
}

/// Tells all until the queue ends. A handler that takes long holds up no other one.
async fn tell_all(app: Weak<App>, mut waiting: Receiver<Map<String, Json>>) {
    let mut telling = FuturesUnordered::new();
    loop {
        tokio::select! {
            // What has been begun is sent before the next.
            biased;
            Some(()) = telling.next(), if !telling.is_empty() => {}
            told = waiting.recv(), if telling.len() < AT_ONCE => {
                let (Some(told), Some(app)) = (told, app.upgrade()) else { return };
                telling.push(tell(app, told).boxed());
            }
        }
    }
}

async fn tell(app: Arc<App>, told: Map<String, Json>) {
    let Some(handler) = app.triggers.live_query_events() else { return };
    if let Err(error) = app.triggers.call(&*handler, Call::of(Target::LiveQueryEvents, told)).await {
        tracing::error!(%error, "onLiveQueryEvent failed");
    }
}
