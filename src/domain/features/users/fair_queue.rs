//! A bounded queue in which callers take turns: whoever puts much into it waits longer, and does not make the others wait.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A queue of entries, each of a caller.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    /// What was taken out and put back: it comes before all turns.
    returned: VecDeque<T>,
    by_caller: HashMap<K, VecDeque<T>>,
    /// Whose turn it is; each caller that waits is in it once.
    turns: VecDeque<K>,
    len: usize,
    /// Most entries of one caller.
    share: usize,
}

impl<K: Hash + Eq + Clone, T> FairQueue<K, T> {
    /// An empty queue in which a caller has at most `share` entries.
    pub(super) fn new(share: usize) -> Self {
        let share = share.max(1);
        Self { returned: VecDeque::new(), by_caller: HashMap::new(), turns: VecDeque::new(), len: 0, share }
    }

    /// Entries in the queue.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Queues an entry. `false`: the caller has its share of the queue already.
    #[must_use]
    pub(super) fn put(&mut self, caller: K, entry: T) -> bool {
        let own = self.by_caller.entry(caller.clone()).or_default();
        if own.len() >= self.share {
            return false;
        }
        if own.is_empty() {
            self.turns.push_back(caller);
        }
        own.push_back(entry);
        self.len += 1;
        true
    }

    /// Puts an entry back that was taken out; it comes next.
    pub(super) fn put_first(&mut self, entry: T) {
        self.returned.push_front(entry);
        self.len += 1;
    }

    /// Takes the next entry out: the oldest of the caller whose turn it is.
    pub(super) fn take(&mut self) -> Option<T> {
        if let Some(entry) = self.returned.pop_front() {
            self.len -= 1;
            return Some(entry);
        }
        let caller = self.turns.pop_front()?;
        let own = self.by_caller.get_mut(&caller)?;
        let entry = own.pop_front();
        if own.is_empty() {
            self.by_caller.remove(&caller);
        } else {
            self.turns.push_back(caller);
        }
        self.len -= usize::from(entry.is_some());
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_take_turns() {
        let mut queue = FairQueue::new(3);
        for entry in ["a1", "a2", "a3"] {
            assert!(queue.put('a', entry));
        }
        assert!(!queue.put('a', "a4"), "a has its share");
        assert!(queue.put('b', "b1"));
        assert!(queue.put('c', "c1"));
        queue.put_first("again");
        assert_eq!(queue.len(), 6);
        let order: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(order, ["again", "a1", "b1", "c1", "a2", "a3"]);
        assert_eq!((queue.len(), queue.by_caller.len(), queue.turns.len()), (0, 0, 0), "nothing is left of callers");
        assert!(queue.put('a', "a4"), "a may wait again");
    }
}
