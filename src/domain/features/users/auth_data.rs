//! Linked identities: reads `authData`, finds its owner, verifies and stores it.
//!
//! Each provider has a column `_auth_data_P` with a unique index on its `id`.

use serde_json::{Map, Value as Json, json};

use super::state::Users;
use super::{log_in, password};
use crate::adapters::auth::{Attempt, Given, Policy, Providers, Step, not_configured};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::columns;
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::options::FindOptions;
use crate::model::query::{Filter, Resolved};
use crate::model::value::Value;
use crate::storage::StorageError;

/// Name of the anonymous provider, which every server has.
pub const ANONYMOUS: &str = "anonymous";

/// The column of a provider.
#[must_use]
pub fn column(provider: &str) -> String {
    columns::of_provider(provider)
}

/// 252: the provider is unknown or disabled.
#[must_use]
pub fn unsupported() -> ParseError {
    ParseError::new(ErrorCode::UnsupportedService, "This authentication method is unsupported.")
}

/// 208: another user has this identity.
#[must_use]
pub fn already_used() -> ParseError {
    ParseError::new(ErrorCode::AccountAlreadyLinked, "this auth is already used")
}

/// The `authData` of a request, for configured providers.
#[derive(Debug, Default)]
pub struct AuthData {
    /// Provider → its data; `None` unlinks. Sorted by name.
    providers: Vec<(String, Option<Map<String, Json>>)>,
}

/// The context for verifying identities.
#[derive(Debug, Default, Clone, Copy)]
pub struct Who<'a> {
    /// The stored row of the user.
    pub user: Option<&'a Object>,
    /// Whether that user is logged in, or the request uses the master key.
    pub logged_in: bool,
    /// Whether the request is `/challenge`, not a log in.
    pub challenge: bool,
}

/// Verified identities, and what to store.
#[derive(Debug)]
pub struct Validated {
    /// Changes of the user's columns.
    pub changes: Update,
    /// Condition under which these changes may be written.
    pub only: Resolved,
    /// The error if the condition does not match.
    used_up: Option<ParseError>,
    /// The error of the log in after the changes have been written.
    refusal: Option<ParseError>,
    /// Provider → response for the client.
    pub responses: Object,
    /// Whether there was anything to verify or to unlink.
    pub checked: bool,
    /// Whether an external service confirmed the identity. An anonymous id and a second factor do not count.
    pub proves_identity: bool,
}

