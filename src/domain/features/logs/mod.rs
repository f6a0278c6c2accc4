//! The latest lines of the log, for `/scriptlog`. They are kept in memory, because log output cannot be read back.

pub mod adapter;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

pub use self::adapter::{Line as AdapterLine, NOT_HANDED_OVER, hand_over, runs as adapter_runs};
use crate::config::Options;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::error::Result;
use crate::model::date::Date;

/// Maximum number of characters of a line.
const LONGEST_LINE: usize = 4096;
/// Default number of lines in a response.
const DEFAULT_SIZE: usize = 10;
/// Default period without `from`: a week, in seconds.
const DEFAULT_SPAN: f64 = 7.0 * 24.0 * 60.0 * 60.0;

/// The log, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature { server_info: Some(server_info), ..Feature::new("logs") }
}

fn server_info(_options: &Options) -> Json {
    json!({ "logs": { "level": true, "size": true, "order": true, "until": true, "from": true } })
}

/// Level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Error.
    Error,
    /// Warning.
    Warn,
    /// Information.
    Info,
    /// Debugging.
    Debug,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// One line.
#[derive(Debug)]
struct Line {
    at: Date,
    level: Level,
    text: String,
}

/// The lines of this process.
static LINES: Mutex<VecDeque<Line>> = Mutex::new(VecDeque::new());

/// Adds a line, and drops the oldest ones if there are more than `most`.
pub fn record(at: Date, level: Level, text: &str, most: usize) {
    let text = text.chars().take(LONGEST_LINE).collect();
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.push_back(Line { at, level, text });
    while lines.len() > most {
        lines.pop_front();
    }
}

/// Gets lines of the log. Parameters: `from` and `until` (dates), `size` or `n`, `order` (`asc`, `desc`), `level`
/// (`info`: all lines;
/// `error`: only errors).
///
/// # Errors
/// 403 without a master key.
pub fn read(cx: &Context, parameters: &Map<String, Json>) -> Result<Vec<Json>> {
    cx.require_master()?;
    let date = |name: &str| {
        let given = parameters.get(name)?;
        given.as_str().or_else(|| given.get("iso")?.as_str()).and_then(Date::parse)
    };
    let until = date("until").unwrap_or_else(|| cx.now());
    let from = date("from").unwrap_or_else(|| until.plus_seconds(-DEFAULT_SPAN));
    let size = ["n", "size"].iter().find_map(|name| number(parameters.get(*name)?)).unwrap_or(DEFAULT_SIZE);
    let errors_alone = parameters.get("level").and_then(Json::as_str) == Some("error");
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = |line: &&Line| line.at >= from && line.at <= until && (!errors_alone || line.level == Level::Error);
    let show = |line: &Line| json!({ "timestamp": line.at.to_iso(), "level": line.level.name(), "message": line.text });
    Ok(if parameters.get("order").and_then(Json::as_str) == Some("asc") {
        lines.iter().filter(wanted).take(size).map(show).collect()
    } else {
        lines.iter().rev().filter(wanted).take(size).map(show).collect()
    })
}

fn number(value: &Json) -> Option<usize> {
    match value {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
    .and_then(|number| usize::try_from(number).ok())
}
