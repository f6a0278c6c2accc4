//! Roles of users, direct and inherited.
//!
//! A user has a role if it is one of the role's `users`, or if one of its roles is one of the role's `roles`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use metrics::counter;

use crate::bounded_cache::BoundedCache;
use crate::config::Options;
use crate::domain::kernel::age::Age;
use crate::domain::kernel::app::App;
use crate::domain::kernel::audit::Audited;
use crate::domain::kernel::caches::Cache;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::{Entities, Feature};
use crate::domain::read;
use crate::domain::store;
use crate::error::Result;
use crate::model::acl;
use crate::model::measures;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::query::options::FindOptions;
use crate::storage::Transaction;

/// A cache of the entities of users.
pub struct RoleCache {
    entities: BoundedCache<Arc<[String]>>,
    age: Age,
}

impl RoleCache {
    /// A cache for this many users, with a time to live.
    #[must_use]
    pub fn new(size: u64, ttl: Duration) -> Self {
        Self { entities: BoundedCache::living(size, ttl), age: Age::default() }
    }

    fn get(&self, user: &str) -> Option<Arc<[String]>> {
        let known = self.entities.get(user);
        let outcome = if known.is_some() { "hit" } else { "miss" };
        counter!(measures::CACHE_LOOKUPS, "cache" => "roles", "outcome" => outcome).increment(1);
        known
    }

    /// Caches the entities of a user, unless roles have changed since `asked_at`.
    fn remember(&self, user: &str, entities: Arc<[String]>, asked_at: u64) {
        if self.age.get() == asked_at {
            self.entities.insert(user.to_owned(), entities);
        }
        if self.age.get() != asked_at {
            self.entities.remove(user);
        }
    }
}

impl Cache for RoleCache {
    fn watches(&self) -> &'static [&'static str] {
        &[names::ROLE, names::ROLE_USERS, names::ROLE_ROLES]
    }

    /// A change of a role can affect any user.
    fn forget(&self, _class: &str, _id: Option<&str>) {
        self.clear();
    }

    fn clear(&self) {
        self.age.grow();
        self.entities.clear();
    }
}

impl fmt::Debug for RoleCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RoleCache({})", self.entities.count())
    }
}

/// Roles, for the kernel.
#[must_use]
pub fn feature(options: &Options) -> Feature {
    let ttl = Duration::from_millis(options.server.cache_ttl);
    let cache = Arc::new(RoleCache::new(options.server.cache_max_size, ttl));
    let mut feature = Feature::new("roles").rules(names::ROLE, RoleRules);
    feature.caches.push(cache.clone());
    feature.entities = Some(Arc::new(UserEntities(cache)));
    feature
}

/// Rules of the class `_Role`.
struct RoleRules;

impl ClassRules for RoleRules {
    fn after_delete<'a>(&'a self, cx: &'a Context, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // A later role with the same id must not inherit what this one does.
            if cx.app.options.database.allow_custom_object_id {
                store::leave_relations(cx, &ClassName::unchecked(names::ROLE), "roles", id).await?;
            }
            Ok(())
        })
    }

    fn look_into_rows(&self) -> bool {
        false
    }

    fn audited(&self) -> Audited {
        Audited::All
    }
}

/// Determines the roles of users.
struct UserEntities(Arc<RoleCache>);

impl Entities for UserEntities {
    fn known(&self, user: &str) -> Option<Arc<[String]>> {
        self.0.get(user)
    }

    /// Needs two queries, regardless of the number of roles and their nesting. Cycles are handled.
    fn find<'a>(
        &'a self,
        app: &'a Arc<App>,
        user: &'a str,
        transaction: Option<&'a Transaction>,
    ) -> BoxFuture<'a, Result<Arc<[String]>>> {
        Box::pin(async move {
            let asked_at = self.0.age.get();
            let (users, roles) = (ClassName::unchecked(names::ROLE_USERS), ClassName::unchecked(names::ROLE_ROLES));
            let above = app.storage.ancestors(&users, &roles, user, transaction).await.map_err(failure)?;
            let mut entities = vec![acl::PUBLIC.to_owned(), user.to_owned()];
            let candidates = above.owners();
            if !candidates.is_empty() {
                let mut cx = Context::of_server(app);
                cx.transaction = transaction.cloned();
                let options = FindOptions { keys: Some(vec!["name".to_owned()]), ..FindOptions::default() };
                let ids = store::by_ids(candidates.into_iter().map(str::to_owned));
                let rows = read::internal_all(&cx, names::ROLE, ids, &options, "names of the roles held").await?;
                let name = |row: &Object| Some((row.get_str("objectId")?.to_owned(), row.get_str("name")?.to_owned()));
                let names: HashMap<String, String> = rows.iter().filter_map(name).collect();
                // The pairs of a deleted role still exist; a deleted role must not inherit others.
                let held = above.reachable(|role| names.contains_key(role));
                entities.extend(held.iter().filter_map(|role| names.get(*role)).map(|name| format!("role:{name}")));
            }
            let entities: Arc<[String]> = entities.into();
            if transaction.is_none() {
                self.0.remember(user, entities.clone(), asked_at);
            }
            Ok(entities)
        })
    }
}
