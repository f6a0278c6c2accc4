//! Decides for each subscription what a write means to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::caller::{self, Caller};
use super::counts::Counts;
use super::event::{Delivery, Event, Happened, Member, News, Op, Seen, Unasked};
use super::groups::{Group, Groups};
use crate::domain::kernel::app::App;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::events::Written;
use crate::domain::kernel::triggers::Handler;
use crate::domain::permissions::Operation;
use crate::domain::read::standing::{Condition, Reader};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl;
use crate::model::object::Object;
use crate::model::shape::ALWAYS_SHOWN;
use crate::model::trigger::Trigger;
use crate::model::value::Value;

/// What a caller is told.
enum Verdict {
    Nothing,
    Refused(ParseError),
    Sees(Seen, Vec<Reader>),
}

/// Tells everybody who follows the class.
pub(super) async fn judge(app: &Arc<App>, groups: &Groups, counts: &Counts, happened: &Happened) {
    let written = &happened.written;
    let cx = caller::anonymous(app);
    let master = cx.as_master();
    let handler = app.triggers.handler(Trigger::AfterEvent, written.class.as_str());
    let class = cx.class(&written.class);
    let open = handler.is_none() && is_open(&class, written);
    for group in groups.of(&written.class) {
        let cx = if group.is_masters() { &master } else { &cx };
        let Some(condition) = group.condition(cx, &class) else { continue };
        let Some(matched) = Matched::of(&condition, happened) else { continue };
        // What is open to everybody is judged once for all callers.
        let callers = if open { vec![Arc::new(Caller::default())] } else { group.callers() };
        for caller in callers {
            let verdict = match matched.verdict(app, &group, &caller, written).await {
                Ok(verdict) => verdict,
                Err(error) => {
                    tracing::error!(%error, class = %written.class, "subscribers could not be told of a write");
                    group.each((!open).then_some(&*caller), |member| member.outlet.give_up());
                    continue;
                }
            };
            let notification = Notification { counts, happened, to: To::Group(&group, (!open).then_some(&*caller)) };
            notification.deliver(verdict, handler.as_ref(), &caller).await;
        }
    }
}

/// What one subscription is told of a write that it missed.
pub(super) async fn judge_for(
    app: &Arc<App>,
    counts: &Counts,
    (group, caller, member): (&Group, &Arc<Caller>, &Arc<Member>),
    happened: &Happened,
) -> Vec<Delivery> {
    let cx = caller::anonymous(app);
    let cx = if group.is_masters() { cx.as_master() } else { cx };
    let deliveries = Mutex::default();
    let Some(condition) = group.condition(&cx, &cx.class(&happened.written.class)) else { return Vec::new() };
    let Some(matched) = Matched::of(&condition, happened) else { return Vec::new() };
    match matched.verdict(app, group, caller, &happened.written).await {
        Ok(verdict) => {
            let handler = app.triggers.handler(Trigger::AfterEvent, happened.written.class.as_str());
            let notification = Notification { counts, happened, to: To::One(member, &deliveries) };
            notification.deliver(verdict, handler.as_ref(), caller).await;
        }
        Err(error) => {
            tracing::error!(%error, class = %happened.written.class, "a subscriber could not be told what it missed");
            member.outlet.give_up();
        }
    }
    deliveries.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Whether everybody reads the rows of a write in the same form.
fn is_open(class: &Class, written: &Written) -> bool {
    let everybody = [acl::PUBLIC.to_owned()];
    let public = |row: &Option<Arc<Object>>| row.as_ref().is_none_or(|row| is_listed(row, &everybody));
    class.permissions.protected_fields.is_empty()
        && [Operation::Find, Operation::Get].iter().all(|verb| class.permissions.is_open_to(*verb, &everybody))
        && !written.class.is_system()
        && public(&written.before)
        && public(&written.after)
}

/// Whether the ACL of a row lets one of the entities read it.
fn is_listed(row: &Object, entities: &[String]) -> bool {
    match row.get("_rperm") {
        None | Some(Value::Null) => true,
        Some(Value::Array(readers)) => {
            readers.iter().filter_map(Value::as_str).any(|reader| entities.iter().any(|entity| entity == reader))
        }
        Some(_) => false,
    }
}

/// A write that matches a condition, before or after.
struct Matched<'a> {
    condition: &'a Condition,
    was: bool,
    is: bool,
    unknown_before: bool,
}

