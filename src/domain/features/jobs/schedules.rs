//! Schedules of jobs (`/cloud_code/jobs`): rows of `_JobSchedule`.

use serde_json::{Map, Value as Json, json};

use crate::domain::kernel::commands::{Delete, FindQuery, Save};
use crate::domain::kernel::context::Context;
use crate::domain::write::{self, Saved};
use crate::domain::{delete, read};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::JOB_SCHEDULE;
use crate::model::object::Object;
use crate::model::query::Filter;
use crate::model::query::options::FindOptions;

/// All schedules.
///
/// # Errors
/// 403 without a master key.
pub async fn list(cx: &Context) -> Result<Vec<Object>> {
    cx.require_master()?;
    let all = FindQuery { unlimited: true, ..FindQuery::read(cx, JOB_SCHEDULE, Map::new())? };
    Ok(read::find(cx, all).await?.results)
}

/// The names of all jobs (`jobs`), and of those that have schedules (`in_use`).
///
/// # Errors
/// 403 without a master key.
pub async fn names(cx: &Context) -> Result<Json> {
    cx.require_master()?;
    let rows = read::internal_all(cx, JOB_SCHEDULE, Filter::All, &FindOptions::default(), "jobs in use").await?;
    let in_use: Vec<&str> = rows.iter().filter_map(|row| row.get_str("jobName")).collect();
    Ok(json!({ "in_use": in_use, "jobs": cx.app.triggers.job_names() }))
}

/// Makes a schedule of a body `{"job_schedule": {…}}`.
///
/// # Errors
/// 403 without a master key, 119 for the read-only one, 107 for another body, 141 for a job that the app does not have.
pub async fn create(cx: &Context, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, Save::create(JOB_SCHEDULE, judge(cx, body)?)?).await
}

/// Changes a schedule. It starts anew where the body has no `startAfter`.
///
/// # Errors
/// As [`create`]; 101 when there is no such schedule.
pub async fn update(cx: &Context, id: &str, body: Map<String, Json>) -> Result<Saved> {
    write::save(cx, Save::update(JOB_SCHEDULE, id, judge(cx, body)?)?).await
}

/// Removes a schedule.
///
/// # Errors
/// 403 without a master key, 119 for the read-only one, 101 when there is none.
pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to delete a job.")?;
    delete::delete(cx, Delete::new(JOB_SCHEDULE, id)).await
}

fn judge(cx: &Context, mut body: Map<String, Json>) -> Result<Map<String, Json>> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to schedule a job.")?;
    let Some(Json::Object(mut schedule)) = body.shift_remove("job_schedule") else {
        return Err(ParseError::new(ErrorCode::InvalidJson, "job_schedule must be an object."));
    };
    let unknown = match schedule.get("jobName") {
        None | Some(Json::Null) => false,
        Some(Json::String(name)) => !name.is_empty() && cx.app.triggers.job(name).is_none(),
        Some(_) => true,
    };
    if unknown {
        return Err(ParseError::new(ErrorCode::ScriptFailed, "Cannot Schedule a job that is not deployed"));
    }
    schedule.entry("startAfter").or_insert_with(|| cx.now().to_iso().into());
    Ok(schedule)
}
