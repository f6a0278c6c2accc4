//! Sessions: created by sign up and log in, found by their token, deleted by log out.

pub mod cache;
pub mod enter;
pub mod rules;

pub use cache::SessionCache;
pub use enter::open_context;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use metrics::{counter, gauge};
use serde_json::Value as Json;

use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::audit::{Deed, What};
use crate::domain::kernel::auth::{Auth, SessionUser};
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::events::Written;
use crate::domain::kernel::failure::{failure, invalid_session};
use crate::domain::kernel::feature::{Feature, Sessions};
use crate::domain::kernel::noting;
use crate::domain::permissions::Scoped;
use crate::domain::permissions::protected_fields::Visibility;
use crate::domain::read;
use crate::domain::read::redact::View;
use crate::domain::schema::check;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::measures;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::parse::ParsedWrite;
use crate::model::operation::{Change, Update};
use crate::model::query::options::FindOptions;
use crate::model::query::parameters::QueryParameters;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// Sessions, for the kernel.
#[must_use]
pub fn feature(options: &Options) -> Feature {
    let ttl = Duration::from_millis(options.server.cache_ttl);
    let mut feature = Feature::new("sessions")
        .rules(names::SESSION, rules::SessionRules)
        .cache(SessionCache::new(options.server.cache_max_size, ttl));
    feature.sessions = Some(Arc::new(Resolver));
    feature.gauges = Some(|app| {
        if let Ok(cache) = app.feature::<SessionCache>() {
            let (sessions, users) = cache.sizes();
            gauge!(measures::CACHE_ENTRIES, "cache" => "sessions").set(measures::number(sessions));
            gauge!(measures::CACHE_ENTRIES, "cache" => "users").set(measures::number(users));
        }
    });
    feature
}

/// Finds the users of session tokens, for other features.
struct Resolver;

impl Sessions for Resolver {
    fn user<'a>(&'a self, app: &'a Arc<App>, token: &'a str) -> BoxFuture<'a, Result<Option<Arc<SessionUser>>>> {
        Box::pin(async move { Ok(find(app, token).await?.map(|(user, _)| user)) })
    }
}

/// How a session was created (`createdWith`).
#[derive(Debug)]
pub struct CreatedWith(Object);

impl CreatedWith {
    fn new(action: &str, provider: Option<&str>) -> Self {
        let mut object = Object::new();
        object.insert("action", action);
        if let Some(provider) = provider {
            object.insert("authProvider", provider);
        }
        Self(object)
    }

    /// By a log in with this provider.
    #[must_use]
    pub fn log_in(provider: &str) -> Self {
        Self::new("login", Some(provider))
    }

    /// By a sign up with a password.
    #[must_use]
    pub fn sign_up() -> Self {
        Self::new("signup", Some("password"))
    }

    /// By `POST /sessions`.
    #[must_use]
    pub fn create() -> Self {
        Self::new("create", None)
    }

    /// As the app's code sees it.
    #[must_use]
    pub fn told(&self) -> Json {
        Json::Object(json::encode_object(&self.0))
    }

    /// By exchange of a legacy token.
    #[must_use]
    pub fn upgrade() -> Self {
        Self::new("upgrade", None)
    }
}

fn session_class() -> ClassName {
    ClassName::unchecked(names::SESSION)
}

fn token_required() -> ParseError {
    ParseError::new(ErrorCode::InvalidSessionToken, "Session token required.")
}

/// The row of a new session.
pub(super) fn new_row(cx: &Context, user: &str, created_with: Option<&CreatedWith>) -> Object {
    let options = &cx.app.options.users;
    let mut row = Object::new();
    row.insert("sessionToken", cx.app.random.session_token());
    row.insert("user", Value::pointer(&ClassName::unchecked(names::USER), user));
    if let Some(created_with) = created_with {
        row.insert("createdWith", created_with.0.clone());
    }
    if options.expire_inactive_sessions {
        row.insert("expiresAt", cx.now().plus_seconds(options.session_length));
    }
    if let Some(installation) = &cx.installation_id {
        row.insert("installationId", installation.clone());
    }
    row
}

/// Creates a session and returns its token.
///
/// # Errors
/// If the store fails; 119 for the read-only master key.
pub async fn create(cx: &Context, user: &str, created_with: Option<&CreatedWith>) -> Result<String> {
    let row = new_row(cx, user, created_with);
    let token = row.get_str("sessionToken").unwrap_or_default().to_owned();
    insert(cx, row).await?;
    noting::note(cx, || Deed::new(What::LogIn).of(user)).await;
    Ok(token)
}

