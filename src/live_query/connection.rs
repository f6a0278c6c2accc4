//! One connection of a client: what it asks, and what it is told.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use futures_util::future::BoxFuture;
use serde_json::Number;

use super::frame::{self, ClientName};
use super::message::{Connect, Malformed, Message, Subscribe};
use super::settings::Settings;
use crate::domain::features::live_query::outlet::{self, Inbox, Outlet};
use crate::domain::features::live_query::{
    Caller, Connection, Counted, Delivery, Known, LiveQueries, News, Query, Subscription,
};
use crate::domain::kernel::app::App;
use crate::error::{ErrorCode, ParseError, Result};

/// Message refused by the checks.
const MALFORMED: i32 = 1;
/// Nothing is known of the client or the subscription.
const UNKNOWN: i32 = 2;
/// None of the keys is right.
const WRONG_KEY: i32 = 4;

/// A connection.
#[derive(Debug)]
pub struct LiveConnection {
    app: Arc<App>,
    live: Arc<LiveQueries>,
    settings: Arc<Settings>,
    outlet: Outlet<Delivery>,
    client: Option<Client>,
}

/// What `connect` said.
#[derive(Debug)]
struct Client {
    id: String,
    name: ClientName,
    master: bool,
    session_token: Option<String>,
    installation_id: Option<String>,
    subscriptions: HashMap<Number, Held, RandomState>,
    /// Bytes of all conditions.
    bytes: usize,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Held {
    subscription: Subscription,
    bytes: usize,
}

/// What a client reads of a delivery.
pub enum Told<'a> {
    /// Nothing.
    Nothing,
    /// This text.
    Text(String),
    /// What the app's code says first, if anything.
    Later(BoxFuture<'a, Option<String>>),
}

impl Client {
    fn connection(&self) -> Connection<'_> {
        Connection { session_token: self.session_token.as_deref(), installation_id: self.installation_id.as_deref() }
    }

    /// As the app's code knows it.
    fn known(&self, is_there: bool) -> Known<'_> {
        Known { id: is_there.then_some(&self.id), connection: self.connection(), master: self.master }
    }

    fn end(&mut self, request_id: &Number) -> bool {
        let Some(held) = self.subscriptions.remove(request_id) else { return false };
        self.bytes = self.bytes.saturating_sub(held.bytes);
        true
    }
}

impl LiveConnection {
    /// A connection that has just begun, and the queue of what it is to be told.
    #[must_use]
    pub fn new(app: Arc<App>, live: Arc<LiveQueries>, settings: Arc<Settings>) -> (Self, Inbox<Delivery>) {
        let (outlet, inbox) = outlet::queue(settings.bounds.queue);
        live.tell_code(&app, "ws_connect", None);
        (Self { app, live, settings, outlet, client: None }, inbox)
    }

    /// Ends the connection: its subscriptions, and its client.
    pub fn end(self) {
        match self.client {
            Some(mut client) => {
                client.subscriptions.clear();
                client.counted = None;
                self.live.tell_code(&self.app, "ws_disconnect", Some(client.known(false)));
            }
            None => self.live.tell_code_of_nobody(&self.app),
        }
    }

    /// The answers to a text message.
    pub async fn answer(&mut self, text: &str) -> Vec<String> {
        match Message::read(text) {
            Ok(Message::Connect(connect)) => vec![self.connect(*connect).await],
            Ok(Message::Subscribe(subscribe)) => {
                let mut answers = Vec::with_capacity(1);
                if subscribe.update {
                    answers.extend(self.unsubscribe(&subscribe.request_id).err());
                }
                answers.push(self.subscribe(*subscribe, text.len()).await);
                answers
            }
            Ok(Message::Unsubscribe(request_id)) => vec![match self.unsubscribe(&request_id) {
                Ok(answer) | Err(answer) => answer,
            }],
            Err(Malformed::NotJson) => {
                tracing::debug!(bytes = text.len(), "a message to live queries is no JSON");
                Vec::new()
            }
            Err(Malformed::Refused(reason)) => vec![frame::protocol_error(MALFORMED, &reason)],
        }
    }

