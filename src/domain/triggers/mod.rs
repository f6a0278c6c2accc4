//! Calling the app's code: what it is told, in the form of Parse's web hooks, and what its answers may do.

pub mod answer;
pub mod payload;

use std::sync::Arc;

use serde_json::value::to_raw_value;
use serde_json::{Map, Value as Json};

use crate::adapters::cloud::module::OwnModule;
use crate::adapters::cloud::node::Origin;
use crate::config::values::LogLevel;
use crate::domain::kernel::context::{Client, Context};
use crate::domain::kernel::rehearsal;
use crate::domain::kernel::triggers::{Answer, Call, FormFile, Handler, Target, TriggerFile};
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::trigger::{self, Trigger};

/// Calls the app's code in the name of a request.
///
/// # Errors
/// What the code refuses, and the bounds of calls.
pub async fn call(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    target: Target,
    payload: Map<String, Json>,
) -> Result<Answer> {
    carry_out(cx, handler, Call::of(target, payload)).await
}

async fn carry_out(cx: &Context, handler: &Arc<dyn Handler>, call: Call) -> Result<Answer> {
    let (depth, request) = (cx.client.depth.saturating_add(1), cx.client.log_id.clone());
    let call = Call { depth, request, ..call };
    let answer = cx.app.triggers.call(&**handler, call).await;
    cx.catch_up_with_schemas();
    let mut answer = answer?;
    if let Some(context) = answer.context.take() {
        cx.set_cloud_context(context);
    }
    Ok(answer)
}

/// A function or an adapter of the app, which an option names.
pub type AppCode = Arc<OwnModule>;

/// Calls a function that an option names, or a method of an adapter of the app. `None`: it returned nothing.
///
/// # Errors
/// What it throws, and the bounds of calls.
pub async fn ask(cx: &Context, code: &OwnModule, method: Option<&str>, arguments: Vec<Json>) -> Result<Option<Json>> {
    let Client { depth, log_id, .. } = &cx.client;
    let _place = cx.app.triggers.enter(depth.saturating_add(1))?;
    let origin = Origin { request: log_id.as_deref().unwrap_or_default().to_owned(), depth: *depth };
    let answer = code.call_json_within(&origin, method, arguments).await;
    cx.catch_up_with_schemas();
    Ok(answer?)
}

/// Writes to the log at a level that an option chooses.
macro_rules! log_at {
    ($level:expr, $($event:tt)*) => {
        match $level {
            LogLevel::Error => tracing::error!($($event)*),
            LogLevel::Warn => tracing::warn!($($event)*),
            LogLevel::Info => tracing::info!($($event)*),
            LogLevel::Debug | LogLevel::Verbose => tracing::debug!($($event)*),
            LogLevel::Silly => tracing::trace!($($event)*),
            LogLevel::Silent => {}
        }
    };
}

/// Calls a trigger.
///
/// # Errors
/// What the trigger refuses.
pub async fn fire(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    trigger: Trigger,
    class: &ClassName,
    payload: Map<String, Json>,
) -> Result<Answer> {
    let answer = call(cx, handler, Target::Trigger(trigger, class.clone()), payload).await;
    log_trigger(cx, trigger, class, &answer);
    answer
}

/// Calls a trigger on files. The payload has what every handler is told of the file.
///
/// # Errors
/// What the trigger refuses.
pub async fn fire_with_file(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    trigger: Trigger,
    payload: Map<String, Json>,
    file: TriggerFile,
) -> Result<Answer> {
    let class = ClassName::unchecked(trigger::FILES);
    let call = Call::of(Target::Trigger(trigger, class.clone()), payload);
    let answer = carry_out(cx, handler, Call { file: Some(file), ..call }).await;
    log_trigger(cx, trigger, &class, &answer);
    answer
}

