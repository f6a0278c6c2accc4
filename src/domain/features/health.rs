//! The health of the server: whether its database answers, whether its cloud code runs, whether it is about to stop.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::config::values::Accepts;
use crate::domain::kernel::app::App;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::Feature;
use crate::error::{ParseError, Result};

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

/// Why a server should get no requests.
#[derive(Debug)]
pub enum Unready {
    /// It is about to stop.
    Stopping,
    /// It accepts nothing for now.
    Closed,
    /// Its database does not answer.
    Database(ParseError),
    /// Its cloud code is being started.
    CodeStarts,
    /// Its cloud code cannot be started, for this reason.
    CodeFails(String),
}

/// Whether the server can do its work. Calls of cloud code that is being started wait for it, so this is no failure.
///
/// # Errors
/// What is missing.
pub async fn healthy(app: &App) -> std::result::Result<(), Unready> {
    if app.is_leaving() {
        return Err(Unready::Stopping);
    }
    check(app).await.map_err(Unready::Database)?;
    app.triggers.failure().map_or(Ok(()), |reason| Err(Unready::CodeFails(reason)))
}

/// Whether the server can answer every request without delay.
///
/// # Errors
/// What is missing.
pub async fn ready(app: &App) -> std::result::Result<(), Unready> {
    if app.options.own.accepts == Accepts::Nothing {
        return Err(Unready::Closed);
    }
    healthy(app).await?;
    if app.triggers.code_runs() { Ok(()) } else { Err(Unready::CodeStarts) }
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
