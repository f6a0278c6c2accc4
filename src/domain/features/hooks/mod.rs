//! Web hooks: which functions and triggers of the app are behind which address (`/hooks`).
//!
//! The rows of `_Hooks` are the truth. Each server keeps them in memory and reads them again when they change, here or elsewhere;
//! what is new or different is registered, what is gone is removed.

mod declaration;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json, json};
use tokio::sync::Mutex;

use self::declaration::Declaration;
use crate::adapters::cloud::webhook::WebHooks;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::caches::Cache;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::feature::{Feature, Refresh};
use crate::domain::kernel::triggers::{Source, Target};
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::Filter;
use crate::model::query::options::FindOptions;
use crate::model::trigger::Trigger;
use crate::storage::StorageError;

pub use self::declaration::HookKind;

/// The web hooks as read last, and who calls them.
#[derive(Debug)]
pub struct HookCache {
    web_hooks: Arc<WebHooks>,
    /// One reading at a time: a later one never gives way to an earlier one.
    known: Mutex<Vec<Declaration>>,
    /// Whether there may be others by now.
    in_doubt: AtomicBool,
}

impl Cache for HookCache {
    fn watches(&self) -> &'static [&'static str] {
        &[names::HOOKS]
    }

    /// What is registered stays until the rows were read again: no trigger may be missed meanwhile.
    fn forget(&self, _class: &str, _id: Option<&str>) {
        self.clear();
    }

    fn clear(&self) {
        self.in_doubt.store(true, Ordering::SeqCst);
    }
}

impl Refresh for HookCache {
    fn refresh<'a>(&'a self, app: &'a Arc<App>, blind: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if !self.in_doubt.swap(false, Ordering::SeqCst) && !blind {
                return Ok(());
            }
            let read = self.read(app).await;
            if read.is_err() {
                self.clear();
            }
            read
        })
    }
}

/// Web hooks, for the kernel.
#[must_use]
pub fn feature(web_hooks: Arc<WebHooks>) -> Feature {
    Feature { server_info: Some(server_info), ..Feature::new("hooks") }.refreshed_cache(HookCache::new(web_hooks))
}

fn server_info(_options: &Options) -> Json {
    json!({ "hooks": { "create": true, "read": true, "update": true, "delete": true } })
}

impl HookCache {
    /// A cache that knows no web hook yet.
    #[must_use]
    pub fn new(web_hooks: Arc<WebHooks>) -> Self {
        Self { web_hooks, known: Mutex::default(), in_doubt: AtomicBool::new(true) }
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::WebhookError, message)
}

impl HookCache {
    /// Reads all web hooks and brings the table of handlers up to date with what changed since the last time.
    async fn read(&self, app: &Arc<App>) -> Result<()> {
        let mut known = self.known.lock().await;
        let cx = Context::of_server(app);
        let now = all(&cx).await?;
        if *known == now {
            return Ok(());
        }
        let is_gone = |old: &&Declaration| !now.iter().any(|new| new.target == old.target);
        app.triggers.remove(known.iter().filter(is_gone).map(|declaration| &declaration.target));
        let new = now.iter().filter(|declaration| !known.contains(declaration));
        let new = new.map(|declaration| (declaration.target.clone(), self.web_hooks.at(&declaration.url)));
        app.triggers.register(Source::WebHooks, new);
        *known = now;
        Ok(())
    }
}

async fn reload(app: &Arc<App>) -> Result<()> {
    app.feature::<HookCache>()?.read(app).await
}

/// The stored web hooks that are declarations of something, in their order.
async fn all(cx: &Context) -> Result<Vec<Declaration>> {
    let rows = read::internal_all(cx, names::HOOKS, Filter::All, &FindOptions::default(), "the web hooks").await?;
    Ok(rows.iter().filter_map(Declaration::of_row).collect())
}

/// The web hooks of a kind.
///
/// # Errors
/// 403 without a master key.
pub async fn list(cx: &Context, kind: HookKind) -> Result<Vec<Json>> {
    cx.require_master()?;
    let all = all(cx).await?;
    Ok(all.iter().filter(|declaration| declaration.kind() == kind).map(Declaration::to_json).collect())
}

/// The web hook of a function.
///
/// # Errors
/// 403 without a master key, 143 when there is none.
pub async fn function(cx: &Context, name: &str) -> Result<Json> {
    cx.require_master()?;
    let target = Target::Function(name.to_owned());
    find(cx, &target).await?.map(|found| found.to_json()).ok_or_else(|| unknown(&target))
}

