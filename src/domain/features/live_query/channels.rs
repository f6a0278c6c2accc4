//! Messages between servers in the form of parse-server: what is written, on the channels `APPIDafterSave` and `APPIDafterDelete`, and
//! whose roles may have changed, on `APPIDclearCache`.

use std::sync::{Arc, Weak};

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;

use super::caller;
use super::hub::LiveQueries;
use crate::adapters::redis::Redis;
use crate::adapters::redis::channels::{Heard, Message};
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::events::{Subscriber, Written};
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::triggers::payload;
use crate::model::acl::Acl;
use crate::model::date::Date;
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::value::Value;
use crate::storage::{Change, RowChange};

const AFTER_SAVE: &str = "afterSave";
const AFTER_DELETE: &str = "afterDelete";
/// parse-server sends it when a user has written a role. It names that user, but others may have got the role.
const CLEAR_CACHE: &str = "clearCache";

/// Publishes what this server writes.
#[derive(Debug)]
pub(super) struct Publisher {
    pub live: Arc<LiveQueries>,
    pub app: Weak<App>,
    pub queue: mpsc::Sender<Message>,
}

impl Subscriber for Publisher {
    fn wants(&self, class: &ClassName) -> bool {
        self.live.published.covers(class.as_str())
    }

    fn note(&self, written: &Written) {
        let Some(app) = self.app.upgrade() else { return };
        if self.queue.try_send(message(&app, written)).is_err() {
            tracing::error!(class = %written.class, "other servers do not hear of a write: too many wait");
        }
    }
}

fn message(app: &Arc<App>, written: &Written) -> Message {
    let cx = caller::context(app, Auth::Master, None);
    let class = cx.class(&written.class);
    let object = |row: &Object| {
        let mut object = payload::object(&cx, &class, &Visibility::default(), row.clone());
        object.insert("__type".to_owned(), "Object".into());
        Json::Object(object)
    };
    let (before, after) = (written.before.as_deref(), written.after.as_deref());
    let mut message = Map::new();
    if let Some(current) = after.or(before) {
        message.insert("currentParseObject".to_owned(), object(current));
    }
    if let (Some(before), true) = (before, after.is_some()) {
        message.insert("originalParseObject".to_owned(), object(before));
    }
    if let Some(permissions) = &class.schema.permissions {
        message.insert("classLevelPermissions".to_owned(), permissions.clone().into());
    }
    let event = if after.is_some() { AFTER_SAVE } else { AFTER_DELETE };
    Message { channel: format!("{}{event}", app.options.keys.app_id), text: Json::Object(message).to_string() }
}

/// What the messages of all servers say is written. `position`: gives each its place.
///
/// # Errors
/// When the server cannot be reached.
pub(super) async fn listen(
    redis: &Redis,
    app: &Arc<App>,
    mut position: impl FnMut() -> u64 + Send + 'static,
) -> Result<BoxStream<'static, Change>, String> {
    let app_id = app.options.keys.app_id.clone();
    let channels = [AFTER_SAVE, AFTER_DELETE, CLEAR_CACHE].map(|event| format!("{app_id}{event}"));
    let (deleted, cleared) = (format!("{app_id}{AFTER_DELETE}"), format!("{app_id}{CLEAR_CACHE}"));
    let app = Arc::downgrade(app);
    let heard = redis.listen(channels.into()).await?;
    let changes = heard.filter_map(move |heard| {
        std::future::ready(match heard {
            Heard::Interrupted => Some(Change::Lost),
            Heard::Message(message) if message.channel == cleared => {
                if let Some(app) = app.upgrade() {
                    app.caches.forget(names::ROLE, None);
                }
                None
            }
            Heard::Message(message) => {
                change(&message, message.channel == deleted, position()).map(|row| Change::Row(Box::new(row)))
            }
        })
    });
    Ok(changes.boxed())
}

fn change(message: &Message, deleted: bool, position: u64) -> Option<RowChange> {
    let mut parts: Map<String, Json> = serde_json::from_str(&message.text).ok()?;
    let mut object = |name: &str| match parts.shift_remove(name) {
        Some(Json::Object(object)) => Some(object),
        _ => None,
    };
    let current = object("currentParseObject")?;
    let original = object("originalParseObject").map(row);
    let class = ClassName::unchecked(current.get("className")?.as_str()?);
    let id = current.get("objectId")?.as_str()?.to_owned();
    let (before, after) = if deleted { (Some(row(current)), None) } else { (original, Some(row(current))) };
    let made = before.is_none();
    Some(RowChange { class, id, before, after, made, position, mark: None, written_at: None })
}

/// An object as it is sent as the row that it was.
fn row(object: Map<String, Json>) -> Object {
    let mut row = Object::with_capacity(object.len());
    for (field, value) in object {
        match field.as_str() {
            "className" | "__type" => {}
            "ACL" => {
                if let Ok(acl) = Acl::parse(&value) {
                    let (readers, writers) = acl.to_permissions();
                    row.insert("_rperm", readers);
                    row.insert("_wperm", writers);
                }
            }
            "createdAt" | "updatedAt" => {
                if let Some(date) = value.as_str().and_then(Date::parse) {
                    row.insert(field, date);
                }
            }
            _ => match json::decode_stored(value) {
                Value::Relation(_) => {}
                value => {
                    row.insert(field, value);
                }
            },
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_of_parse_server_are_rows_again() {
        let text = json!({
            "currentParseObject": {
                "__type": "Object", "className": "A", "objectId": "x", "n": 1, "createdAt": "2020-01-02T03:04:05.678Z",
                "d": { "__type": "Date", "iso": "2020-01-02T03:04:05.678Z" }, "ACL": { "u": { "read": true } },
            },
        });
        let message = Message { channel: "appafterSave".to_owned(), text: text.to_string() };
        let made = change(&message, false, 7).unwrap();
        assert!(made.made && made.before.is_none() && made.position == 7);
        let row = made.after.unwrap();
        assert!(row.get("className").is_none() && row.get("ACL").is_none());
        assert_eq!(row.get("createdAt"), row.get("d"));
        assert_eq!(row.get("_rperm"), Some(&Value::Array(vec!["u".into()])));
        assert_eq!(row.get("_wperm"), Some(&Value::Array(Vec::new())));
        let deleted = change(&message, true, 8).unwrap();
        assert!(!deleted.made && deleted.after.is_none() && deleted.before.is_some());
        assert!(change(&Message { text: "[]".to_owned(), ..message }, false, 9).is_none());
    }
}
