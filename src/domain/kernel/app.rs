//! The server's parts, put together once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::task::TaskTracker;

use crate::adapters::auth::Providers;
use crate::adapters::email::outbox::Outbox;
use crate::clock::Clock;
use crate::config::Options;
use crate::domain::features::graphql_config::ConfigCache;
use crate::domain::features::health::Pulse;
use crate::domain::features::roles::RoleCache;
use crate::domain::features::security;
use crate::domain::features::sessions::SessionCache;
use crate::domain::features::users::password::Hasher;
use crate::domain::kernel::class_rules::RuleTable;
use crate::domain::kernel::classes::SchemaCache;
use crate::domain::kernel::failure::failure;
use crate::domain::schema;
use crate::error::{ParseError, Result};
use crate::model::names;
use crate::model::operation::denylist::Denylist;
use crate::random::Random;
use crate::storage::{Event, Storage};

/// Events of other processes that are dealt with together.
const EVENTS_AT_ONCE: usize = 256;
/// The schema is not read more often than this for want of news.
const SHORTEST_SCHEMA_TTL: Duration = Duration::from_millis(100);

/// Classes that make up who holds which role.
const ROLES: [&str; 3] = [names::ROLE, names::ROLE_USERS, names::ROLE_ROLES];

/// Everything a request needs: options, store, caches, hashing, time and chance.
#[derive(Debug)]
pub struct App {
    /// The options.
    pub options: Options,
    /// Where rows live.
    pub storage: Arc<dyn Storage>,
    /// The classes.
    pub schemas: SchemaCache,
    /// Sessions and users resolved lately.
    pub sessions: SessionCache,
    /// Roles resolved lately.
    pub roles: RoleCache,
    /// How classes appear in the GraphQL API.
    pub graphql_config: ConfigCache,
    /// Words that request data must not contain.
    pub denylist: Denylist,
    /// Password hashing.
    pub hasher: Hasher,
    /// What special classes add to the write pipeline.
    pub rules: RuleTable,
    /// Sends mail.
    pub email: Option<Arc<Outbox>>,
    /// Providers of identities.
    pub providers: Providers,
    /// Whether the database answers.
    pub pulse: Pulse,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// Writes under way, which a stop of the server waits for.
    pub tasks: TaskTracker,
}

/// Services outside of the server.
#[derive(Debug, Default)]
pub struct Outside {
    /// Sends mail.
    pub email: Option<Arc<Outbox>>,
    /// Providers of identities.
    pub providers: Providers,
}

impl App {
    /// Opens the app on a store: makes the classes and indexes a fresh database lacks, reads the schema, applies the classes
    /// that the options define.
    ///
    /// # Errors
    /// When the store cannot be read or written, or a class that the options define cannot be.
    pub async fn open(
        options: Options,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        outside: Outside,
    ) -> Result<Arc<Self>> {
        schema::bootstrap::prepare(&*storage, &options).await.map_err(failure)?;
        let ttl = Duration::from_millis(options.server.cache_ttl);
        let app = Arc::new(Self {
            schemas: SchemaCache::new(storage.clone(), options.security.protected_fields.clone()),
            sessions: SessionCache::new(options.server.cache_max_size, ttl),
            roles: RoleCache::new(options.server.cache_max_size, ttl),
            graphql_config: ConfigCache::default(),
            denylist: denylist(&options)?,
            hasher: Hasher::start(&options.own),
            rules: RuleTable::standard(),
            email: outside.email,
            providers: outside.providers,
            pulse: Pulse::default(),
            storage,
            clock,
            random,
            options,
            tasks: TaskTracker::new(),
        });
        app.schemas.reload().await?;
        schema::defined::apply(&app).await?;
        security::log(&app.options);
        Ok(app)
    }

    /// Follows what other processes change until the app goes away. Where the store cannot tell, the schema is read again every
    /// `cacheTTL` milliseconds (or `databaseOptions.schemaCacheTtl`, if that is less), and the other caches expire by
    /// themselves. The task ends with the app, or when it is aborted.
    pub fn follow_changes(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let weak = Arc::downgrade(self);
        let every = self.schema_ttl();
        tokio::spawn(async move {
            loop {
                let Some(app) = weak.upgrade() else { return };
                match app.storage.watch().await {
                    Ok(Some(events)) => {
                        // What changed before the stream began is not in it.
                        app.take_note(&[Event::Lost]).await;
                        drop(app);
                        let mut events = events.ready_chunks(EVENTS_AT_ONCE);
                        while let Some(events) = events.next().await {
                            let Some(app) = weak.upgrade() else { return };
                            app.take_note(&events).await;
                        }
                        let Some(app) = weak.upgrade() else { return };
                        app.take_note(&[Event::Lost]).await;
                    }
                    Ok(None) => {
                        drop(app);
                        tokio::time::sleep(every).await;
                        let Some(app) = weak.upgrade() else { return };
                        app.read_schema_again().await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "changes of other processes cannot be followed for now");
                        app.take_note(&[Event::Lost]).await;
                        drop(app);
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        })
    }

    /// How long a snapshot of the classes is good where nobody tells of changes.
    fn schema_ttl(&self) -> Duration {
        let own = Duration::from_millis(self.options.server.cache_ttl);
        let given = self.options.database.driver.schema_cache_ttl.filter(|ttl| *ttl > 0.0);
        let given = given.and_then(|ttl| Duration::try_from_secs_f64(ttl / 1000.0).ok());
        given.map_or(own, |given| given.min(own)).max(SHORTEST_SCHEMA_TTL)
    }

    /// Forgets what the events put in doubt.
    async fn take_note(&self, events: &[Event]) {
        let mut schema = false;
        for event in events {
            match event {
                Event::Schema => schema = true,
                Event::Row { class, id: Some(id) } if *class == names::SESSION => self.sessions.forget_session(id),
                Event::Row { class, id: Some(id) } if *class == names::USER => self.sessions.forget_user(id),
                Event::Row { class, .. } if *class == names::SESSION || *class == names::USER => self.sessions.clear(),
                Event::Row { class, .. } if ROLES.contains(&class.as_str()) => self.roles.clear(),
                Event::Row { class, .. } if *class == names::GRAPHQL_CONFIG => self.graphql_config.clear(),
                Event::Row { .. } => {}
                Event::Lost => {
                    schema = true;
                    self.graphql_config.clear();
                    self.roles.clear();
                    self.sessions.clear();
                }
            }
        }
        if schema {
            self.read_schema_again().await;
        }
    }

    async fn read_schema_again(&self) {
        if let Err(error) = self.schemas.reload().await {
            tracing::warn!(%error, "the schema could not be read again");
        }
    }
}

fn denylist(options: &Options) -> Result<Denylist> {
    let entries: Vec<_> = options.security.request_keyword_denylist.iter().map(|entry| entry.raw.clone()).collect();
    Denylist::new(&entries).map_err(ParseError::internal)
}