impl<'a> Matched<'a> {
    /// `None`: neither the row before nor that after matches.
    fn of(condition: &'a Condition, happened: &Happened) -> Option<Self> {
        let matched = |row: &Option<Arc<Object>>| row.as_ref().is_some_and(|row| condition.matches(row));
        let (was, is) = (matched(&happened.written.before), matched(&happened.written.after));
        (was || is).then_some(Self { condition, was, is, unknown_before: happened.unknown_before })
    }

    async fn verdict(&self, app: &Arc<App>, group: &Group, caller: &Caller, written: &Written) -> Result<Verdict> {
        let mut readers = Vec::with_capacity(1);
        let mut refusal = None;
        for cx in caller.contexts(app).await? {
            match Reader::admit(cx.clone(), &written.class, self.condition, &group.query.watch).await {
                Ok(reader) => readers.push(reader),
                Err(error) if error.is(ErrorCode::InternalServerError) => return Err(error),
                Err(error) => {
                    refusal.get_or_insert((cx, error));
                }
            }
        }
        if let (true, Some((cx, error))) = (readers.is_empty(), refusal) {
            return self.refused(&cx, error, written).await;
        }
        let reader = |row: &Option<Arc<Object>>| {
            row.as_ref().and_then(|row| readers.iter().position(|reader| reader.may_read(row)))
        };
        let (before, after) = (reader(&written.before), reader(&written.after));
        let (was, is) = (before.filter(|_| self.was), after.filter(|_| self.is));
        let seen = match (written.before.is_some(), written.after.is_some(), was, is) {
            // Of a row that was there before, and nobody knows how, it is told that it was changed.
            (false, _, _, Some(reader)) if self.unknown_before => {
                Seen { op: Op::Update, former: false, reader, original: None }
            }
            (false, _, _, Some(reader)) => Seen { op: Op::Create, former: false, reader, original: None },
            (true, false, Some(reader), _) => Seen { op: Op::Delete, former: true, reader, original: None },
            (true, true, None, Some(reader)) => Seen { op: Op::Enter, former: false, reader, original: before },
            (true, true, Some(_), Some(reader)) => Seen { op: Op::Update, former: false, reader, original: before },
            // What the subscriber may not read any more is not shown: the object is the one it knew.
            (true, true, Some(knew), None) => {
                Seen { op: Op::Leave, former: after.is_none(), reader: after.unwrap_or(knew), original: before }
            }
            _ => return Ok(Verdict::Nothing),
        };
        if matches!(seen.op, Op::Create | Op::Update) && !watched(&group.query.watch, written) {
            return Ok(Verdict::Nothing);
        }
        Ok(Verdict::Sees(seen, readers))
    }

    /// A subscriber to which the class was closed hears so instead of what happened to rows that it could read.
    async fn refused(&self, cx: &Context, error: ParseError, written: &Written) -> Result<Verdict> {
        if !error.is(ErrorCode::OperationForbidden) && !error.is(ErrorCode::ObjectNotFound) {
            return Ok(Verdict::Nothing);
        }
        let entities = cx.entities().await?;
        let listed = |row: &Option<Arc<Object>>| row.as_ref().is_some_and(|row| is_listed(row, &entities));
        let concerned = (self.was && listed(&written.before)) || (self.is && listed(&written.after));
        Ok(if concerned { Verdict::Refused(error) } else { Verdict::Nothing })
    }
}

/// Whether one of the watched fields differs between the rows before and after.
fn watched(watch: &[String], written: &Written) -> bool {
    let (before, after) = (written.before.as_deref(), written.after.as_deref());
    let differs = |path: &str| before.and_then(|row| at(row, path)) != after.and_then(|row| at(row, path));
    watch.is_empty()
        || watch.iter().any(|path| match path.as_str() {
            "ACL" => differs("_rperm") || differs("_wperm"),
            path => differs(path),
        })
}

