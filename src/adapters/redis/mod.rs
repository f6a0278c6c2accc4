//! What servers share through Redis: messages on channels, and counters.

pub mod channels;
pub mod counters;

use std::fmt;
use std::time::Duration;

use ::redis::{Client, RedisError};

/// The Redis servers of channels that the options name.
#[derive(Debug, Default, Clone)]
pub struct Channels {
    /// Where what this server writes is published.
    pub publish: Option<Redis>,
    /// Where what other servers write is heard of.
    pub listen: Option<Redis>,
}

/// A Redis server. Cheap to clone.
#[derive(Clone)]
pub struct Redis(Client);

impl fmt::Debug for Redis {
    /// Without the address, which may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Redis")
    }
}

impl Redis {
    /// The server at an address, as `redis://host:6379`. It is not reached yet.
    ///
    /// # Errors
    /// When the text is no address.
    pub fn at(url: &str) -> Result<Self, String> {
        Client::open(url).map(Self).map_err(|error| error.to_string())
    }
}

/// Does something with a server, which may take so long.
async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    match tokio::time::timeout(patience, work).await {
        Ok(done) => done,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
