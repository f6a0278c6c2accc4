//! What is left to do for a push, in a row that outlives the server (`_PushWork`; clients cannot name it).
//!
//! A row has at most one holder at a time. The holder says how far it got before it goes further, and says so only while it still holds the row: where
//! two servers meet, one of them finds that it does not.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request::{Request, When};
use super::state::Pushes;
use super::tally::{PerType, Tally};
use crate::domain::kernel::app::App;
use crate::domain::kernel::failure::failure;
use crate::error::{ParseError, Result};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::options::{FindOptions, Sort};
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::schema::ClassSchema;

const CLASS: &str = "_PushWork";
/// How long a holder that says nothing keeps a row.
pub(super) const HELD_FOR: Duration = Duration::from_secs(10);
/// Bytes of the random name of a holder.
const HOLDER_BYTES: usize = 12;
/// Rows that are looked at in one go.
const MOST_DUE: u64 = 100;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Change the badges.
    Badges,
    /// Wait for the time, then count the devices.
    Count,
    /// Send.
    Send,
}

/// How far a push got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// What is to be done next.
    pub stage: Stage,
    /// The id of the last device that the stage has taken; empty at its beginning.
    pub after: String,
    /// How many batches there are in all, as counted before the first.
    pub batches: u64,
    /// How many batches are done.
    pub done: u64,
    /// The number of the next batch.
    pub next: u64,
    /// Batches that were taken and are not counted yet, with their devices.
    pub open: BTreeMap<u64, PerType>,
    /// What was counted.
    pub tally: Tally,
    /// For a push that goes by local time: the moment up to which devices were served, in milliseconds since 1970.
    pub served_until: Option<i64>,
    /// How often the work failed since it last got further.
    pub failures: u32,
}

impl Progress {
    fn new() -> Self {
        Self {
            stage: Stage::Badges,
            after: String::new(),
            batches: 0,
            done: 0,
            next: 0,
            open: BTreeMap::new(),
            tally: Tally::default(),
            served_until: None,
            failures: 0,
        }
    }

    /// Counts the batches of a server that is gone: nobody knows what became of their devices.
    pub fn give_up_open(&mut self) {
        for devices in std::mem::take(&mut self.open).into_values() {
            self.tally.add_lost(&devices);
            self.done += 1;
        }
    }

    /// How many batches are not done, as far as that is known; at least one.
    pub fn left(&self) -> u64 {
        self.batches.saturating_sub(self.done).max(1)
    }
}

/// How a server's work on a push ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    /// The push is over.
    Finished,
    /// Whoever finds the work after this moment goes on.
    GoOnLater(Date),
    /// Another server has taken the work.
    Lost,
}

/// Whether a server goes on with a push.
pub(super) type Flow = ControlFlow<End>;

/// The work of one push, held by this server.
#[derive(Debug)]
pub(super) struct Work {
    /// The id of the row in `_PushStatus`, and of the work's own.
    pub id: String,
    /// The push.
    pub request: Request,
    /// How far it got.
    pub progress: Progress,
    holder: String,
}