impl AuthData {
    /// Parses the `authData` of a request.
    ///
    /// # Errors
    /// 252 if it is not an object, or for a provider that is not configured; 162 for an id that is not a string, or
    /// blank.
    pub fn read(cx: &Context, sent: &Json) -> Result<Self> {
        let map = sent.as_object().ok_or_else(unsupported)?;
        let mut providers = Vec::with_capacity(map.len());
        for (provider, data) in map {
            let data = match data {
                Json::Null => None,
                Json::Object(data) => Some(data.clone()),
                _ => return Err(unsupported()),
            };
            if let Some(data) = &data {
                match data.get("id") {
                    None => {}
                    // Clients that fail to generate an id must not share an account.
                    Some(Json::String(id)) if !id.trim().is_empty() => {}
                    Some(_) => {
                        return Err(ParseError::new(
                            ErrorCode::InvalidValue,
                            format!("Invalid authData id for provider '{provider}'."),
                        ));
                    }
                }
                known(cx, provider)?;
            } else if !names::is_identifier(provider) {
                return Err(unsupported());
            }
            providers.push((provider.clone(), data));
        }
        providers.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { providers })
    }

    /// Exchanges proofs, such as authorisation codes, so that providers identify the user. `user`: the stored row of the logged
    /// in user who is changed; what a client repeats of its identities needs no proof.
    ///
    /// # Errors
    /// The error of a provider.
    pub async fn identify(&mut self, cx: &Context, user: Option<&Object>) -> Result<()> {
        let random = |length: usize| cx.app.random.alphanumeric(length);
        for (provider, data) in &mut self.providers {
            let Some(adapter) = providers(cx).and_then(|providers| providers.get(provider)) else { continue };
            let Some(sent) = data.as_ref().filter(|sent| !sent.is_empty()) else { continue };
            if user.is_some_and(|user| is_repeated(user, provider, sent)) {
                continue;
            }
            let given = Given { data: sent, now: cx.now().millis(), random: &random };
            let question = || format!("{provider}: {}", Json::from(sent.clone()));
            if let Some(named) = cx.ask_once(question, adapter.identify(&given)).await? {
                *data = Some(named);
            }
        }
        Ok(())
    }

    /// Whether the data of any provider can be used to log in.
    #[must_use]
    pub fn identifies(&self) -> bool {
        self.providers.iter().any(|(_, data)| data.as_ref().is_some_and(|data| !data.is_empty()))
    }

    /// A second factor is only checked after the first one was right, so that nobody else can request or guess codes.
    fn first_factors_first(&self, cx: &Context) -> impl Iterator<Item = &(String, Option<Map<String, Json>>)> {
        let is_second = |(provider, _): &&(String, Option<Map<String, Json>>)| {
            let policy = providers(cx)
                .and_then(|providers| providers.get(provider))
                .and_then(|adapter| adapter.policy(None).ok());
            policy == Some(Policy::Additional)
        };
        let (second, first): (Vec<_>, Vec<_>) = self.providers.iter().partition(is_second);
        first.into_iter().chain(second)
    }

    /// Whether the request contains data for the provider.
    fn brings(&self, provider: &str) -> bool {
        self.providers.iter().any(|(name, data)| name == provider && data.is_some())
    }

    /// The providers whose data is more than a repetition of what the user has.
    fn news_for(&self, user: &Object) -> Vec<&str> {
        let changed = |provider: &str, data: &Option<Map<String, Json>>| match data {
            _ if provider == ANONYMOUS => false,
            Some(data) => !is_repeated(user, provider, data),
            None => stored(user, provider).is_some(),
        };
        self.providers.iter().filter(|(name, data)| changed(name, data)).map(|(name, _)| name.as_str()).collect()
    }

    /// The providers with an effect on a user, separated by commas, for `createdWith` of sessions: those with data, and
    /// those that are unlinked.
    #[must_use]
    pub fn effective_names(&self, user: Option<&Object>) -> String {
        let has = |provider: &str| user.is_some_and(|user| stored(user, provider).is_some());
        let effective = self.providers.iter().filter(|(provider, data)| data.is_some() || has(provider));
        effective.map(|(provider, _)| provider.as_str()).collect::<Vec<_>>().join(",")
    }

    /// `authData` as the client sent it; nothing if it is empty. Providers that exchange a code have filled in what they know.
    #[must_use]
    pub fn shown(&self) -> Map<String, Json> {
        let data = self.providers.iter();
        let data = data.map(|(provider, data)| (provider.clone(), data.clone().map_or(Json::Null, Json::Object)));
        let data: Map<String, Json> = data.collect();
        if data.is_empty() { data } else { Map::from_iter([("authData".to_owned(), data.into())]) }
    }

    /// The condition that a user has one of these identities; `None` if there are no ids.
    pub(super) fn owners_filter(&self) -> Option<Resolved> {
        let parts: Vec<Resolved> = self
            .providers
            .iter()
            .filter_map(|(provider, data)| Some((provider, data.as_ref()?.get("id")?.as_str()?)))
            .map(|(provider, id)| Filter::eq(format!("{}.id", column(provider)), id))
            .collect();
        (!parts.is_empty()).then_some(Filter::Or(parts))
    }

    /// The users with one of these identities, at most two.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn owners(&self, cx: &Context) -> Result<Vec<Object>> {
        let Some(filter) = self.owners_filter() else {
            return Ok(Vec::new());
        };
        let options = FindOptions { limit: Some(2), ..FindOptions::default() };
        let mut owners = read::internal_all(cx, names::USER, filter, &options, "whose identity it is").await?;
        if !cx.auth.is_master() {
            // A user with an empty ACL counts as not found.
            owners.retain(|owner| {
                let empty = |column: &str| owner.get(column).and_then(Value::as_array).is_some_and(<[Value]>::is_empty);
                !(empty("_rperm") && empty("_wperm"))
            });
        }
        Ok(owners)
    }

    /// Verifies the data with the providers: all of it, or only what does not repeat what the user has. The latter is for a
    /// user who is logged in, because ids are no secrets.
    ///
    /// # Errors
    /// The error of a provider; 111 for an invalid typed value.
    pub async fn validate(
        &self,
        cx: &Context,
        who: Who<'_>,
        only_new: bool,
        body: &Map<String, Json>,
    ) -> Result<Validated> {
        let changed = who.user.filter(|_| only_new).map(|user| self.news_for(user));
        let request = request(cx, who, body, self);
        let random = |length: usize| cx.app.random.alphanumeric(length);
        let mut validated = Validated {
            changes: Update::default(),
            only: Filter::All,
            used_up: None,
            refusal: None,
            responses: Object::new(),
            checked: false,
            proves_identity: false,
        };
        for (provider, data) in self.first_factors_first(cx) {
            if changed.as_ref().is_some_and(|changed| !changed.contains(&provider.as_str())) {
                continue;
            }
            validated.checked = true;
            let Some(data) = data else {
                validated.changes.put(column(provider), Change::Unset);
                continue;
            };
            let Some(adapter) = providers(cx).and_then(|providers| providers.get(provider)) else {
                validated.changes.put(column(provider), Change::Set(Value::Object(json::decode_map(data.clone())?)));
                continue;
            };
            let before = who.user.and_then(|user| stored(user, provider));
            let step = match (&before, who.logged_in) {
                (Some(_), true) => Step::Update,
                (Some(_), false) => Step::Login,
                (None, _) => Step::SetUp,
            };
            let attempt = Attempt {
                data,
                stored: before.as_ref(),
                step,
                challenge: who.challenge,
                master: cx.auth.is_master(),
                now: cx.now().millis(),
                random: &random,
                request: &request,
            };
            let question = || json!([provider, format!("{step:?}"), data, before]).to_string();
            let refused = |error: &ParseError| {
                tracing::info!(provider, ?step, %error, "an identity provider refused an identity");
            };
            let ask = async { adapter.validate(&attempt).await.inspect_err(refused) };
            let outcome = cx.ask_once(question, ask).await?;
            validated.proves_identity |=
                adapter.policy(before.as_ref()).is_ok_and(|policy| policy != Policy::Additional);
            validated.refusal = outcome.refusal.or(validated.refusal);
            if let Some(response) = outcome.response {
                validated.responses.insert(provider.clone(), json::decode_stored(response));
            }
            if outcome.do_not_save {
                continue;
            }
            if outcome.exclusive && outcome.save.is_some() && outcome.save != before {
                let unchanged = match who.user.and_then(|user| user.get(&column(provider))).filter(|_| before.is_some())
                {
                    Some(value) => Filter::eq(column(provider), value.clone()),
                    None if who.user.is_some() => Filter::eq(column(provider), Value::Null),
                    None => Filter::All,
                };
                validated.only = std::mem::replace(&mut validated.only, Filter::All).and(unchanged);
                validated.used_up = Some(adapter.used_up());
            }
            let save = outcome.save.unwrap_or_else(|| data.clone());
            validated.changes.put(column(provider), Change::Set(Value::Object(json::decode_map(save)?)));
        }
        Ok(validated)
    }
}

