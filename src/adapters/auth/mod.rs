//! Providers of identities: who checks that an `authData` is true.

pub mod code;
pub mod facebook;
pub mod jwt;
pub mod keycloak;
pub mod mfa;
mod mfa_sms;
pub mod oauth2;
pub mod oidc;
pub mod webhook;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

use crate::error::{ErrorCode, ParseError, Result};

/// What an identity is needed for at a log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// One identity of many.
    Default,
    /// Enough by itself: no additional one is asked for.
    Solo,
    /// A user that has it must bring it along at every log in.
    Additional,
}

/// On which occasion an identity is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The user does not have the identity yet.
    SetUp,
    /// A user that is not logged in shows it.
    Login,
    /// A user that is logged in changes it.
    Update,
}

/// An identity shown, and who shows it.
pub struct Attempt<'a> {
    /// What was sent for this provider.
    pub data: &'a Map<String, Json>,
    /// What the user has for this provider.
    pub stored: Option<&'a Map<String, Json>>,
    /// The occasion.
    pub step: Step,
    /// For `/challenge`, not for a log in.
    pub challenge: bool,
    /// By the master key.
    pub master: bool,
    /// The present moment, in milliseconds since 1970.
    pub now: i64,
    /// Makes a random text of so many letters and digits.
    pub random: &'a (dyn Fn(usize) -> String + Send + Sync),
    /// The request as adapters of parse-server get it (`object`, `original`, `user`, `ip`, …).
    pub request: &'a Json,
}

/// What comes of a good identity.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Told to the client, in `authDataResponse`.
    pub response: Option<Json>,
    /// Stored instead of what was sent.
    pub save: Option<Map<String, Json>>,
    /// Nothing is stored: what is there stays.
    pub do_not_save: bool,
    /// What is stored follows from what was there: it counts only if nobody else has changed that in the meantime.
    pub exclusive: bool,
    /// The log in is refused with this, after what is to be stored is stored.
    pub refusal: Option<ParseError>,
}

/// Checks identities of one provider. Errors are what the client reads.
#[async_trait]
pub trait AuthAdapter: Send + Sync + fmt::Debug {
    /// What its identities are needed for.
    ///
    /// # Errors
    /// -1 when the settings name no policy.
    fn policy(&self, _stored: Option<&Map<String, Json>>) -> Result<Policy> {
        Ok(Policy::Default)
    }

    /// For providers that hand out a code once: trades it for the data that names the user. `None`: the data names the user
    /// already.
    async fn identify(&self, _data: &Map<String, Json>) -> Result<Option<Map<String, Json>>> {
        Ok(None)
    }

    /// What a client reads whose good data somebody else used up in the meantime.
    fn used_up(&self) -> ParseError {
        refused("The authentication data was used by another request.")
    }

    /// Whether the data is true; [`Outcome`] says what to store.
    async fn validate(&self, attempt: &Attempt<'_>) -> Result<Outcome>;

    /// Answers a challenge; `None`: the provider has none.
    async fn challenge(
        &self,
        _challenge: &Json,
        _data: Option<&Map<String, Json>>,
        _request: &Json,
    ) -> Result<Option<Json>> {
        Ok(None)
    }

    /// What users read instead of the stored data; `None`: the data itself. `master`: read by the master key.
    fn present(&self, _stored: &Map<String, Json>, _master: bool) -> Option<Map<String, Json>> {
        None
    }

    /// As [`AuthAdapter::present`], asked of a service outside; only called if [`AuthAdapter::asks_before_showing`].
    async fn present_remotely(&self, _stored: &Json, _request: &Json) -> Option<Json> {
        None
    }

    /// Whether [`AuthAdapter::present_remotely`] has something to say.
    fn asks_before_showing(&self) -> bool {
        false
    }
}

/// The providers of a server, by name.
#[derive(Debug, Default)]
pub struct Providers {
    adapters: HashMap<String, Arc<dyn AuthAdapter>>,
}

impl Providers {
    /// Opens the providers of the configuration (`auth`, without `anonymous`).
    ///
    /// # Errors
    /// A text for the person who configured them.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let mut adapters = HashMap::new();
        for (name, settings) in settings {
            let off = settings.get("enabled") == Some(&Json::Bool(false));
            let Some(settings) = settings.as_object().filter(|_| !off && name != "anonymous") else { continue };
            if let Some(adapter) = open(name, settings).map_err(|error| format!("option auth.{name}: {error}"))? {
                adapters.insert(name.clone(), adapter);
            }
        }
        Ok(Self { adapters })
    }

    /// The provider with this name, if the server has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AuthAdapter>> {
        self.adapters.get(name)
    }

    /// Whether any provider answers for what is shown of its data.
    #[must_use]
    pub fn any_asks_before_showing(&self) -> bool {
        self.adapters.values().any(|adapter| adapter.asks_before_showing())
    }
}

