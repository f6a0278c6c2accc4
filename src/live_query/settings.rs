//! What the options say about connections.

use std::time::Duration;

use subtle::ConstantTimeEq as _;

use crate::config::Options;

/// The key pair that makes its holder master.
const MASTER_KEY: &str = "masterKey";
/// The pause between pings that nobody chose.
const PING_MS: u64 = 10_000;
/// Pings are not more frequent than this.
const MIN_PING_MS: u64 = 50;
/// Conditions of one connection may have so many times the bytes of its largest message.
const CONDITIONS: usize = 4;

/// Options of connections.
#[derive(Debug)]
pub struct Settings {
    /// Keys of which a client must give one; empty: none is needed.
    key_pairs: Vec<(String, KeyText)>,
    /// The pause between pings.
    pub ping: Duration,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// Bytes of the conditions of one connection.
    pub condition_bytes: usize,
    /// Bytes of a message.
    pub message_bytes: usize,
    /// Events that may wait for one connection.
    pub queue: usize,
}

struct KeyText(String);

impl std::fmt::Debug for KeyText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyText(…)")
    }
}

impl Settings {
    /// Reads the options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let server = options.live_query.server.clone().unwrap_or_default();
        let limits = &options.own.limits;
        let pairs = server.key_pairs.iter().filter_map(|pairs| pairs.0.as_object()).flatten();
        Self {
            key_pairs: pairs
                .filter_map(|(name, key)| Some((name.clone(), KeyText(key.as_str()?.to_owned()))))
                .collect(),
            ping: Duration::from_millis(server.websocket_timeout.unwrap_or(PING_MS).max(MIN_PING_MS)),
            subscriptions: limits.live_subscriptions,
            condition_bytes: limits.live_message_bytes.saturating_mul(CONDITIONS),
            message_bytes: limits.live_message_bytes,
            queue: limits.live_queue,
        }
    }

    /// Whether a client with these keys may connect, and whether as master; `None`: it may not.
    #[must_use]
    pub fn admits(&self, given: &[(String, String)]) -> Option<bool> {
        if self.key_pairs.is_empty() {
            return Some(false);
        }
        let right = |name: &str, key: &KeyText| {
            let same = |(of, text): &&(String, String)| of == name && text.as_bytes().ct_eq(key.0.as_bytes()).into();
            given.iter().find(same).is_some()
        };
        let right: Vec<&str> =
            self.key_pairs.iter().filter(|(name, key)| right(name, key)).map(|(name, _)| name.as_str()).collect();
        (!right.is_empty()).then(|| right.contains(&MASTER_KEY))
    }
}
