//! What was written, told after the commit to whoever subscribed. Without subscribers nothing is read, copied or told.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::model::names::ClassName;
use crate::model::object::Object;

/// One row that was made, changed or deleted. Rows are as they rest, with their internal columns: who shows them to anybody
/// applies permissions first.
#[derive(Debug, Clone)]
pub struct Written {
    /// The class.
    pub class: ClassName,
    /// The row's id.
    pub id: String,
    /// The row before; `None`: it was made.
    pub before: Option<Arc<Object>>,
    /// The row after; `None`: it was deleted.
    pub after: Option<Arc<Object>>,
    /// Relations that got members as the row was made.
    pub relations: Vec<String>,
}

/// Somebody who wants to know what is written. Neither method may block.
pub trait Subscriber: fmt::Debug + Send + Sync {
    /// Whether changes of this class are wanted.
    fn wants(&self, class: &ClassName) -> bool;

    /// Takes note of a change.
    fn note(&self, written: &Written);

    /// Takes note that a row is about to be made whose relations get members. For whoever hears of the row elsewhere.
    fn note_relations(&self, _class: &ClassName, _id: &str, _relations: &[String]) {}

    /// Takes note that all rows of a class are about to be deleted, which is told to nobody; then, that they were. `until`: the place in
    /// the store's order of writes that was reached by then.
    fn note_purge(&self, _class: &ClassName, _until: Option<u64>) {}
}

/// Tells subscribers.
#[derive(Debug, Default)]
pub struct Events {
    subscribers: ArcSwap<Vec<Arc<dyn Subscriber>>>,
    /// One change of the list at a time.
    changing: Mutex<()>,
}

impl Events {
    /// Adds a subscriber.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subscribers = Vec::clone(&self.subscribers.load());
        subscribers.push(subscriber);
        self.subscribers.store(Arc::new(subscribers));
    }

    /// Removes a subscriber.
    pub fn unsubscribe(&self, subscriber: &Arc<dyn Subscriber>) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subscribers = Vec::clone(&self.subscribers.load());
        subscribers.retain(|known| !Arc::ptr_eq(known, subscriber));
        self.subscribers.store(Arc::new(subscribers));
    }

    /// Whether anybody wants to know of anything.
    #[must_use]
    pub fn has_subscribers(&self) -> bool {
        !self.subscribers.load().is_empty()
    }

    /// Whether anybody wants changes of the class: then the row before is worth reading.
    #[must_use]
    pub fn wanted(&self, class: &ClassName) -> bool {
        self.subscribers.load().iter().any(|subscriber| subscriber.wants(class))
    }

    /// Tells everybody of relations of a row that is about to be made.
    pub fn announce_relations(&self, class: &ClassName, id: &str, relations: &[String]) {
        self.subscribers.load().iter().for_each(|subscriber| subscriber.note_relations(class, id, relations));
    }

    /// Tells everybody that a class is emptied, before and after.
    pub fn announce_purge(&self, class: &ClassName, until: Option<u64>) {
        self.subscribers.load().iter().for_each(|subscriber| subscriber.note_purge(class, until));
    }

    /// Tells everybody who wants it.
    pub fn publish(&self, written: &Written) {
        for subscriber in self.subscribers.load().iter() {
            if subscriber.wants(&written.class) {
                subscriber.note(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Subscriber for Notes {
        fn wants(&self, class: &ClassName) -> bool {
            class.as_str() == "A"
        }

        fn note(&self, written: &Written) {
            self.0.lock().unwrap().push(written.id.clone());
        }
    }

    #[test]
    fn only_what_is_wanted_is_told() {
        let (events, notes) = (Events::default(), Arc::new(Notes::default()));
        let (a, b) = (ClassName::unchecked("A"), ClassName::unchecked("B"));
        assert!(!events.wanted(&a));
        let subscriber: Arc<dyn Subscriber> = notes.clone();
        events.subscribe(subscriber.clone());
        assert!(events.wanted(&a) && !events.wanted(&b));
        for (class, id) in [(&a, "1"), (&b, "2"), (&a, "3")] {
            events.publish(&Written {
                class: class.clone(),
                id: id.to_owned(),
                before: None,
                after: None,
                relations: Vec::new(),
            });
        }
        events.unsubscribe(&subscriber);
        events.publish(&Written {
            class: a.clone(),
            id: "4".to_owned(),
            before: None,
            after: None,
            relations: Vec::new(),
        });
        assert_eq!(*notes.0.lock().unwrap(), ["1", "3"]);
        assert!(!events.wanted(&a));
    }
}
