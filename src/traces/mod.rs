//! Traces: which request led to which command of the store, call of the app's code, mail or push, and how long each took.
//!
//! A trace is a tree of spans. The span that the running code belongs to is kept beside the task, so code that wants a span below it
//! needs no parameter. What is spawned takes it along with [`carry`]. Finished spans go into a bounded queue, which an exporter
//! empties; what finds it full is dropped and counted, so that a receiver that is away costs the requests nothing. As long as no
//! exporter was started, there are no spans, and asking for one reads a flag.

mod context;
mod sampling;

use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use futures_util::future::Either;
use metrics::counter;
use tokio::sync::mpsc;

pub use context::{Context, TRACEPARENT};
pub use sampling::Sampling;

use crate::model::measures;

/// Set once an exporter was started; every server of the process has the same.
static TRACER: OnceLock<Tracer> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Option<Handle>;
}

/// What makes spans and takes those that end.
#[derive(Debug)]
struct Tracer {
    sampling: Sampling,
    ids: Ids,
    queue: mpsc::Sender<Finished>,
}

/// Ids of traces and spans: a sequence that begins at random and is mixed (`SplitMix64`), so that they differ between processes and
/// have no pattern. They are no secrets.
#[derive(Debug)]
struct Ids(AtomicU64);

impl Ids {
    fn next(&self) -> u64 {
        let mut mixed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).max(1)
    }

    fn trace(&self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }
}

/// Starts tracing. `None`: it runs already. `queue`: how many finished spans may wait for the exporter that reads what this gives.
pub fn start(sampling: Sampling, seed: u64, queue: usize) -> Option<mpsc::Receiver<Finished>> {
    let (sender, receiver) = mpsc::channel(queue);
    let tracer = Tracer { sampling, ids: Ids(AtomicU64::new(seed)), queue: sender };
    TRACER.set(tracer).is_ok().then_some(receiver)
}

/// How the work of a span relates to that of other programs (OpenTelemetry's words and numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work inside of this program.
    Internal = 1,
    /// The answer to a request.
    Server = 2,
    /// A request to another program, whose answer is waited for.
    Client = 3,
    /// A message that nobody answers.
    Producer = 4,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the usual names")]
pub enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Names and values.
pub type Attributes = Vec<(&'static str, Value)>;

/// A span that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Its place.
    pub context: Context,
    /// The span that it is part of.
    pub parent: Option<u64>,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: Cow<'static, str>,
    /// When it began …
    pub started: Instant,
    /// … and ended.
    pub ended: Instant,
    /// Its attributes.
    pub attributes: Attributes,
    /// Whether it failed.
    pub failed: bool,
}

/// The place in a trace that running code belongs to.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Place>);

#[derive(Debug)]
struct Place {
    context: Context,
    /// What code inside of the span has to say about it; see [`note`].
    notes: Mutex<Attributes>,
}

impl Handle {
    fn new(context: Context) -> Self {
        Self(Arc::new(Place { context, notes: Mutex::default() }))
    }
}

/// A span. Dropping it ends it. One that is not recorded knows at most its place.
#[derive(Debug)]
#[must_use]
pub struct Span {
    place: Option<Handle>,
    recorded: Option<Box<Recorded>>,
}

#[derive(Debug)]
struct Recorded {
    parent: Option<u64>,
    kind: Kind,
    name: Cow<'static, str>,
    started: Instant,
    attributes: Attributes,
    failed: bool,
}

impl Span {
    /// No span.
    pub const fn none() -> Self {
        Self { place: None, recorded: None }
    }

    fn recorded(context: Context, parent: Option<u64>, kind: Kind, name: Cow<'static, str>) -> Self {
        let attributes = Vec::with_capacity(8);
        let recorded = Recorded { parent, kind, name, started: Instant::now(), attributes, failed: false };
        Self { place: Some(Handle::new(context)), recorded: Some(Box::new(recorded)) }
    }

    /// Whether it is recorded: only then attributes are of use.
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.recorded.is_some()
    }

    /// Its place, if it has one.
    #[must_use]
    pub fn context(&self) -> Option<Context> {
        self.place.as_ref().map(|place| place.0.context)
    }

    /// Names it anew.
    pub fn rename(&mut self, name: impl FnOnce() -> String) {
        if let Some(recorded) = &mut self.recorded {
            recorded.name = Cow::Owned(name());
        }
    }

    /// Adds an attribute.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(recorded) = &mut self.recorded {
            recorded.attributes.push((name, value.into()));
        }
    }

    /// Says that it failed, and in what way: a word of ours, a status, or the name of a kind of error.
    pub fn fail(&mut self, reason: impl Into<Value>) {
        if let Some(recorded) = &mut self.recorded {
            recorded.failed = true;
            recorded.attributes.push(("error.type", reason.into()));
        }
    }

    /// Runs work inside of it. Without a place the work belongs where the caller does.
    // Not `async`: such a function holds its argument twice, and this one gets all that a request does.
    pub fn scope<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        match &self.place {
            Some(place) => Either::Left(CURRENT.scope(Some(place.clone()), work)),
            None => Either::Right(work),
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let (Some(recorded), Some(place), Some(tracer)) = (self.recorded.take(), self.place.take(), TRACER.get())
        else {
            return;
        };
        let Recorded { parent, kind, name, started, mut attributes, failed } = *recorded;
        attributes.append(&mut place.0.notes.lock().unwrap_or_else(PoisonError::into_inner));
        let (context, ended) = (place.0.context, Instant::now());
        let finished = Finished { context, parent, kind, name, started, ended, attributes, failed };
        if tracer.queue.try_send(finished).is_err() {
            counter!(measures::SPANS, "outcome" => "dropped").increment(1);
        }
    }
}