/// Calls afterFind of a class with what was found.
///
/// # Errors
/// What the trigger refuses.
pub async fn fire_with_found(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    class: &ClassName,
    payload: Map<String, Json>,
    found: &[Object],
) -> Result<Answer> {
    let objects = Some(to_raw_value(found).map_err(ParseError::internal)?);
    let call = Call::of(Target::Trigger(Trigger::AfterFind, class.clone()), payload);
    let answer = carry_out(cx, handler, Call { objects, ..call }).await;
    log_trigger(cx, Trigger::AfterFind, class, &answer);
    answer
}

fn log_trigger(cx: &Context, trigger: Trigger, class: &ClassName, answer: &Result<Answer>) {
    let levels = &cx.app.options.logging.levels;
    let name = trigger.name();
    match answer {
        Ok(_) if trigger.is_before() => log_at!(levels.trigger_before_success, trigger = name, %class, "trigger done"),
        Ok(_) => log_at!(levels.trigger_after, trigger = name, %class, "trigger done"),
        Err(error) if trigger.is_before() => {
            log_at!(levels.trigger_before_error, trigger = name, %class, %error, "trigger refused");
        }
        Err(error) => tracing::error!(trigger = name, %class, %error, "trigger failed"),
    }
}

/// Calls a trigger that comes before a write. For a part of a transaction it was called before that began.
///
/// # Errors
/// What the trigger refuses. For a part that is only asked for: its end, after which the part gets the error when it is carried out.
pub async fn fire_before_write(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    trigger: Trigger,
    class: &ClassName,
    payload: Map<String, Json>,
) -> Result<Answer> {
    let Some(rehearsal) = cx.rehearsal() else { return fire(cx, handler, trigger, class, payload).await };
    let target = Target::Trigger(trigger, class.clone());
    if rehearsal.is_on() {
        let answer = fire(cx, handler, trigger, class, payload).await;
        let shown = answer.as_ref().map(Answer::clone).map_err(|_| rehearsal::ended());
        rehearsal.note(target, answer);
        return shown;
    }
    match rehearsal.take(&target) {
        Some(answer) => answer,
        None => fire(cx, handler, trigger, class, payload).await,
    }
}

/// Ends a part of a transaction that is only asked for and has nothing to ask.
///
/// # Errors
/// The end of such a part.
pub fn end_unless_asking(cx: &Context, trigger: Trigger, class: &ClassName) -> Result<()> {
    if cx.is_rehearsed() && cx.app.triggers.handler(trigger, class.as_str()).is_none() {
        return Err(rehearsal::ended());
    }
    Ok(())
}

/// Ends a part of a transaction that is only asked for, after its last question.
///
/// # Errors
/// The end of such a part.
pub fn end_when_asked(cx: &Context) -> Result<()> {
    if cx.is_rehearsed() { Err(rehearsal::ended()) } else { Ok(()) }
}

/// Calls a function.
///
/// # Errors
/// What the function refuses.
pub async fn run(
    cx: &Context,
    handler: &Arc<dyn Handler>,
    name: &str,
    parameters: Map<String, Json>,
    files: Vec<FormFile>,
) -> Result<Answer> {
    let payload = payload::function(cx, name, parameters);
    let call = Call::of(Target::Function(name.to_owned()), payload);
    let answer = carry_out(cx, handler, Call { files, ..call }).await;
    let levels = &cx.app.options.logging.levels;
    match &answer {
        Ok(_) => log_at!(levels.cloud_function_success, function = name, "function done"),
        Err(error) => log_at!(levels.cloud_function_error, function = name, %error, "function failed"),
    }
    answer
}

/// Calls the trigger of a class, if it has one, with an object.
///
/// # Errors
/// What the trigger refuses.
pub async fn fire_with_object(
    cx: &Context,
    trigger: Trigger,
    class: &ClassName,
    object: impl FnOnce() -> Map<String, Json>,
) -> Result<()> {
    let Some(handler) = cx.app.triggers.handler(trigger, class.as_str()) else { return Ok(()) };
    let mut payload = payload::trigger(cx, trigger);
    payload.insert("object".to_owned(), object().into());
    let answer = if trigger.is_before() {
        fire_before_write(cx, &handler, trigger, class, payload).await
    } else {
        fire(cx, &handler, trigger, class, payload).await
    };
    answer.map(|_| ())
}
