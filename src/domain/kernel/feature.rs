//! What a feature hands the kernel. The kernel knows no feature by name or type: `features::all` lists them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use foldhash::fast::RandomState;
use serde_json::Value as Json;

use super::app::App;
use super::auth::SessionUser;
use super::caches::Cache;
use super::class_rules::ClassRules;
use crate::config::Options;
use crate::error::Result;
use crate::model::acl;
use crate::model::files::addresses::Elsewhere;
use crate::storage::Transaction;

/// One feature: everything that the pipelines, the change stream, start and stop of the server have to know of it.
#[derive(Default)]
pub struct Feature {
    /// The name of its folder.
    pub name: &'static str,
    /// What it adds to the pipelines, by class. A class has the rules of one feature.
    pub rules: Vec<(&'static str, Arc<dyn ClassRules>)>,
    /// What it keeps in memory of rows.
    pub caches: Vec<Arc<dyn Cache>>,
    /// What it reads into memory before anybody asks for it.
    pub refreshes: Vec<Arc<dyn Refresh>>,
    /// What it does in the background, on one server of those that share a database.
    pub work: Vec<Arc<dyn Work>>,
    /// What its own functions find again by type, with [`App::feature`].
    pub state: TypeMap,
    /// Says what permissions may name for a user. One feature has it: roles.
    pub entities: Option<Arc<dyn Entities>>,
    /// Finds the user of a session token. One feature has it: sessions.
    pub sessions: Option<Arc<dyn Sessions>>,
    /// Gives files addresses of their own. One feature has it: files.
    pub file_addresses: Option<Arc<dyn Elsewhere>>,
    /// What the server can do because of it: a part of `features` in the answer of `/serverInfo`.
    pub server_info: Option<fn(&Options) -> Json>,
    /// Runs once the server's schema is read, before the first request.
    pub on_start: Option<fn(&App)>,
    /// Runs when the server stops, before it waits for writes in flight.
    pub on_stop: Option<fn(&App)>,
}

impl Feature {
    /// A feature that adds nothing yet.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds rules of a class.
    #[must_use]
    pub fn rules(mut self, class: &'static str, rules: impl ClassRules + 'static) -> Self {
        self.rules.push((class, Arc::new(rules)));
        self
    }

    /// Adds a cache, which the feature's functions find by its type.
    #[must_use]
    pub fn cache<C: Cache + 'static>(mut self, cache: C) -> Self {
        let cache = Arc::new(cache);
        self.caches.push(cache.clone());
        self.state.insert(cache);
        self
    }

    /// Adds a cache that is read before anybody asks for it.
    #[must_use]
    pub fn refreshed_cache<C: Cache + Refresh + 'static>(mut self, cache: C) -> Self {
        let cache = Arc::new(cache);
        self.caches.push(cache.clone());
        self.refreshes.push(cache.clone());
        self.state.insert(cache);
        self
    }

    /// Adds work in the background.
    #[must_use]
    pub fn work(mut self, work: impl Work + 'static) -> Self {
        self.work.push(Arc::new(work));
        self
    }

    /// Adds a value that the feature's functions find by its type.
    #[must_use]
    pub fn state<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.state.insert(Arc::new(value));
        self
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Feature({})", self.name)
    }
}

/// What must be in memory before anybody asks for it.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// Reads it. Runs at the start, and after caches may have forgotten something. `blind`: nobody tells of changes by other
    /// servers, so there may have been some.
    ///
    /// # Errors
    /// When the store cannot be read; everything stays as it is.
    async fn refresh(&self, app: &Arc<App>, blind: bool) -> Result<()>;
}

/// A kind of work that is done in rounds.
#[async_trait]
pub trait Work: Send + Sync + fmt::Debug {
    /// Its name, the same on all servers.
    fn kind(&self) -> &'static str;

    /// Whether one server does it of those that share a database; if not, each of them does.
    fn alone(&self) -> bool {
        true
    }

    /// The pause between two rounds.
    fn every(&self) -> Duration;

    /// Whether there is anything to do on this server. The store is not asked for a lease where there is not.
    fn is_needed(&self, _app: &App) -> bool {
        true
    }

    /// One round. It may be dropped at any `await`, when the server stops or loses the lease.
    ///
    /// # Errors
    /// What went wrong: the round is tried again a few times, then at its next time.
    async fn round(&self, app: &Arc<App>) -> Result<()>;
}

/// Values by their type, one of each.
#[derive(Default)]
pub struct TypeMap(HashMap<TypeId, Arc<dyn Any + Send + Sync>, RandomState>);

impl TypeMap {
    /// Adds a value; one of the same type that was there before goes.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
    }

    /// The value of a type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Takes over all values of another map.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Says which entities permissions may name for a user.
#[async_trait]
pub trait Entities: Send + Sync {
    /// The entities, if they are known without asking the store.
    fn known(&self, _user: &str) -> Option<Arc<[String]>> {
        None
    }

    /// `*`, the user's id, then the roles that the user holds, each as `role:NAME`.
    ///
    /// # Errors
    /// When the store fails.
    async fn find(&self, app: &Arc<App>, user: &str, transaction: Option<&Transaction>) -> Result<Arc<[String]>>;
}

/// Finds the user of a session token.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The user; `None` when it is gone.
    ///
    /// # Errors
    /// 209 when the token is unknown or expired.
    async fn user(&self, app: &Arc<App>, token: &str) -> Result<Option<Arc<SessionUser>>>;
}

/// The users of session tokens where no feature knows of sessions.
pub(super) struct NoSessions;

#[async_trait]
impl Sessions for NoSessions {
    async fn user(&self, _app: &Arc<App>, _token: &str) -> Result<Option<Arc<SessionUser>>> {
        Ok(None)
    }
}

/// The entities of users where no feature knows of roles.
pub(super) struct NoRoles;

#[async_trait]
impl Entities for NoRoles {
    async fn find(&self, _app: &Arc<App>, user: &str, _transaction: Option<&Transaction>) -> Result<Arc<[String]>> {
        Ok([acl::PUBLIC.to_owned(), user.to_owned()].into())
    }
}