    async fn connect(&mut self, connect: Connect) -> String {
        let Some(master) = self.settings.admits(&connect.keys) else {
            return frame::protocol_error(WRONG_KEY, "Key in request is not valid");
        };
        // What the connection followed before ends with the client that followed it.
        self.client = None;
        let Connect { session_token, installation_id, .. } = connect;
        let caller = Caller::new(master, None, session_token.as_deref());
        let connection =
            Connection { session_token: session_token.as_deref(), installation_id: installation_id.as_deref() };
        let id = uuid(&self.app);
        let known = Known { id: Some(&id), connection, master };
        if let Err(error) = self.live.may_connect(&self.app, &caller, known).await {
            return self.refusal(&error, None);
        }
        self.live.tell_code_of_client(&self.app, &caller, known).await;
        let name = ClientName::new(&id, installation_id.as_deref());
        let answer = name.connected();
        self.client = Some(Client {
            id,
            name,
            master,
            session_token,
            installation_id,
            subscriptions: HashMap::default(),
            bytes: 0,
            counted: Some(Counted::new(&self.live.counts)),
        });
        answer
    }

    async fn subscribe(&mut self, subscribe: Subscribe, bytes: usize) -> String {
        let request_id = subscribe.request_id.clone();
        let Some(client) = &mut self.client else { return unknown_client("subscribing") };
        client.end(&request_id);
        match self.follow(subscribe, bytes).await {
            Ok(subscription) => {
                let Some(client) = &mut self.client else { return unknown_client("subscribing") };
                client.bytes = client.bytes.saturating_add(bytes);
                let answer = client.name.about("subscribed", &request_id, subscription.token().as_deref());
                client.subscriptions.insert(request_id, Held { subscription, bytes });
                self.live.tell_code(&self.app, "subscribe", Some(client.known(true)));
                answer
            }
            Err(error) => self.refusal(&error, Some(&request_id)),
        }
    }

    async fn follow(&self, subscribe: Subscribe, bytes: usize) -> Result<Subscription> {
        let Some(client) = &self.client else { return Err(ParseError::internal("no client")) };
        if client.subscriptions.len() >= self.settings.bounds.subscriptions
            || client.bytes.saturating_add(bytes) > self.settings.bounds.condition_bytes
        {
            return Err(ParseError::new(
                ErrorCode::RequestLimitExceeded,
                "The connection has as many subscriptions as it may have",
            ));
        }
        let Subscribe { update, request_id, class, condition, keys, watch, session_token, resume } = subscribe;
        let caller = Caller::new(client.master, session_token.as_deref(), client.session_token.as_deref());
        let query = Query { keys, watch, resume, ..Query::new(&class, condition)? };
        let op = if update { "update" } else { "subscribe" };
        let query =
            self.live.may_subscribe(&self.app, &caller, (op, &request_id), session_token.as_deref(), query).await?;
        self.live.subscribe(&self.app, Arc::new(caller), query, request_id, self.outlet.clone()).await
    }

    fn unsubscribe(&mut self, request_id: &Number) -> std::result::Result<String, String> {
        let Some(client) = &mut self.client else { return Err(unknown_client("unsubscribing")) };
        if client.end(request_id) {
            self.live.tell_code(&self.app, "unsubscribe", Some(client.known(true)));
            return Ok(client.name.about("unsubscribed", request_id, None));
        }
        let text = format!(
            "Cannot find subscription with clientId {} subscriptionId {request_id}. Make sure you subscribe to live query server before unsubscribing.",
            client.id
        );
        Err(frame::protocol_error(UNKNOWN, &text))
    }

    /// What the client reads of a delivery.
    #[must_use]
    pub fn tell<'a>(&'a self, delivery: &'a Delivery) -> Told<'a> {
        let Some(client) = &self.client else { return Told::Nothing };
        let member = &*delivery.member;
        let Some(held) = client.subscriptions.get(&member.request_id) else { return Told::Nothing };
        // It may be for a former subscription of the same id.
        if !held.subscription.gets(delivery) {
            return Told::Nothing;
        }
        let token = held.subscription.token_of(delivery);
        match &delivery.news {
            News::Event(event) => Told::Text(client.name.event(member, event, token.as_deref())),
            News::Refused(error) => Told::Text(self.refusal(error, Some(&member.request_id))),
            News::Unasked(unasked) => Told::Later(Box::pin(async move {
                match self.live.ask(unasked, member, client.connection()).await {
                    Ok(event) => event.map(|event| client.name.event(member, &event, token.as_deref())),
                    Err(error) => Some(self.refusal(&error, Some(&member.request_id))),
                }
            })),
        }
    }

    fn refusal(&self, error: &ParseError, request_id: Option<&Number>) -> String {
        frame::refusal(error, self.app.options.security.enable_sanitized_error_response, request_id)
    }
}

fn unknown_client(what: &str) -> String {
    let text = format!("Can not find this client, make sure you connect to server before {what}");
    frame::protocol_error(UNKNOWN, &text)
}

/// A random UUID, version 4.
fn uuid(app: &App) -> String {
    let mut bytes = [0_u8; 16];
    app.random.fill(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) | (0x4 << 76);
    let number = number & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}
