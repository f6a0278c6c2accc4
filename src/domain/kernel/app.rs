//! The server's parts, put together once.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio_util::task::TaskTracker;

use super::caches::Caches;
use super::class_rules::RuleTable;
use super::classes::SchemaCache;
use super::events::Events;
use super::feature::{Entities, Feature, NoRoles, NoSessions, Refresh, Sessions, TypeMap, Work};
use super::triggers::Triggers;
use crate::clock::Clock;
use crate::config::Options;
use crate::error::{ParseError, Result};
use crate::model::files::addresses::Elsewhere;
use crate::model::files::hosts::AllowedHosts;
use crate::model::operation::denylist::Denylist;
use crate::random::Random;
use crate::storage::Storage;

/// The schema is not read more often than this for want of news.
const SHORTEST_SCHEMA_TTL: Duration = Duration::from_millis(100);

/// Everything a request needs: options, store, schema, clock, and what features registered.
pub struct App {
    /// The options.
    pub options: Options,
    /// Where rows are kept.
    pub storage: Arc<dyn Storage>,
    /// The classes.
    pub schemas: SchemaCache,
    /// What features keep in memory of rows.
    pub caches: Caches,
    /// Who handles which trigger, function and job.
    pub triggers: Triggers,
    /// Who wants to know what is written.
    pub events: Events,
    /// Words that request data must not contain.
    pub denylist: Denylist,
    /// Hosts that File values of requests may point at.
    pub file_hosts: AllowedHosts,
    /// What special classes add to the pipelines.
    pub rules: RuleTable,
    /// Says which entities permissions may name for a user.
    pub entities: Arc<dyn Entities>,
    /// Finds the user of a session token.
    pub sessions: Arc<dyn Sessions>,
    /// The place that gives files addresses of its own, if there is one.
    pub file_addresses: Option<Arc<dyn Elsewhere>>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Source of random ids and tokens.
    pub random: Arc<dyn Random>,
    /// Writes in flight, which a stop of the server waits for.
    pub tasks: TaskTracker,
    refreshes: Vec<Arc<dyn Refresh>>,
    work: Vec<Arc<dyn Work>>,
    states: TypeMap,
    server_info: Vec<fn(&Options) -> Json>,
    on_start: Vec<fn(&Self)>,
    on_stop: Vec<fn(&Self)>,
}

impl App {
    /// An app with these features, whose schema is not read yet (`domain::start` does that).
    ///
    /// # Errors
    /// For a pattern of the denylist that is none.
    pub fn new(
        options: Options,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        features: Vec<Feature>,
    ) -> Result<Self> {
        let mut app = Self {
            schemas: SchemaCache::new(storage.clone(), options.security.protected_fields.clone()),
            caches: Caches::default(),
            triggers: Triggers::new(options.own.cloud_calls, options.own.cloud_depth),
            events: Events::default(),
            denylist: denylist(&options)?,
            file_hosts: AllowedHosts::new(&options.files.upload.allowed_file_url_domains),
            file_addresses: None,
            rules: RuleTable::default(),
            entities: Arc::new(NoRoles),
            sessions: Arc::new(NoSessions),
            storage,
            clock,
            random,
            options,
            tasks: TaskTracker::new(),
            refreshes: Vec::new(),
            work: Vec::new(),
            states: TypeMap::default(),
            server_info: Vec::new(),
            on_start: Vec::new(),
            on_stop: Vec::new(),
        };
        let mut caches = Vec::new();
        for feature in features {
            app.rules.extend(feature.rules);
            caches.extend(feature.caches);
            app.refreshes.extend(feature.refreshes);
            app.work.extend(feature.work);
            app.states.extend(feature.state);
            app.entities = feature.entities.unwrap_or(app.entities);
            app.sessions = feature.sessions.unwrap_or(app.sessions);
            app.file_addresses = feature.file_addresses.or(app.file_addresses);
            app.server_info.extend(feature.server_info);
            app.on_start.extend(feature.on_start);
            app.on_stop.extend(feature.on_stop);
        }
        app.caches = Caches::new(caches);
        Ok(app)
    }

    /// What a feature registered under this type.
    ///
    /// # Errors
    /// 1 when no feature of this server did.
    pub fn feature<T: Any>(&self) -> Result<&T> {
        self.states.get().ok_or_else(|| {
            ParseError::internal(format!("no feature of this server has a {}", std::any::type_name::<T>()))
        })
    }

    /// Has features read what must be in memory, where it may have changed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn refresh(self: &Arc<Self>, blind: bool) -> Result<()> {
        for refresh in &self.refreshes {
            refresh.refresh(self, blind).await?;
        }
        Ok(())
    }

    /// What features do in the background.
    #[must_use]
    pub fn work(&self) -> &[Arc<dyn Work>] {
        &self.work
    }

    /// What features say in the answer of `/serverInfo`, one object each.
    pub fn server_info(&self) -> impl Iterator<Item = Json> {
        self.server_info.iter().map(|says| says(&self.options))
    }

    /// Tells features that the server is ready.
    pub fn started(&self) {
        self.on_start.iter().for_each(|tell| tell(self));
    }

    /// Tells features that the server stops, and accepts no further background writes.
    pub fn stop(&self) {
        self.tasks.close();
        self.on_stop.iter().for_each(|tell| tell(self));
    }

    /// How long a snapshot of the classes is good where nobody tells of changes.
    pub(super) fn schema_ttl(&self) -> Duration {
        let own = Duration::from_millis(self.options.server.cache_ttl);
        let given = self.options.database.driver.schema_cache_ttl.filter(|ttl| *ttl > 0.0);
        let given = given.and_then(|ttl| Duration::try_from_secs_f64(ttl / 1000.0).ok());
        given.map_or(own, |given| given.min(own)).max(SHORTEST_SCHEMA_TTL)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("storage", &self.storage).finish_non_exhaustive()
    }
}

fn denylist(options: &Options) -> Result<Denylist> {
    let entries: Vec<_> = options.security.request_keyword_denylist.iter().map(|entry| entry.raw.clone()).collect();
    Denylist::new(&entries).map_err(ParseError::internal)
}
