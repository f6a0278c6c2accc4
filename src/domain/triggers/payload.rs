//! What the app's code is told.

use serde_json::{Map, Value as Json, json};

use crate::domain::kernel::auth::{Auth, SessionUser};
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::shape::Shape;
use crate::model::trigger::Trigger;

/// The installation id of triggers that a master key in a header or the app's code causes.
const CLOUD: &str = "cloud";

/// What every trigger is told: its name, who calls and from where, and the context.
#[must_use]
pub fn trigger(cx: &Context, trigger: Trigger) -> Map<String, Json> {
    let mut payload = Map::new();
    payload.insert("triggerName".to_owned(), trigger.name().into());
    let by_master_header = cx.master_key_in_header && matches!(cx.auth, Auth::Master | Auth::ReadOnlyMaster);
    add_caller(cx, &mut payload, (by_master_header || cx.client.inside).then_some(CLOUD));
    // The session is gone by then, and with it what the request was about.
    if trigger != Trigger::AfterLogout {
        payload.insert("context".to_owned(), cx.cloud_context().into());
    }
    payload
}

/// What a function is told.
#[must_use]
pub fn function(cx: &Context, name: &str, params: Map<String, Json>) -> Map<String, Json> {
    let mut payload = Map::new();
    payload.insert("params".to_owned(), params.into());
    add_caller(cx, &mut payload, None);
    payload.insert("functionName".to_owned(), name.into());
    payload.insert("context".to_owned(), cx.cloud_context().into());
    payload
}

/// What adapters and functions of the app are told of a request: who calls and from where.
#[must_use]
pub fn request(cx: &Context) -> Map<String, Json> {
    let mut request = Map::new();
    add_caller(cx, &mut request, None);
    request.insert("ip".to_owned(), cx.client.ip.to_string().into());
    request.remove("log");
    request
}

fn add_caller(cx: &Context, payload: &mut Map<String, Json>, usual_installation: Option<&str>) {
    payload.insert("master".to_owned(), matches!(cx.auth, Auth::Master | Auth::ReadOnlyMaster).into());
    payload.insert("isReadOnly".to_owned(), cx.auth.is_read_only().into());
    if let Some(session) = cx.auth.user() {
        payload.insert("user".to_owned(), user(cx, session));
    }
    if let Some(id) = cx.installation_id.as_deref().or(usual_installation) {
        payload.insert("installationId".to_owned(), id.into());
    }
    if let Some(headers) = &cx.client.headers {
        payload.insert("headers".to_owned(), Json::Object(Map::clone(headers)));
        payload.insert("ip".to_owned(), cx.client.ip.to_string().into());
    }
    payload.insert("log".to_owned(), json!({ "appId": cx.app.options.keys.app_id }));
}

/// The caller as a user, with the token of its session. One that has no session yet is known by its id alone.
#[must_use]
pub fn user(cx: &Context, session: &SessionUser) -> Json {
    if session.session_token.is_empty() {
        return json!({ "objectId": session.id });
    }
    let class = cx.class(&ClassName::unchecked(names::USER));
    let mut user = fields(&cx.as_master(), &class, &Visibility::default(), Object::clone(&session.row));
    user.insert("sessionToken".to_owned(), session.session_token.as_str().into());
    Json::Object(user)
}

/// A row as a caller may see it, by fields.
#[must_use]
pub fn fields(cx: &Context, class: &Class, visibility: &Visibility, mut row: Object) -> Map<String, Json> {
    visibility.redact(&mut row);
    cx.app.rules.of(&class.schema.name).redact(cx, &mut row);
    let shape = Shape::of(&class.schema, cx.file_addresses());
    json::encode_object(&shape.present(row))
}

/// As [`fields`], with the name of the class.
#[must_use]
pub fn object(cx: &Context, class: &Class, visibility: &Visibility, row: Object) -> Map<String, Json> {
    let mut object = fields(cx, class, visibility, row);
    object.insert("className".to_owned(), class.schema.name.as_str().into());
    object
}
