//! The record with which a feature registers. The kernel knows no feature by name or type: `features::all` lists them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use super::app::App;
use super::audit::Auditor;
use super::auth::SessionUser;
use super::caches::Cache;
use super::class_rules::ClassRules;
use crate::config::Options;
use crate::error::Result;
use crate::model::acl;
use crate::model::files::addresses::Elsewhere;
use crate::storage::Transaction;

/// A feature: everything that the pipelines, the change stream, start and shutdown need of it.
#[derive(Default)]
pub struct Feature {
    /// The name of its module.
    pub name: &'static str,
    /// Its rules by class. A class has the rules of one feature only.
    pub rules: Vec<(&'static str, Arc<dyn ClassRules>)>,
    /// Its caches.
    pub caches: Vec<Arc<dyn Cache>>,
    /// Data that it loads at start.
    pub refreshes: Vec<Arc<dyn Refresh>>,
    /// Its background work, which one of the servers on a database does.
    pub work: Vec<Arc<dyn Work>>,
    /// Values that its functions look up by type with [`App::feature`].
    pub state: TypeMap,
    /// Determines the entities of a user. Only the feature `roles` sets it.
    pub entities: Option<Arc<dyn Entities>>,
    /// Finds the user of a session token. One feature has it: sessions.
    pub sessions: Option<Arc<dyn Sessions>>,
    /// Notes what matters for security. One feature has it: audit.
    pub auditor: Option<Arc<dyn Auditor>>,
    /// Gives files addresses of their own. One feature has it: files.
    pub file_addresses: Option<Arc<dyn Elsewhere>>,
    /// Its part of `features` in `/serverInfo`.
    pub server_info: Option<fn(&Options) -> Json>,
    /// Runs at start, after the schema has been read and before the first request.
    pub on_start: Option<fn(&App)>,
    /// Sets its gauges; runs before metrics are read.
    pub gauges: Option<fn(&App)>,
    /// Runs on shutdown, before the server waits for writes in flight.
    pub on_stop: Option<fn(&App)>,
}

impl Feature {
    /// An empty record with this name.
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

    /// Adds a cache, which the feature's functions look up by its type.
    #[must_use]
    pub fn cache<C: Cache + 'static>(mut self, cache: C) -> Self {
        let cache = Arc::new(cache);
        self.caches.push(cache.clone());
        self.state.insert(cache);
        self
    }

    /// Adds a cache that is loaded at start.
    #[must_use]
    pub fn refreshed_cache<C: Cache + Refresh + 'static>(mut self, cache: C) -> Self {
        let cache = Arc::new(cache);
        self.caches.push(cache.clone());
        self.refreshes.push(cache.clone());
        self.state.insert(cache);
        self
    }

    /// Adds background work.
    #[must_use]
    pub fn work(mut self, work: impl Work + 'static) -> Self {
        self.work.push(Arc::new(work));
        self
    }

    /// Adds a value that the feature's functions look up by its type.
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

/// Data that is loaded at start.
pub trait Refresh: Send + Sync {
    /// Loads the data. Runs at start and after invalidations. `blind`: the store cannot watch, so other servers may
    /// have changed something.
    ///
    /// # Errors
    /// If the store cannot be read; the old data is kept.
    fn refresh<'a>(&'a self, app: &'a Arc<App>, blind: bool) -> BoxFuture<'a, Result<()>>;
}

/// Background work that runs in rounds.
pub trait Work: Send + Sync + fmt::Debug {
    /// Its name, which is the same on all servers.
    fn kind(&self) -> &'static str;

    /// Whether one server does it of those that share a database; if not, each of them does.
    fn alone(&self) -> bool {
        true
    }

    /// The pause between rounds.
    fn every(&self) -> Duration;

    /// Whether there is anything to do on this server. The store is not asked for a lease where there is not.
    fn is_needed(&self, _app: &App) -> bool {
        true
    }

    /// Runs one round. It may be dropped at any `await`, when the server stops or loses the lease.
    ///
    /// # Errors
    /// An error; the round is retried a few times, then at the next scheduled time.
    fn round<'a>(&'a self, app: &'a Arc<App>) -> BoxFuture<'a, Result<()>>;
}

/// Values by type, one of each.
#[derive(Default)]
pub struct TypeMap(HashMap<TypeId, Arc<dyn Any + Send + Sync>, RandomState>);

impl TypeMap {
    /// Adds a value, replacing one of the same type.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
    }

    /// The value of a type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Adds all values of another map.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Determines the entities of a user, to which permissions are granted.
pub trait Entities: Send + Sync {
    /// The entities, if they are cached.
    fn known(&self, _user: &str) -> Option<Arc<[String]>> {
        None
    }

    /// `*`, the user's id, then the user's roles, each as `role:NAME`.
    ///
    /// # Errors
    /// If the store fails.
    fn find<'a>(
        &'a self,
        app: &'a Arc<App>,
        user: &'a str,
        transaction: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Arc<[String]>>>;
}

/// Finds the user of a session token, for what is done with it other than requests: that does not count as a use of the session.
pub trait Sessions: Send + Sync {
    /// The user; `None` when it is gone.
    ///
    /// # Errors
    /// 209 when the token is unknown or expired.
    fn user<'a>(&'a self, app: &'a Arc<App>, token: &'a str) -> BoxFuture<'a, Result<Option<Arc<SessionUser>>>>;
}

/// The users of session tokens where no feature knows of sessions.
pub(super) struct NoSessions;

impl Sessions for NoSessions {
    fn user<'a>(&'a self, _app: &'a Arc<App>, _token: &'a str) -> BoxFuture<'a, Result<Option<Arc<SessionUser>>>> {
        Box::pin(async move { Ok(None) })
    }
}

/// The entities of users without a feature for roles.
pub(super) struct NoRoles;

impl Entities for NoRoles {
    fn find<'a>(
        &'a self,
        _app: &'a Arc<App>,
        user: &'a str,
        _transaction: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Arc<[String]>>> {
        Box::pin(async move { Ok([acl::PUBLIC.to_owned(), user.to_owned()].into()) })
    }
}
