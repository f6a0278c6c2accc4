//! The commands of the program, one module each.

pub mod audit;
pub mod class;
pub mod dashboard;
pub mod data;
pub mod embedded;
pub mod files;
pub mod healthcheck;
pub mod job;
pub mod keys;
pub mod openapi;
pub mod serve;
pub mod user;

use std::io::Write as _;
use std::process::ExitCode;

use crate::config::{Loaded, Options};
use crate::logging;
use crate::server::{Environment, RunningServer, Server};

/// Starts logging, and a server that does one thing beside the server of the app.
///
/// # Errors
/// The exit code, after it has said why the server cannot start.
async fn server_aside(mut loaded: Loaded) -> Result<(RunningServer, logging::Running), ExitCode> {
    let logging = logging::start(&loaded.options);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    aside(&mut loaded.options);
    match Box::pin(Server::open(loaded.options, Environment::default())).await {
        Ok(server) => Ok((server.serve(), logging)),
        Err(error) => Err(fail(&format!("error: {error}"))),
    }
}

/// Takes from the options what belongs to the server of the app: its port and its schedules.
fn aside(options: &mut Options) {
    "127.0.0.1".clone_into(&mut options.server.host);
    options.server.port = 0;
    options.own.job_schedules = false;
    options.own.backup.schedule.0.clear();
    // Nobody sends it requests.
    options.own.dashboard.enabled = false;
    options.own.shutdown_delay_ms = 0;
    options.live_query.start_server = Some(false);
    options.live_query.server = None;
}

/// Prints text to standard output. A closed pipe is not an error.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints why a command failed to standard error.
#[must_use]
pub fn fail(line: &str) -> ExitCode {
    let _gone = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
