//! Roles: which ones a user holds, directly or by inheritance.
//!
//! A user holds a role when it is among the role's `users`, or when a role it holds is among the role's `roles`.

pub mod rules;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::age::Age;
use super::app::App;
use super::auth::Auth;
use super::context::{Client, Context};
use super::read;
use super::store;
use crate::error::Result;
use crate::model::names::{self, ClassName};
use crate::model::query::options::FindOptions;
use crate::storage::Transaction;

/// The roles of users, resolved lately; each `role:NAME`.
pub struct RoleCache {
    roles: Cache<String, Arc<[String]>>,
    age: Age,
}

impl RoleCache {
    /// A cache of so many users, each kept for `ttl`.
    #[must_use]
    pub fn new(size: u64, ttl: Duration) -> Self {
        Self { roles: Cache::builder().max_capacity(size).time_to_live(ttl).build(), age: Age::default() }
    }

    /// Forgets everything: any change of a role may change what any user holds.
    pub fn clear(&self) {
        self.age.grow();
        self.roles.invalidate_all();
    }

    fn get(&self, user: &str) -> Option<Arc<[String]>> {
        self.roles.get(user)
    }

    /// Keeps what was found out, unless roles changed since `asked_at`.
    fn remember(&self, user: &str, roles: Arc<[String]>, asked_at: u64) {
        if self.age.get() == asked_at {
            self.roles.insert(user.to_owned(), roles);
        }
        if self.age.get() != asked_at {
            self.roles.invalidate(user);
        }
    }
}

impl fmt::Debug for RoleCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RoleCache({})", self.roles.entry_count())
    }
}

/// The roles a user holds, each as `role:NAME`. One query per level of inheritance; a role is visited once, so cycles end.
///
/// # Errors
/// When the store fails.
pub async fn of_user(app: &Arc<App>, user: &str, transaction: Option<&Transaction>) -> Result<Arc<[String]>> {
    if transaction.is_none()
        && let Some(roles) = app.roles.get(user)
    {
        return Ok(roles);
    }
    let asked_at = app.roles.age.get();
    let class = ClassName::trusted(names::ROLE);
    let owners = |field: &'static str, members: Vec<String>| {
        let join = class.join(field);
        async move { app.storage.owners(&join, &members, transaction).await.map_err(store::failure) }
    };
    let mut held: HashSet<String> = HashSet::new();
    let mut level: Vec<String> =
        owners("users", vec![user.to_owned()]).await?.into_iter().map(|(role, _)| role).collect();
    while !level.is_empty() {
        level.retain(|role| held.insert(role.clone()));
        if level.is_empty() {
            break;
        }
        level = owners("roles", level).await?.into_iter().map(|(role, _)| role).collect();
    }
    let mut roles: Vec<String> = Vec::with_capacity(held.len());
    if !held.is_empty() {
        let mut cx = Context::new(app.clone(), Auth::Master, None, None, false, Client::default());
        cx.transaction = transaction.cloned();
        let options = FindOptions { keys: Some(vec!["name".to_owned()]), ..FindOptions::default() };
        for row in
            read::internal_all(&cx, names::ROLE, store::by_ids(held), &options, "names of the roles held").await?
        {
            if let Some(name) = row.get_str("name") {
                roles.push(format!("role:{name}"));
            }
        }
    }
    let roles: Arc<[String]> = roles.into();
    if transaction.is_none() {
        app.roles.remember(user, roles.clone(), asked_at);
    }
    Ok(roles)
}
