//! What the program can be asked to do, one module per command.

pub mod embedded;
pub mod files;
pub mod healthcheck;
pub mod openapi;
pub mod serve;

use std::io::Write as _;
use std::process::ExitCode;

/// Prints text for the person at the terminal. Whoever reads may stop reading: that is no error.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says why a command failed.
#[must_use]
pub fn fail(line: &str) -> ExitCode {
    let _gone = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