fn at<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => object.get(path),
        Some((root, rest)) => match object.get(root)? {
            Value::Object(inner) => at(inner, rest),
            _ => None,
        },
    }
}

/// The event as a caller sees it, with all fields.
pub(super) async fn render(seen: &Seen, readers: &[Reader], written: &Written) -> Event {
    let (before, after) = (written.before.as_deref(), written.after.as_deref());
    let mut object = read(readers, seen.reader, if seen.former { before } else { after }).await;
    if seen.op == Op::Create {
        let given = |field: &str| written.relations.iter().any(|relation| relation == field);
        object.retain(|field, value| !matches!(value, Value::Relation(_)) || given(field));
    }
    let original = match seen.original {
        Some(reader) => Some(read(readers, reader, before).await),
        None => None,
    };
    Event::new(seen.op, object, original)
}

async fn read(readers: &[Reader], reader: usize, row: Option<&Object>) -> Object {
    match (readers.get(reader), row) {
        (Some(reader), Some(row)) => reader.read(row).await,
        _ => Object::new(),
    }
}

/// Who is told of a write.
enum To<'a> {
    /// Those subscriptions of a group that this caller has; all, if no caller is named.
    Group(&'a Group, Option<&'a Caller>),
    /// One that missed it.
    One(&'a Arc<Member>, &'a Mutex<Vec<Delivery>>),
}

/// A write, for the subscribers that it concerns.
struct Notification<'a> {
    counts: &'a Counts,
    happened: &'a Happened,
    to: To<'a>,
}

impl Notification<'_> {
    async fn deliver(&self, verdict: Verdict, handler: Option<&Arc<dyn Handler>>, caller: &Arc<Caller>) {
        let written = &self.happened.written;
        match verdict {
            Verdict::Nothing => {}
            Verdict::Refused(error) => {
                let error = Arc::new(error);
                self.each(|_| News::Refused(error.clone()));
            }
            Verdict::Sees(seen, readers) => {
                if let Some(handler) = handler {
                    let (written, handler, caller) = (written.clone(), handler.clone(), caller.clone());
                    let unasked = Arc::new(Unasked { seen, readers, written, handler, caller });
                    self.each(|_| News::Unasked(unasked.clone()));
                } else {
                    self.in_forms(&Arc::new(render(&seen, &readers, written).await));
                }
            }
        }
    }

    fn each(&self, mut news: impl FnMut(&Member) -> News) {
        let Happened { position, mark, .. } = self.happened;
        let mut delivery = |member: &Arc<Member>| {
            self.counts.event();
            Delivery { member: member.clone(), news: news(member), position: *position, mark: mark.clone() }
        };
        match self.to {
            To::Group(group, caller) => group.each(caller, |member| member.put(*position, || delivery(member))),
            To::One(member, deliveries) => {
                deliveries.lock().unwrap_or_else(PoisonError::into_inner).push(delivery(member));
            }
        }
    }

    /// Tells an event in the form that each subscription asked for, made once for all that asked for the same.
    fn in_forms(&self, whole: &Arc<Event>) {
        let mut forms: HashMap<Vec<String>, Arc<Event>, RandomState> = HashMap::default();
        self.each(|member| {
            News::Event(match &member.keys {
                None => whole.clone(),
                Some(keys) if forms.contains_key(keys) => forms.get(keys).unwrap_or(whole).clone(),
                Some(keys) => {
                    let form = Arc::new(select(whole, keys));
                    forms.insert(keys.clone(), form.clone());
                    form
                }
            })
        });
    }
}

/// The event with these fields alone, besides those that every object has.
pub(super) fn select(event: &Event, keys: &[String]) -> Event {
    let only = |object: &Object| {
        let mut object = object.clone();
        object.retain(|field, _| {
            field == "className" || ALWAYS_SHOWN.contains(&field) || keys.iter().any(|key| key == field)
        });
        object
    };
    Event::new(event.op, only(&event.object), event.original.as_ref().map(only))
}
