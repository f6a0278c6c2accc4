//! The application: its options, store, schema, services and registered features.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use tokio_util::task::TaskTracker;

use super::afterwards::Afterwards;
use super::audit::Auditor;
use super::caches::Caches;
use super::class_rules::RuleTable;
use super::classes::SchemaCache;
use super::events::Events;
use super::feature::{Entities, Feature, NoRoles, NoSessions, Refresh, Sessions, TypeMap, Work};
use super::master_key::MasterKey;
use super::triggers::Triggers;
use crate::clock::Clock;
use crate::config::{LiveOptions, Options};
use crate::error::{ParseError, Result};
use crate::model::files::addresses::Elsewhere;
use crate::model::files::hosts::AllowedHosts;
use crate::model::operation::denylist::Denylist;
use crate::random::Random;
use crate::storage::Storage;

/// Minimum interval of reading the schema if the store cannot watch.
const SHORTEST_SCHEMA_TTL: Duration = Duration::from_millis(100);

/// Everything that requests need: options, store, schema, clock, and what features registered.
pub struct App {
    /// The options.
    pub options: LiveOptions,
    /// The store.
    pub storage: Arc<dyn Storage>,
    /// The classes.
    pub schemas: SchemaCache,
    /// The caches of features.
    pub caches: Caches,
    /// The master key.
    pub master_key: MasterKey,
    /// The handlers of triggers, functions and jobs.
    pub triggers: Triggers,
    /// The subscribers to events.
    pub events: Events,
    /// Keys and values that request data must not contain.
    pub denylist: Denylist,
    /// Hosts that URLs of File values may have.
    pub file_hosts: AllowedHosts,
    /// The rules of special classes.
    pub rules: RuleTable,
    /// Determines the entities (id and roles) of a user.
    pub entities: Arc<dyn Entities>,
    /// Finds the user of a session token.
    pub sessions: Arc<dyn Sessions>,
    /// Notes what matters for security.
    pub auditor: Option<Arc<dyn Auditor>>,
    /// The place that gives files addresses of its own, if there is one.
    pub file_addresses: Option<Arc<dyn Elsewhere>>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Source of random ids and tokens.
    pub random: Arc<dyn Random>,
    /// Writes in flight, which shutdown waits for.
    pub tasks: TaskTracker,
    /// What requests leave to be done after their answer.
    pub afterwards: Afterwards,
    /// Whether the server is about to stop.
    leaving: AtomicBool,
    refreshes: Vec<Arc<dyn Refresh>>,
    work: Vec<Arc<dyn Work>>,
    states: TypeMap,
    server_info: Vec<fn(&Options) -> Json>,
    on_start: Vec<fn(&Self)>,
    on_stop: Vec<fn(&Self)>,
    gauges: Vec<fn(&Self)>,
}

impl App {
    /// An application with these features. Its schema has not been read yet (`domain::start` does that).
    ///
    /// # Errors
    /// If a pattern of the denylist is invalid.
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
            master_key: MasterKey::new(options.keys.master_key.expose()),
            triggers: Triggers::new(options.own.cloud_calls, options.own.cloud_depth),
            events: Events::default(),
            denylist: denylist(&options)?,
            file_hosts: AllowedHosts::new(&options.files.upload.allowed_file_url_domains),
            auditor: None,
            file_addresses: None,
            rules: RuleTable::default(),
            entities: Arc::new(NoRoles),
            sessions: Arc::new(NoSessions),
            storage,
            clock,
            random,
            options: LiveOptions::new(options),
            tasks: TaskTracker::new(),
            afterwards: Afterwards::default(),
            leaving: AtomicBool::new(false),
            refreshes: Vec::new(),
            work: Vec::new(),
            states: TypeMap::default(),
            server_info: Vec::new(),
            on_start: Vec::new(),
            on_stop: Vec::new(),
            gauges: Vec::new(),
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
            app.auditor = feature.auditor.or(app.auditor);
            app.file_addresses = feature.file_addresses.or(app.file_addresses);
            app.server_info.extend(feature.server_info);
            app.on_start.extend(feature.on_start);
            app.on_stop.extend(feature.on_stop);
            app.gauges.extend(feature.gauges);
        }
        app.caches = Caches::new(caches);
        Ok(app)
    }

    /// The value that a feature registered under this type.
    ///
    /// # Errors
    /// 1 if no feature did.
    pub fn feature<T: Any>(&self) -> Result<&T> {
        self.states
            .get()
            .ok_or_else(|| ParseError::internal(format!("no feature registered a {}", std::any::type_name::<T>())))
    }

    /// Reloads the preloaded caches of features that may have changed.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn refresh(self: &Arc<Self>, blind: bool) -> Result<()> {
        for refresh in &self.refreshes {
            refresh.refresh(self, blind).await?;
        }
        Ok(())
    }

    /// The background work of features.
    #[must_use]
    pub fn work(&self) -> &[Arc<dyn Work>] {
        &self.work
    }

    /// The parts of `/serverInfo` from features, one object each.
    pub fn server_info(&self) -> impl Iterator<Item = Json> {
        self.server_info.iter().map(|says| says(&self.options))
    }

    /// Calls the start functions of features.
    pub fn started(&self) {
        self.on_start.iter().for_each(|tell| tell(self));
    }

    /// Has features say how much there is of what they have, before metrics are read.
    pub fn measure(&self) {
        self.gauges.iter().for_each(|measure| measure(self));
    }

    /// Tells health checks that the server is about to stop. It goes on answering.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Calls the stop functions of features, and accepts no further background writes.
    pub fn stop(&self) {
        self.tasks.close();
        self.on_stop.iter().for_each(|tell| tell(self));
    }

    /// How long a snapshot of the classes is valid if the store cannot watch.
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
