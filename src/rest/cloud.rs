//! Functions, jobs, hooks, events: Cloud Code. None can be deployed yet, and these routes say so in Parse's words.

use std::borrow::Cow;

use poem::http::Method;
use serde_json::json;

use super::call::Call;
use super::describe::{Created, Fields, JobStart, Nothing, Outcome as Result, ParseObject, Updated};
use super::openapi::Tag::Cloud;
use super::openapi::headers::HeaderParameter::CloudContext;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::classes;
use crate::error::{ErrorCode, ParseError};
use crate::model::names::JOB_SCHEDULE;

const NO_RUN: &str = "read-only masterKey isn't allowed to run a job.";
const NO_SCHEDULE: &str = "read-only masterKey isn't allowed to schedule a job.";
const NO_DELETE: &str = "read-only masterKey isn't allowed to delete a job.";

/// The routes.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::hidden(Method::POST, "/functions/{functionName}", "callFunction", call_function)
            .documented::<Result>(Cloud, "Call a function.")
            .json::<Fields>()
            .idempotent()
            .header(CloudContext),
        Route::hidden(Method::POST, "/jobs/{jobName}", "startJob", start_job)
            .access(Access::Master)
            .refuses_read_only(NO_RUN)
            .documented::<Nothing>(Cloud, "Start a job.")
            .json::<Fields>()
            .idempotent(),
        Route::hidden(Method::POST, "/jobs", "startNamedJob", start_job)
            .access(Access::Master)
            .refuses_read_only(NO_RUN)
            .documented::<Nothing>(Cloud, "Start a job that the body names.")
            .json::<JobStart>()
            .idempotent(),
    ];
    routes.extend(schedules());
    routes.extend(hooks());
    routes.push(
        Route::hidden(Method::POST, "/events/{eventName}", "recordEvent", record_event)
            .documented::<Nothing>(Cloud, "Record an event. Without an analytics adapter events are not kept.")
            .json::<Fields>(),
    );
    routes
}

fn schedules() -> [Route; 5] {
    [
        Route::hidden(Method::GET, "/cloud_code/jobs", "listJobSchedules", job_schedules)
            .access(Access::Master)
            .documented::<Vec<ParseObject>>(Cloud, "Schedules of jobs."),
        Route::hidden(Method::GET, "/cloud_code/jobs/data", "getJobNames", job_names)
            .access(Access::Master)
            .documented::<Fields>(Cloud, "Names of jobs."),
        Route::hidden(Method::POST, "/cloud_code/jobs", "createJobSchedule", schedule_job)
            .access(Access::Master)
            .refuses_read_only(NO_SCHEDULE)
            .documented::<Created>(Cloud, "Schedule a job.")
            .json::<Fields>(),
        Route::hidden(Method::PUT, "/cloud_code/jobs/{objectId}", "updateJobSchedule", schedule_job)
            .access(Access::Master)
            .refuses_read_only(NO_SCHEDULE)
            .documented::<Updated>(Cloud, "Change a schedule.")
            .json::<Fields>(),
        Route::hidden(Method::DELETE, "/cloud_code/jobs/{objectId}", "deleteJobSchedule", delete_schedule)
            .access(Access::Master)
            .refuses_read_only(NO_DELETE)
            .documented::<Nothing>(Cloud, "Delete a schedule."),
    ]
}

fn hooks() -> [Route; 8] {
    let route = |method, path, operation| Route::hidden(method, path, operation, change_hook).access(Access::Master);
    [
        Route::hidden(Method::GET, "/hooks/functions", "listFunctionHooks", no_hooks)
            .access(Access::Master)
            .documented::<Vec<Fields>>(Cloud, "Functions that are web hooks."),
        Route::hidden(Method::GET, "/hooks/functions/{functionName}", "getFunctionHook", function_hook)
            .access(Access::Master)
            .documented::<Fields>(Cloud, "A function that is a web hook."),
        route(Method::POST, "/hooks/functions", "createFunctionHook")
            .documented::<Fields>(Cloud, "Make a function that is a web hook.")
            .json::<Fields>(),
        route(Method::PUT, "/hooks/functions/{functionName}", "updateFunctionHook")
            .documented::<Fields>(Cloud, "Change or delete a function that is a web hook.")
            .json::<Fields>(),
        Route::hidden(Method::GET, "/hooks/triggers", "listTriggerHooks", no_hooks)
            .access(Access::Master)
            .documented::<Vec<Fields>>(Cloud, "Triggers that are web hooks."),
        Route::hidden(Method::GET, "/hooks/triggers/{className}/{triggerName}", "getTriggerHook", trigger_hook)
            .access(Access::Master)
            .documented::<Fields>(Cloud, "A trigger that is a web hook."),
        route(Method::POST, "/hooks/triggers", "createTriggerHook")
            .documented::<Fields>(Cloud, "Make a trigger that is a web hook.")
            .json::<Fields>(),
        route(Method::PUT, "/hooks/triggers/{className}/{triggerName}", "updateTriggerHook")
            .documented::<Fields>(Cloud, "Change or delete a trigger that is a web hook.")
            .json::<Fields>(),
    ]
}

fn script_failed(message: impl Into<Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::ScriptFailed, message)
}

async fn call_function(call: Call) -> Outcome {
    Err(script_failed(format!("Invalid function: \"{}\"", call.path("functionName")?)))
}

async fn start_job(_call: Call) -> Outcome {
    Err(script_failed("Invalid job."))
}

/// The query does not count: the dashboard sends `per_page`, and parse-server ignores it.
async fn job_schedules(call: Call) -> Outcome {
    let found = classes::find(&call.cx, JOB_SCHEDULE, serde_json::Map::new()).await?;
    reply::json(&found.results)
}

async fn job_names(_call: Call) -> Outcome {
    reply::json(&json!({ "in_use": [], "jobs": [] }))
}

async fn schedule_job(_call: Call) -> Outcome {
    Err(script_failed("Cannot Schedule a job that is not deployed"))
}

async fn delete_schedule(call: Call) -> Outcome {
    classes::delete(&call.cx, JOB_SCHEDULE, call.path("objectId")?).await?;
    Ok(reply::empty())
}

async fn no_hooks(_call: Call) -> Outcome {
    Ok(reply::bytes(b"[]".to_vec()))
}

async fn function_hook(call: Call) -> Outcome {
    let name = call.path("functionName")?;
    Err(ParseError::new(ErrorCode::WebhookError, format!("no function named: {name} is defined")))
}

async fn trigger_hook(call: Call) -> Outcome {
    let class = call.path("className")?;
    Err(ParseError::new(ErrorCode::WebhookError, format!("class {class} does not exist")))
}

async fn change_hook(_call: Call) -> Outcome {
    Err(reply::unavailable("Web hooks"))
}

async fn record_event(_call: Call) -> Outcome {
    Ok(reply::empty())
}
