//! Where log lines go: standard output, for people or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::logging::Logging;
use crate::config::values::LogLevel;

/// Starts logging. A second call does nothing: the first one holds.
pub fn start(options: &Logging) {
    let level = if options.silent == Some(true) {
        "off"
    } else if options.verbose == Some(true) {
        "debug"
    } else {
        level(options.level.unwrap_or(LogLevel::Info))
    };
    // What libraries have to say below a warning is noise to whoever runs the server.
    let libraries = if matches!(level, "off" | "error") { level } else { "warn" };
    let filter = EnvFilter::new(format!("{libraries},reparse={level}"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_timer(SystemTime);
    let started = if options.json_logs == Some(true) {
        builder.json().flatten_event(true).with_span_list(false).finish().try_init()
    } else {
        builder.with_ansi(std::io::stdout().is_terminal()).with_target(false).finish().try_init()
    };
    // The only failure is that logging runs already.
    drop(started);
}

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Silent => "off",
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug | LogLevel::Verbose => "debug",
        LogLevel::Silly => "trace",
    }
}
