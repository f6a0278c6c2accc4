//! The audit log: turns what the kernel notes into entries of the file.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use crate::adapters::audit::AuditLog;
use crate::domain::kernel::audit::{Auditor, Deed, Who};
use crate::domain::kernel::feature::Feature;
use crate::domain::kernel::services::Services;
use crate::model::date::Date;
use std::sync::Arc;

/// Names of fields in one entry; of more, their number is noted.
const FIELDS: usize = 100;
/// Bytes of a name or an id.
const NAME: usize = 256;

/// The audit log, for the kernel.
#[must_use]
pub fn feature(services: &Services) -> Feature {
    let auditor = services.audit.clone().map(|log| Arc::new(Audit(log)) as Arc<dyn Auditor>);
    Feature { auditor, ..Feature::new("audit") }
}

#[derive(Debug)]
struct Audit(Arc<AuditLog>);

impl Auditor for Audit {
    fn note(&self, time: Date, who: Who, deed: Deed) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.0.write(entry(time, who, deed)).await;
        })
    }

    fn note_soon(&self, time: Date, who: Who, deed: Deed) {
        self.0.write_soon(entry(time, who, deed));
    }
}

/// What is known, in the order in which people read it.
fn entry(time: Date, who: Who, deed: Deed) -> Map<String, Json> {
    let mut entry = Map::new();
    let mut put = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            entry.insert(name.to_owned(), value);
        }
    };
    put("time", Some(time.to_iso().into()));
    put("what", Some(deed.what.name().into()));
    put("class", deed.class.map(|class| cut(&class).into()));
    put("id", deed.id.map(|id| cut(&id).into()));
    put("count", deed.count.map(Json::from));
    let more = deed.fields.len().saturating_sub(FIELDS);
    if !deed.fields.is_empty() {
        put("fields", Some(deed.fields.iter().take(FIELDS).map(|field| cut(shown(field))).collect()));
    }
    put("moreFields", (more > 0).then(|| more.into()));
    put("key", Some(who.key.into()));
    put("user", who.user.map(|user| cut(&user).into()));
    put("address", Some(who.address.to_string().into()));
    put("request", who.request.map(|id| Json::from(&*id)));
    put("cloud", who.inside.then_some(Json::Bool(true)));
    entry
}

/// The name that clients know a column by.
fn shown(column: &str) -> &str {
    match column {
        "_hashed_password" => "password",
        "_rperm" | "_wperm" => "ACL",
        _ => column,
    }
}

fn cut(text: &str) -> String {
    let end = (0..=NAME.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::domain::kernel::audit::What;

    #[test]
    fn an_entry_is_bounded_and_in_order() {
        let who = Who {
            key: "session",
            user: Some("ü".repeat(200)),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            request: Some("r-1".into()),
            inside: false,
        };
        let fields = (0..150).map(|at| format!("f{at}")).chain(["_hashed_password".to_owned()]);
        let deed = Deed::new(What::Update).of("a").fields(fields);
        let entry = entry(Date::from_millis(0), who, deed);
        let names: Vec<_> = entry.keys().map(String::as_str).collect();
        assert_eq!(names, ["time", "what", "id", "fields", "moreFields", "key", "user", "address", "request"]);
        assert_eq!(entry["moreFields"], 51);
        assert_eq!(entry["user"].as_str().unwrap().len(), 256);
        assert_eq!(shown("_hashed_password"), "password");
    }
}
