//! Who handles which function, trigger and job of the app.
//!
//! One table for all kinds of handlers, an immutable snapshot: the last registration of a name wins, whoever made it. A class
//! without triggers costs one look-up.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use metrics::{counter, histogram};
use serde_json::Value as Json;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use crate::adapters::cloud::handler::{Answer, Call, FormFile, Given, Handler, Target, TriggerFile};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::measures;
use crate::model::trigger::Trigger;
use crate::traces::{self, Kind, Span, TRACEPARENT};

/// Who registered a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The hooks API.
    WebHooks,
    /// The app's JavaScript.
    JavaScript,
}

#[derive(Debug, Clone)]
struct Registered {
    source: Source,
    handler: Arc<dyn Handler>,
}

/// The triggers of one class.
#[derive(Debug, Clone, Default)]
pub struct ClassTriggers([Option<Registered>; Trigger::ALL.len()]);

impl ClassTriggers {
    /// The handler of a trigger.
    #[must_use]
    pub fn get(&self, trigger: Trigger) -> Option<&Arc<dyn Handler>> {
        self.0.get(trigger as usize)?.as_ref().map(|registered| &registered.handler)
    }

    /// Whether there is a handler of one of these.
    #[must_use]
    pub fn has_any(&self, triggers: &[Trigger]) -> bool {
        triggers.iter().any(|trigger| self.get(*trigger).is_some())
    }

    fn set(&mut self, trigger: Trigger, registered: Option<Registered>) {
        if let Some(place) = self.0.get_mut(trigger as usize) {
            *place = registered;
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// All handlers at one moment.
#[derive(Debug, Clone, Default)]
struct Table {
    functions: HashMap<String, Registered, RandomState>,
    jobs: HashMap<String, Registered, RandomState>,
    classes: HashMap<Box<str>, Arc<ClassTriggers>, RandomState>,
    live_query_events: Option<Registered>,
}

impl Table {
    fn put(&mut self, target: Target, registered: Registered) {
        match target {
            Target::Function(name) => drop(self.functions.insert(name, registered)),
            Target::Job(name) => drop(self.jobs.insert(name, registered)),
            Target::Trigger(trigger, class) => {
                Arc::make_mut(self.classes.entry(class.as_str().into()).or_default()).set(trigger, Some(registered));
            }
            Target::LiveQueryEvents => self.live_query_events = Some(registered),
        }
    }

    fn remove(&mut self, target: &Target) {
        match target {
            Target::Function(name) => drop(self.functions.remove(name)),
            Target::Job(name) => drop(self.jobs.remove(name)),
            Target::Trigger(trigger, class) => {
                if let Some(triggers) = self.classes.get_mut(class.as_str()) {
                    Arc::make_mut(triggers).set(*trigger, None);
                }
            }
            Target::LiveQueryEvents => self.live_query_events = None,
        }
        self.classes.retain(|_, triggers| !triggers.is_empty());
    }

    fn remove_all_of(&mut self, source: Source) {
        self.functions.retain(|_, registered| registered.source != source);
        self.jobs.retain(|_, registered| registered.source != source);
        self.live_query_events = self.live_query_events.take().filter(|registered| registered.source != source);
        for triggers in self.classes.values_mut() {
            for place in &mut Arc::make_mut(triggers).0 {
                *place = place.take().filter(|registered| registered.source != source);
            }
        }
        self.classes.retain(|_, triggers| !triggers.is_empty());
    }

    fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.jobs.is_empty() && self.classes.is_empty() && self.live_query_events.is_none()
    }
}

/// The handlers, and the bounds of their calls.
#[derive(Debug)]
pub struct Triggers {
    table: ArcSwap<Table>,
    /// One change at a time.
    changing: Mutex<()>,
    in_flight: Semaphore,
    most_in_flight: usize,
    most_depth: u32,
    code: OnceLock<Arc<dyn Code>>,
}

/// The program that the app's JavaScript runs in.
pub trait Code: fmt::Debug + Send + Sync {
    /// Why its functions and triggers cannot be called; `None`: they can, now or in a moment.
    fn failure(&self) -> Option<String>;
    /// Whether they are called without waiting for a start.
    fn runs(&self) -> bool;
}

impl Triggers {
    /// A table without handlers. `most_in_flight`: calls at the same time; `most_depth`: calls inside of one another.
    #[must_use]
    pub fn new(most_in_flight: u32, most_depth: u32) -> Self {
        let most_in_flight = usize::try_from(most_in_flight).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            table: ArcSwap::default(),
            changing: Mutex::default(),
            in_flight: Semaphore::new(most_in_flight),
            most_in_flight,
            most_depth,
            code: OnceLock::new(),
        }
    }

    /// Says where the app's JavaScript runs, once.
    pub fn run_by(&self, code: Arc<dyn Code>) {
        // Said twice, the first holds.
        let _ = self.code.set(code);
    }

    /// Why the app's JavaScript cannot be called; `None`: it can, or there is none.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.code.get()?.failure()
    }

