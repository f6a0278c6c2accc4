//! A cache of at most so many entries, of which those that are used least leave first.
//!
//! All caches share one instance of the library's code, in which values have no type: it is large, and was compiled for each of them.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::{Cache, CacheBuilder};

/// A cache of values by text. Cheap to clone: clones share their entries.
pub struct BoundedCache<V> {
    entries: Entries,
    values: PhantomData<fn() -> V>,
}

type Entries = Cache<String, Entry>;
type Entry = Arc<dyn Any + Send + Sync>;

fn builder(most: u64) -> CacheBuilder<String, Entry, Entries> {
    Cache::builder().max_capacity(most).support_invalidation_closures()
}

impl<V: Clone + Send + Sync + 'static> BoundedCache<V> {
    /// For this many entries.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self { entries: builder(most).build(), values: PhantomData }
    }

    /// For this many entries, each of which leaves after `life`.
    #[must_use]
    pub fn living(most: u64, life: Duration) -> Self {
        Self { entries: builder(most).time_to_live(life).build(), values: PhantomData }
    }

    /// For entries that weigh this much together.
    #[must_use]
    pub fn weighing(most: u64, weigh: fn(&str, &V) -> u32) -> Self {
        let weigh = move |key: &String, entry: &Entry| entry.downcast_ref().map_or(0, |value| weigh(key, value));
        Self { entries: builder(most).weigher(weigh).build(), values: PhantomData }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<V> {
        value(&get(&self.entries, key)?)
    }

    /// Puts a value, in the place of the one before.
    pub fn insert(&self, key: String, value: V) {
        insert(&self.entries, key, Arc::new(value));
    }

    /// Puts what `change` makes of the value of a key; nobody else changes that meanwhile.
    pub fn change(&self, key: String, mut change: impl FnMut(Option<V>) -> V) {
        upsert(&self.entries, key, &mut |known| Arc::new(change(known.and_then(|entry| value(&entry)))));
    }

    /// Removes the entries for which `is_gone` is true.
    pub fn remove_if(&self, is_gone: impl Fn(&V) -> bool + Send + Sync + 'static) {
        remove_if(&self.entries, Box::new(move |entry| entry.downcast_ref().is_some_and(&is_gone)));
    }
}

impl BoundedCache<()> {
    /// Puts a key; whether it was not there before.
    #[must_use]
    pub fn is_new(&self, key: String) -> bool {
        add(&self.entries, key)
    }
}

impl<V> BoundedCache<V> {
    /// Removes a key.
    pub fn remove(&self, key: &str) {
        self.entries.invalidate(key);
    }

    /// Removes all entries.
    pub fn clear(&self) {
        self.entries.invalidate_all();
    }

    /// How many entries there are, roughly.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.entries.entry_count()
    }
}

// What follows is compiled once.

fn value<V: Clone + 'static>(entry: &Entry) -> Option<V> {
    entry.downcast_ref().cloned()
}

fn get(entries: &Entries, key: &str) -> Option<Entry> {
    entries.get(key)
}

fn insert(entries: &Entries, key: String, entry: Entry) {
    entries.insert(key, entry);
}

fn upsert(entries: &Entries, key: String, change: &mut dyn FnMut(Option<Entry>) -> Entry) {
    entries.entry(key).and_upsert_with(|known| change(known.map(moka::Entry::into_value)));
}

fn remove_if(entries: &Entries, is_gone: Box<dyn Fn(&Entry) -> bool + Send + Sync>) {
    // Fails only for a cache built without support for closures.
    let _ = entries.invalidate_entries_if(move |_, entry| is_gone(entry));
}

fn add(entries: &Entries, key: String) -> bool {
    entries.entry(key).or_insert_with(|| Arc::new(())).is_fresh()
}

impl<V> Clone for BoundedCache<V> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), values: PhantomData }
    }
}

impl<V> fmt::Debug for BoundedCache<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BoundedCache({})", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_and_go() {
        let cache = BoundedCache::new(10);
        cache.insert("a".to_owned(), 1);
        cache.change("a".to_owned(), |known| known.unwrap_or(0) + 1);
        cache.change("b".to_owned(), |known| known.unwrap_or(10) + 1);
        assert_eq!((cache.get("a"), cache.get("b"), cache.get("c")), (Some(2), Some(11), None));
        cache.clone().remove_if(|value| *value > 10);
        assert_eq!((cache.get("a"), cache.get("b")), (Some(2), None));
        cache.remove("a");
        assert_eq!(cache.get("a"), None);
        cache.insert("d".to_owned(), 4);
        cache.clear();
        assert_eq!(cache.get("d"), None);
    }

    #[test]
    fn a_key_is_new_once() {
        let cache = BoundedCache::living(10, Duration::from_mins(1));
        assert!(cache.is_new("a".to_owned()) && !cache.is_new("a".to_owned()) && cache.is_new("b".to_owned()));
    }

    #[test]
    fn heavy_entries_find_no_room() {
        let cache = BoundedCache::weighing(10, |key, value: &u32| *value + u32::try_from(key.len()).unwrap());
        cache.insert("a".to_owned(), 8);
        cache.insert("b".to_owned(), 100);
        cache.entries.run_pending_tasks();
        assert_eq!((cache.get("a"), cache.get("b")), (Some(8), None));
    }
}
