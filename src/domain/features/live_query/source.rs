//! Where writes are heard of: from the store where it can tell ([`Storage::changes`](crate::storage::Storage::changes)), so that it does not
//! matter which process wrote; else from the messages of all servers, where the options name their channels ([`channels`]); else from the
//! pipelines of this server. A server has one source, so no write is told twice.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;

use super::channels::{self, Publisher};
use super::event::Happened;
use super::hub::LiveQueries;
use super::judge;
use crate::domain::kernel::app::App;
use crate::domain::kernel::events::{Subscriber, Written};
use crate::domain::kernel::failure::failure;
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;
use crate::model::schema::ClassSchema;
use crate::storage::{Change, Follower, RowChange};

/// Writes of this server that wait to be told. When there are more, every connection is closed, because it would miss some.
const WAITING: usize = 1 << 16;
/// The name of the order of writes of a store that has one for all time.
const ONLY_HISTORY: &str = "s";
/// Relations of rows under way that are remembered.
const MOST_NOTES: usize = 10_000;

/// The classes of which the store was asked to keep the rows before writes.
type Kept = HashSet<ClassName>;

/// What tells of writes.
pub enum Source {
    /// The store, or messages of servers that have the same form.
    Store(BoxStream<'static, Change>, Kept),
    /// The pipelines of this server.
    Pipelines(mpsc::Receiver<Happened>),
}

impl LiveQueries {
    /// Publishes what this server writes on the channels of other servers, where the options say so.
    pub fn publish(self: &Arc<Self>, app: &Arc<App>) {
        if let (Some(redis), false) = (&self.channels.publish, self.published.is_empty()) {
            let publisher = Publisher { live: self.clone(), app: Arc::downgrade(app), queue: redis.publisher() };
            app.events.subscribe(Arc::new(publisher));
        }
    }

    /// Opens the source; from here on no write is missed. `None`: no class is published.
    ///
    /// # Errors
    /// When the store cannot be followed.
    pub async fn open(self: &Arc<Self>, app: &Arc<App>) -> Result<Option<Source>> {
        if self.published.is_empty() {
            return Ok(None);
        }
        let follower = Arc::new(Following::new(self, app));
        if let Some(changes) = app.storage.changes(follower).await.map_err(failure)? {
            self.progress.store.get_or_init(|| app.storage.history().unwrap_or(ONLY_HISTORY).to_owned());
            app.events.subscribe(Arc::new(Notes(self.clone())));
            let mut kept = Kept::new();
            self.keep_images(app, &mut kept).await;
            return Ok(Some(Source::Store(changes, kept)));
        }
        if let Some(redis) = &self.channels.listen {
            let progress = self.progress.clone();
            let position = move || progress.position.fetch_add(1, Ordering::AcqRel) + 1;
            let changes = channels::listen(redis, app, position).await.map_err(ParseError::internal)?;
            return Ok(Some(Source::Store(changes, Kept::new())));
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        app.events.subscribe(Arc::new(Listener { live: self.clone(), app: Arc::downgrade(app), sender }));
        Ok(Some(Source::Pipelines(receiver)))
    }

    /// Tells subscribers of what the source says, until the app goes away.
    pub fn tell(self: &Arc<Self>, app: &Arc<App>, source: Source) -> JoinHandle<()> {
        let (app, live) = (Arc::downgrade(app), self.clone());
        tokio::spawn(async move {
            match source {
                Source::Store(mut changes, mut kept) => {
                    while let Some(change) = changes.next().await {
                        let Some(app) = app.upgrade() else { return };
                        live.take(&app, change, &mut kept).await;
                    }
                }
                Source::Pipelines(mut writes) => {
                    while let Some(happened) = writes.recv().await {
                        let Some(app) = app.upgrade() else { return };
                        judge::judge(&app, &live.groups, &live.counts, &happened).await;
                    }
                }
            }
        })
    }

    async fn take(&self, app: &Arc<App>, change: Change, kept: &mut Kept) {
        match change {
            Change::Schema => {
                self.reload(app).await;
                self.keep_images(app, kept).await;
            }
            Change::Row(row) => {
                if let Some(at) = row.written_at {
                    self.progress.lag.store(app.clock.now().millis() - at.millis(), Ordering::Relaxed);
                }
                if self.groups.follow(&row.class) && !self.progress.notes().purges(&row) {
                    // A session that ended gives no right to hear of its end, whichever of the store's streams is ahead.
                    app.caches.forget(row.class.as_str(), Some(&row.id));
                    let relations = self.progress.notes().relations.remove(&row.id).unwrap_or_default();
                    judge::judge(app, &self.groups, &self.counts, &happened(*row, relations)).await;
                }
            }
            Change::Broken => self.progress.broken.store(true, Ordering::Relaxed),
            Change::Resumed => self.progress.broken.store(false, Ordering::Relaxed),
            Change::Lost => {
                tracing::error!("writes were missed: connections of live queries are closed");
                self.progress.broken.store(false, Ordering::Relaxed);
                self.reload(app).await;
                self.close_all();
            }
        }
    }

    async fn reload(&self, app: &App) {
        if let Err(error) = app.schemas.reload().await {
            tracing::warn!(%error, "the schema could not be read again");
        }
    }

    /// Has the store keep the rows before writes of every published class that it knows.
    async fn keep_images(&self, app: &App, kept: &mut Kept) {
        for class in app.schemas.snapshot().iter() {
            let name = &class.schema.name;
            if !class.stored || !self.published.covers(name.as_str()) || !kept.insert(name.clone()) {
                continue;
            }
            if let Err(error) = app.storage.keep_images(name).await {
                tracing::warn!(%error, class = %name, "live queries do not know the rows before writes");
            }
        }
    }

    /// Whether events flow, with the reason if they do not.
    ///
    /// # Errors
    /// Why they do not.
    pub fn flow(&self) -> std::result::Result<(), &'static str> {
        if self.progress.broken.load(Ordering::Relaxed) {
            return Err("The database does not tell of changes.");
        }
        Ok(())
    }

