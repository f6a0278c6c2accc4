//! Runs jobs by their schedules, on one server of those that share a database, and settles runs that servers left.
//!
//! A schedule is claimed by writing `lastRun` where nobody else has written it, and only then run: a server that stops in between
//! loses this run, and none runs twice.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::run::{self, Starter};
use super::timetable::Timetable;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::Work;
use crate::domain::permissions::Scoped;
use crate::domain::{read, store};
use crate::error::Result;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::options::FindOptions;
use crate::model::query::{Constraint, Filter};
use crate::model::value::Value;

/// Runs begin at most so much late.
const EVERY: Duration = Duration::from_secs(5);

/// The work.
#[derive(Debug, Default)]
pub struct Scheduler {
    /// What was said of schedules that cannot run: once each.
    said: Mutex<HashSet<String>>,
}

impl Scheduler {
    /// Runs what is due of one schedule. Gives the reason why it cannot.
    async fn consider(&self, cx: &Context, schedule: &Object) -> Result<(), String> {
        let Some(name) = schedule.get_str("jobName").filter(|name| !name.is_empty()) else { return Ok(()) };
        let timetable = Timetable::of(schedule)?;
        let params = params(schedule)?;
        if !timetable.is_due(cx.now()) {
            return Ok(());
        }
        if cx.app.triggers.job(name).is_none() {
            return Err(format!("there is no job {name}"));
        }
        let start = async {
            // The next run waits for the one before.
            if run::is_running(cx, name).await? || !claim(cx, schedule).await? {
                return Ok(());
            }
            run::start(cx, name, params, Starter::Schedule).await.map(|_| ())
        };
        start.await.map_err(|error| error.to_string())
    }

    fn say(&self, schedule: &Object, reason: &str) {
        let id = schedule.get_str("objectId").unwrap_or_default();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() < 1000 && said.insert(format!("{id} {reason}")) {
            tracing::warn!(schedule = id, reason, "a job cannot be run by its schedule");
        }
    }
}

impl Work for Scheduler {
    fn kind(&self) -> &'static str {
        "jobs"
    }

    fn every(&self) -> Duration {
        EVERY
    }

    fn is_needed(&self, app: &App) -> bool {
        app.triggers.has_jobs()
    }

    fn round<'a>(&'a self, app: &'a Arc<App>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            run::settle_lost(app).await?;
            if !app.options.own.job_schedules {
                return Ok(());
            }
            let cx = Context::of_server(app);
            let all = FindOptions::default();
            for schedule in read::internal_all(&cx, names::JOB_SCHEDULE, Filter::All, &all, "what is scheduled").await?
            {
                if let Err(reason) = self.consider(&cx, &schedule).await {
                    self.say(&schedule, &reason);
                }
            }
            Ok(())
        })
    }
}

/// The parameters of a schedule: a JSON object, as text.
fn params(schedule: &Object) -> Result<Map<String, Json>, String> {
    match schedule.get("params") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(Map::new()),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| "params is no JSON object".to_owned()),
        Some(_) => Err("params is no text".to_owned()),
    }
}

/// Notes a run that begins now; false: somebody else did, or the schedule is gone.
async fn claim(cx: &Context, schedule: &Object) -> Result<bool> {
    let Some(id) = schedule.get_str("objectId") else { return Ok(false) };
    let last_run = schedule.get("lastRun").cloned().unwrap_or(Value::Null);
    let unclaimed = store::by_id(id).and(Filter::field("lastRun", Constraint::Eq(last_run)));
    let mut update = Update::default();
    #[expect(clippy::cast_precision_loss, reason = "dates are small enough")]
    update.put("lastRun", Change::Set(Value::Number(cx.now().millis() as f64)));
    let class = cx.class(&ClassName::unchecked(names::JOB_SCHEDULE));
    let scope = Scoped::internal(unclaimed, "claim a run of a job");
    Ok(store::update_one(cx, &class, &scope, &update).await.map_err(failure)?.is_some())
}
