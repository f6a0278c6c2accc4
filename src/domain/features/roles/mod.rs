//! Roles: which ones a user holds, directly or by inheritance.
//!
//! A user holds a role when it is among the role's `users`, or when a role it holds is among the role's `roles`.

pub mod rules;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::domain::kernel::age::Age;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::{Client, Context};
use crate::domain::kernel::failure::failure;
use crate::domain::read;
use crate::domain::store;
use crate::error::Result;
use crate::model::acl;
use crate::model::names::{self, ClassName};
use crate::model::query::options::FindOptions;
use crate::storage::Transaction;

/// What permissions may name for users, resolved lately.
pub struct RoleCache {
    entities: Cache<String, Arc<[String]>>,
    age: Age,
}

impl RoleCache {
    /// A cache of so many users, each kept for `ttl`.
    #[must_use]
    pub fn new(size: u64, ttl: Duration) -> Self {
        Self { entities: Cache::builder().max_capacity(size).time_to_live(ttl).build(), age: Age::default() }
    }

    /// Forgets everything: any change of a role may change what any user holds.
    pub fn clear(&self) {
        self.age.grow();
        self.entities.invalidate_all();
    }

    fn get(&self, user: &str) -> Option<Arc<[String]>> {
        self.entities.get(user)
    }

    /// Keeps what was found out, unless roles changed since `asked_at`.
    fn remember(&self, user: &str, entities: Arc<[String]>, asked_at: u64) {
        if self.age.get() == asked_at {
            self.entities.insert(user.to_owned(), entities);
        }
        if self.age.get() != asked_at {
            self.entities.invalidate(user);
        }
    }
}

impl fmt::Debug for RoleCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RoleCache({})", self.entities.entry_count())
    }
}

/// What permissions may name for a user: `*`, the user's id, then each role it holds as `role:NAME`. What is known already is
/// handed out without a copy. Two queries otherwise, however many the roles and however deep they are nested; cycles end.
///
/// # Errors
/// When the store fails.
pub async fn entities_of(app: &Arc<App>, user: &str, transaction: Option<&Transaction>) -> Result<Arc<[String]>> {
    if transaction.is_none()
        && let Some(entities) = app.roles.get(user)
    {
        return Ok(entities);
    }
    let asked_at = app.roles.age.get();
    let (users, roles) = (ClassName::unchecked(names::ROLE_USERS), ClassName::unchecked(names::ROLE_ROLES));
    let held = app.storage.ancestors(&users, &roles, user, transaction).await.map_err(failure)?;
    let mut entities = Vec::with_capacity(held.len() + 2);
    entities.extend([acl::PUBLIC.to_owned(), user.to_owned()]);
    if !held.is_empty() {
        let mut cx = Context::new(app.clone(), Auth::Master, None, None, false, Client::default());
        cx.transaction = transaction.cloned();
        let options = FindOptions { keys: Some(vec!["name".to_owned()]), ..FindOptions::default() };
        let rows =
            read::internal_all(&cx, names::ROLE, store::by_ids(held), &options, "names of the roles held").await?;
        entities.extend(rows.iter().filter_map(|row| row.get_str("name")).map(|name| format!("role:{name}")));
    }
    let entities: Arc<[String]> = entities.into();
    if transaction.is_none() {
        app.roles.remember(user, entities.clone(), asked_at);
    }
    Ok(entities)
}
