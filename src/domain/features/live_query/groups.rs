//! Subscriptions in groups: those to the same class with the same condition are matched together, and those of the same caller judged
//! together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use foldhash::fast::RandomState;

use super::caller::Caller;
use super::event::Member;
use super::query::Query;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::read::standing::Condition;
use crate::model::names::ClassName;

type Map<K, V> = HashMap<K, V, RandomState>;
/// A condition for the fields of a class as it was then; `None`: it cannot be judged.
type Compiled = (Arc<Class>, Option<Arc<Condition>>);

/// What subscriptions of one group have in common besides their class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    master: bool,
    condition: String,
}

/// All subscriptions, by class.
#[derive(Debug, Default)]
pub struct Groups(RwLock<Map<ClassName, Map<Key, Arc<Group>>>>);

/// The subscriptions with one condition.
#[derive(Debug)]
pub struct Group {
    /// A query of the group; the others differ in `keys` alone.
    pub query: Query,
    key: Key,
    members: Mutex<Map<Arc<Caller>, Vec<Arc<Member>>>>,
    compiled: Mutex<Option<Compiled>>,
}

impl Group {
    /// The condition for the fields that the class has now, `class`; `None` when it can no longer be judged.
    pub fn condition(&self, cx: &Context, class: &Arc<Class>) -> Option<Arc<Condition>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, condition)) = &*compiled
            && Arc::ptr_eq(of, class)
        {
            return condition.clone();
        }
        let condition = Condition::read(cx, &self.query.class, self.query.condition.clone()).map(Arc::new);
        let condition =
            condition.map_err(|error| tracing::warn!(%error, "a live query cannot be judged any more")).ok();
        *compiled = Some((class.clone(), condition.clone()));
        condition
    }

    /// Whether the group is that of the master key.
    pub const fn is_masters(&self) -> bool {
        self.key.master
    }

    /// Who has subscriptions in the group.
    pub fn callers(&self) -> Vec<Arc<Caller>> {
        self.lock().keys().cloned().collect()
    }

    /// Calls a function with each subscription of a caller; of all, when no caller is named.
    pub fn each(&self, caller: Option<&Caller>, mut call: impl FnMut(&Arc<Member>)) {
        let members = self.lock();
        match caller {
            Some(caller) => members.get(caller).into_iter().flatten().for_each(call),
            None => members.values().flatten().for_each(&mut call),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Map<Arc<Caller>, Vec<Arc<Member>>>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Groups {
    /// Whether anybody follows the class.
    pub fn follow(&self, class: &ClassName) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(class)
    }

    /// The groups of a class.
    pub fn of(&self, class: &ClassName) -> Vec<Arc<Group>> {
        let classes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        classes.get(class).map(|groups| groups.values().cloned().collect()).unwrap_or_default()
    }

    /// All groups.
    pub fn all(&self) -> Vec<Arc<Group>> {
        let classes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        classes.values().flat_map(|groups| groups.values().cloned()).collect()
    }

    /// Adds a subscription.
    pub fn add(&self, caller: &Arc<Caller>, query: Query, member: Arc<Member>) -> Arc<Group> {
        let key = Key { master: caller.master, condition: query.condition_key() };
        let mut classes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let groups = classes.entry(query.class.clone()).or_default();
        let group = groups
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Group { query, key, members: Mutex::default(), compiled: Mutex::default() }));
        group.lock().entry(caller.clone()).or_default().push(member);
        group.clone()
    }

    /// Removes a subscription.
    pub fn remove(&self, group: &Group, caller: &Caller, member: &Arc<Member>) {
        let mut classes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut members = group.lock();
        if let Some(of_caller) = members.get_mut(caller) {
            if let Some(at) = of_caller.iter().position(|known| Arc::ptr_eq(known, member)) {
                of_caller.swap_remove(at);
            }
            if of_caller.is_empty() {
                members.remove(caller);
            }
        }
        if members.is_empty()
            && let Some(groups) = classes.get_mut(&group.query.class)
        {
            groups.remove(&group.key);
            if groups.is_empty() {
                classes.remove(&group.query.class);
            }
        }
    }
}
