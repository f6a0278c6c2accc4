//! The start of an app on a store.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::Feature;
use crate::domain::schema::{bootstrap, defined};
use crate::error::Result;
use crate::random::Random;
use crate::storage::Storage;

/// Opens an app on a store: makes the classes and indexes that a fresh database lacks, reads the schema, applies the classes that the
/// options define, tells the features.
///
/// # Errors
/// When the store cannot be read or written, or a class that the options define cannot be.
pub async fn open(
    options: Options,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    features: Vec<Feature>,
) -> Result<Arc<App>> {
    bootstrap::prepare(&*storage, &options).await.map_err(failure)?;
    let app = Arc::new(App::new(options, storage, clock, random, features)?);
    app.schemas.reload().await?;
    defined::apply(&app).await?;
    app.refresh(true).await?;
    app.started();
    Ok(app)
}