impl Validated {
    /// Stores the result of a log in, unless nothing changes. `proof`: what the log in rests on, as a condition on the user's row; it may
    /// have been taken away while providers were asked.
    ///
    /// # Errors
    /// The error of the provider if another request has used the data; 208 if another user has the identity meanwhile; `refusal` if the
    /// proof does not hold any more.
    pub async fn store(
        self,
        cx: &Context,
        user: &Object,
        proof: Resolved,
        refusal: fn() -> ParseError,
    ) -> Result<Object> {
        let mut changes = self.changes;
        changes.0.retain(|(column, change)| match change {
            Change::Set(value) => user.get(column) != Some(value),
            // A log in does not unlink.
            _ => false,
        });
        if !changes.is_empty() {
            let id = user.get_str("objectId").unwrap_or_default();
            let class = cx.class(&ClassName::unchecked(names::USER));
            let scope = Scoped::internal(store::by_id(id).and(self.only).and(proof), "keep what a provider says");
            let written = store::update_one(cx, &class, &scope, &changes).await.map_err(|error| match error {
                StorageError::Duplicate { .. } => already_used().with_source(error),
                error => failure(error),
            })?;
            if written.is_none() {
                return Err(self.used_up.unwrap_or_else(refusal));
            }
            cx.app.caches.forget(names::USER, Some(id));
        }
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        Ok(self.responses)
    }
}

