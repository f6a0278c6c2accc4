//! The master key: that of the options, or the last one that a function of the app gave (`masterKey`, `masterKeyTtl`).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use subtle::ConstantTimeEq as _;

use crate::adapters::cloud::module::OwnModule;
use crate::clock::Clock;
use crate::config::Secret;

/// How long a function that failed is left alone, in milliseconds.
const AFTER_FAILURE: i64 = 1000;

/// The master key of an app. Empty means that nobody has it.
#[derive(Debug)]
pub struct MasterKey {
    current: ArcSwap<Secret>,
    asked: OnceLock<Asked>,
}

/// The function that gives the key.
#[derive(Debug)]
struct Asked {
    function: Arc<OwnModule>,
    ttl: Duration,
    /// When it is to be asked again, in milliseconds.
    due: AtomicI64,
    /// Held by who asks; others wait for the answer.
    asking: tokio::sync::Mutex<()>,
}

impl MasterKey {
    /// The key of the options.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { current: ArcSwap::from_pointee(Secret::new(key)), asked: OnceLock::new() }
    }

    /// From now on this is the key, unless a function gives it.
    pub fn change(&self, key: &str) {
        if self.asked.get().is_none() {
            self.current.store(Arc::new(Secret::new(key)));
        }
    }

    /// From now on the key is what this function gives, which is asked again `ttl` after each answer. The key of the options counts as
    /// its first answer.
    pub fn ask(&self, function: Arc<OwnModule>, ttl: Duration, clock: &dyn Clock) {
        let due = AtomicI64::new(later(clock, ttl));
        // Nobody else calls this.
        let _ = self.asked.set(Asked { function, ttl, due, asking: tokio::sync::Mutex::default() });
    }

    /// Whether this is the key. The comparison takes the same time for all texts of one length.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        let key = self.current.load();
        !key.expose().is_empty() && bool::from(given.as_bytes().ct_eq(key.expose().as_bytes()))
    }

    /// Asks the function if its last answer is too old. If it fails nobody has the key, until it answers again: the old one may have
    /// been revoked.
    pub async fn renew(&self, clock: &dyn Clock) {
        if let Some(asked) = self.asked.get().filter(|asked| asked.is_due(clock)) {
            // Boxed, because every request comes by here and few ask the function.
            Box::pin(self.renew_once(asked, clock)).await;
        }
    }

    /// Asks the function, unless another request has just done so.
    async fn renew_once(&self, asked: &Asked, clock: &dyn Clock) {
        let _one = asked.asking.lock().await;
        if !asked.is_due(clock) {
            return;
        }
        let answer = asked.function.call_json(None, Vec::new()).await;
        let (key, due) = match answer.map(|key| key.as_ref().and_then(|key| key.as_str()).map(Secret::new)) {
            Ok(Some(key)) => (key, later(clock, asked.ttl)),
            outcome => {
                let reason = outcome.err().map_or_else(|| "it gave no text".to_owned(), |error| error.to_string());
                tracing::error!("option masterKey: the function failed, so nobody has the master key: {reason}");
                (Secret::new(""), clock.now().millis().saturating_add(AFTER_FAILURE))
            }
        };
        self.current.store(Arc::new(key));
        asked.due.store(due, Ordering::Relaxed);
    }
}

impl Asked {
    fn is_due(&self, clock: &dyn Clock) -> bool {
        clock.now().millis() >= self.due.load(Ordering::Relaxed)
    }
}

fn later(clock: &dyn Clock, ttl: Duration) -> i64 {
    clock.now().millis().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
}
