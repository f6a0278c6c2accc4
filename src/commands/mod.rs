//! The commands of the program, one module each.

pub mod audit;
pub mod dashboard;
pub mod data;
pub mod embedded;
pub mod files;
pub mod healthcheck;
pub mod job;
pub mod openapi;
pub mod serve;

use std::io::Write as _;
use std::process::ExitCode;

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