/// The span of a request that may belong to a trace of its sender.
pub fn request(parent: impl FnOnce() -> Option<Context>) -> Span {
    match TRACER.get() {
        Some(tracer) => tracer.begin(parent(), Kind::Server, Cow::Borrowed("request")),
        None => Span::none(),
    }
}

/// The span of work that may belong to a request, or to nothing.
pub fn work(name: &'static str) -> Span {
    match (TRACER.get(), current()) {
        (None, _) => Span::none(),
        (Some(_), Some(_)) => child(Kind::Internal, || name.into()),
        (Some(tracer), None) => tracer.begin(None, Kind::Internal, name.into()),
    }
}

/// A span inside of that of the running code; none, if that is not recorded.
pub fn child(kind: Kind, name: impl FnOnce() -> Cow<'static, str>) -> Span {
    let Some(tracer) = TRACER.get() else { return Span::none() };
    match current().filter(|place| place.0.context.sampled) {
        Some(place) => {
            let parent = place.0.context;
            let context = Context { span: tracer.ids.next(), ..parent };
            Span::recorded(context, Some(parent.span), kind, name())
        }
        None => Span::none(),
    }
}

impl Tracer {
    /// The first span of this program in a trace.
    fn begin(&self, parent: Option<Context>, kind: Kind, name: Cow<'static, str>) -> Span {
        let trace = parent.map_or_else(|| self.ids.trace(), |parent| parent.trace);
        let sampled = self.sampling.records(trace, parent.map(|parent| parent.sampled));
        let context = Context { trace, span: self.ids.next(), sampled };
        if sampled {
            Span::recorded(context, parent.map(|parent| parent.span), kind, name)
        } else {
            Span { place: Some(Handle::new(context)), recorded: None }
        }
    }
}

/// Where in a trace the running code is.
#[must_use]
pub fn current() -> Option<Handle> {
    TRACER.get()?;
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// Where in a trace the running code is, for other programs.
#[must_use]
pub fn current_context() -> Option<Context> {
    current().map(|place| place.0.context)
}

/// Adds an attribute to the span that the running code is in.
pub fn note<V: Into<Value>>(name: &'static str, value: impl FnOnce() -> V) {
    if let Some(place) = current().filter(|place| place.0.context.sampled) {
        place.0.notes.lock().unwrap_or_else(PoisonError::into_inner).push((name, value().into()));
    }
}

/// Runs work where in a trace the running code is now, also in another task.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(current(), work)
}

/// Runs work at a place of a trace that another program, trusted by this one, has handed back.
pub fn at<F: Future>(context: Option<Context>, work: F) -> impl Future<Output = F::Output> {
    let place = if TRACER.get().is_some() { context.map(Handle::new) } else { None };
    CURRENT.scope(place, work)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_are_never_zero() {
        let ids = Ids(AtomicU64::new(0));
        let made: HashSet<u64> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(!made.contains(&0) && ids.trace() != 0);
    }

    #[tokio::test]
    async fn spans_are_a_tree() {
        // Nobody else of this process starts tracing in tests of units.
        let mut finished = start(Sampling::ALL, 7, 3).unwrap();
        assert!(start(Sampling::ALL, 7, 1).is_none());
        let sender = Context { trace: 9, span: 8, sampled: true };
        let mut request = request(|| Some(sender));
        request.rename(|| "GET /x".to_owned());
        request
            .scope(async {
                note("inside", || 1);
                let mut store = child(Kind::Client, || "find X".into());
                store.set("db.system.name", "sqlite");
                store.fail("Duplicate");
                drop(store);
                tokio::spawn(carry(async { drop(child(Kind::Internal, || "later".into())) })).await.unwrap();
            })
            .await;
        let place = request.context().unwrap();
        assert!(place.trace == 9 && place.sampled);
        drop(request);
        let store = finished.recv().await.unwrap();
        assert_eq!((store.parent, store.context.trace, store.failed), (Some(place.span), 9, true));
        assert_eq!(store.attributes, [("db.system.name", "sqlite".into()), ("error.type", "Duplicate".into())]);
        let later = finished.recv().await.unwrap();
        assert_eq!((later.parent, &*later.name), (Some(place.span), "later"));
        let root = finished.recv().await.unwrap();
        assert_eq!((root.parent, root.kind, &*root.name), (Some(8), Kind::Server, "GET /x"));
        assert_eq!(root.attributes, [("inside", 1.into())]);

        // A sender that does not record its trace is followed, and what it calls learns of it.
        let quiet = super::request(|| Some(Context { sampled: false, ..sender }));
        assert!(!quiet.is_recorded());
        let handed_on = quiet.scope(async { (current_context(), child(Kind::Client, || "x".into()).context()) }).await;
        assert_eq!(handed_on, (quiet.context(), None));
        assert!(handed_on.0.is_some_and(|context| context.trace == 9 && !context.sampled));

        // Outside of requests there is nothing to add to; what finds the queue full is gone.
        assert!(child(Kind::Client, || "x".into()).context().is_none());
        for _ in 0..5 {
            drop(work("job"));
        }
        let mut kept = 0;
        while finished.try_recv().is_ok() {
            kept += 1;
        }
        assert_eq!(kept, 3);
    }
}
