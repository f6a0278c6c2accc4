//! A run of a job: a row of `_JobStatus` from its start to its end, and a lease that says that its server lives.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::sync::oneshot;

use super::Jobs;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::triggers::{Handler, Target};
use crate::domain::kernel::workers::Lease;
use crate::domain::permissions::Scoped;
use crate::domain::{read, store, triggers};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl::Acl;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::{Filter, Resolved};
use crate::model::value::Value;
use crate::traces;

/// What the leases of runs are called, before the id of the row.
const LEASE: &str = "job:";
/// Characters of a message that are kept.
const MESSAGE: usize = 100_000;
/// What a run that was left by its server says.
const LOST: &str = "The server that ran the job stopped.";
/// How often the end of a run is written, when the store fails.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// Who starts a job: `source` of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// A request.
    Api,
    /// Its schedule.
    Schedule,
    /// Somebody at the command line.
    CommandLine,
}

impl Starter {
    const fn source(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Schedule => "schedule",
            Self::CommandLine => "command line",
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct End {
    /// Whether the job did its work.
    pub succeeded: bool,
    /// Its last words, where it had any.
    pub message: Option<String>,
}

/// A run that goes on.
#[derive(Debug)]
pub struct Run {
    /// The id of its row.
    pub id: String,
    /// Tells how it ended.
    pub end: oneshot::Receiver<End>,
}

/// Starts a job, which then goes on by itself.
///
/// # Errors
/// 403 without a master key, 119 for the read-only one, 141 for an unknown job.
pub async fn start(cx: &Context, name: &str, params: Map<String, Json>, starter: Starter) -> Result<Run> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to run a job.")?;
    let unknown = || ParseError::new(ErrorCode::ScriptFailed, "Invalid job.");
    let handler = cx.app.triggers.job(name).ok_or_else(unknown)?;
    cx.app.file_hosts.check_map(&params)?;
    let mut cx = cx.outside_transaction();
    // A job is inside of nothing: it goes on when the request is answered.
    cx.client.depth = 0;
    let id = cx.app.random.alphanumeric(usize::from(cx.app.options.database.object_id_size));
    let lease = lease(&cx.app, &id, &id);
    // The lease comes first: a row without one is not known to be ours.
    lease.take().await.map_err(failure)?;
    let class = cx.class(&ClassName::unchecked(names::JOB_STATUS));
    store::insert(&cx, &class, row(&cx, &id, name, starter)).await.map_err(failure)?;
    tracing::info!(job = name, %id, source = starter.source(), "job started");
    let payload = payload(&cx, name, &id, params);
    let (sender, end) = oneshot::channel();
    let job = Job { cx, name: name.to_owned(), id: id.clone(), lease };
    job.cx.app.tasks.clone().spawn(traces::carry(async move {
        let mut span = traces::work("job");
        span.rename(|| format!("job {}", job.name));
        let end = span.scope(job.run(&handler, payload)).await;
        if !end.succeeded {
            span.fail("failed");
        }
        drop(span);
        // Who started it need not wait.
        let _gone = sender.send(end);
    }));
    Ok(Run { id, end })
}

fn lease(app: &App, id: &str, holder: &str) -> Lease {
    Lease::new(app.storage.clone(), app.clock.clone(), &format!("{LEASE}{id}"), holder)
}

fn row(cx: &Context, id: &str, name: &str, starter: Starter) -> Object {
    let mut row = Object::new();
    row.insert("objectId", id);
    row.insert("jobName", name);
    row.insert("status", "running");
    row.insert("source", starter.source());
    row.insert("createdAt", cx.now());
    row.insert("updatedAt", cx.now());
    // Nobody but the master key reads or writes it.
    let (readers, writers) = Acl::new().to_permissions();
    row.insert("_rperm", readers);
    row.insert("_wperm", writers);
    row
}

fn payload(cx: &Context, name: &str, id: &str, params: Map<String, Json>) -> Map<String, Json> {
    let mut payload = Map::new();
    payload.insert("params".to_owned(), params.into());
    payload.insert("jobName".to_owned(), name.into());
    payload.insert("jobId".to_owned(), id.into());
    payload.insert("headers".to_owned(), cx.client.headers.as_deref().cloned().unwrap_or_default().into());
    payload.insert("ip".to_owned(), cx.client.ip.to_string().into());
    payload
}

struct Job {
    cx: Context,
    name: String,
    id: String,
    lease: Lease,
}

impl Job {
    async fn run(self, handler: &Arc<dyn Handler>, payload: Map<String, Json>) -> End {
        let call = triggers::call(&self.cx, handler, Target::Job(self.name.clone()), payload);
        let answer = tokio::select! {
            answer = call => answer,
            never = self.lease.keep() => match never {},
            () = stopped(&self.cx.app) => Err(ParseError::new(ErrorCode::ScriptFailed, LOST)),
        };
        let (job, id) = (&self.name, &self.id);
        let end = match answer {
            Ok(answer) => {
                tracing::info!(%job, %id, "job succeeded");
                // Texts alone are messages.
                let message = answer.result.and_then(|result| result.as_str().map(str::to_owned));
                End { succeeded: true, message }
            }
            Err(error) => {
                tracing::error!(%job, %id, %error, "job failed");
                End { succeeded: false, message: Some(error.message.into_owned()) }
            }
        };
        for attempt in 1..=ATTEMPTS {
            match self.note_end(&end).await {
                Ok(()) => break,
                Err(error) => tracing::error!(%job, %id, %error, attempt, "the end of a job cannot be noted"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        end
    }

    async fn note_end(&self, end: &End) -> Result<()> {
        finish(&self.cx, &self.id, store::by_id(&self.id), end).await?;
        self.lease.end().await.map_err(failure)
    }
}

/// Completes when the server stops, after the time in which jobs may still come to their end.
async fn stopped(app: &App) {
    let Ok(jobs) = app.feature::<Jobs>() else { return std::future::pending().await };
    jobs.stop.cancelled().await;
    // The rest of the time is for writing down that it was not enough.
    tokio::time::sleep(Duration::from_millis(app.options.own.shutdown_timeout_ms) * 3 / 4).await;
}

async fn finish(cx: &Context, id: &str, row: Resolved, end: &End) -> Result<()> {
    let mut update = Update::default();
    update.put("status", Change::Set(if end.succeeded { "succeeded" } else { "failed" }.into()));
    update.put("finishedAt", Change::Set(cx.now().into()));
    if let Some(message) = &end.message {
        update.put("message", Change::Set(shortened(message)));
    }
    change(cx, id, row, update).await
}

fn shortened(message: &str) -> Value {
    Value::String(message.chars().take(MESSAGE).collect())
}

async fn change(cx: &Context, id: &str, row: Resolved, mut update: Update) -> Result<()> {
    let class = cx.class(&ClassName::unchecked(names::JOB_STATUS));
    update.put("updatedAt", Change::Set(cx.now().into()));
    let scope = Scoped::internal(row, "the state of a job");
    if store::update_one(cx, &class, &scope, &update).await.map_err(failure)?.is_none() {
        tracing::debug!(id, "a job has no such row any more");
    }
    Ok(())
}

fn running(id: &str) -> Resolved {
    store::by_id(id).and(Filter::eq("status", "running"))
}

/// Keeps the progress message of a job that runs.
///
/// # Errors
/// When the store fails.
pub async fn message(app: &Arc<App>, id: &str, message: &str) -> Result<()> {
    if message.is_empty() {
        return Ok(());
    }
    let mut update = Update::default();
    update.put("message", Change::Set(shortened(message)));
    change(&Context::of_server(app), id, running(id), update).await
}

/// Marks runs as failed whose server stopped without a word.
///
/// # Errors
/// When the store fails.
pub async fn settle_lost(app: &Arc<App>) -> Result<()> {
    for kind in Lease::run_out(&*app.storage, app.clock.now(), LEASE).await.map_err(failure)? {
        let Some(id) = kind.strip_prefix(LEASE) else { continue };
        let lease = lease(app, id, &app.random.hex(16));
        if !lease.take().await.map_err(failure)? {
            continue;
        }
        tracing::warn!(id, "a job was left by its server");
        let end = End { succeeded: false, message: Some(LOST.to_owned()) };
        finish(&Context::of_server(app), id, running(id), &end).await?;
        lease.end().await.map_err(failure)?;
    }
    Ok(())
}

/// Whether a run that its schedule started goes on.
///
/// # Errors
/// When the store fails.
pub async fn is_running(cx: &Context, name: &str) -> Result<bool> {
    let status = Filter::And(vec![
        Filter::eq("jobName", name),
        Filter::eq("status", "running"),
        Filter::eq("source", Starter::Schedule.source()),
    ]);
    Ok(read::internal_one(cx, names::JOB_STATUS, status, "whether a job runs").await?.is_some())
}
