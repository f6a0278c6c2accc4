//! Functions, jobs, hooks, events: Cloud Code.

use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value as Json, json};

use super::call::Call;
use super::describe::{Created, Fields, JobStart, Nothing, Outcome as Result, ParseObject, Updated};
use super::openapi::Tag::Cloud;
use super::openapi::headers::HeaderParameter::CloudContext;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::analytics;
use crate::domain::features::functions;
use crate::domain::features::hooks::{self, HookKind};
use crate::domain::features::jobs::{self, Starter, schedules};
use crate::error::ParseError;
use crate::http::query;

/// The id of the row of `_JobStatus` that tells how a job gets on.
const JOB_STATUS_ID: HeaderName = HeaderName::from_static("x-parse-job-status-id");
const NO_RUN: &str = "read-only masterKey isn't allowed to run a job.";
const NO_SCHEDULE: &str = "read-only masterKey isn't allowed to schedule a job.";
const NO_HOOK: &str = "read-only masterKey isn't allowed to create a hook.";
const NO_HOOK_CHANGE: &str = "read-only masterKey isn't allowed to modify a hook.";
const NO_DELETE: &str = "read-only masterKey isn't allowed to delete a job.";

/// Headers that say where an answer ends: a function must not choose them.
const FRAMING: [HeaderName; 4] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::CONTENT_ENCODING];

/// The routes.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::hidden(Method::POST, "/functions/{functionName}", "callFunction", call_function)
            .documented::<Result>(Cloud, "Call a function.")
            .json::<Fields>()
            .or_form()
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
    routes.extend(hook_routes());
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
        Route::hidden(Method::POST, "/cloud_code/jobs", "createJobSchedule", create_schedule)
            .access(Access::Master)
            .refuses_read_only(NO_SCHEDULE)
            .documented::<Created>(Cloud, "Schedule a job.")
            .json::<Fields>(),
        Route::hidden(Method::PUT, "/cloud_code/jobs/{objectId}", "updateJobSchedule", update_schedule)
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

fn hook_routes() -> [Route; 8] {
    [
        Route::hidden(Method::GET, "/hooks/functions", "listFunctionHooks", function_hooks)
            .access(Access::Master)
            .documented::<Vec<Fields>>(Cloud, "Functions that are web hooks."),
        Route::hidden(Method::GET, "/hooks/functions/{functionName}", "getFunctionHook", function_hook)
            .access(Access::Master)
            .documented::<Fields>(Cloud, "A function that is a web hook."),
        Route::hidden(Method::POST, "/hooks/functions", "createFunctionHook", create_hook)
            .access(Access::Master)
            .refuses_read_only(NO_HOOK)
            .documented::<Fields>(Cloud, "Make a function that is a web hook.")
            .json::<Fields>(),
        Route::hidden(Method::PUT, "/hooks/functions/{functionName}", "updateFunctionHook", change_function_hook)
            .access(Access::Master)
            .refuses_read_only(NO_HOOK_CHANGE)
            .documented::<Fields>(Cloud, "Change or delete a function that is a web hook.")
            .json::<Fields>(),
        Route::hidden(Method::GET, "/hooks/triggers", "listTriggerHooks", trigger_hooks)
            .access(Access::Master)
            .documented::<Vec<Fields>>(Cloud, "Triggers that are web hooks."),
        Route::hidden(Method::GET, "/hooks/triggers/{className}/{triggerName}", "getTriggerHook", trigger_hook)
            .access(Access::Master)
            .documented::<Fields>(Cloud, "A trigger that is a web hook."),
        Route::hidden(Method::POST, "/hooks/triggers", "createTriggerHook", create_hook)
            .access(Access::Master)
            .refuses_read_only(NO_HOOK)
            .documented::<Fields>(Cloud, "Make a trigger that is a web hook.")
            .json::<Fields>(),
        Route::hidden(
            Method::PUT,
            "/hooks/triggers/{className}/{triggerName}",
            "updateTriggerHook",
            change_trigger_hook,
        )
        .access(Access::Master)
        .refuses_read_only(NO_HOOK_CHANGE)
        .documented::<Fields>(Cloud, "Change or delete a trigger that is a web hook.")
        .json::<Fields>(),
    ]
}

async fn call_function(mut call: Call) -> Outcome {
    let mut parameters = call.take_body();
    parameters.extend(query::object(&call.query, Json::String));
    let files = std::mem::take(&mut call.files);
    let outcome = functions::call(&call.cx, call.path("functionName")?, parameters, files).await?;
    let mut response = match outcome.result {
        Some(result) => reply::json(&json!({ "result": result }))?,
        None => reply::empty(),
    };
    if let Some(status) = outcome.status.and_then(|status| StatusCode::from_u16(status).ok()) {
        response.set_status(status);
    }
    for (name, value) in outcome.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !FRAMING.contains(&name)
        {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

async fn start_job(mut call: Call) -> Outcome {
    let mut parameters = call.take_body();
    parameters.extend(query::object(&call.query, Json::String));
    let name = match call.path("jobName") {
        Ok(name) => name.to_owned(),
        Err(_) => parameters.get("jobName").and_then(Json::as_str).unwrap_or_default().to_owned(),
    };
    let run = jobs::start(&call.cx, &name, parameters, Starter::Api).await?;
    let mut response = reply::empty();
    response.headers_mut().insert(JOB_STATUS_ID, HeaderValue::from_str(&run.id).map_err(ParseError::internal)?);
    Ok(response)
}

/// The query does not count: the dashboard sends `per_page`, and parse-server ignores it.
async fn job_schedules(call: Call) -> Outcome {
    reply::json(&schedules::list(&call.cx).await?)
}

async fn job_names(call: Call) -> Outcome {
    reply::json(&schedules::names(&call.cx).await?)
}

async fn create_schedule(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::saved(&call.cx, &schedules::create(&call.cx, body).await?)
}

/// The answer is one level deeper than others, as parse-server's is.
async fn update_schedule(mut call: Call) -> Outcome {
    let body = call.take_body();
    let saved = schedules::update(&call.cx, call.path("objectId")?, body).await?;
    let updated = serde_json::to_value(&saved.body).map_err(ParseError::internal)?;
    reply::json(&json!({ "response": updated }))
}

async fn delete_schedule(call: Call) -> Outcome {
    schedules::remove(&call.cx, call.path("objectId")?).await?;
    Ok(reply::empty())
}

async fn function_hooks(call: Call) -> Outcome {
    reply::json(&hooks::list(&call.cx, HookKind::Function).await?)
}

async fn trigger_hooks(call: Call) -> Outcome {
    reply::json(&hooks::list(&call.cx, HookKind::Trigger).await?)
}

async fn function_hook(call: Call) -> Outcome {
    reply::json(&hooks::function(&call.cx, call.path("functionName")?).await?)
}

async fn trigger_hook(call: Call) -> Outcome {
    reply::json(&hooks::trigger(&call.cx, call.path("className")?, call.path("triggerName")?).await?)
}

async fn create_hook(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::json(&hooks::create(&call.cx, &body).await?)
}

async fn change_function_hook(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::json(&hooks::change_function(&call.cx, call.path("functionName")?, &body).await?)
}

async fn change_trigger_hook(mut call: Call) -> Outcome {
    let body = call.take_body();
    let (class, trigger) = (call.path("className")?, call.path("triggerName")?);
    reply::json(&hooks::change_trigger(&call.cx, class, trigger, &body).await?)
}

async fn record_event(mut call: Call) -> Outcome {
    let parameters = call.take_body();
    reply::json(&analytics::record(&call.cx, call.path("eventName")?, parameters).await)
}