/// Whether data consists of fields that are stored for the provider with the same values: readers do not see all of them.
fn is_repeated(user: &Object, provider: &str, data: &Map<String, Json>) -> bool {
    let before = stored(user, provider).unwrap_or_default();
    !data.is_empty() && data.iter().all(|(field, value)| before.get(field) == Some(value))
}

/// The stored data of a user for a provider, as JSON.
fn stored(user: &Object, provider: &str) -> Option<Map<String, Json>> {
    user.get(&column(provider)).and_then(Value::as_object).map(json::encode_object)
}

/// A user's row for adapters.
fn shown(user: &Object) -> Map<String, Json> {
    let mut view: Object = user
        .iter()
        .filter(|(name, _)| !name.starts_with('_') && !matches!(name.as_str(), "password" | "sessionToken"))
        .map(|(name, value)| match value.as_date() {
            Some(date) if matches!(name.as_str(), "createdAt" | "updatedAt") => (name.clone(), date.to_iso().into()),
            _ => (name.clone(), value.clone()),
        })
        .collect();
    if let Some(linked) = assemble(user) {
        view.insert("authData", linked);
    }
    json::encode_object(&view)
}

/// The request in the form that parse-server passes to adapters.
pub(super) fn request(cx: &Context, who: Who<'_>, body: &Map<String, Json>, sent: &AuthData) -> Json {
    let mut object = who.user.map(shown).unwrap_or_default();
    for (name, value) in body.iter().filter(|(name, _)| name.as_str() != "password") {
        object.insert(name.clone(), value.clone());
    }
    object.extend(sent.shown());
    let mut request = Map::new();
    request.insert("object".to_owned(), Json::Object(object));
    request.insert("master".to_owned(), cx.auth.is_master().into());
    request.insert("ip".to_owned(), cx.client.ip.to_string().into());
    if let Some(user) = who.user {
        request.insert("original".to_owned(), Json::Object(shown(user)));
    }
    if let Some(caller) = cx.auth.user() {
        request.insert("user".to_owned(), Json::Object(shown(&caller.row)));
    }
    if let Some(installation) = &cx.installation_id {
        request.insert("installationId".to_owned(), installation.clone().into());
    }
    if who.challenge {
        request.insert("isChallenge".to_owned(), true.into());
    }
    Json::Object(request)
}

/// The providers of this server.
fn providers(cx: &Context) -> Option<&Providers> {
    cx.app.feature::<Users>().ok().map(|users| &users.providers)
}

/// Checks that a provider is configured.
fn known(cx: &Context, provider: &str) -> Result<()> {
    let users = &cx.app.options.users;
    if provider == ANONYMOUS {
        let on = users.enable_anonymous_users
            && users.auth.get(ANONYMOUS).is_none_or(|options| options.get("enabled") != Some(&Json::Bool(false)));
        return if on { Ok(()) } else { Err(unsupported()) };
    }
    if providers(cx).and_then(|providers| providers.get(provider)).is_some() {
        return Ok(());
    }
    let off = users.auth.get(provider).is_some_and(|options| options.get("enabled") == Some(&Json::Bool(false)));
    Err(not_configured(provider).filter(|_| !off).unwrap_or_else(unsupported))
}

