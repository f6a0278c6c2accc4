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

use futures_util::future::LocalBoxFuture;

use crate::config::values::Accepts;
use crate::config::{Loaded, Options};
use crate::domain::kernel::context::Context;
use crate::logging;
use crate::server::{Environment, Server};

/// What a command does with a server. Boxed: with a closure's type in their place, the compiler takes three times as long for the whole program.
type Act = Box<dyn FnOnce(Context) -> LocalBoxFuture<'static, Result<String, String>>>;

/// Does one thing with a server of its own, beside the server of the app. Says what that gives, or why it failed.
async fn beside_the_app(mut loaded: Loaded, act: Act) -> ExitCode {
    let _logging = logging::start(&loaded.options);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    aside(&mut loaded.options);
    let server = match Box::pin(Server::open(loaded.options, Environment::default())).await {
        Ok(server) => server.serve(),
        Err(error) => return fail(&format!("error: {error}")),
    };
    let outcome = act(Context::of_server(&server.app)).await;
    server.shutdown().await;
    report(outcome)
}

/// Says what a command gave, if it is anything, or why it failed.
fn report(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(text) => {
            if !text.is_empty() {
                say(&text);
            }
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("error: {error}")),
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
    // Whoever closed the server works on it.
    options.own.accepts = Accepts::All;
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