impl Work {
    /// Writes down new work, held by this server.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write_down(app: &Arc<App>, pushes: &Pushes, id: &str, request: Request) -> Result<Self> {
        let holder = app.random.hex(HOLDER_BYTES);
        let work = Self { id: id.to_owned(), request, progress: Progress::new(), holder };
        let mut row = Object::new();
        row.insert("objectId", id);
        row.insert("channel", pushes.channel.as_str());
        row.insert("request", to_text(&work.request)?);
        row.insert("progress", to_text(&work.progress)?);
        row.insert("holder", work.holder.as_str());
        row.insert("until", held_until(app));
        app.storage.insert(&schema(), row, None).await.map_err(failure)?;
        Ok(work)
    }

    /// Takes work that nobody holds; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the store fails, or the row is damaged.
    pub async fn take(app: &Arc<App>, id: &str) -> Result<Option<Self>> {
        let free = Filter::field("until", Constraint::Lte(app.clock.now().into()));
        let holder = app.random.hex(HOLDER_BYTES);
        let mut update = Update::default();
        update.put("holder", Change::Set(holder.as_str().into()));
        update.put("until", Change::Set(held_until(app).into()));
        let filter = Filter::eq("objectId", id).and(free);
        let Some(row) = app.storage.update_one(&schema(), &filter, &update, None).await.map_err(failure)? else {
            return Ok(None);
        };
        let text = |field: &str| row.get_str(field).unwrap_or_default().to_owned();
        let read =
            |error: serde_json::Error| ParseError::internal(format!("the work of push {id} is damaged: {error}"));
        Ok(Some(Self {
            id: id.to_owned(),
            request: serde_json::from_str(&text("request")).map_err(read)?,
            progress: serde_json::from_str(&text("progress")).map_err(read)?,
            holder,
        }))
    }

    /// Says how far the work got, and keeps it. Tells whether this server still holds it.
    ///
    /// # Errors
    /// When the store fails: whether it was said is then unknown.
    pub async fn save(&self, app: &Arc<App>) -> Result<bool> {
        self.put(app, held_until(app)).await
    }

    /// Says how far the work got, and gives it to whoever takes it after a moment.
    ///
    /// # Errors
    /// As [`Work::save`].
    pub async fn leave(&self, app: &Arc<App>, until: Date) -> Result<bool> {
        self.put(app, until).await
    }

    /// Keeps the work while something is done that may take long. Whoever saves afterwards learns whether that went well.
    pub async fn while_held<T>(&self, app: &Arc<App>, doing: impl Future<Output = T>) -> T {
        tokio::pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return done,
                () = tokio::time::sleep(HELD_FOR / 3) => {
                    let mut update = Update::default();
                    update.put("until", Change::Set(held_until(app).into()));
                    if let Err(error) = app.storage.update_one(&schema(), &self.mine(), &update, None).await {
                        tracing::warn!(push = self.id, %error, "the work of a push cannot be kept for now");
                    }
                }
            }
        }
    }

    async fn put(&self, app: &Arc<App>, until: Date) -> Result<bool> {
        let mut update = Update::default();
        update.put("progress", Change::Set(to_text(&self.progress)?.into()));
        update.put("until", Change::Set(until.into()));
        let changed = app.storage.update_one(&schema(), &self.mine(), &update, None).await.map_err(failure)?;
        Ok(changed.is_some())
    }

    /// Forgets the work, if this server holds it.
    pub async fn delete(&self, app: &Arc<App>) {
        if let Err(error) = app.storage.delete(&schema(), &self.mine(), None).await {
            // It will be found done, and forgotten then.
            tracing::warn!(push = self.id, %error, "the work of a push that is done could not be forgotten");
        }
    }

    fn mine(&self) -> Resolved {
        Filter::eq("objectId", self.id.as_str()).and(Filter::eq("holder", self.holder.as_str()))
    }

    /// The moment at which the push is due; `None`: it is sent at once.
    pub fn due(&self) -> Option<Date> {
        match self.request.when {
            When::Now => None,
            When::At(moment) => Some(Date::from_millis(moment)),
            When::LocalTime(moment) => Some(super::local_time::earliest(moment)),
        }
    }
}

/// The ids of work on a channel that nobody holds, longest waiting first.
///
/// # Errors
/// When the store fails.
pub(super) async fn free(app: &Arc<App>, channel: &str) -> Result<Vec<String>> {
    let free = Filter::field("until", Constraint::Lte(app.clock.now().into()));
    let sort = vec![Sort { path: "until".to_owned(), descending: false }];
    let keys = Some(vec!["objectId".to_owned()]);
    let options = FindOptions { sort, limit: Some(MOST_DUE), keys, ..FindOptions::default() };
    let rows = app.storage.find(&schema(), &free.and(Filter::eq("channel", channel)), &options, None).await;
    let rows = rows.map_err(failure)?;
    Ok(rows.iter().filter_map(|row| row.get_str("objectId")).map(str::to_owned).collect())
}

fn held_until(app: &App) -> Date {
    app.clock.now().plus_seconds(HELD_FOR.as_secs_f64())
}

fn schema() -> ClassSchema {
    ClassSchema::new(ClassName::unchecked(CLASS))
}

fn to_text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(ParseError::internal)
}
