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
}

impl<K: Hash + Eq + Clone, T> FairQueue<K, T> {
    /// An empty queue.
    pub(super) fn new() -> Self {
        Self { returned: VecDeque::new(), by_caller: HashMap::new(), turns: VecDeque::new(), len: 0 }
    }

    /// Entries in the queue.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Queues an entry of a queue of at most `most`. When it is full, the newest entry of the caller with the most entries goes, if
    /// that is another one. `false`: there is no room.
    #[must_use]
    pub(super) fn put(&mut self, caller: K, entry: T, most: usize) -> bool {
        if self.len >= most {
            let own = self.by_caller.get(&caller).map_or(0, VecDeque::len);
            let longest = self.by_caller.values_mut().max_by_key(|entries| entries.len());
            let Some(longest) = longest.filter(|longest| longest.len() > own + 1) else { return false };
            longest.pop_back();
            self.len -= 1;
        }
        let own = self.by_caller.entry(caller.clone()).or_default();
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
        let mut queue = FairQueue::new();
        for entry in ["a1", "a2", "a3", "a4", "a5"] {
            assert!(queue.put('a', entry, 5));
        }
        assert!(!queue.put('a', "a6", 5), "it is full");
        assert!(queue.put('b', "b1", 5), "a5 goes");
        assert!(queue.put('c', "c1", 5), "a4 goes");
        assert!(!queue.put('a', "a6", 5));
        queue.put_first("again");
        assert_eq!(queue.len(), 6);
        let order: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(order, ["again", "a1", "b1", "c1", "a2", "a3"]);
        assert_eq!((queue.len(), queue.by_caller.len(), queue.turns.len()), (0, 0, 0), "nothing is left of callers");
        assert!(queue.put('a', "a4", 5), "a may wait again");
    }
}
