//! Functions, jobs, hooks, events: Cloud Code.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, MasterCaller, Parameters, QueryTexts, Reply};
use crate::domain::features::{functions, hooks};
use crate::error::{ErrorCode, ParseError};

/// Functions, jobs, hooks, events.
pub struct CloudApi;

fn script_failed(message: impl Into<std::borrow::Cow<'static, str>>) -> super::error::Refusal {
    ParseError::new(ErrorCode::ScriptFailed, message).into()
}

#[OpenApi]
impl CloudApi {
    /// Call a function.
    #[oai(path = "/functions/:functionName", method = "post", operation_id = "callFunction", tag = "Tag::Cloud")]
    async fn call(
        &self,
        caller: Caller,
        #[oai(name = "functionName")] name: Path<String>,
        query: QueryTexts,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Outcome> {
        let mut parameters = body.0;
        parameters.extend(query.0);
        let outcome = functions::call(&caller.0, &name, parameters).await?;
        match outcome.result {
            Some(result) => Reply::new(&serde_json::json!({ "result": result })),
            None => Ok(Reply::empty()),
        }
    }

    /// Start a job.
    #[oai(path = "/jobs/:jobName", method = "post", operation_id = "startJob", tag = "Tag::Cloud")]
    async fn start_job(
        &self,
        caller: MasterCaller,
        #[oai(name = "jobName")] _name: Path<String>,
        _body: Body<describe::Fields>,
    ) -> Answer<describe::Nothing> {
        no_job(&caller)
    }

    /// Start a job that the body names.
    #[oai(path = "/jobs", method = "post", operation_id = "startNamedJob", tag = "Tag::Cloud")]
    async fn start_named_job(
        &self,
        caller: MasterCaller,
        _body: Body<describe::JobStart>,
    ) -> Answer<describe::Nothing> {
        no_job(&caller)
    }

    /// Schedules of jobs.
    #[oai(path = "/cloud_code/jobs", method = "get", operation_id = "listJobSchedules", tag = "Tag::Cloud")]
    async fn job_schedules(&self, caller: MasterCaller, parameters: Parameters) -> Answer<Vec<describe::ParseObject>> {
        caller.0.require_master()?;
        let found = crate::domain::classes::find(&caller.0, crate::model::names::JOB_SCHEDULE, parameters.0).await?;
        Reply::new(&found.results)
    }

    /// Names of jobs.
    #[oai(path = "/cloud_code/jobs/data", method = "get", operation_id = "getJobNames", tag = "Tag::Cloud")]
    async fn job_names(&self, caller: MasterCaller) -> Answer<describe::Fields> {
        caller.0.require_master()?;
        Reply::new(&serde_json::json!({ "in_use": [], "jobs": [] }))
    }

    /// Schedule a job.
    #[oai(path = "/cloud_code/jobs", method = "post", operation_id = "createJobSchedule", tag = "Tag::Cloud")]
    async fn create_job_schedule(
        &self,
        caller: MasterCaller,
        _body: Body<describe::Fields>,
    ) -> Answer<describe::Created> {
        no_schedule(&caller)
    }

    /// Change a schedule.
    #[oai(path = "/cloud_code/jobs/:objectId", method = "put", operation_id = "updateJobSchedule", tag = "Tag::Cloud")]
    async fn update_job_schedule(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] _id: Path<String>,
        _body: Body<describe::Fields>,
    ) -> Answer<describe::Updated> {
        no_schedule(&caller)
    }

