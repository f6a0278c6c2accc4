//! Where log lines go: standard output, for people or as JSON; the last ones are also kept for `/scriptlog`.
//!
//! Lines are written by a thread of their own, behind a bounded queue: a reader of the output that stops reading stops that thread, not
//! the server. What finds the queue full is dropped and counted.

use std::fmt::{Debug, Write as _};
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Options;
use crate::config::values::LogLevel;
use crate::domain::features::logs;

/// Holds the thread that writes lines. Dropped, it writes those that wait, for a second at most.
#[must_use]
#[derive(Debug)]
pub struct Running {
    dropped: ErrorCounter,
    _writer: WorkerGuard,
}

impl Running {
    /// How many lines were dropped because the output was not read.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        self.dropped.dropped_lines()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let lines = self.dropped_lines();
        if lines > 0 {
            tracing::warn!(lines, "log lines were dropped because the output was not read");
        }
    }
}

/// Starts logging, until what it gives is dropped. A second call does nothing: the first one holds.
pub fn start(options: &Options) -> Running {
    let limits = &options.own.limits;
    let options = &options.logging;
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
    let (output, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(limits.log_queue)
        .thread_name("log")
        .finish(std::io::stdout());
    let dropped = output.error_counter();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_timer(SystemTime).with_writer(output);
    let recent = Recent { lines: limits.log_lines };
    let started = if options.json_logs == Some(true) {
        builder.json().flatten_event(true).with_span_list(false).finish().with(recent).try_init()
    } else {
        builder.with_ansi(std::io::stdout().is_terminal()).with_target(false).finish().with(recent).try_init()
    };
    // The only failure is that logging runs already.
    drop(started);
    Running { dropped, _writer: guard }
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

/// Keeps the last lines in memory.
struct Recent {
    lines: usize,
}

impl<S: Subscriber> Layer<S> for Recent {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = match *event.metadata().level() {
            Level::ERROR => logs::Level::Error,
            Level::WARN => logs::Level::Warn,
            Level::INFO => logs::Level::Info,
            Level::DEBUG | Level::TRACE => logs::Level::Debug,
        };
        logs::record(SystemClock.now(), level, &format!("{}{}", line.message, line.fields), self.lines);
    }
}

/// An event as text: its message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing into a text cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
