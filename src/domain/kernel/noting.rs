//! Notes in the audit log what is done. The pipelines and the accesses to the store call this; without an auditor nothing is looked at or
//! copied.

use super::app::App;
use super::audit::{Audited, Deed, What, Who};
use super::context::{Client, Context};
use crate::model::names::ClassName;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// Notes what the caller of a request has done, whichever caller it is; inside a transaction, once it is committed.
pub async fn note(cx: &Context, deed: impl FnOnce() -> Deed) {
    let Some(auditor) = &cx.app.auditor else { return };
    let (auditor, time, who, deed) = (auditor.clone(), cx.now(), of_caller(cx), deed());
    match cx.deferred() {
        Some(deferred) => deferred.push(async move { auditor.note(time, who, deed).await }),
        None => auditor.note(time, who, deed).await,
    }
}

/// Notes a write of objects of a class, if it matters: by the master key, or because of its fields.
pub(in crate::domain) async fn note_write<'a>(
    cx: &Context,
    what: What,
    class: &ClassName,
    id: Option<&str>,
    fields: impl Iterator<Item = &'a str>,
    count: Option<u64>,
) {
    if cx.app.auditor.is_none() {
        return;
    }
    let by_master = cx.caller.is_master() && (cx.client.log_id.is_some() || cx.client.inside);
    let audited = cx.app.rules.of(class).audited();
    let fields: Vec<&str> = fields.filter(|field| by_master || audited.has(field)).collect();
    let deletes = what == What::Delete && audited != Audited::OfMaster;
    if by_master || deletes || !fields.is_empty() {
        let mut deed = Deed::new(what).in_class(class).fields(fields);
        (deed.id, deed.count) = (id.map(str::to_owned), count.filter(|_| id.is_none()));
        note(cx, || deed).await;
    }
}

/// Notes what a client was refused, or did outside of the API.
pub fn note_client(app: &App, client: &Client, deed: Deed) {
    if let Some(auditor) = &app.auditor {
        auditor.note_soon(app.clock.now(), of_client(client), deed);
    }
}

/// The object that a condition names.
pub(in crate::domain) fn id_in(filter: &Resolved) -> Option<&str> {
    match filter {
        Filter::And(parts) => parts.iter().find_map(id_in),
        Filter::Field { path, constraint: Constraint::Eq(Value::String(id)) } if path == "objectId" => Some(id),
        Filter::Or(_) | Filter::Nor(_) | Filter::Field { .. } | Filter::All | Filter::Never => None,
        Filter::Unresolved(never) => match *never {},
    }
}

fn of_caller(cx: &Context) -> Who {
    let who = of_client(&cx.client);
    let user = cx.caller.user_id().map(str::to_owned);
    Who { key: cx.caller.key(), user: user.or(who.user), ..who }
}

fn of_client(client: &Client) -> Who {
    let user = client.dashboard.as_deref().map(|name| format!("dashboard:{name}"));
    Who { key: "none", user, address: client.ip, request: client.log_id.clone(), inside: client.inside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_by_its_id() {
        let one = Filter::eq("objectId", "a").and(Filter::eq("x", "b"));
        assert_eq!(id_in(&one), Some("a"));
        assert_eq!(id_in(&Filter::Or(vec![Filter::eq("objectId", "a")])), None);
        assert_eq!(id_in(&Filter::All), None);
    }
}
