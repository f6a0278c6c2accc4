//! The triggers of live queries: beforeConnect, beforeSubscribe, afterEvent, and what their listeners are told (`onLiveQueryEvent`).

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json, json};

use super::caller::Caller;
use super::event::{Event, Member, Op, Unasked};
use super::hub::LiveQueries;
use super::judge;
use super::query::Query;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::triggers::{self, payload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::decode_stored;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::trigger::{CONNECT, Trigger};

/// What triggers are told of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// Session token of `connect`.
    pub session_token: Option<&'a str>,
    /// Installation id of `connect`.
    pub installation_id: Option<&'a str>,
}

/// The client that something happens to, where it has connected.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its id, as long as it is there.
    pub id: Option<&'a str>,
    /// What it said when it connected.
    pub connection: Connection<'a>,
    /// Whether it has the rights of the master key.
    pub master: bool,
}

impl LiveQueries {
    /// Asks beforeConnect whether a client may connect. Its id is the one it is to have, if it gets one.
    ///
    /// # Errors
    /// What the trigger refuses.
    pub async fn may_connect(&self, app: &Arc<App>, caller: &Caller, client: Known<'_>) -> Result<()> {
        let Some(handler) = app.triggers.handler(Trigger::BeforeConnect, CONNECT) else { return Ok(()) };
        let cx = first_context(app, caller).await?;
        let mut told = self.describe(client);
        told.insert("event".to_owned(), "connect".into());
        add_user(&cx, &mut told);
        triggers::fire(&cx, &handler, Trigger::BeforeConnect, &ClassName::unchecked(CONNECT), told).await.map(|_| ())
    }

    /// Asks beforeSubscribe, which may change the query. `op`: `subscribe` or `update`. `token`: that of the subscription.
    ///
    /// # Errors
    /// What the trigger refuses, and 141 for an answer that is no query.
    pub async fn may_subscribe(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        (op, request_id): (&str, &Number),
        token: Option<&str>,
        query: Query,
    ) -> Result<Query> {
        let class = query.class.clone();
        let Some(handler) = app.triggers.handler(Trigger::BeforeSubscribe, class.as_str()) else { return Ok(query) };
        let cx = first_context(app, caller).await?;
        let mut told = Map::new();
        told.insert("op".to_owned(), op.into());
        told.insert("requestId".to_owned(), Json::Number(request_id.clone()));
        told.insert("query".to_owned(), described(&query).into());
        if caller.master {
            told.insert("master".to_owned(), true.into());
        }
        add_text(&mut told, "sessionToken", token);
        add_user(&cx, &mut told);
        let answer = triggers::fire(&cx, &handler, Trigger::BeforeSubscribe, &class, told).await?;
        match answer.query {
            Some(changed) => change(query, changed),
            None => Ok(query),
        }
    }

    /// Asks afterEvent what a subscription is told; `None`: nothing.
    ///
    /// # Errors
    /// What the trigger refuses: the subscriber reads that instead of the event.
    pub async fn ask(&self, unasked: &Unasked, member: &Member, connection: Connection<'_>) -> Result<Option<Event>> {
        let Unasked { seen, readers, written, handler, caller } = unasked;
        let Some(reader) = readers.get(seen.reader) else { return Ok(None) };
        let cx = reader.context().part();
        let class = cx.class(&written.class);
        let whole = |row: &Object| payload::object(&cx.as_master(), &class, &Visibility::default(), row.clone());
        let (before, after) = (written.before.as_deref(), written.after.as_deref());
        let object = if seen.former { before } else { after };
        let mut told = Map::new();
        told.insert("event".to_owned(), seen.op.name().into());
        told.insert("object".to_owned(), object.map(whole).into());
        if seen.op != Op::Delete {
            told.insert("original".to_owned(), seen.original.and(before).map(whole).into());
        }
        told.extend(self.describe(Known { id: None, connection, master: caller.master }));
        told.insert("sendEvent".to_owned(), true.into());
        add_user(&cx, &mut told);
        let answer = triggers::fire(&cx, handler, Trigger::AfterEvent, &written.class, told).await?;
        if answer.send_event == Some(false) {
            return Ok(None);
        }
        let mut event = judge::render(seen, readers, written).await;
        if let Some(name) = answer.event {
            let Some(op) = Op::named(&name) else { return Ok(None) };
            event.op = op;
        }
        let changed = |given: Map<String, Json>| -> Object {
            let mut object: Object = given.into_iter().map(|(field, value)| (field, decode_stored(value))).collect();
            reader.redact(&mut object);
            object.insert("className", written.class.as_str());
            object
        };
        if let Some(object) = answer.object {
            event.object = changed(object);
        }
        if let (Some(original), true) = (answer.original, event.original.is_some()) {
            event.original = Some(changed(original));
        }
        Ok(Some(match &member.keys {
            None => event,
            Some(keys) => judge::select(&event, keys),
        }))
    }