/// The web hook of a trigger.
///
/// # Errors
/// 403 without a master key, 143 when there is none.
pub async fn trigger(cx: &Context, class: &str, trigger: &str) -> Result<Json> {
    cx.require_master()?;
    let target = named_trigger(class, trigger)?;
    find(cx, &target).await?.map(|found| found.to_json()).ok_or_else(|| unknown(&target))
}

fn named_trigger(class: &str, trigger: &str) -> Result<Target> {
    let trigger = Trigger::named(trigger).ok_or_else(|| no_class(class))?;
    Ok(Target::Trigger(trigger, ClassName::unchecked(class)))
}

fn no_class(class: &str) -> ParseError {
    refused(format!("class {class} does not exist"))
}

fn unknown(target: &Target) -> ParseError {
    match target {
        Target::Function(name) | Target::Job(name) => refused(format!("no function named: {name} is defined")),
        Target::Trigger(_, class) => no_class(class.as_str()),
        Target::LiveQueryEvents => declaration::invalid(),
    }
}

async fn find(cx: &Context, target: &Target) -> Result<Option<Declaration>> {
    let row = read::internal_one(cx, names::HOOKS, declaration::condition(target), "a web hook").await?;
    Ok(row.as_ref().and_then(Declaration::of_row))
}

/// Declares a web hook, of whichever kind the body is.
///
/// # Errors
/// 403 without a master key, 119 for the read-only one, 143 for what is no declaration or exists already.
pub async fn create(cx: &Context, body: &Map<String, Json>) -> Result<Json> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to create a hook.")?;
    let declaration = Declaration::parse(body)?;
    if find(cx, &declaration.target).await?.is_some() {
        return Err(exists(&declaration.target));
    }
    let row = declaration.to_row();
    match store::insert(cx, &class(cx), row).await {
        // The id says what is declared: of two that declare the same at once, one is refused.
        Err(StorageError::Duplicate { .. }) => return Err(exists(&declaration.target)),
        result => result.map_err(failure)?,
    }
    reload(&cx.app).await?;
    Ok(declaration.to_json())
}

fn exists(target: &Target) -> ParseError {
    match target {
        Target::Function(name) | Target::Job(name) => refused(format!("function name: {name} already exists")),
        Target::Trigger(trigger, class) => refused(format!("class {class} already has trigger {}", trigger.name())),
        Target::LiveQueryEvents => declaration::invalid(),
    }
}

fn class(cx: &Context) -> Arc<Class> {
    cx.class(&ClassName::unchecked(names::HOOKS))
}

/// Changes the address of a function's web hook, or removes it with `{"__op": "Delete"}`. Gives what the client reads.
///
/// # Errors
/// As [`create`]; 143 for the address of an unknown one, 101 when an unknown one is removed.
pub async fn change_function(cx: &Context, name: &str, body: &Map<String, Json>) -> Result<Json> {
    change(cx, Ok(Target::Function(name.to_owned())), body).await
}

/// As [`change_function`], of a trigger.
///
/// # Errors
/// As there.
pub async fn change_trigger(cx: &Context, class: &str, trigger: &str, body: &Map<String, Json>) -> Result<Json> {
    change(cx, named_trigger(class, trigger), body).await
}

async fn change(cx: &Context, target: Result<Target>, body: &Map<String, Json>) -> Result<Json> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to modify a hook.")?;
    let removes = body.get("__op").and_then(Json::as_str) == Some("Delete");
    let target = match target {
        Err(_) if removes => return Err(ParseError::not_found()),
        target => target?,
    };
    let scope = Scoped::internal(declaration::condition(&target), "change a web hook");
    if removes {
        if store::delete(cx, &class(cx), &scope).await? == 0 {
            return Err(ParseError::not_found());
        }
        reload(&cx.app).await?;
        return Ok(Json::Object(Map::new()));
    }
    let declaration = Declaration::new(target, body.get("url"))?;
    let mut update = Update::default();
    update.put("url", Change::Set(declaration.url.as_str().into()));
    if store::update_one(cx, &class(cx), &scope, &update).await.map_err(failure)?.is_none() {
        return Err(unknown(&declaration.target));
    }
    reload(&cx.app).await?;
    Ok(declaration.to_json())
}

/// A row's text, when it says something.
fn text(row: &Object, field: &str) -> Option<String> {
    row.get_str(field).filter(|text| !text.is_empty()).map(str::to_owned)
}
