//! Work that is sent together: what arrives of a kind while as many commands of that kind as may be are on their way waits for
//! the next one. Under load many pieces cost the database one command; nothing waits while a kind is idle.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is on its way of one kind.
struct Lane<W> {
    waiting: Vec<W>,
    commands: usize,
}

impl<W> Lane<W> {
    /// Takes the place of one more command, if fewer than so many are on their way.
    fn take_place(&mut self, commands: usize) -> bool {
        let free = self.commands < commands;
        self.commands += usize::from(free);
        free
    }
}

/// Pieces of work on their way, by kind.
pub(super) struct Lanes<K, W> {
    lanes: Arc<Mutex<HashMap<K, Lane<W>>>>,
    commands: usize,
}

impl<K, W> Clone for Lanes<K, W> {
    fn clone(&self) -> Self {
        Self { lanes: self.lanes.clone(), commands: self.commands }
    }
}

impl<K: Hash + Eq + Clone, W> Lanes<K, W> {
    /// `commands`: how many may be on their way for one kind at a time. Few let pieces wait for each other, many leave less to
    /// be sent together.
    pub(super) fn new(commands: usize) -> Self {
        Self { lanes: Arc::default(), commands }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<K, Lane<W>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the place of a command on its way, if one is free: for a piece that its caller sends by itself, with [`Lanes::end`] after
    /// it.
    #[must_use]
    pub(super) fn begin(&self, kind: &K) -> bool {
        let mut lanes = self.lanes();
        let Some(lane) = lanes.get_mut(kind) else {
            lanes.insert(kind.clone(), Lane { waiting: Vec::new(), commands: 1 });
            return true;
        };
        lane.take_place(self.commands)
    }

    /// Gives the place of a command back. `true`: pieces wait, and the place is that of a sender which the caller has to begin.
    #[must_use]
    pub(super) fn end(&self, kind: &K) -> bool {
        let mut lanes = self.lanes();
        lanes.get_mut(kind).is_some_and(|lane| !lane.waiting.is_empty()) || {
            Self::leave(&mut lanes, kind);
            false
        }
    }

    /// One command less; an idle kind leaves nothing behind.
    fn leave(lanes: &mut HashMap<K, Lane<W>>, kind: &K) {
        let Some(lane) = lanes.get_mut(kind) else { return };
        lane.commands = lane.commands.saturating_sub(1);
        if lane.commands == 0 {
            lanes.remove(kind);
        }
    }

    /// Lets a piece wait. `true`: the caller has to begin a sender, which sends what [`Lanes::next`] gives until that is
    /// nothing. It is to be a task of its own: it goes on when the request that began it is gone.
    #[must_use]
    pub(super) fn put(&self, kind: &K, piece: W) -> bool {
        let mut lanes = self.lanes();
        let Some(lane) = lanes.get_mut(kind) else {
            lanes.insert(kind.clone(), Lane { waiting: vec![piece], commands: 1 });
            return true;
        };
        lane.waiting.push(piece);
        lane.take_place(self.commands)
    }

    /// The pieces of the next command, of which `fitting` says how many go together; `None` ends the sender.
    pub(super) fn next(&self, kind: &K, fitting: impl FnOnce(&[W]) -> usize) -> Option<Vec<W>> {
        let mut lanes = self.lanes();
        let lane = lanes.get_mut(kind)?;
        if lane.waiting.is_empty() {
            Self::leave(&mut lanes, kind);
            return None;
        }
        let count = fitting(&lane.waiting).clamp(1, lane.waiting.len());
        let rest = lane.waiting.split_off(count);
        Some(std::mem::replace(&mut lane.waiting, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_wait_for_a_sender_that_is_free() {
        const COMMANDS: usize = 3;
        let lanes = Lanes::<&str, usize>::new(COMMANDS);
        for piece in 0..COMMANDS {
            assert!(lanes.put(&"a", piece));
        }
        for piece in COMMANDS..10 {
            assert!(!lanes.put(&"a", piece), "as many senders as there may be");
        }
        assert!(lanes.put(&"b", 0), "another kind");
        assert_eq!(lanes.next(&"a", |waiting| waiting.len().min(3)), Some(vec![0, 1, 2]));
        assert_eq!(lanes.next(&"a", |_| 0), Some(vec![3]), "one at least");
        assert_eq!(lanes.next(&"a", <[usize]>::len), Some((4..10).collect()));
        for _ in 0..COMMANDS {
            assert_eq!(lanes.next(&"a", <[usize]>::len), None);
        }
        assert!(!lanes.lanes().contains_key("a"), "nothing stays behind");
        assert!(lanes.put(&"a", 9));
    }

    #[test]
    fn a_place_that_is_given_back_goes_to_what_waits() {
        let lanes = Lanes::<&str, usize>::new(2);
        assert!(lanes.begin(&"a"));
        assert!(lanes.begin(&"a"));
        assert!(!lanes.begin(&"a"), "as many commands as there may be");
        assert!(!lanes.put(&"a", 1));
        assert!(lanes.end(&"a"), "a sender is needed");
        assert!(!lanes.begin(&"a"), "it has the place");
        assert_eq!(lanes.next(&"a", <[usize]>::len), Some(vec![1]));
        assert_eq!(lanes.next(&"a", <[usize]>::len), None);
        assert!(lanes.begin(&"a"));
        assert!(!lanes.end(&"a"));
        assert!(!lanes.end(&"a"));
        assert!(!lanes.lanes().contains_key("a"), "nothing stays behind");
    }
}