/// Inserts a session with its id and dates. Deletes other sessions of the same user and installation.
pub(super) async fn insert(cx: &Context, mut row: Object) -> Result<Object> {
    cx.refuse_read_only_write(Operation::Create)?;
    let now = cx.now();
    row.insert("objectId", cx.app.random.alphanumeric(usize::from(cx.app.options.database.object_id_size)));
    row.insert("createdAt", now);
    row.insert("updatedAt", now);
    // The first session of a database creates the class.
    let fields = ["sessionToken", "user", "createdWith", "expiresAt", "installationId"];
    let known: Update = Update::setting(
        row.iter()
            .filter(|(name, _)| fields.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.clone())),
    );
    let adapted = check::adapt_class(
        &cx.as_master(),
        &session_class(),
        &ParsedWrite { update: known, ..ParsedWrite::default() },
        false,
    )
    .await?;
    if let (Some(user), Some(installation)) =
        (row.get("user").and_then(Value::as_pointer), row.get_str("installationId"))
    {
        let duplicates: Resolved = Filter::And(vec![
            Filter::eq("user", Value::Pointer(user.clone())),
            Filter::eq("installationId", installation),
            Filter::field("sessionToken", Constraint::Ne(row.get("sessionToken").cloned().unwrap_or(Value::Null))),
        ]);
        end_matching(cx, duplicates).await?;
    }
    store::insert(cx, &adapted.class, row.clone()).await.map_err(failure)?;
    if cx.app.events.wanted(&session_class()) {
        tell(cx, None, Some(&row));
    }
    Ok(row)
}

/// The user of a session token with which a request was made; `None` if the user has been deleted.
///
/// # Errors
/// 209 if the token is unknown or expired.
pub async fn resolve(app: &Arc<App>, token: &str) -> Result<Option<Arc<SessionUser>>> {
    let Some((user, session)) = find(app, token).await? else { return Ok(None) };
    extend(&Context::of_server(app), app.feature()?, token, &session).await;
    Ok(Some(user))
}

/// As [`resolve`], but the session is not used by this.
async fn find(app: &Arc<App>, token: &str) -> Result<Option<(Arc<SessionUser>, Arc<cache::Session>)>> {
    let invalid = || ParseError::new(ErrorCode::InvalidSessionToken, "Invalid session token");
    let cx = Context::of_server(app);
    let cache: &SessionCache = app.feature()?;
    let known = cache.session(token);
    let outcome = if known.is_some() { "hit" } else { "miss" };
    counter!(measures::CACHE_LOOKUPS, "cache" => "sessions", "outcome" => outcome).increment(1);
    let session = if let Some(session) = known {
        session
    } else {
        let asked_at = cache.age();
        let filter = Filter::eq("sessionToken", token);
        // Boxed, because most sessions and users are in the cache.
        let row = Box::pin(read::internal_one(&cx, names::SESSION, filter, "whose session it is")).await?;
        let row = row.ok_or_else(invalid)?;
        cache.remember_session(token, cache::Session::from_row(&row).ok_or_else(invalid)?, asked_at)
    };
    if session.expires_at.is_some_and(|expiry| expiry < app.clock.now()) {
        return Err(ParseError::new(ErrorCode::InvalidSessionToken, "Session token is expired."));
    }
    // Permissions would treat ids in the form of a role or `*` as such.
    if session.user_id.starts_with("role:") || session.user_id == "*" {
        return Err(invalid());
    }
    let row = if let Some(row) = cache.user(&session.user_id) {
        row
    } else {
        let asked_at = cache.age();
        let filter = Filter::eq("objectId", session.user_id.as_str());
        match Box::pin(read::internal_one(&cx, names::USER, filter, "whose session it is")).await? {
            Some(row) => cache.remember_user(&session.user_id, row, asked_at),
            None => return Ok(None),
        }
    };
    let user = SessionUser { id: session.user_id.clone(), session_token: token.to_owned(), row };
    Ok(Some((Arc::new(user), session)))
}

/// With `extendSessionOnUse`, extends a session that is used in the second half of its lifetime.
async fn extend(cx: &Context, cache: &SessionCache, token: &str, session: &cache::Session) {
    let options = &cx.app.options.users;
    let wanted = options.extend_session_on_use && options.expire_inactive_sessions;
    if !wanted || !cx.app.options.own.accepts.writes() {
        return;
    }
    let now = cx.now();
    if session.updated_at.plus_seconds(options.session_length / 2.0) > now || !cache.may_extend(token) {
        return;
    }
    let class = cx.class(&session_class());
    let scope = Scoped::internal(Filter::eq("sessionToken", token), "prolong a session in use");
    let mut update = Update::default();
    update.put("expiresAt", Change::Set(now.plus_seconds(options.session_length).into()));
    update.put("updatedAt", Change::Set(now.into()));
    if let Err(error) = store::update_one(cx, &class, &scope, &update).await {
        tracing::warn!(%error, "failed to extend a session");
    }
    cache.forget_token(token);
}

/// The caller for a user who has just been authenticated and has no session yet.
#[must_use]
pub fn standing_of(user: &Object) -> Auth {
    Auth::User(Arc::new(SessionUser {
        id: user.get_str("objectId").unwrap_or_default().to_owned(),
        session_token: String::new(),
        row: Arc::new(user.clone()),
    }))
}