    /// Delete a schedule.
    #[oai(
        path = "/cloud_code/jobs/:objectId",
        method = "delete",
        operation_id = "deleteJobSchedule",
        tag = "Tag::Cloud"
    )]
    async fn delete_job_schedule(
        &self,
        caller: MasterCaller,
        #[oai(name = "objectId")] id: Path<String>,
    ) -> Answer<describe::Nothing> {
        caller.0.require_master()?;
        caller.0.refuse_read_only("read-only masterKey isn't allowed to delete a job.")?;
        crate::domain::classes::delete(&caller.0, crate::model::names::JOB_SCHEDULE, &id).await?;
        Ok(Reply::empty())
    }

    /// Functions that are web hooks.
    #[oai(path = "/hooks/functions", method = "get", operation_id = "listFunctionHooks", tag = "Tag::Cloud")]
    async fn function_hooks(&self, caller: MasterCaller) -> Answer<Vec<describe::Fields>> {
        Reply::new(&hooks::list(&caller.0, hooks::Kind::Function).await?)
    }

    /// A function that is a web hook.
    #[oai(
        path = "/hooks/functions/:functionName",
        method = "get",
        operation_id = "getFunctionHook",
        tag = "Tag::Cloud"
    )]
    async fn function_hook(
        &self,
        caller: MasterCaller,
        #[oai(name = "functionName")] name: Path<String>,
    ) -> Answer<describe::Fields> {
        Reply::new(&hooks::function(&caller.0, &name).await?)
    }

    /// Make a function that is a web hook.
    #[oai(path = "/hooks/functions", method = "post", operation_id = "createFunctionHook", tag = "Tag::Cloud")]
    async fn create_function_hook(
        &self,
        caller: MasterCaller,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Fields> {
        Reply::new(&hooks::create(&caller.0, &body.0).await?)
    }

    /// Change or delete a function that is a web hook.
    #[oai(
        path = "/hooks/functions/:functionName",
        method = "put",
        operation_id = "updateFunctionHook",
        tag = "Tag::Cloud"
    )]
    async fn update_function_hook(
        &self,
        caller: MasterCaller,
        #[oai(name = "functionName")] name: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Fields> {
        Reply::new(&hooks::change_function(&caller.0, &name, &body.0).await?)
    }

    /// Triggers that are web hooks.
    #[oai(path = "/hooks/triggers", method = "get", operation_id = "listTriggerHooks", tag = "Tag::Cloud")]
    async fn trigger_hooks(&self, caller: MasterCaller) -> Answer<Vec<describe::Fields>> {
        Reply::new(&hooks::list(&caller.0, hooks::Kind::Trigger).await?)
    }

    /// A trigger that is a web hook.
    #[oai(
        path = "/hooks/triggers/:className/:triggerName",
        method = "get",
        operation_id = "getTriggerHook",
        tag = "Tag::Cloud"
    )]
    async fn trigger_hook(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
        #[oai(name = "triggerName")] trigger: Path<String>,
    ) -> Answer<describe::Fields> {
        Reply::new(&hooks::trigger(&caller.0, &class, &trigger).await?)
    }

    /// Make a trigger that is a web hook.
    #[oai(path = "/hooks/triggers", method = "post", operation_id = "createTriggerHook", tag = "Tag::Cloud")]
    async fn create_trigger_hook(
        &self,
        caller: MasterCaller,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Fields> {
        Reply::new(&hooks::create(&caller.0, &body.0).await?)
    }

    /// Change or delete a trigger that is a web hook.
    #[oai(
        path = "/hooks/triggers/:className/:triggerName",
        method = "put",
        operation_id = "updateTriggerHook",
        tag = "Tag::Cloud"
    )]
    async fn update_trigger_hook(
        &self,
        caller: MasterCaller,
        #[oai(name = "className")] class: Path<String>,
        #[oai(name = "triggerName")] trigger: Path<String>,
        body: Body<describe::Fields>,
    ) -> Answer<describe::Fields> {
        Reply::new(&hooks::change_trigger(&caller.0, &class, &trigger, &body.0).await?)
    }

    /// Record an event. Without an analytics adapter events are not kept.
    #[oai(path = "/events/:eventName", method = "post", operation_id = "recordEvent", tag = "Tag::Cloud")]
    async fn event(
        &self,
        _caller: Caller,
        #[oai(name = "eventName")] _name: Path<String>,
        _body: Body<describe::Fields>,
    ) -> Answer<describe::Nothing> {
        Ok(Reply::empty())
    }
}

fn no_job<T>(caller: &MasterCaller) -> Answer<T> {
    caller.0.require_master()?;
    caller.0.refuse_read_only("read-only masterKey isn't allowed to run a job.")?;
    Err(script_failed("Invalid job."))
}

fn no_schedule<T>(caller: &MasterCaller) -> Answer<T> {
    caller.0.require_master()?;
    caller.0.refuse_read_only("read-only masterKey isn't allowed to schedule a job.")?;
    Err(script_failed("Cannot Schedule a job that is not deployed"))
}
