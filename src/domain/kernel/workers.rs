//! Work in the background: some on every server, most kinds on exactly one server of those that share a database.
//!
//! A row per kind of work says who does it and until when (`_WorkerLease`). A server does the work only while it holds that
//! lease, renews it while it works, and stops working when it cannot.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::feature::Work;
use crate::clock::Clock;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::schema::ClassSchema;
use crate::storage::{self, Storage, StorageError};

/// The class of the leases. Clients cannot name it.
const CLASS: &str = "_WorkerLease";
/// How long a lease lasts that is not renewed.
const LEASE: Duration = Duration::from_secs(30);
/// A lease is renewed after this part of its life.
const RENEWALS: u32 = 3;
/// How often a round that fails is tried again at once.
const RETRIES: u32 = 3;
/// The pause before the first try; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Bytes of the random name of a server among those that share a database.
const HOLDER_BYTES: usize = 16;

/// The right to do one kind of work.
#[derive(Debug)]
pub struct Lease {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    schema: ClassSchema,
    kind: String,
    holder: String,
}

impl Lease {
    /// The lease of a kind of work, for a holder: a text that no other server has.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, kind: &str, holder: &str) -> Self {
        let schema = ClassSchema::new(ClassName::unchecked(CLASS));
        Self { storage, clock, schema, kind: kind.to_owned(), holder: holder.to_owned() }
    }

    /// Takes the lease, or renews it. Tells whether the holder has it now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn take(&self) -> storage::Result<bool> {
        let now = self.clock.now();
        let until = now.plus_seconds(LEASE.as_secs_f64());
        let free = Filter::field("until", Constraint::Lt(now.into()));
        let mine = Filter::eq("holder", self.holder.as_str());
        let row = Filter::And(vec![self.row(), Filter::Or(vec![free, mine])]);
        if self.put(&row, until).await? {
            return Ok(true);
        }
        let mut lease = Object::new();
        lease.insert("objectId", self.kind.as_str());
        lease.insert("holder", self.holder.as_str());
        lease.insert("until", until);
        match self.storage.insert(&self.schema, lease, None).await {
            Ok(()) => Ok(true),
            Err(StorageError::Duplicate { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the lease back, if the holder has it.
    ///
    /// # Errors
    /// When the store fails: the lease then ends by itself.
    pub async fn give_back(&self) -> storage::Result<()> {
        self.put(&self.mine(), Date::from_millis(0)).await.map(|_| ())
    }

    /// Renews the lease for ever. A renewal that fails is tried again at the next time.
    pub async fn keep(&self) -> Infallible {
        loop {
            tokio::time::sleep(LEASE / RENEWALS).await;
            match self.take().await {
                Ok(true) => {}
                Ok(false) => tracing::warn!(kind = self.kind, "a lease went to somebody else"),
                Err(error) => tracing::warn!(kind = self.kind, %error, "a lease cannot be renewed for now"),
            }
        }
    }

    /// Removes the lease, if the holder has it: work of its kind will not be done again.
    ///
    /// # Errors
    /// When the store fails: the lease then runs out.
    pub async fn end(&self) -> storage::Result<()> {
        self.storage.delete(&self.schema, &self.mine(), None).await.map(|_| ())
    }

    /// The kinds of work, among those that begin with `prefix`, whose holder stopped renewing the lease.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run_out(storage: &dyn Storage, now: Date, prefix: &str) -> storage::Result<Vec<String>> {
        let schema = ClassSchema::new(ClassName::unchecked(CLASS));
        let over = Filter::field("until", Constraint::Lt(now.into()));
        let rows = storage.find(&schema, &over, &FindOptions::default(), None).await?;
        let kinds = rows.iter().filter_map(|row| row.get_str("objectId"));
        Ok(kinds.filter(|kind| kind.starts_with(prefix)).map(str::to_owned).collect())
    }

    fn row(&self) -> Resolved {
        Filter::eq("objectId", self.kind.as_str())
    }

    fn mine(&self) -> Resolved {
        Filter::And(vec![self.row(), Filter::eq("holder", self.holder.as_str())])
    }

    async fn put(&self, row: &Resolved, until: Date) -> storage::Result<bool> {
        let mut update = Update::default();
        update.put("holder", Change::Set(self.holder.as_str().into()));
        update.put("until", Change::Set(until.into()));
        Ok(self.storage.update_one(&self.schema, row, &update, None).await?.is_some())
    }
}

/// Work that goes on until it is stopped.
#[derive(Debug)]
pub struct Workers {
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the work of all features of an app.
    #[must_use]
    pub fn start(app: &Arc<App>) -> Self {
        let stop = CancellationToken::new();
        let holder = app.random.hex(HOLDER_BYTES);
        let start = |work: &Arc<dyn Work>| {
            let lease = Lease::new(app.storage.clone(), app.clock.clone(), work.kind(), &holder);
            tokio::spawn(run(app.clone(), lease, work.clone(), stop.clone()))
        };
        let running = app.work().iter().map(start).collect();
        Self { stop, running }
    }

    /// Stops all work at its next `await` and gives the leases back.
    pub async fn stop(self) {
        self.stop.cancel();
        for worker in self.running {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a worker failed");
            }
        }
    }
}

async fn run(app: Arc<App>, lease: Lease, work: Arc<dyn Work>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(work.every()) => {}
        }
        if !work.is_needed(&app) || !app.options.own.accepts.writes() {
            continue;
        }
        let admitted = if work.alone() { lease.take().await } else { Ok(true) };
        match admitted {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => {
                tracing::warn!(kind = work.kind(), %error, "the lease of a worker cannot be had for now");
                continue;
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = until_lost(&lease), if work.alone() => tracing::warn!(kind = work.kind(), "a worker lost its lease and stopped working"),
            () = attempts(&app, &*work) => {}
        }
    }
    if work.alone()
        && app.options.own.accepts.writes()
        && let Err(error) = lease.give_back().await
    {
        tracing::warn!(kind = work.kind(), %error, "a lease could not be given back");
    }
}

/// Renews the lease until that fails.
async fn until_lost(lease: &Lease) {
    loop {
        tokio::time::sleep(LEASE / RENEWALS).await;
        if !lease.take().await.unwrap_or(false) {
            return;
        }
    }
}

/// One round, tried again when it fails.
async fn attempts(app: &Arc<App>, work: &dyn Work) {
    let mut pause = FIRST_PAUSE;
    for attempt in 0..=RETRIES {
        let Err(error) = work.round(app).await else { return };
        tracing::error!(kind = work.kind(), %error, attempt, "a round of background work failed");
        if attempt < RETRIES {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

#[cfg(test)]
mod tests;