/// Refuses a caller whose session has ended since the request began, whatever caches say. Others pass.
///
/// # Errors
/// 209; when the store fails.
pub async fn refuse_ended(cx: &Context) -> Result<()> {
    let token = cx.auth.user().map(|user| user.session_token.as_str()).filter(|token| !token.is_empty());
    let Some(token) = token else { return Ok(()) };
    let filter = Filter::eq("sessionToken", token);
    let session = read::internal_one(cx, names::SESSION, filter, "whether the session goes on").await?;
    if session.is_some() { Ok(()) } else { Err(invalid_session()) }
}

/// Deletes the session with this token.
///
/// # Errors
/// When the store fails.
pub async fn end(cx: &Context, token: &str) -> Result<()> {
    end_matching(cx, Filter::eq("sessionToken", token)).await?;
    cx.app.feature::<SessionCache>()?.forget_token(token);
    Ok(())
}

/// Deletes all sessions of a user.
///
/// # Errors
/// When the store fails.
pub async fn end_all(cx: &Context, user: &str) -> Result<()> {
    end_matching(cx, Filter::eq("user", Value::pointer(&ClassName::unchecked(names::USER), user))).await?;
    cx.app.feature::<SessionCache>()?.forget_sessions_of(user);
    Ok(())
}

async fn end_matching(cx: &Context, filter: Resolved) -> Result<()> {
    let class = cx.class(&session_class());
    let scope = Scoped::internal(filter, "end sessions");
    let told = cx.app.events.wanted(&class.schema.name);
    let keys = (!told).then(|| vec!["sessionToken".to_owned()]);
    let ended = store::find(cx, &class, &scope, &FindOptions { keys, ..FindOptions::default() }).await?;
    store::delete(cx, &class, &scope).await?;
    let cache: &SessionCache = cx.app.feature()?;
    for row in &ended {
        row.get_str("sessionToken").into_iter().for_each(|token| cache.forget_token(token));
        if told {
            tell(cx, Some(row), None);
        }
    }
    Ok(())
}

/// Tells subscribers of a session that was made or ended; inside a transaction, once it is committed.
fn tell(cx: &Context, before: Option<&Object>, after: Option<&Object>) {
    let shared = |row: Option<&Object>| row.cloned().map(Arc::new);
    let id = before.or(after).and_then(|row| row.get_str("objectId")).unwrap_or_default().to_owned();
    let (before, after) = (shared(before), shared(after));
    let written = Written { class: session_class(), id, before, after, relations: Vec::new() };
    match cx.deferred() {
        None => cx.app.events.publish(&written),
        Some(deferred) => {
            let app = cx.app.clone();
            deferred.push(async move { app.events.publish(&written) });
        }
    }
}

/// The row of the session of the request. Does not check its expiry.
///
/// # Errors
/// 209 without a token, or if it is unknown.
pub async fn me(cx: &Context) -> Result<Object> {
    let token = cx.session_token.as_deref().ok_or_else(token_required)?;
    let row = read::internal_one(cx, names::SESSION, Filter::eq("sessionToken", token), "the caller's own session")
        .await?
        .ok_or_else(|| ParseError::new(ErrorCode::InvalidSessionToken, "Session token not found."))?;
    present(cx, row).await
}

/// A session in the form that its owner can read.
async fn present(cx: &Context, row: Object) -> Result<Object> {
    let owner = row.get("user").and_then(Value::as_pointer).map(|user| user.id.clone()).unwrap_or_default();
    let as_owner = if cx.auth.is_master() {
        cx.clone()
    } else {
        let mut user = Object::new();
        user.insert("objectId", owner);
        cx.with_auth(standing_of(&user))
    };
    let class = cx.class(&session_class());
    let visibility = Visibility::of(&as_owner, &class, None).await?;
    Ok(View::new(&as_owner, &class, &visibility, &QueryParameters::default()).redact(row))
}

/// Exchanges a legacy token, or a revocable one, for a new session.
///
/// # Errors
/// 101 without a token, 209 for an unknown one.
pub async fn upgrade(cx: &Context) -> Result<Object> {
    let Some(token) = cx.session_token.as_deref() else {
        return Err(ParseError::new(ErrorCode::ObjectNotFound, "invalid session"));
    };
    let user = match cx.auth.user() {
        Some(user) => user.id.clone(),
        None if token.starts_with("r:") => resolve(&cx.app, token).await?.ok_or_else(invalid_session)?.id.clone(),
        None => {
            let user = read::internal_one(
                cx,
                names::USER,
                Filter::eq("_session_token", token),
                "whose old session token it is",
            )
            .await?
            .ok_or_else(|| ParseError::new(ErrorCode::InvalidSessionToken, "invalid legacy session token"))?;
            user.get_str("objectId").unwrap_or_default().to_owned()
        }
    };
    let row = insert(cx, new_row(cx, &user, Some(&CreatedWith::upgrade()))).await?;
    let class = cx.class(&ClassName::unchecked(names::USER));
    let mut update = Update::default();
    update.put("_session_token", Change::Unset);
    let scope = Scoped::internal(store::by_id(&user), "remove the old session token");
    store::update_one(cx, &class, &scope, &update).await.map_err(failure)?;
    cx.app.caches.forget(names::USER, Some(&user));
    present(cx, row).await
}
