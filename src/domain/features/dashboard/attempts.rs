//! Counts failed log ins by address.

use std::net::IpAddr;
use std::time::Duration;

use crate::bounded_cache::BoundedCache;
use crate::error::{ParseError, Result};

/// Failed log ins that an address may have in [`WINDOW`].
const FAILURES: u32 = 10;
/// How long failures count.
const WINDOW: Duration = Duration::from_mins(5);
/// Addresses that are remembered.
const ADDRESSES: u64 = 10_000;

/// Failed log ins.
pub(super) struct Attempts(BoundedCache<(u32, i64)>);

impl Default for Attempts {
    fn default() -> Self {
        Self(BoundedCache::living(ADDRESSES, WINDOW))
    }
}

impl Attempts {
    /// 429 for an address that failed too often. `now`: milliseconds since 1970.
    pub(super) fn check(&self, ip: IpAddr, now: i64) -> Result<()> {
        let Some((failures, since)) = self.0.get(&ip.to_string()) else { return Ok(()) };
        let wait = rest_of_window(since, now);
        if failures < FAILURES || wait <= 0 {
            return Ok(());
        }
        let seconds = u32::try_from(wait / 1000 + 1).unwrap_or(u32::MAX);
        Err(ParseError {
            retry_after: Some(seconds),
            ..ParseError::http(429, "Too many failed log ins. Try again later.")
        })
    }

    /// Counts a failure. The first one after a window begins the next.
    pub(super) fn count(&self, ip: IpAddr, now: i64) {
        self.0.change(ip.to_string(), |known| {
            let counted = known.filter(|(_, since)| rest_of_window(*since, now) > 0);
            let (failures, since) = counted.unwrap_or((0, now));
            (failures.saturating_add(1), since)
        });
    }

    pub(super) fn forget(&self, ip: IpAddr) {
        self.0.remove(&ip.to_string());
    }
}

/// Milliseconds until failures since then no longer count.
fn rest_of_window(since: i64, now: i64) -> i64 {
    since.saturating_add(i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX)).saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_its_own_failures() {
        let (attempts, ip) = (Attempts::default(), IpAddr::from([192, 0, 2, 1]));
        for window in 0..3 {
            let now = window * 300_000;
            for _ in 0..FAILURES {
                assert!(attempts.check(ip, now).is_ok(), "window {window}");
                attempts.count(ip, now);
            }
            assert!(attempts.check(ip, now + 299_999).is_err(), "window {window}");
            assert!(attempts.check(IpAddr::from([192, 0, 2, 2]), now).is_ok());
        }
        attempts.forget(ip);
        assert!(attempts.check(ip, 600_000).is_ok());
    }
}
