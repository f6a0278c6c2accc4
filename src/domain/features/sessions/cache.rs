//! The cache of sessions and their users. Entries live for `cacheTTL`. Writes by this process invalidate them at once,
//! writes by others when the store reports them. Callers must check the expiry of a cached session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::bounded_cache::BoundedCache;
use crate::domain::kernel::age::Age;
use crate::domain::kernel::caches::Cache;
use crate::model::date::Date;
use crate::model::names;
use crate::model::object::Object;
use crate::model::value::Value;

/// Minimum interval in milliseconds between checks whether to extend a session.
const EXTEND_INTERVAL: Duration = Duration::from_millis(500);

/// The cached part of a session.
#[derive(Debug)]
pub struct Session {
    /// The session's id.
    pub id: String,
    /// Its user.
    pub user_id: String,
    /// Its expiry; `None` means never.
    pub expires_at: Option<Date>,
    /// When it was last updated.
    pub updated_at: Date,
}

impl Session {
    /// Reads a row; `None` if it has no user.
    #[must_use]
    pub fn from_row(row: &Object) -> Option<Self> {
        Some(Self {
            id: row.get_str("objectId")?.to_owned(),
            user_id: row.get("user").and_then(Value::as_pointer)?.id.clone(),
            expires_at: row.get("expiresAt").and_then(Value::as_date),
            updated_at: row.get("updatedAt").and_then(Value::as_date).unwrap_or_default(),
        })
    }
}

/// The cache.
pub struct SessionCache {
    by_token: BoundedCache<Arc<Session>>,
    token_of: BoundedCache<String>,
    users: BoundedCache<Arc<Object>>,
    extended: BoundedCache<()>,
    age: Age,
}

impl SessionCache {
    /// A cache for this many entries of each kind, with a time to live.
    #[must_use]
    pub fn new(size: u64, ttl: Duration) -> Self {
        Self {
            by_token: BoundedCache::living(size, ttl),
            // Lives longer than the sessions, so that every cached session can be found by its id.
            token_of: BoundedCache::living(size.saturating_mul(2), ttl * 2),
            users: BoundedCache::living(size, ttl),
            extended: BoundedCache::living(size, EXTEND_INTERVAL),
            age: Age::default(),
        }
    }

    /// The age of the cache; must be read before the store is.
    #[must_use]
    pub fn age(&self) -> u64 {
        self.age.get()
    }

    /// How many sessions and users it has, roughly.
    #[must_use]
    pub fn sizes(&self) -> (u64, u64) {
        (self.by_token.count(), self.users.count())
    }

    /// The session of a token.
    #[must_use]
    pub fn session(&self, token: &str) -> Option<Arc<Session>> {
        self.by_token.get(token)
    }

    /// Caches a session, unless the cache was invalidated since `asked_at`.
    #[must_use]
    pub fn remember_session(&self, token: &str, session: Session, asked_at: u64) -> Arc<Session> {
        let session = Arc::new(session);
        if self.age.get() == asked_at {
            self.token_of.insert(session.id.clone(), token.to_owned());
            self.by_token.insert(token.to_owned(), session.clone());
        }
        if self.age.get() != asked_at {
            self.by_token.remove(token);
        }
        session
    }

    /// The row of a user.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<Arc<Object>> {
        self.users.get(id)
    }

    /// Caches a user's row, unless the cache was invalidated since `asked_at`.
    #[must_use]
    pub fn remember_user(&self, id: &str, row: Object, asked_at: u64) -> Arc<Object> {
        let row = Arc::new(row);
        if self.age.get() == asked_at {
            self.users.insert(id.to_owned(), row.clone());
        }
        if self.age.get() != asked_at {
            self.users.remove(id);
        }
        row
    }

    /// Removes a session by its token.
    pub fn forget_token(&self, token: &str) {
        self.age.grow();
        self.by_token.remove(token);
    }

    /// Removes a session by its id.
    pub fn forget_session(&self, id: &str) {
        self.age.grow();
        if let Some(token) = self.token_of.get(id) {
            self.by_token.remove(&token);
        }
    }

    /// Removes a user's row.
    pub fn forget_user(&self, id: &str) {
        self.age.grow();
        self.users.remove(id);
    }

    /// Removes all sessions of a user.
    pub fn forget_sessions_of(&self, user: &str) {
        self.age.grow();
        let user = user.to_owned();
        self.by_token.remove_if(move |session| session.user_id == user);
    }

    /// Whether it is time to check again whether to extend this session.
    #[must_use]
    pub fn may_extend(&self, token: &str) -> bool {
        self.extended.get(token).is_none() && self.extended.is_new(token.to_owned())
    }
}

impl Cache for SessionCache {
    fn watches(&self) -> &'static [&'static str] {
        &[names::SESSION, names::USER]
    }

    /// Removes the session or user with the id.
    fn forget(&self, _class: &str, id: Option<&str>) {
        match id {
            Some(id) => {
                self.forget_session(id);
                self.forget_user(id);
            }
            None => self.clear(),
        }
    }

    fn clear(&self) {
        self.age.grow();
        self.by_token.clear();
        self.users.clear();
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SessionCache").field("sessions", &self.by_token.count()).finish_non_exhaustive()
    }
}
