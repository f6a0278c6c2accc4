//! The server's parts, put together once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::task::TaskTracker;

use super::roles::RoleCache;
use super::schema::SchemaCache;
use super::sessions::SessionCache;
use super::users::password::Hasher;
use super::write::rules::RuleTable;
use super::{schema, security, store};
use crate::adapters::auth::Providers;
use crate::adapters::email::EmailAdapter;
use crate::clock::Clock;
use crate::config::Options;
use crate::error::{ParseError, Result};
use crate::model::names;
use crate::model::operation::denylist::Denylist;
use crate::random::Random;
use crate::storage::{Event, Storage};

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
    /// Words that request data must not contain.
    pub denylist: Denylist,
    /// Password hashing.
    pub hasher: Hasher,
    /// What special classes add to the write pipeline.
    pub rules: RuleTable,
    /// Sends mail.
    pub email: Option<Arc<dyn EmailAdapter>>,
    /// Providers of identities.
    pub providers: Providers,
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
    pub email: Option<Arc<dyn EmailAdapter>>,
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
        schema::bootstrap::prepare(&*storage, &options).await.map_err(store::failure)?;
        let ttl = Duration::from_millis(options.server.cache_ttl);
        let app = Arc::new(Self {
            schemas: SchemaCache::new(storage.clone(), clock.clone(), options.security.protected_fields.clone()),
            sessions: SessionCache::new(options.server.cache_max_size, ttl),
            roles: RoleCache::new(options.server.cache_max_size, ttl),
            denylist: denylist(&options)?,
            hasher: Hasher::start(&options.own),
            rules: RuleTable::standard(),
            email: outside.email,
            providers: outside.providers,
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
    /// `cacheTTL` milliseconds, and the other caches expire by themselves. The task ends with the app, or when it is aborted.
    pub fn follow_changes(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let weak = Arc::downgrade(self);
        let ttl = Duration::from_millis(self.options.server.cache_ttl.max(100));
        tokio::spawn(async move {
            loop {
                let Some(app) = weak.upgrade() else { return };
                match app.storage.watch().await {
                    Ok(Some(mut events)) => {
                        drop(app);
                        while let Some(event) = events.next().await {
                            let Some(app) = weak.upgrade() else { return };
                            app.take_note(&event).await;
                        }
                        let Some(app) = weak.upgrade() else { return };
                        app.take_note(&Event::Lost).await;
                    }
                    Ok(None) => {
                        drop(app);
                        tokio::time::sleep(ttl).await;
                        let Some(app) = weak.upgrade() else { return };
                        if let Err(error) = app.schemas.reload().await {
                            tracing::warn!(%error, "the schema could not be read again");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "changes of other processes cannot be followed for now");
                        drop(app);
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        })
    }

    async fn take_note(&self, event: &Event) {
        let schema = matches!(event, Event::Schema | Event::Lost);
        match event {
            Event::Schema => {}
            Event::Row { class, id: Some(id) } if *class == names::SESSION => self.sessions.forget_session(id),
            Event::Row { class, id: Some(id) } if *class == names::USER => self.sessions.forget_user(id),
            Event::Row { .. } | Event::Lost => {
                self.roles.clear();
                self.sessions.clear();
            }
        }
        if schema && let Err(error) = self.schemas.reload().await {
            tracing::warn!(%error, "the schema could not be read again");
        }
    }
}

fn denylist(options: &Options) -> Result<Denylist> {
    let entries: Vec<_> = options.security.request_keyword_denylist.iter().map(|entry| entry.raw.clone()).collect();
    Denylist::new(&entries).map_err(ParseError::internal)
}
