//! Watches for changes by other servers, and updates the schema and the caches of this one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::app::App;
use crate::storage::Event;

/// Maximum number of events that are handled together.
const EVENTS_AT_ONCE: usize = 256;
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches until the application is dropped. If the store cannot watch, the schema is read again every `cacheTTL`
/// milliseconds (or `databaseOptions.schemaCacheTtl`, if that is less), and caches expire. The task ends with the
/// application, or when it is aborted.
#[must_use]
pub fn follow_changes(app: &Arc<App>) -> tokio::task::JoinHandle<()> {
    let weak = Arc::downgrade(app);
    let every = app.schema_ttl();
    let watched = app.caches.watched();
    tokio::spawn(async move {
        loop {
            let Some(app) = weak.upgrade() else { return };
            match app.storage.watch(&watched).await {
                Ok(Some(events)) => {
                    // Changes before the stream began are not in it.
                    invalidate_caches(&app, &[Event::Lost]).await;
                    drop(app);
                    let mut events = events.ready_chunks(EVENTS_AT_ONCE);
                    while let Some(events) = events.next().await {
                        let Some(app) = weak.upgrade() else { return };
                        invalidate_caches(&app, &events).await;
                    }
                    let Some(app) = weak.upgrade() else { return };
                    invalidate_caches(&app, &[Event::Lost]).await;
                }
                Ok(None) => {
                    drop(app);
                    tokio::time::sleep(every).await;
                    let Some(app) = weak.upgrade() else { return };
                    reload_schema(&app).await;
                    refresh_caches(&app, true).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to watch for changes by other processes");
                    invalidate_caches(&app, &[Event::Lost]).await;
                    drop(app);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

/// Removes cached data that the events invalidate.
async fn invalidate_caches(app: &Arc<App>, events: &[Event]) {
    let mut schema = false;
    for event in events {
        match event {
            Event::Schema => schema = true,
            Event::Row { class, id } => app.caches.forget(class.as_str(), id.as_deref()),
            Event::Lost => {
                schema = true;
                app.caches.clear();
            }
        }
    }
    if schema {
        reload_schema(app).await;
    }
    refresh_caches(app, false).await;
}

async fn refresh_caches(app: &Arc<App>, blind: bool) {
    if let Err(error) = app.refresh(blind).await {
        tracing::warn!(%error, "failed to reload caches");
    }
}

async fn reload_schema(app: &App) {
    if let Err(error) = app.schemas.reload().await {
        tracing::warn!(%error, "failed to reload the schema");
    }
}
