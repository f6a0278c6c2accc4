//! Messages between servers, over channels that have names.

pub mod redis;

pub use redis::Redis;

/// The Redis servers that the options name.
#[derive(Debug, Default, Clone)]
pub struct Channels {
    /// Where what this server writes is published.
    pub publish: Option<Redis>,
    /// Where what other servers write is heard of.
    pub listen: Option<Redis>,
}
