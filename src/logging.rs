//! Where log lines go: standard output, for people or as JSON; the last ones are also kept for `/scriptlog`.
//!
//! Lines are written by a thread of their own, behind a bounded queue: a reader of the output that stops reading stops that thread, not
//! the server. What finds the queue full is dropped and counted.

use std::fmt::{Debug, Write as _};
use std::io::IsTerminal as _;

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
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
    levels: Levels,
    _writer: WorkerGuard,
}

impl Running {
    /// How many lines were dropped because the output was not read.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        self.dropped.dropped_lines()
    }
}

impl Running {
    /// Changes which lines are logged.
    pub fn change(&self, options: &Options) {
        if !(self.levels.0)(filter(options)) {
            tracing::warn!("the log levels could not be changed");
        }
    }
}

/// Changes the filter of lines; tells whether it could.
struct Levels(Box<dyn Fn(EnvFilter) -> bool + Send + Sync>);

impl Debug for Levels {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Levels")
    }
}

/// Which lines are logged.
fn filter(options: &Options) -> EnvFilter {
    let requests = if options.own.access_log { "" } else { ",reparse::request=off" };
    let options = &options.logging;
    // An adapter of the app gets the lines of a server that is silent.
    let level = if options.silent == Some(true) && options.logger_adapter.is_none() {
        "off"
    } else if options.verbose == Some(true) {
        "debug"
    } else {
        level(options.level.unwrap_or(LogLevel::Info))
    };
    // What libraries have to say below a warning is noise to whoever runs the server.
    let libraries = if matches!(level, "off" | "error") { level } else { "warn" };
    EnvFilter::new(format!("{libraries},reparse={level}{requests}"))
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
    let (silent, kept_elsewhere) = (options.logging.silent == Some(true), options.logging.logger_adapter.is_some());
    let (output, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(limits.log_queue)
        .thread_name("log")
        .finish(std::io::stdout());
    let dropped = output.error_counter();
    let output = output.with_filter(move |event: &Metadata<'_>| !(silent && kept_elsewhere || goes_to_adapter(event)));
    let builder = tracing_subscriber::fmt().with_env_filter(filter(options)).with_timer(SystemTime).with_writer(output);
    let recent = Recent { lines: limits.log_lines };
    let (started, levels) = if options.logging.json_logs == Some(true) {
        let builder = builder.json().flatten_event(true).with_span_list(false).with_filter_reloading();
        let handle = builder.reload_handle();
        let levels = Levels(Box::new(move |filter| handle.reload(filter).is_ok()));
        (builder.finish().with(recent).try_init(), levels)
    } else {
        let builder = builder.with_ansi(std::io::stdout().is_terminal()).with_target(false).with_filter_reloading();
        let handle = builder.reload_handle();
        let levels = Levels(Box::new(move |filter| handle.reload(filter).is_ok()));
        (builder.finish().with(recent).try_init(), levels)
    };
    // The only failure is that logging runs already.
    drop(started);
    Running { dropped, levels, _writer: guard }
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

/// Whether the app's log adapter gets an event, in place of the output.
fn goes_to_adapter(event: &Metadata<'_>) -> bool {
    logs::adapter_runs() && event.target() != logs::NOT_HANDED_OVER
}

/// Keeps the last lines in memory, and gives them to the app's log adapter.
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
        if goes_to_adapter(event.metadata()) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            logs::hand_over(logs::AdapterLine { level, message: line.message, fields: fields.0 });
        }
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

/// The fields of an event besides its message.
#[derive(Default)]
struct Fields(Map<String, Json>);

impl Fields {
    fn put(&mut self, field: &Field, value: Json) {
        if field.name() != "message" {
            self.0.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}
