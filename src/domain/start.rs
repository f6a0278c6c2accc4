//! Opens the application on a store.

use std::sync::Arc;

use crate::adapters::cloud::module::OwnModule;
use crate::clock::Clock;
use crate::config::Options;
use crate::config::schema::Definitions;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::Feature;
use crate::domain::schema::{bootstrap, defined};
use crate::domain::triggers::ask;
use crate::error::Result;
use crate::random::Random;
use crate::storage::Storage;

/// Opens the application: creates missing classes and indexes, reads the schema, applies the class definitions in the
/// options, starts the features. Definitions with functions around them wait for [`migrate`].
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
    if !app.options.schema.definitions.as_ref().is_some_and(Definitions::calls_back) {
        defined::apply(&app).await?;
    }
    app.refresh(true).await?;
    app.started();
    Ok(app)
}

/// Functions of the app that are called before and after the class definitions in the options are applied.
#[derive(Debug, Default)]
pub struct Migration {
    /// `schema.beforeMigration`.
    pub before: Option<Arc<OwnModule>>,
    /// `schema.afterMigration`.
    pub after: Option<Arc<OwnModule>>,
}

/// Applies the class definitions in the options, where functions of the app are called before or after. The app's code must be loaded.
///
/// # Errors
/// What a function throws; a definition that cannot be applied.
pub async fn migrate(app: &Arc<App>, migration: &Migration) -> Result<()> {
    let cx = Context::of_server(app);
    if let Some(before) = &migration.before {
        ask(&cx, before, None, Vec::new()).await?;
    }
    if migration.before.is_some() || migration.after.is_some() {
        defined::apply(app).await?;
    }
    if let Some(after) = &migration.after {
        ask(&cx, after, None, Vec::new()).await?;
    }
    Ok(())
}