    /// Milliseconds between the last write that the store told of and its telling.
    #[must_use]
    pub fn lag(&self) -> i64 {
        self.progress.lag.load(Ordering::Relaxed)
    }
}

pub(super) fn happened(row: RowChange, relations: Vec<String>) -> Happened {
    let RowChange { class, id, before, after, made, position, mark, .. } = row;
    let unknown_before = !made && before.is_none();
    let written = Written { class, id, before: before.map(Arc::new), after: after.map(Arc::new), relations };
    Happened { written: Arc::new(written), position, mark, unknown_before }
}

/// Follows published classes in the store.
#[derive(Debug)]
pub(super) struct Following {
    live: Arc<LiveQueries>,
    app: Weak<App>,
    /// This class alone.
    only: Option<ClassName>,
}

impl Following {
    fn new(live: &Arc<LiveQueries>, app: &Arc<App>) -> Self {
        Self { live: live.clone(), app: Arc::downgrade(app), only: None }
    }

    /// Follows one class.
    pub(super) fn of_class(live: &Arc<LiveQueries>, app: &Arc<App>, class: &ClassName) -> Self {
        Self { only: Some(class.clone()), ..Self::new(live, app) }
    }
}

impl Follower for Following {
    fn patterns(&self) -> Vec<String> {
        match &self.only {
            Some(class) => vec![class.as_str().to_owned()],
            None => self.live.published.patterns().map(str::to_owned).collect(),
        }
    }

    fn follows(&self, class: &str) -> bool {
        match &self.only {
            Some(only) => only.as_str() == class && self.live.published.covers(class),
            None => self.live.tells(&ClassName::unchecked(class)),
        }
    }

    fn with_schema(&self, class: &ClassName, call: &mut dyn FnMut(&ClassSchema)) {
        let Some(app) = self.app.upgrade() else { return };
        let schemas = app.schemas.snapshot();
        match schemas.get(class) {
            Some(class) => call(&class.schema),
            None => call(&app.schemas.unknown_class(class).schema),
        }
    }
}

/// Notes what the store will not tell of this server's writes.
#[derive(Debug)]
struct Notes(Arc<LiveQueries>);

impl Subscriber for Notes {
    fn wants(&self, _class: &ClassName) -> bool {
        false
    }

    fn note(&self, _written: &Written) {}

    fn note_relations(&self, class: &ClassName, id: &str, relations: &[String]) {
        if self.0.tells(class) {
            let mut notes = self.0.progress.notes();
            // Those of rows that were refused are never taken.
            if notes.relations.len() >= MOST_NOTES {
                notes.relations.clear();
            }
            notes.relations.insert(id.to_owned(), relations.to_vec());
        }
    }

    fn note_purge(&self, class: &ClassName, until: Option<u64>) {
        if self.0.published.covers(class.as_str()) {
            self.0.progress.notes().purges.insert(class.clone(), until);
        }
    }
}

/// Hears of this server's writes.
#[derive(Debug)]
struct Listener {
    live: Arc<LiveQueries>,
    app: Weak<App>,
    sender: mpsc::Sender<Happened>,
}

impl Subscriber for Listener {
    fn wants(&self, class: &ClassName) -> bool {
        self.live.notes(class)
    }

    fn note(&self, written: &Written) {
        let Some(app) = self.app.upgrade() else { return };
        let mut log = self.live.log.open();
        let position = self.live.progress.position.fetch_add(1, Ordering::AcqRel) + 1;
        let happened = Happened { written: Arc::new(written.clone()), position, mark: None, unknown_before: false };
        log.note(&app, &happened);
        if let Err(TrySendError::Full(_)) = self.sender.try_send(happened) {
            tracing::error!("writes come faster than live queries can be told: connections are closed");
            self.live.close_all();
        }
    }
}
