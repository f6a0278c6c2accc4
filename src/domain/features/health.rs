//! The health check of the database.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::kernel::app::App;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::Feature;
use crate::error::Result;

/// Milliseconds for which a response of the database is cached, because load balancers check often.
const FRESH: i64 = 250;

/// Time of the last response of the database.
#[derive(Debug)]
pub struct DatabaseHealth(AtomicI64);

impl Default for DatabaseHealth {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN / 2))
    }
}

/// The health check, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature::new("health").state(DatabaseHealth::default())
}

/// Pings the database, unless it responded within the last quarter of a second.
///
/// # Errors
/// If it does not respond.
pub async fn check(app: &App) -> Result<()> {
    let health: &DatabaseHealth = app.feature()?;
    let now = app.clock.now().millis();
    if (0..FRESH).contains(&now.saturating_sub(health.0.load(Ordering::Relaxed))) {
        return Ok(());
    }
    app.storage.ping().await.map_err(failure)?;
    health.0.store(now, Ordering::Relaxed);
    Ok(())
}
