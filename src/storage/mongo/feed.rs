//! A change stream that is opened again when it breaks, where it was.

use std::time::Duration;

use bson::doc;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use mongodb::Client;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType, ResumeToken};
use mongodb::error::ErrorKind;
use serde::de::DeserializeOwned;
use tracing::{debug, warn};

use super::{MongoStorage, error};
use crate::storage::Result;

/// Pauses between attempts to open a stream again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a server may keep silent; it answers once a second.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

type Changes<D> = ChangeStream<ChangeStreamEvent<D>>;

/// The version of the database's protocol, if it has change streams; `None`: it has none.
pub(super) async fn wire_version(storage: &MongoStorage) -> Result<Option<i32>> {
    let hello = storage.run(storage.database.run_command(doc! { "hello": 1 })).await?;
    let sharded = hello.get_str("msg").is_ok_and(|message| message == "isdbgrid");
    let streams = hello.contains_key("setName") || sharded;
    Ok(streams.then(|| hello.get_i32("maxWireVersion").unwrap_or_default()))
}

/// What is followed, and what becomes of it.
pub(super) trait Feed: Send + Sync + 'static {
    /// The form in which documents are read.
    type Document: DeserializeOwned + Send + Sync + Unpin + 'static;
    /// What the stream gives.
    type Item: Send + 'static;

    /// Opens the change stream, after a place in it.
    fn open(&self, token: Option<ResumeToken>) -> BoxFuture<'_, mongodb::error::Result<Changes<Self::Document>>>;

    /// What a change becomes.
    fn item(&mut self, change: ChangeStreamEvent<Self::Document>) -> BoxFuture<'_, Option<Self::Item>>;

    /// What a break becomes, after which the stream goes on where it was.
    fn broken() -> Option<Self::Item>;

    /// What the end of a break becomes.
    fn resumed() -> Option<Self::Item>;

    /// What it becomes that changes were missed.
    fn lost() -> Self::Item;
}

/// Opens a feed's change stream and follows it.
///
/// # Errors
/// When it cannot be opened.
pub(super) async fn follow<F: Feed>(storage: &MongoStorage, feed: F) -> Result<BoxStream<'static, F::Item>> {
    let changes = storage.run(feed.open(None)).await?;
    let client = storage.client.clone();
    let follower = Follower { feed, client, changes: Some(changes), token: None, pause: FIRST_PAUSE };
    Ok(stream::unfold(follower, Follower::next).boxed())
}

struct Follower<F: Feed> {
    // Keeps the connections open as long as the stream.
    #[expect(dead_code, reason = "held for its effect alone")]
    client: Client,
    feed: F,
    changes: Option<Changes<F::Document>>,
    token: Option<ResumeToken>,
    pause: Duration,
}

/// What came of an attempt to open a stream again.
enum Reopened<I> {
    /// It is open, and that is told.
    Tells(I),
    /// It is open, or not yet.
    Quietly,
    /// There will be no more attempts.
    Never,
}

impl<F: Feed> Follower<F> {
    async fn next(mut self) -> Option<(F::Item, Self)> {
        loop {
            let Some(changes) = &mut self.changes else {
                match self.reopen().await {
                    Reopened::Tells(item) => return Some((item, self)),
                    Reopened::Quietly => continue,
                    Reopened::Never => return None,
                }
            };
            // Without news the server answers once a second; when it does not answer at all, the connection is dead.
            let answer = tokio::time::timeout(SILENCE, changes.next_if_any()).await;
            self.token = changes.resume_token().or(self.token);
            let broken = match answer {
                Ok(Ok(Some(change))) => {
                    if matches!(change.operation_type, OperationType::Invalidate | OperationType::DropDatabase) {
                        self.changes = None;
                        self.token = None;
                        return Some((F::lost(), self));
                    }
                    match self.feed.item(change).await {
                        Some(item) => return Some((item, self)),
                        None => continue,
                    }
                }
                Ok(Ok(None)) if changes.is_alive() => continue,
                Ok(Ok(None)) => {
                    self.changes = None;
                    self.token = None;
                    return Some((F::lost(), self));
                }
                Ok(Err(error)) if matches!(*error.kind, ErrorKind::Shutdown) => return None,
                Ok(Err(error)) => {
                    warn!(%error, "the change stream broke and is opened again");
                    F::broken()
                }
                Err(_) => {
                    warn!("the change stream gets no answer and is opened again");
                    F::broken()
                }
            };
            self.changes = None;
            if let Some(item) = broken {
                return Some((item, self));
            }
        }
    }

    /// One attempt to open the stream again.
    async fn reopen(&mut self) -> Reopened<F::Item> {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        let opened = tokio::time::timeout(SILENCE, self.feed.open(self.token.clone())).await;
        let Ok(opened) = opened else { return Reopened::Quietly };
        match opened {
            Ok(changes) => {
                self.changes = Some(changes);
                self.pause = FIRST_PAUSE;
                let item = if self.token.is_none() { Some(F::lost()) } else { F::resumed() };
                item.map_or(Reopened::Quietly, Reopened::Tells)
            }
            Err(error) if matches!(*error.kind, ErrorKind::Shutdown) => Reopened::Never,
            Err(error) => {
                debug!(%error, "the change stream cannot be opened again yet");
                // The server answered, and will not resume there: the history is gone.
                if error::server(&error).is_some() {
                    self.token = None;
                }
                Reopened::Quietly
            }
        }
    }
}
