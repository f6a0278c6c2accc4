//! Caches the schema of a dialect. It is rebuilt when classes, configuration or functions change, and swapped
//! atomically.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::config::SchemaConfig;
use super::custom::CustomSchema;
use super::dialect::ParseDialect;
use crate::domain::features::graphql_config;
use crate::domain::features::live_query::Published;
use crate::domain::kernel::context::Context;
use crate::domain::schema::Schemas;
use crate::error::ParseError;
use crate::graphql::engine::Schema;
use crate::model::schema::ClassSchema;

/// Holds the schema of a dialect.
#[derive(Debug)]
pub struct SchemaCache<D: ParseDialect> {
    current: ArcSwapOption<Current<D::Catalog>>,
    custom: Option<Arc<CustomSchema>>,
    published: Option<Arc<Published>>,
    /// Held during a build: requests that need the new schema wait for it; requests in flight keep the old one.
    building: Mutex<()>,
}

#[derive(Debug)]
struct Current<C> {
    /// The snapshot for which the schema was last valid.
    snapshot: Arc<Schemas>,
    classes: Vec<ClassSchema>,
    config: SchemaConfig,
    schema: Arc<Schema<C>>,
}

impl<C> Current<C> {
    fn fits(&self, snapshot: &Arc<Schemas>, config: &SchemaConfig) -> bool {
        Arc::ptr_eq(&self.snapshot, snapshot) && self.config == *config
    }
}

impl<D: ParseDialect> SchemaCache<D> {
    /// A cache without a schema yet. `custom`: what the app adds to it. `published`: the classes that can be
    /// subscribed to.
    #[must_use]
    pub fn new(custom: Option<Arc<CustomSchema>>, published: Option<Arc<Published>>) -> Self {
        Self { current: ArcSwapOption::empty(), custom, published, building: Mutex::new(()) }
    }

    /// The schema of the current classes. It is rebuilt by the first request after a change, once for several changes.
    ///
    /// # Errors
    /// If the configuration cannot be read.
    pub async fn get(&self, cx: &Context) -> Result<Arc<Schema<D::Catalog>>, ParseError> {
        let config = SchemaConfig::read(&graphql_config::current(cx).await?);
        let config = config.with_functions(cx.app.triggers.function_names()).with_custom(self.custom.clone());
        let config = config.with_published(self.published.clone());
        let snapshot = cx.schemas();
        if let Some(current) = self.current.load().as_ref().filter(|current| current.fits(&snapshot, &config)) {
            return Ok(current.schema.clone());
        }
        let _one = self.building.lock().await;
        let snapshot = cx.schemas();
        let known = self.current.load_full();
        if let Some(current) = known.as_ref().filter(|current| current.fits(&snapshot, &config)) {
            return Ok(current.schema.clone());
        }
        let classes = shapes(&snapshot);
        let schema = match known.as_ref().filter(|current| current.classes == classes && current.config == config) {
            // The change does not affect the schema, for example permissions.
            Some(current) => current.schema.clone(),
            None => Arc::new(make::<D>(classes.clone(), config.clone()).await?),
        };
        let new = Arc::new(Current { snapshot, classes, config, schema: schema.clone() });
        if let Some(old) = self.current.swap(Some(new)) {
            // Freeing hundreds of thousands of small allocations must not delay the request.
            tokio::task::spawn_blocking(move || drop((known, old)));
        }
        Ok(schema)
    }
}

/// The parts of the classes that affect the schema, in a fixed order.
fn shapes(snapshot: &Schemas) -> Vec<ClassSchema> {
    let mut classes: Vec<ClassSchema> = snapshot
        .iter()
        .filter(|class| class.stored && !class.schema.name.is_join())
        .map(|class| ClassSchema {
            name: class.schema.name.clone(),
            fields: class.schema.fields.clone(),
            permissions: None,
            indexes: indexmap::IndexMap::new(),
        })
        .collect();
    classes.sort_by(|left, right| left.name.cmp(&right.name));
    classes
}

async fn make<D: ParseDialect>(
    classes: Vec<ClassSchema>,
    config: SchemaConfig,
) -> Result<Schema<D::Catalog>, ParseError> {
    let started = std::time::Instant::now();
    let count = classes.len();
    let work = move || {
        let classes: Vec<_> = classes.iter().collect();
        D::build(&classes, &config).or_else(|error| {
            if config.custom.is_none() {
                return Err(error);
            }
            // It may name classes that do not exist yet: everything else goes on meanwhile.
            tracing::error!(%error, "the option graphQLSchema does not fit the schema and is left out");
            D::build(&classes, &config.with_custom(None))
        })
    };
    let made = tokio::task::spawn_blocking(work).await.map_err(ParseError::internal)?;
    tracing::debug!(classes = count, milliseconds = started.elapsed().as_millis(), "GraphQL schema built");
    made.map_err(|error| ParseError::internal(error.0))
}
