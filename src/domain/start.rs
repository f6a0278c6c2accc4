//! Opens the application on a store.

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

/// Opens the application: creates missing classes and indexes, reads the schema, applies the class definitions in the
/// options, starts the features.
///
/// # Errors
/// If the store cannot be read or written, or a class definition in the options cannot be applied.
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
