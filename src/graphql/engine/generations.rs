//! A cache with limits on the number and weight of its entries. It has two generations: a used entry moves to the
//! young one.
//! When the young generation reaches half of the limit, it becomes the old one, and the previous old one is dropped.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Entries by text.
#[derive(Debug)]
pub struct Generations<V> {
    most: usize,
    max_weight: usize,
    held: RwLock<Held<V>>,
}

#[derive(Debug)]
struct Held<V> {
    young: HashMap<Box<str>, (V, usize)>,
    old: HashMap<Box<str>, (V, usize)>,
    /// Weight of the young generation.
    weight: usize,
}

impl<V: Clone> Generations<V> {
    /// An empty cache with at most this many entries and this total weight.
    #[must_use]
    pub fn new(most: usize, max_weight: usize) -> Self {
        let held = Held { young: HashMap::new(), old: HashMap::new(), weight: 0 };
        Self { most, max_weight, held: RwLock::new(held) }
    }

    /// The value with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<V> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((value, _)) = held.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = held.old.get(key).cloned()?;
        drop(held);
        self.keep(key, &value, weight);
        Some(value)
    }

    /// Adds a value, unless it weighs more than an eighth of the limit.
    pub fn keep(&self, key: &str, value: &V, weight: usize) {
        if weight > self.max_weight / 8 || self.most == 0 {
            return;
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let mut dropped = HashMap::new();
        if held.young.contains_key(key) {
            return;
        }
        let heavy = held.weight.saturating_add(weight) > self.max_weight / 2;
        if heavy || held.young.len() >= self.most.div_ceil(2) {
            let young = std::mem::take(&mut held.young);
            dropped = std::mem::replace(&mut held.old, young);
            held.weight = 0;
        }
        held.weight = held.weight.saturating_add(weight);
        held.young.insert(key.into(), (value.clone(), weight));
        drop(held);
        // Free the entries after the lock has been released.
        drop(dropped);
    }

    /// Number and weight of the entries.
    #[cfg(test)]
    pub(crate) fn size(&self) -> (usize, usize) {
        let held = self.held.read().unwrap();
        let entries = held.young.values().chain(held.old.values());
        entries.fold((0, 0), |(count, total), (_, weight)| (count + 1, total + weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_bounded() {
        let cache = Generations::new(100, 8_000);
        cache.keep("often", &0, 10);
        for number in 1..3_000 {
            cache.keep(&number.to_string(), &number, number % 100);
            assert_eq!(cache.get("often"), Some(0));
            let (count, weight) = cache.size();
            assert!(count <= 101 && weight <= 8_000, "{count} entries, {weight}");
        }
        assert_eq!(cache.get("1"), None);
        assert_eq!(cache.get("2999"), Some(2_999));
        cache.keep("heavy", &1, 1_001);
        assert_eq!(cache.get("heavy"), None);
    }

    #[test]
    fn a_cache_for_nothing_keeps_nothing() {
        let cache = Generations::new(0, 1_000);
        cache.keep("a", &1, 1);
        assert_eq!(cache.size(), (0, 0));
    }
}
