//! `reparse job`: runs a job of the app's code in a process of its own, and waits for its end.

use std::process::ExitCode;

use futures_util::FutureExt as _;
use serde_json::{Map, Value as Json};

use super::beside_the_app;
use crate::config::Loaded;
use crate::domain::features::jobs::{self, Starter};
use crate::domain::kernel::context::Context;

/// Runs a job; succeeds when it does. Says its last words.
pub async fn run(loaded: Loaded, name: String, params: Map<String, Json>) -> ExitCode {
    let act = move |cx| job(cx, name, params).boxed_local();
    Box::pin(beside_the_app(loaded, Box::new(act))).await
}

async fn job(cx: Context, name: String, params: Map<String, Json>) -> Result<String, String> {
    let run = jobs::start(&cx, &name, params, Starter::CommandLine).await.map_err(|error| error.to_string())?;
    let end = run.end.await.map_err(|_| "the job was interrupted".to_owned())?;
    let message = end.message.unwrap_or_default();
    if end.succeeded { Ok(message) } else { Err(message) }
}
