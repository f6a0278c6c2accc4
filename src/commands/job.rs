//! `reparse job`: runs a job of the app's code in a process of its own, and waits for its end.

use std::process::ExitCode;

use serde_json::{Map, Value as Json};

use super::{fail, say, server_aside};
use crate::config::Loaded;
use crate::domain::features::jobs::{self, Starter};
use crate::domain::kernel::context::Context;

/// Runs a job; succeeds when it does. Says its last words.
pub async fn run(loaded: Loaded, name: &str, params: Map<String, Json>) -> ExitCode {
    let (server, _logging) = match server_aside(loaded).await {
        Ok(started) => started,
        Err(code) => return code,
    };
    let outcome = async {
        let cx = Context::of_server(&server.app);
        let run = jobs::start(&cx, name, params, Starter::CommandLine).await.map_err(|error| error.to_string())?;
        let end = run.end.await.map_err(|_| "the job was interrupted".to_owned())?;
        let message = end.message.unwrap_or_default();
        if end.succeeded { Ok(message) } else { Err(message) }
    };
    let outcome = outcome.await;
    server.shutdown().await;
    match outcome {
        Ok(message) => {
            if !message.is_empty() {
                say(&message);
            }
            ExitCode::SUCCESS
        }
        Err(message) => fail(&format!("error: {message}")),
    }
}
