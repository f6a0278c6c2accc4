//! The process: parses its arguments and runs the command.

use std::process::ExitCode;

use crate::commands::{
    audit, class, dashboard, data, embedded, fail, files, healthcheck, job, keys, openapi, say, serve, user,
};
use crate::config::{self, Command};
use crate::random::SystemRandom;
use crate::server::Parts;

/// Runs the command of the command line and returns the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let command = match config::load(std::env::args_os().skip(1), &config::environment(), &SystemRandom) {
        Ok(command) => command,
        Err(error) => return fail(&error.line()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("error: cannot start: {error}")),
    };
    match command {
        Command::Help(text) | Command::Version(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Command::User { loaded, task } => runtime.block_on(user::run(*loaded, task)),
        Command::Class { loaded, task } => runtime.block_on(class::run(*loaded, task)),
        Command::Keys(new) => keys::tell(&new),
        Command::Data { loaded, task } => runtime.block_on(data::run(&loaded, task)),
        Command::Files { loaded, task } => runtime.block_on(files::run(&loaded, task)),
        Command::HealthCheck { url, own } => runtime.block_on(healthcheck::check(&url, own)),
        Command::Audit { path } => audit::check(&path),
        Command::Embedded { socket } => runtime.block_on(embedded::serve(&socket)),
        Command::Dashboard(loaded) => dashboard::find(&loaded),
        Command::OpenApi { loaded, yaml } => runtime.block_on(openapi::print_document(&loaded, yaml)),
        Command::LiveQuery(loaded) => runtime.block_on(serve::serve(*loaded, Parts::LiveQueries)),
        Command::Serve(loaded) => runtime.block_on(serve::serve(*loaded, Parts::All)),
        Command::Job { loaded, name, params } => runtime.block_on(job::run(*loaded, name, params)),
    }
}
