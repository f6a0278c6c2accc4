//! What one connection may cost.

use std::time::Duration;

use crate::config::Options;

/// The pause between pings that nobody chose.
const PING_MS: u64 = 10_000;
/// Pings are not more frequent than this.
const MIN_PING_MS: u64 = 50;
/// Conditions of one connection may have so many times the bytes of its largest message.
const CONDITIONS: usize = 4;

/// Bounds of a connection.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The pause between pings.
    pub ping: Duration,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Bytes of the conditions of all subscriptions.
    pub condition_bytes: usize,
    /// Bytes of a message.
    pub message_bytes: usize,
    /// Events that may wait for the client.
    pub queue: usize,
}

impl Bounds {
    /// Reads the options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let server = options.live_query.server.as_ref();
        let ping = server.and_then(|server| server.websocket_timeout).unwrap_or(PING_MS);
        let limits = &options.own.limits;
        Self {
            ping: Duration::from_millis(ping.max(MIN_PING_MS)),
            subscriptions: limits.live_subscriptions,
            condition_bytes: limits.live_message_bytes.saturating_mul(CONDITIONS),
            message_bytes: limits.live_message_bytes,
            queue: limits.live_queue,
        }
    }
}