    /// Whether calls of the app's JavaScript wait for no start; also if there is none.
    #[must_use]
    pub fn code_runs(&self) -> bool {
        self.code.get().is_none_or(|code| code.runs())
    }

    /// Whether the app has no code at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.load().is_empty()
    }

    /// The triggers of a class; `None`: it has none.
    #[must_use]
    pub fn of(&self, class: &str) -> Option<Arc<ClassTriggers>> {
        self.table.load().classes.get(class).cloned()
    }

    /// The handler of a trigger of a class.
    #[must_use]
    pub fn handler(&self, trigger: Trigger, class: &str) -> Option<Arc<dyn Handler>> {
        self.table.load().classes.get(class)?.get(trigger).cloned()
    }

    /// The handler of a function.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<Arc<dyn Handler>> {
        self.table.load().functions.get(name).map(|registered| registered.handler.clone())
    }

    /// The handler of a job.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<Arc<dyn Handler>> {
        self.table.load().jobs.get(name).map(|registered| registered.handler.clone())
    }

    /// Whether the app has jobs.
    #[must_use]
    pub fn has_jobs(&self) -> bool {
        !self.table.load().jobs.is_empty()
    }

    /// Who is told of connections and subscriptions for live queries.
    #[must_use]
    pub fn live_query_events(&self) -> Option<Arc<dyn Handler>> {
        self.table.load().live_query_events.as_ref().map(|registered| registered.handler.clone())
    }

    /// The names of all functions, sorted.
    #[must_use]
    pub fn function_names(&self) -> Vec<String> {
        sorted(self.table.load().functions.keys())
    }

    /// The names of all jobs, sorted.
    #[must_use]
    pub fn job_names(&self) -> Vec<String> {
        sorted(self.table.load().jobs.keys())
    }

    /// Registers handlers in place of those that the same names have.
    pub fn register(&self, source: Source, handlers: impl IntoIterator<Item = (Target, Arc<dyn Handler>)>) {
        self.change(|table| {
            for (target, handler) in handlers {
                table.put(target, Registered { source, handler });
            }
        });
    }

    /// Removes handlers, whoever registered them.
    pub fn remove<'a>(&self, targets: impl IntoIterator<Item = &'a Target>) {
        self.change(|table| targets.into_iter().for_each(|target| table.remove(target)));
    }

    /// Replaces all handlers of one source.
    pub fn replace(&self, source: Source, handlers: impl IntoIterator<Item = (Target, Arc<dyn Handler>)>) {
        self.change(|table| {
            table.remove_all_of(source);
            for (target, handler) in handlers {
                table.put(target, Registered { source, handler });
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Table)) {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&self.table.load());
        change(&mut table);
        self.table.store(Arc::new(table));
    }

    /// Calls a handler within the bounds.
    ///
    /// # Errors
    /// What the handler refuses; 141 for calls nested too deep, 503 when too many are in flight.
    pub async fn call(&self, handler: &dyn Handler, mut call: Call) -> Result<Answer> {
        let _place = self.enter(call.depth)?;
        let kind = call.target.kind();
        let started = Instant::now();
        let mut span = span_of(&call.target);
        hand_on(&span, &mut call);
        let answer = span.scope(handler.call(call)).await;
        histogram!(measures::CLOUD_SECONDS, "kind" => kind).record(started.elapsed().as_secs_f64());
        let outcome = if answer.is_ok() { "ok" } else { "error" };
        counter!(measures::CLOUD_CALLS, "kind" => kind, "outcome" => outcome).increment(1);
        if let Err(error) = &answer {
            span.fail(error.number().map_or_else(|| error.status.to_string(), |code| code.to_string()));
        }
        answer
    }

    /// Calls of the app's code in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.most_in_flight.saturating_sub(self.in_flight.available_permits())
    }

    /// Takes a place for a call of the app's code that is inside of so many others. It is free again when it is dropped.
    ///
    /// # Errors
    /// 141 for calls nested too deep, 503 when too many are in flight.
    pub fn enter(&self, depth: u32) -> Result<SemaphorePermit<'_>> {
        if depth > self.most_depth {
            return Err(ParseError::new(
                ErrorCode::ScriptFailed,
                format!("Cloud code called itself more than {} times (option cloudDepth).", self.most_depth),
            ));
        }
        self.in_flight
            .try_acquire()
            .map_err(|_| ParseError::unavailable("Too many calls of cloud code are in flight.", 1))
    }
}