    /// What code is told of a client.
    fn describe(&self, Known { id, connection, master }: Known<'_>) -> Map<String, Json> {
        let mut told = self.numbers();
        if let Some(id) = id {
            told.insert("client".to_owned(), json!({ "id": id }));
        }
        told.insert("useMasterKey".to_owned(), master.into());
        add_text(&mut told, "installationId", connection.installation_id);
        add_text(&mut told, "sessionToken", connection.session_token);
        told
    }

    /// How many clients and subscriptions there are.
    fn numbers(&self) -> Map<String, Json> {
        Map::from_iter([
            ("clients".to_owned(), self.counts.clients().into()),
            ("subscriptions".to_owned(), self.counts.subscriptions().into()),
        ])
    }

    /// Whether the app's code wants to be told.
    #[must_use]
    pub fn has_listeners(app: &App) -> bool {
        app.triggers.live_query_events().is_some()
    }

    /// Tells the app's code, if it wants to know: `ws_connect`, `subscribe`, `unsubscribe`, `ws_disconnect`.
    pub fn tell_code(&self, app: &Arc<App>, event: &'static str, client: Option<Known<'_>>) {
        if Self::has_listeners(app) {
            let told = client.map_or_else(|| self.numbers(), |client| self.describe(client));
            self.enqueue(app, event, told);
        }
    }

    /// Tells the app's code that a client has connected, which it is told of with its user.
    pub async fn tell_code_of_client(&self, app: &Arc<App>, caller: &Caller, client: Known<'_>) {
        if !Self::has_listeners(app) {
            return;
        }
        let user = first_context(app, caller).await;
        let mut told = self.describe(client);
        if let Ok(cx) = user {
            add_user(&cx, &mut told);
        }
        self.enqueue(app, "connect", told);
    }

    /// Tells the app's code of a socket that ended before a client had connected.
    pub fn tell_code_of_nobody(&self, app: &Arc<App>) {
        if Self::has_listeners(app) {
            let mut told = self.numbers();
            told.insert("error".to_owned(), "The socket ended before a client connected.".into());
            self.enqueue(app, "ws_disconnect_error", told);
        }
    }

    fn enqueue(&self, app: &Arc<App>, event: &'static str, mut told: Map<String, Json>) {
        told.insert("event".to_owned(), event.into());
        self.listeners.tell(app, event, told);
    }
}

async fn first_context(app: &Arc<App>, caller: &Caller) -> Result<Context> {
    caller.contexts(app).await?.into_iter().next().ok_or_else(|| ParseError::internal("a caller without a context"))
}

fn add_text(told: &mut Map<String, Json>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        told.insert(name.to_owned(), text.into());
    }
}

fn add_user(cx: &Context, told: &mut Map<String, Json>) {
    if let Some(session) = cx.auth.user() {
        told.insert("user".to_owned(), payload::user(cx, session));
    }
}

fn described(query: &Query) -> Map<String, Json> {
    let mut described = Map::new();
    described.insert("where".to_owned(), query.condition.clone().into());
    described.insert("className".to_owned(), query.class.as_str().into());
    if let Some(keys) = &query.keys {
        described.insert("keys".to_owned(), keys.clone().into());
    }
    if !query.watch.is_empty() {
        described.insert("watch".to_owned(), query.watch.clone().into());
    }
    described
}

/// The query as a trigger changed it: condition, keys and watched fields.
fn change(query: Query, mut changed: Map<String, Json>) -> Result<Query> {
    let refused = || ParseError::new(ErrorCode::ScriptFailed, "beforeSubscribe answered with what is no query.");
    let mut names = |member: &str| -> Result<Option<Vec<String>>> {
        let list = match changed.shift_remove(member) {
            None | Some(Json::Null) => return Ok(None),
            Some(Json::Array(list)) => list,
            Some(Json::String(text)) => text.split(',').map(Json::from).collect(),
            Some(_) => return Err(refused()),
        };
        list.into_iter()
            .map(|name| match name {
                Json::String(name) => Ok(name),
                _ => Err(refused()),
            })
            .collect::<Result<Vec<_>>>()
            .map(Some)
    };
    let (keys, watch) = (names("keys")?, names("watch")?);
    let condition = match changed.shift_remove("where") {
        None => query.condition.clone(),
        Some(Json::Object(condition)) => condition,
        Some(_) => return Err(refused()),
    };
    Ok(Query { condition, keys: keys.or(query.keys), watch: watch.unwrap_or(query.watch), ..query })
}
