//! Tests of the domain's heart, each file named after the module it tests: a server without HTTP, on an embedded store in a temporary
//! folder, with a clock that is moved by hand and seeded random.

mod features;
mod permissions;
mod read;
mod roles;
mod schema;
mod sessions;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

use super::features::sessions::open_context;
use super::features::{self as registered, Services};
use super::kernel::app::App;
use super::kernel::auth::{Auth, Credentials, TokenUse};
use super::kernel::context::{Client, Context};
use super::kernel::feature::Feature;
use super::{classes, start};
use crate::adapters::auth::Providers;
use crate::adapters::cloud::module::Decision;
use crate::adapters::cloud::webhook::{self, WebHooks};
use crate::adapters::redis::Channels;
use crate::clock::ManualClock;
use crate::config::Options;
use crate::domain::kernel::services::Callbacks;
use crate::error::{ErrorCode, Result};
use crate::model::Date;
use crate::random::SeededRandom;
use crate::storage::sqlite::{EmbeddedOptions, EmbeddedStorage, Synchronous};

/// A server for one test.
struct Fixture {
    app: Arc<App>,
    clock: ManualClock,
    _dir: TempDir,
}

/// A server with `extra` on top of the options of all tests.
async fn fixture(extra: Json) -> Fixture {
    fixture_with(extra, |options| registered::all(options, services())).await
}

/// Services of which none is called.
fn services() -> Services {
    let hooks = webhook::Settings { key: None, timeout: Duration::from_secs(1), answer_bytes: 1024 };
    let web_hooks = Arc::new(WebHooks::new(&hooks).unwrap());
    Services {
        audit: None,
        backups: None,
        dashboard: None,
        email: None,
        providers: Providers::default(),
        files: None,
        push: None,
        channels: Channels::default(),
        web_hooks,
        callbacks: Callbacks {
            verify_email: Decision::Always(false),
            prevent_log_in: Decision::Always(false),
            send_verification: Decision::Always(true),
            judge_password: None,
        },
        analytics: None,
    }
}

/// As [`fixture`], with other features.
async fn fixture_with(extra: Json, features: impl FnOnce(&Options) -> Vec<Feature>) -> Fixture {
    let dir = TempDir::new().unwrap();
    let options = options(&format!("file:{}", dir.path().display()), extra);
    let clock = ManualClock::new(Date::parse("2020-02-03T04:05:06.789Z").unwrap());
    let features = features(&options);
    let storage = Arc::new(embedded(dir.path()));
    let random = Arc::new(SeededRandom::new(7));
    let app = Box::pin(start::open(options, storage, Arc::new(clock.clone()), random, features)).await.unwrap();
    Fixture { app, clock, _dir: dir }
}

fn embedded(dir: &Path) -> EmbeddedStorage {
    EmbeddedStorage::open(dir, &EmbeddedOptions { synchronous: Synchronous::Normal, ..EmbeddedOptions::default() })
        .unwrap()
}

/// The options of all tests.
fn options(database: &str, extra: Json) -> Options {
    let mut options = json!({
        "appId": "app", "masterKey": "master", "databaseURI": database, "allowClientClassCreation": true, "bcryptCost": 4,
    });
    options.as_object_mut().unwrap().extend(object(extra));
    Options::from_json(options).unwrap()
}

impl Fixture {
    /// A request of a caller.
    fn caller(&self, auth: Auth) -> Context {
        Context::new(self.app.clone(), auth, None, None, false, Client::default())
    }

    fn master(&self) -> Context {
        self.caller(Auth::Master)
    }

    fn anybody(&self) -> Context {
        self.caller(Auth::Anonymous)
    }

    /// Makes a class.
    async fn class(&self, name: &str, definition: Json) {
        registered::schemas::create(&self.master(), Some(name), object(definition)).await.unwrap();
    }

    /// Signs a user up; a request with the new session.
    async fn sign_up(&self, name: &str) -> Context {
        let body = object(json!({ "username": name, "password": "secret" }));
        let saved = classes::create(&self.anybody(), "_User", body).await.unwrap();
        self.enter(saved.body.get_str("sessionToken").unwrap()).await.unwrap()
    }

    /// A request with a session token.
    async fn enter(&self, token: &str) -> Result<Context> {
        let credentials = Credentials { session_token: Some(token.to_owned()), ..Credentials::default() };
        open_context(&self.app, Auth::Anonymous, credentials, TokenUse::Check, Client::default()).await
    }

    /// Makes a role with these users and these roles in it.
    async fn role(&self, name: &str, users: &[&str], roles: &[&str]) -> String {
        let mut body = json!({ "name": name, "ACL": {} });
        for (field, class, ids) in [("users", "_User", users), ("roles", "_Role", roles)] {
            if !ids.is_empty() {
                let objects: Vec<Json> = ids.iter().map(|id| pointer(class, id)).collect();
                body[field] = json!({ "__op": "AddRelation", "objects": objects });
            }
        }
        save(&self.master(), "_Role", body).await.unwrap()
    }
}

fn object(json: Json) -> Map<String, Json> {
    let Json::Object(map) = json else { panic!("not an object: {json}") };
    map
}

fn pointer(class: &str, id: &str) -> Json {
    json!({ "__type": "Pointer", "className": class, "objectId": id })
}

/// The id of the user calling.
fn id_of(cx: &Context) -> &str {
    cx.auth.user_id().unwrap()
}

/// Makes an object; its id. As all helpers below, a request of its own, which sees the classes as they are then.
async fn save(cx: &Context, class: &str, body: Json) -> Result<String> {
    let saved = classes::create(&cx.part(), class, object(body)).await?;
    Ok(saved.body.get_str("objectId").unwrap().to_owned())
}

/// Changes an object; the answer.
async fn change(cx: &Context, class: &str, id: &str, body: Json) -> Result<Json> {
    let saved = classes::update(&cx.part(), class, id, object(body)).await?;
    Ok(serde_json::to_value(&saved.body).unwrap())
}

/// Finds objects by REST's parameters.
async fn find(cx: &Context, class: &str, parameters: Json) -> Result<Vec<Json>> {
    let found = classes::find(&cx.part(), class, object(parameters)).await?;
    Ok(found.results.iter().map(|row| serde_json::to_value(row).unwrap()).collect())
}

async fn get(cx: &Context, class: &str, id: &str) -> Result<Json> {
    Ok(serde_json::to_value(classes::get(&cx.part(), class, id, Map::new()).await?).unwrap())
}

/// The Parse code of a refusal; 0 where there is none.
fn code<T>(result: Result<T>) -> i64 {
    result.err().map_or(0, |error| error.code.map_or(-99, ErrorCode::number).into())
}
