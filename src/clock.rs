//! The clock of the server.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::date::Date;

/// A clock. All code that writes or compares dates uses it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Current time, to the millisecond.
    fn now(&self) -> Date;
}

/// The clock of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Date {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Date::from_millis(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that only moves when a test moves it, so that dates are exact.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock at `start`.
    #[must_use]
    pub fn new(start: Date) -> Self {
        Self(Arc::new(AtomicI64::new(start.millis())))
    }

    /// Moves the clock forward (or back, if negative) by this many milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Date {
        Date::from_millis(self.0.load(Ordering::SeqCst))
    }
}
