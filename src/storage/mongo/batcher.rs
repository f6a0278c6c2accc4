//! Batches operations: once the maximum number of commands of one kind is in flight, further operations of that kind
//! are queued and sent together in the next command. Under load many operations cost one command; without load nothing
//! waits.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The operations of one kind.
struct Group<W> {
    waiting: Vec<W>,
    commands: usize,
}

impl<W> Group<W> {
    /// Reserves a slot for a command, if fewer than the maximum are in flight.
    fn take_place(&mut self, commands: usize) -> bool {
        let free = self.commands < commands;
        self.commands += usize::from(free);
        free
    }
}

/// Operations by kind.
pub(super) struct Batcher<K, W> {
    kinds: Arc<Mutex<HashMap<K, Group<W>>>>,
    commands: usize,
}

impl<K, W> Clone for Batcher<K, W> {
    fn clone(&self) -> Self {
        Self { kinds: self.kinds.clone(), commands: self.commands }
    }
}

impl<K: Hash + Eq + Clone, W> Batcher<K, W> {
    /// `commands`: maximum number of commands of one kind in flight. With few, operations wait for each other; with
    /// many, fewer are batched.
    pub(super) fn new(commands: usize) -> Self {
        Self { kinds: Arc::default(), commands }
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<K, Group<W>>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a slot, if one is free, for an operation that the caller sends itself. The caller must call
    /// [`Batcher::end`] after it.
    #[must_use]
    pub(super) fn begin(&self, kind: &K) -> bool {
        let mut kinds = self.kinds();
        let Some(entry) = kinds.get_mut(kind) else {
            kinds.insert(kind.clone(), Group { waiting: Vec::new(), commands: 1 });
            return true;
        };
        entry.take_place(self.commands)
    }

    /// Releases a slot. `true`: operations are queued, and the caller must start a sender, which uses the slot.
    #[must_use]
    pub(super) fn end(&self, kind: &K) -> bool {
        let mut kinds = self.kinds();
        kinds.get_mut(kind).is_some_and(|entry| !entry.waiting.is_empty()) || {
            Self::leave(&mut kinds, kind);
            false
        }
    }

    /// Releases a slot, and removes the kind if it is idle.
    fn leave(kinds: &mut HashMap<K, Group<W>>, kind: &K) {
        let Some(entry) = kinds.get_mut(kind) else { return };
        entry.commands = entry.commands.saturating_sub(1);
        if entry.commands == 0 {
            kinds.remove(kind);
        }
    }

    /// Queues an operation. `true`: the caller must start a sender, which sends the batches of [`Batcher::next`] until
    /// there are none. It must run in a task of its own, because it continues after the request that started it.
    #[must_use]
    pub(super) fn put(&self, kind: &K, piece: W) -> bool {
        let mut kinds = self.kinds();
        let Some(entry) = kinds.get_mut(kind) else {
            kinds.insert(kind.clone(), Group { waiting: vec![piece], commands: 1 });
            return true;
        };
        entry.waiting.push(piece);
        entry.take_place(self.commands)
    }

    /// The operations of the next command; `fitting` returns how many fit into one. `None` ends the sender.
    pub(super) fn next(&self, kind: &K, fitting: impl FnOnce(&[W]) -> usize) -> Option<Vec<W>> {
        let mut kinds = self.kinds();
        let entry = kinds.get_mut(kind)?;
        if entry.waiting.is_empty() {
            Self::leave(&mut kinds, kind);
            return None;
        }
        let count = fitting(&entry.waiting).clamp(1, entry.waiting.len());
        let rest = entry.waiting.split_off(count);
        Some(std::mem::replace(&mut entry.waiting, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_wait_for_a_sender_that_is_free() {
        const COMMANDS: usize = 3;
        let kinds = Batcher::<&str, usize>::new(COMMANDS);
        for piece in 0..COMMANDS {
            assert!(kinds.put(&"a", piece));
        }
        for piece in COMMANDS..10 {
            assert!(!kinds.put(&"a", piece), "as many senders as there may be");
        }
        assert!(kinds.put(&"b", 0), "another kind");
        assert_eq!(kinds.next(&"a", |waiting| waiting.len().min(3)), Some(vec![0, 1, 2]));
        assert_eq!(kinds.next(&"a", |_| 0), Some(vec![3]), "one at least");
        assert_eq!(kinds.next(&"a", <[usize]>::len), Some((4..10).collect()));
        for _ in 0..COMMANDS {
            assert_eq!(kinds.next(&"a", <[usize]>::len), None);
        }
        assert!(!kinds.kinds().contains_key("a"), "nothing stays behind");
        assert!(kinds.put(&"a", 9));
    }

    #[test]
    fn a_place_that_is_given_back_goes_to_what_waits() {
        let kinds = Batcher::<&str, usize>::new(2);
        assert!(kinds.begin(&"a"));
        assert!(kinds.begin(&"a"));
        assert!(!kinds.begin(&"a"), "as many commands as there may be");
        assert!(!kinds.put(&"a", 1));
        assert!(kinds.end(&"a"), "a sender is needed");
        assert!(!kinds.begin(&"a"), "it has the place");
        assert_eq!(kinds.next(&"a", <[usize]>::len), Some(vec![1]));
        assert_eq!(kinds.next(&"a", <[usize]>::len), None);
        assert!(kinds.begin(&"a"));
        assert!(!kinds.end(&"a"));
        assert!(!kinds.end(&"a"));
        assert!(!kinds.kinds().contains_key("a"), "nothing stays behind");
    }
}
