//! Counts failed log ins by address.

use std::net::IpAddr;
use std::time::Duration;

use moka::sync::Cache;

use crate::error::{ParseError, Result};

/// Failed log ins that an address may have in [`WINDOW`].
const FAILURES: u32 = 10;
/// How long failures count.
const WINDOW: Duration = Duration::from_mins(5);
/// Addresses that are remembered.
const ADDRESSES: u64 = 10_000;

/// Failed log ins.
pub(super) struct Attempts(Cache<IpAddr, (u32, i64)>);

impl Default for Attempts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(ADDRESSES).time_to_live(WINDOW).build())
    }
}

impl Attempts {
    /// 429 for an address that failed too often. `now`: milliseconds since 1970.
    pub(super) fn check(&self, ip: IpAddr, now: i64) -> Result<()> {
        let Some((failures, since)) = self.0.get(&ip) else { return Ok(()) };
        let wait = since.saturating_add(i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX)).saturating_sub(now);
        if failures < FAILURES || wait <= 0 {
            return Ok(());
        }
        let seconds = u32::try_from(wait / 1000 + 1).unwrap_or(u32::MAX);
        Err(ParseError {
            retry_after: Some(seconds),
            ..ParseError::http(429, "Too many failed log ins. Try again later.")
        })
    }

    pub(super) fn count(&self, ip: IpAddr, now: i64) {
        let (failures, since) = self.0.get(&ip).unwrap_or((0, now));
        self.0.insert(ip, (failures.saturating_add(1), since));
    }

    pub(super) fn forget(&self, ip: IpAddr) {
        self.0.invalidate(&ip);
    }
}
