//! What subscribers are told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Number;

use super::caller::Caller;
use super::outlet::Outlet;
use crate::domain::kernel::events::Written;
use crate::domain::kernel::triggers::Handler;
use crate::domain::read::standing::Reader;
use crate::error::ParseError;
use crate::model::object::Object;

/// What happened to an object, as one subscriber sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// It was made, and matches.
    Create,
    /// It was changed, and matches now.
    Enter,
    /// It was changed, matched before and still does.
    Update,
    /// It was changed, and matches no more.
    Leave,
    /// It was deleted.
    Delete,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Enter, Self::Update, Self::Leave, Self::Delete];

    /// Parse's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Enter => "enter",
            Self::Update => "update",
            Self::Leave => "leave",
            Self::Delete => "delete",
        }
    }

    /// The event of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.name() == name)
    }
}

/// An event, for all who see it in the same form.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub op: Op,
    /// The object.
    pub object: Object,
    /// The object before, where it was there and could be read.
    pub original: Option<Object>,
    text: OnceLock<Box<str>>,
}

impl Event {
    /// An event.
    #[must_use]
    pub const fn new(op: Op, object: Object, original: Option<Object>) -> Self {
        Self { op, object, original, text: OnceLock::new() }
    }

    /// The objects as members of a JSON object: `"object":{…},"original":{…}`. Written once, however many read it.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let json = |object: &Object| serde_json::to_string(object).unwrap_or_default();
            let mut text = format!("\"object\":{}", json(&self.object));
            if let Some(original) = &self.original {
                text.push_str(",\"original\":");
                text.push_str(&json(original));
            }
            text.into_boxed_str()
        })
    }
}

/// One subscription, as those who tell it know it.
#[derive(Debug)]
pub struct Member {
    /// The id that the client chose.
    pub request_id: Number,
    /// Fields that are sent, sorted; `None`: all.
    pub(super) keys: Option<Vec<String>>,
    /// Only what happened after this position is told. For a client that resumes it is 0 until it has a place in its group.
    pub(super) since: AtomicU64,
    /// Whether the client wants the token of each event.
    pub(super) tokens: bool,
    pub(super) outlet: Outlet<Delivery>,
    /// What happens while the client is told what it missed; `None`: it missed nothing, or has been told.
    pub(super) held: Mutex<Option<Vec<Delivery>>>,
}

impl Member {
    /// Puts the delivery of what happened at a position into the queue, behind what was missed.
    pub(super) fn put(&self, position: u64, delivery: impl FnOnce() -> Delivery) {
        let mut held = self.held();
        if position <= self.since() {
            return;
        }
        match &mut *held {
            None => self.outlet.put(delivery()),
            Some(held) if held.len() < self.outlet.most() => held.push(delivery()),
            Some(_) => self.outlet.give_up(),
        }
    }

    /// Puts into the queue what happened while the client was told what it missed.
    pub(super) fn release(&self) {
        let mut held = self.held();
        let since = self.since();
        let later = held.take().into_iter().flatten().filter(|delivery| delivery.position > since);
        later.for_each(|delivery| self.outlet.put(delivery));
    }

    /// The position after which is told what happens.
    pub(super) fn since(&self) -> u64 {
        self.since.load(Ordering::Acquire)
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Option<Vec<Delivery>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one subscription is told.
#[derive(Debug)]
pub struct Delivery {
    /// The subscription.
    pub member: Arc<Member>,
    /// What it is told.
    pub news: News,
    /// The place of the write in the order of writes …
    pub(super) position: u64,
    /// … and what tells it from others of that place.
    pub(super) mark: Option<Arc<str>>,
}

/// News for a subscription.
#[derive(Debug)]
pub enum News {
    /// Something happened.
    Event(Arc<Event>),
    /// Something happened that the subscriber may not see any more, and may know that.
    Refused(Arc<ParseError>),
    /// Something happened about which the app's code has a say first: `LiveQueries::ask`.
    Unasked(Arc<Unasked>),
}

/// An event about which the app's code has a say first.
#[derive(Debug)]
pub struct Unasked {
    pub(super) seen: Seen,
    pub(super) readers: Vec<Reader>,
    pub(super) written: Arc<Written>,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) caller: Arc<Caller>,
}

/// What a caller sees of a write.
#[derive(Debug)]
pub(super) struct Seen {
    pub op: Op,
    /// Whether the object is the one before the write.
    pub former: bool,
    /// Which of the caller's contexts reads the object.
    pub reader: usize,
    /// Which of them reads the object before; `None`: it is not sent.
    pub original: Option<usize>,
}

/// A committed write.
#[derive(Debug, Clone)]
pub struct Happened {
    /// What was written.
    pub written: Arc<Written>,
    /// Its place in the order of writes: a number that grows.
    pub position: u64,
    /// What tells it from other writes of that place.
    pub mark: Option<Arc<str>>,
    /// Whether the row was there before, and nobody knows how.
    pub unknown_before: bool,
}
