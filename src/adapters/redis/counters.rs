//! Counters that servers share: each counts for a time from its first count on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{RedisError, pipe};

use super::{Redis, within};

/// How long the server may take for one count: a request waits for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pause before the next attempt after one that failed. Requests do not wait for a server that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// The counters of a Redis server.
#[derive(Debug)]
pub struct Counters {
    redis: Redis,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed,
    /// A request opens the connection.
    Opening,
    Open(MultiplexedConnection),
    Failed(Instant),
}

/// A counter after it counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What it has counted.
    pub count: u64,
    /// Milliseconds until it begins anew.
    pub left: i64,
}

impl Counters {
    /// Those of a server, which is not reached yet.
    #[must_use]
    pub const fn new(redis: Redis) -> Self {
        Self { redis, state: Mutex::new(State::Closed) }
    }

    /// Counts one more under a key. `window`: milliseconds from the first count until the counter begins anew. `None`: the server cannot be
    /// reached; the log says so.
    pub async fn count(&self, key: &str, window: i64) -> Option<Counted> {
        let mut connection = self.connection().await?;
        let counting = async {
            let mut commands = pipe();
            commands.atomic();
            commands.cmd("SET").arg(key).arg(0).arg("PX").arg(window.max(1)).arg("NX").ignore();
            commands.cmd("INCR").arg(key).cmd("PTTL").arg(key);
            commands.query_async::<(u64, i64)>(&mut connection).await
        };
        match within(PATIENCE, counting).await {
            Ok((count, left)) => Some(Counted { count, left: left.max(0) }),
            Err(error) => {
                let mut state = self.state();
                // Of requests in flight, which fail together, the first one says so.
                if matches!(*state, State::Open(_)) {
                    *state = State::failed(&error);
                }
                None
            }
        }
    }

    /// The connection, opened if need be, unless another request is at it or the last attempt has just failed.
    async fn connection(&self) -> Option<MultiplexedConnection> {
        {
            let mut state = self.state();
            match &*state {
                State::Open(connection) => return Some(connection.clone()),
                State::Opening => return None,
                State::Failed(when) if when.elapsed() < PAUSE => return None,
                State::Closed | State::Failed(_) => *state = State::Opening,
            }
        }
        let opening = Opening(self);
        let opened = within(PATIENCE, self.redis.0.get_multiplexed_async_connection()).await;
        let mut state = opening.0.state();
        match opened {
            Ok(connection) => {
                *state = State::Open(connection.clone());
                Some(connection)
            }
            Err(error) => {
                *state = State::failed(&error);
                None
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn failed(error: &RedisError) -> Self {
        tracing::warn!(%error, "Redis cannot be reached: meanwhile each server counts for itself");
        Self::Failed(Instant::now())
    }
}

/// A request that opens the connection. One that is cancelled leaves it to the next.
struct Opening<'a>(&'a Counters);

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if matches!(*state, State::Opening) {
            *state = State::Closed;
        }
    }
}
