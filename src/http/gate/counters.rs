//! Where a limit counts: here, or in a Redis server that several servers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA256, digest};

use crate::adapters::redis::Redis;
use crate::adapters::redis::counters::{Counted, Counters as Shared};
use crate::random::hex;

/// Maximum number of counters of a limit here. If a window has more callers, the further ones share one counter.
const COUNTERS: usize = 100_000;
/// What the keys of counters in Redis begin with.
const PREFIX: &str = "reparse:rate:";

/// The Redis servers that limits name: one connection to each, however many limits name it.
#[derive(Debug, Default)]
pub struct Servers(Mutex<HashMap<String, Arc<Shared>>>);

/// The counters of a limit.
#[derive(Debug)]
pub struct Counters {
    here: Mutex<HashMap<String, Window>>,
    shared: Option<There>,
    /// Milliseconds that a counter counts.
    window: i64,
}

/// A limit in a Redis server.
#[derive(Debug)]
struct There {
    counters: Arc<Shared>,
    /// What tells it from others there.
    limit: String,
}

/// How often a caller called.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// When the counter begins anew, in milliseconds since 1970.
    pub ends: i64,
    /// Calls.
    pub count: u64,
}

impl Servers {
    fn at(&self, url: &str) -> Result<Arc<Shared>, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = known.get(url) {
            return Ok(counters.clone());
        }
        let redis = Redis::at(url).map_err(|error| format!("rateLimit.redisUrl: {error}"))?;
        Ok(known.entry(url.to_owned()).or_insert(Arc::new(Shared::new(redis))).clone())
    }
}

impl Counters {
    /// Counters that begin anew after `window` milliseconds. `shared`: the address of the Redis server that counts, and what tells the limit
    /// from others there.
    ///
    /// # Errors
    /// A message, if the address is none.
    pub fn new(window: i64, shared: Option<(&Servers, &str, &str)>) -> Result<Self, String> {
        let there = |(servers, url, limit): (&Servers, &str, &str)| {
            Ok::<_, String>(There { counters: servers.at(url)?, limit: limit.to_owned() })
        };
        Ok(Self { here: Mutex::default(), shared: shared.map(there).transpose()?, window })
    }

    /// Counts a call of a caller at a time in milliseconds since 1970. While Redis cannot be reached, this server counts for itself.
    pub async fn count(&self, caller: String, now: i64) -> Window {
        if let Some(There { counters, limit }) = &self.shared {
            // Callers are known by addresses and session tokens: nobody who reads the keys learns one.
            let key = format!("{PREFIX}{}", hex(digest(&SHA256, format!("{limit}{caller}").as_bytes()).as_ref()));
            // Boxed: most servers have no such limit, and every request would have room for it.
            if let Some(Counted { count, left }) = Box::pin(counters.count(&key, self.window)).await {
                return Window { ends: now.saturating_add(left), count };
            }
        }
        self.count_here(caller, now)
    }

    fn count_here(&self, caller: String, now: i64) -> Window {
        let mut counters = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= COUNTERS && !counters.contains_key(&caller) {
            counters.retain(|_, window| window.ends > now);
        }
        let caller = if counters.len() >= COUNTERS && !counters.contains_key(&caller) {
            "the others".to_owned()
        } else {
            caller
        };
        let fresh = Window { ends: now.saturating_add(self.window), count: 0 };
        let window = counters.entry(caller).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        window.count = window.count.saturating_add(1);
        *window
    }
}