/// Checks that the request contains the second factor, if the user has one.
///
/// # Errors
/// -1 if it is missing.
pub fn require_additional(cx: &Context, user: &Object, sent: &AuthData) -> Result<()> {
    let mut missing = Vec::new();
    let linked = assemble(user).unwrap_or_default();
    for (provider, value) in &linked {
        let Some(adapter) = providers(cx).and_then(|providers| providers.get(provider)) else { continue };
        let stored = value.as_object().map(json::encode_object);
        match (adapter.policy(stored.as_ref()).unwrap_or(Policy::Default), sent.brings(provider)) {
            (Policy::Solo | Policy::Additional, true) => return Ok(()),
            (Policy::Additional, false) => missing.push(provider.as_str()),
            (Policy::Default | Policy::Solo, _) => {}
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(ParseError::new(ErrorCode::OtherCause, format!("Missing additional authData {}", missing.join(","))))
}

/// Verifies `authData` in a log in with a right password: every identity must be valid and belong to this user or to
/// none. Returns the responses for the client; `None` without `authData`.
///
/// # Errors
/// As [`AuthData::read`] and [`AuthData::validate`]; -1 for a missing second factor; 208 if an identity belongs to
/// another user.
pub async fn on_log_in(cx: &Context, user: &Object, body: &Map<String, Json>) -> Result<Option<Object>> {
    let mut auth_data = match body.get("authData").filter(|sent| !sent.is_null()) {
        Some(sent) => AuthData::read(cx, sent)?,
        None => AuthData::default(),
    };
    require_additional(cx, user, &auth_data)?;
    if !body.contains_key("authData") {
        return Ok(None);
    }
    auth_data.identify(cx, None).await?;
    let owners = auth_data.owners(cx).await?;
    let who = Who { user: Some(user), ..Who::default() };
    let validated = auth_data.validate(cx, who, false, body).await?;
    if owners.iter().any(|owner| owner.get_str("objectId") != user.get_str("objectId")) {
        return Err(already_used());
    }
    validated.store(cx, user, password::unchanged(user), log_in::invalid_credentials).await.map(Some)
}

/// Completes the `authData` of users with external services.
pub async fn complete(cx: &Context, rows: &mut [Object]) {
    let Some(providers) = providers(cx).filter(|providers| providers.any_asks_before_showing()) else { return };
    for row in rows {
        let Some(Value::Object(linked)) = row.get_mut("authData") else { continue };
        for (provider, value) in linked.iter_mut() {
            let Some(adapter) = providers.get(provider).filter(|adapter| adapter.asks_before_showing()) else {
                continue;
            };
            let request = serde_json::json!({"ip": cx.client.ip.to_string(), "master": cx.auth.is_master()});
            if let Some(shown) = adapter.present_remotely(&json::encode(value), &request).await {
                *value = json::decode_stored(shown);
            }
        }
    }
}

/// The `authData` of a row in the form that a caller sees.
#[must_use]
pub fn present(cx: &Context, row: &Object) -> Option<Object> {
    let mut linked = assemble(row)?;
    for (provider, value) in &mut linked {
        let shown = value.as_object().and_then(|stored| {
            providers(cx)
                .and_then(|providers| providers.get(provider))?
                .present(&json::encode_object(stored), cx.auth.is_master())
        });
        if let Some(shown) = shown {
            *value = json::decode_stored(Json::Object(shown));
        }
    }
    Some(linked)
}

/// The `authData` of a row, built from its columns; `None` if nothing is linked.
#[must_use]
pub fn assemble(row: &Object) -> Option<Object> {
    let linked: Object = row
        .iter()
        .filter_map(|(name, value)| Some((columns::provider_of(name)?.to_owned(), value)))
        .filter(|(_, value)| !value.is_null())
        .map(|(provider, value)| (provider, value.clone()))
        .collect();
    (!linked.is_empty()).then_some(linked)
}