/// How a provider is opened with its settings; the error is for the person who wrote them.
type Open = fn(&Map<String, Json>) -> Result<Arc<dyn AuthAdapter>, String>;

/// A provider that is built in.
#[derive(Debug)]
pub struct Provider {
    /// Its name in `auth` and `authData`.
    pub name: &'static str,
    /// What clients read who use it where it has no settings; `None`: what they read of any unknown provider.
    pub not_configured: Option<&'static str>,
    open: Open,
}

/// The providers that are built in. A new one is a file and a line here.
pub const PROVIDERS: &[Provider] = &[
    provider("apple", Some("Apple auth is not configured."), |settings| shared(oidc::Oidc::apple(settings))),
    provider("facebook", Some("Facebook auth is not configured."), |settings| {
        shared(facebook::Facebook::open(settings))
    }),
    provider("github", None, |settings| shared(code::CodeExchange::open("github", settings))),
    provider("google", Some("Google auth is not configured."), |settings| shared(oidc::Oidc::google(settings))),
    provider("instagram", None, |settings| shared(code::CodeExchange::open("instagram", settings))),
    provider("keycloak", Some("Missing keycloak configuration"), |settings| shared(keycloak::Keycloak::open(settings))),
    provider("line", None, |settings| shared(code::CodeExchange::open("line", settings))),
    provider("linkedin", None, |settings| shared(code::CodeExchange::open("linkedin", settings))),
    provider("mfa", None, |settings| shared(mfa::Mfa::open(settings))),
    provider("microsoft", None, |settings| shared(code::CodeExchange::open("microsoft", settings))),
    provider("spotify", None, |settings| shared(code::CodeExchange::open("spotify", settings))),
];

/// Kinds of providers that may have any name: what `module` says in their settings.
pub const MODULES: &[Provider] = &[
    provider("oidc", None, |settings| {
        let options = settings.get("options").and_then(Json::as_object).ok_or("options must be an object")?;
        shared(oidc::Oidc::open(options))
    }),
    provider("webhook", None, |settings| shared(webhook::Webhook::open(settings))),
];

const fn provider(name: &'static str, not_configured: Option<&'static str>, open: Open) -> Provider {
    Provider { name, not_configured, open }
}

fn shared<A: AuthAdapter + 'static>(adapter: Result<A, String>) -> Result<Arc<dyn AuthAdapter>, String> {
    adapter.map(|adapter| Arc::new(adapter) as Arc<dyn AuthAdapter>)
}

fn open(name: &str, settings: &Map<String, Json>) -> Result<Option<Arc<dyn AuthAdapter>>, String> {
    let (table, wanted) = match settings.get("module").and_then(Json::as_str) {
        Some(module) => (MODULES, module),
        None if settings.get("oauth2") == Some(&Json::Bool(true)) => {
            return shared(oauth2::OAuth2::open(settings)).map(Some);
        }
        None => (PROVIDERS, name),
    };
    table.iter().find(|provider| provider.name == wanted).map(|provider| (provider.open)(settings)).transpose()
}

/// A setting that is a text.
///
/// # Errors
/// When it is missing or something else.
fn text(settings: &Map<String, Json>, key: &str) -> Result<String, String> {
    match settings.get(key) {
        Some(Json::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(format!("{key} must be a text")),
    }
}

/// A setting that is a text or several.
///
/// # Errors
/// When it is missing or something else.
fn texts(settings: &Map<String, Json>, key: &str) -> Result<Vec<String>, String> {
    let list = match settings.get(key) {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if list.is_empty() || list.iter().any(String::is_empty) {
        return Err(format!("{key} must be a text, or a list of texts"));
    }
    Ok(list)
}

/// An address of the settings, or the real one.
///
/// # Errors
/// When it may not be called.
fn endpoint(settings: &Map<String, Json>, key: &str, real: &str) -> Result<reqwest::Url, String> {
    match settings.get(key) {
        None | Some(Json::Null) => crate::adapters::http::address(real),
        Some(Json::String(url)) => crate::adapters::http::address(url),
        Some(_) => Err(format!("{key} must be an address")),
    }
}

/// The answer of a provider's server that is no use, as clients read it: 101 with a text.
#[must_use]
pub fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::ObjectNotFound, message)
}

/// The refusal of a provider that parse-server knows, where the server has no settings for it.
#[must_use]
pub fn not_configured(name: &str) -> Option<ParseError> {
    let text = PROVIDERS.iter().find(|provider| provider.name == name)?.not_configured?;
    Some(invalid(text))
}

/// 141 with a text.
#[must_use]
pub fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::ScriptFailed, message)
}
