//! What the process prints: captured line by line, bounded in length and number, so that it never blocks anybody.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

use super::host::{Host, LogLevel, LogLine};

/// Longest line; the rest of a longer one is dropped.
const MAX_LINE: usize = 8 << 10;
/// Lines that are logged in a second; further ones are counted and dropped.
const MAX_RATE: u32 = 2000;

/// Counts the lines of one process.
#[derive(Debug)]
pub(super) struct Output {
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    start: Instant,
    lines: u32,
    dropped: u64,
}

impl Default for Output {
    fn default() -> Self {
        Self { window: Mutex::new(Window { start: Instant::now(), lines: 0, dropped: 0 }) }
    }
}

impl Output {
    /// Whether one more line may be logged now.
    pub(super) fn admits(&self, host: &dyn Host) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.start.elapsed() >= Duration::from_secs(1) {
            let dropped = std::mem::take(&mut window.dropped);
            window.start = Instant::now();
            window.lines = 0;
            if dropped > 0 {
                let message = format!("cloud code logs too much: {dropped} lines were dropped");
                host.log(&LogLine { level: LogLevel::Warn, message: &message, request: "", printed: true });
            }
        }
        if window.lines >= MAX_RATE {
            window.dropped += 1;
            return false;
        }
        window.lines += 1;
        true
    }
}

/// Logs the lines of a stream until it ends.
pub(super) async fn relay(mut stream: impl AsyncRead + Unpin, level: LogLevel, host: &dyn Host, output: &Output) {
    let mut buffer = BytesMut::with_capacity(2 * MAX_LINE);
    // Set while the end of a line that was too long is skipped.
    let mut skipping = false;
    let log = |line: &[u8]| {
        if !line.is_empty() && output.admits(host) {
            let text = String::from_utf8_lossy(line);
            host.log(&LogLine { level, message: text.trim_end_matches('\r'), request: "", printed: true });
        }
    };
    while let Ok(read) = stream.read_buf(&mut buffer).await {
        if read == 0 {
            break;
        }
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(end);
            buffer.advance(1);
            if !std::mem::take(&mut skipping) {
                log(line.get(..MAX_LINE).unwrap_or(&line));
            }
        }
        if buffer.len() >= MAX_LINE {
            if !std::mem::replace(&mut skipping, true) {
                log(&buffer);
            }
            buffer.clear();
        }
        buffer.reserve(MAX_LINE);
    }
    if !skipping {
        log(&buffer);
    }
}