/// The span of a call.
fn span_of(target: &Target) -> Span {
    let mut span = traces::child(Kind::Internal, || match target {
        Target::Function(name) => format!("function {name}").into(),
        Target::Job(name) => format!("job {name}").into(),
        Target::Trigger(trigger, class) => format!("{} {class}", trigger.name()).into(),
        Target::LiveQueryEvents => "liveQueryEvents".into(),
    });
    if !span.is_recorded() {
        return span;
    }
    span.set("reparse.cloud.kind", target.kind());
    match target {
        Target::Function(name) | Target::Job(name) => span.set("code.function.name", name.clone()),
        Target::Trigger(_, class) => span.set("reparse.class", class.as_str().to_owned()),
        Target::LiveQueryEvents => {}
    }
    span
}

/// Tells code that is told the headers of the request where in the trace it is, so that a tracer of its own goes on from there.
fn hand_on(span: &Span, call: &mut Call) {
    let Some(context) = span.context().or_else(traces::current_context) else { return };
    if let Some(Json::Object(headers)) = call.payload.get_mut("headers") {
        headers.insert(TRACEPARENT.to_owned(), context.to_string().into());
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;
    use serde_json::Map;

    use super::*;
    use crate::model::names::ClassName;

    /// Answers with its own name as result.
    #[derive(Debug)]
    struct Named(&'static str);

    impl Handler for Named {
        fn call(&self, _call: Call) -> BoxFuture<'_, Result<Answer>> {
            Box::pin(async move { Ok(Answer { result: Some(self.0.into()), ..Answer::default() }) })
        }
    }

    fn named(target: &Target, name: &'static str) -> (Target, Arc<dyn Handler>) {
        (target.clone(), Arc::new(Named(name)))
    }

    fn call(depth: u32) -> Call {
        Call { depth, ..Call::of(Target::Function("f".into()), Map::new()) }
    }

    async fn answer_of(triggers: &Triggers, handler: Option<Arc<dyn Handler>>) -> Option<String> {
        let answer = triggers.call(&*handler?, call(1)).await.unwrap();
        answer.result.and_then(|result| result.as_str().map(str::to_owned))
    }

    #[tokio::test]
    async fn the_last_registration_wins_and_removing_it_leaves_nothing() {
        let triggers = Triggers::new(8, 8);
        let function = Target::Function("f".into());
        let save = Target::Trigger(Trigger::BeforeSave, ClassName::unchecked("C"));
        assert!(triggers.is_empty() && triggers.of("C").is_none());
        triggers.register(Source::JavaScript, [named(&function, "js"), named(&save, "js")]);
        triggers.register(Source::WebHooks, [named(&function, "hook")]);
        assert_eq!(answer_of(&triggers, triggers.function("f")).await.as_deref(), Some("hook"));
        assert_eq!(answer_of(&triggers, triggers.handler(Trigger::BeforeSave, "C")).await.as_deref(), Some("js"));
        assert!(triggers.of("C").unwrap().get(Trigger::AfterSave).is_none());
        triggers.replace(Source::JavaScript, [named(&save, "new")]);
        assert_eq!(answer_of(&triggers, triggers.handler(Trigger::BeforeSave, "C")).await.as_deref(), Some("new"));
        assert_eq!(triggers.function_names(), ["f"]);
        triggers.remove([&function, &save]);
        assert!(triggers.is_empty() && triggers.of("C").is_none());
    }

    #[tokio::test]
    async fn calls_are_bounded() {
        let triggers = Triggers::new(0, 2);
        let handler = Named("x");
        assert_eq!(triggers.call(&handler, call(1)).await.unwrap_err().status, 503);
        let error = triggers.call(&handler, call(3)).await.unwrap_err();
        assert!(error.is(ErrorCode::ScriptFailed) && error.message.contains("cloudDepth"), "{error}");
    }
}
