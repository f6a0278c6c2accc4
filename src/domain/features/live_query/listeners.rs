//! What the app's code is told of connections and subscriptions (`onLiveQueryEvent`). Nobody waits for it.

use std::sync::{Arc, OnceLock, Weak};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::asked::Connection;
use super::caller::Caller;
use super::hub::LiveQueries;
use crate::domain::kernel::app::App;
use crate::domain::kernel::triggers::{Call, Target};

/// What waits to be told. More is dropped.
const WAITING: usize = 1024;
/// What is told at the same time.
const AT_ONCE: usize = 64;

/// What the code is told, in order.
#[derive(Debug, Default)]
pub(super) struct Listeners(OnceLock<Sender<Map<String, Json>>>);

/// The client that something happens to, where it has connected.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its id, as long as it is there.
    pub id: Option<&'a str>,
    /// What it said when it connected.
    pub connection: Connection<'a>,
    /// Whether it has the rights of the master key.
    pub master: bool,
}

impl LiveQueries {
    /// Whether the app's code wants to be told.
    #[must_use]
    pub fn has_listeners(app: &App) -> bool {
        app.triggers.live_query_events().is_some()
    }

    /// Tells the app's code, if it wants to know: `ws_connect`, `subscribe`, `unsubscribe`, `ws_disconnect`.
    pub fn tell_code(&self, app: &Arc<App>, event: &'static str, client: Option<Known<'_>>) {
        if !Self::has_listeners(app) {
            return;
        }
        let mut told = Map::new();
        if let Some(Known { id, connection, master }) = client {
            told = self.describe(&Caller { master, ..Caller::default() }, id, connection);
        }
        self.enqueue(app, event, told);
    }

    /// Tells the app's code that a client has connected, which it is told of with its user.
    pub async fn tell_code_of_client(&self, app: &Arc<App>, caller: &Caller, client: Known<'_>) {
        if Self::has_listeners(app) {
            let told = self.describe_with_user(app, caller, client.id, client.connection).await;
            self.enqueue(app, "connect", told);
        }
    }

    /// Tells the app's code of a socket that ended before a client had connected.
    pub fn tell_code_of_nobody(&self, app: &Arc<App>) {
        if Self::has_listeners(app) {
            let error = Json::from("The socket ended before a client connected.");
            self.enqueue(app, "ws_disconnect_error", Map::from_iter([("error".to_owned(), error)]));
        }
    }

    fn enqueue(&self, app: &Arc<App>, event: &'static str, mut told: Map<String, Json>) {
        told.insert("event".to_owned(), event.into());
        told.insert("clients".to_owned(), self.counts.clients().into());
        told.insert("subscriptions".to_owned(), self.counts.subscriptions().into());
        let queue = self.listeners.0.get_or_init(|| {
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
                telling.push(tell(app, told));
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
