//! Identity providers, which verify `authData`.

pub mod code;
pub mod facebook;
pub mod gcenter;
pub mod janrain;
pub mod jwt;
pub mod keycloak;
pub mod mfa;
mod mfa_sms;
pub mod oauth2;
pub mod oidc;
pub mod one_time;
pub mod own_code;
pub mod twitter;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use crate::adapters::cloud::module::Modules;
use crate::error::{ErrorCode, ParseError, Result};

/// The role of an identity at log in (parse-server's `policy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// One of several identities (`default`).
    Default,
    /// Sufficient alone: no additional factor is required (`solo`).
    Solo,
    /// A factor that a user who has it must provide at every log in (`additional`).
    Additional,
}

/// Why an identity is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The user does not have the identity yet.
    SetUp,
    /// A user logs in with it.
    Login,
    /// A logged in user changes it.
    Update,
}

/// The data to verify, and its context.
pub struct Attempt<'a> {
    /// The data that the client sent for this provider.
    pub data: &'a Map<String, Json>,
    /// The data that is stored for this provider.
    pub stored: Option<&'a Map<String, Json>>,
    /// Why it is verified.
    pub step: Step,
    /// Whether the request is `/challenge`, not a log in.
    pub challenge: bool,
    /// Whether the request uses the master key.
    pub master: bool,
    /// Current time in milliseconds since 1970.
    pub now: i64,
    /// Generates a random string of letters and digits.
    pub random: &'a (dyn Fn(usize) -> String + Send + Sync),
    /// The request as adapters of parse-server get it (`object`, `original`, `user`, `ip`, …).
    pub request: &'a Json,
}

/// The data to identify a user by, before it is known who that is.
pub struct Given<'a> {
    /// The data that the client sent for this provider.
    pub data: &'a Map<String, Json>,
    /// Current time in milliseconds since 1970.
    pub now: i64,
    /// Generates a random string of letters and digits.
    pub random: &'a (dyn Fn(usize) -> String + Send + Sync),
}

impl<'a> Given<'a> {
    /// A field that is a string and not empty.
    fn text(&self, field: &str) -> Option<&'a str> {
        self.data.get(field).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the client claims another id than this one.
    fn names_another(&self, id: &str) -> bool {
        self.data.get("id").is_some_and(|claimed| !claimed.is_null() && claimed.as_str() != Some(id))
    }
}

/// The result of verifying an identity.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Returned to the client in `authDataResponse`.
    pub response: Option<Json>,
    /// Stored instead of the data that the client sent.
    pub save: Option<Map<String, Json>>,
    /// The stored data is left unchanged.
    pub do_not_save: bool,
    /// The new data depends on the stored data: it is written only if the stored data has not been changed in the
    /// meantime.
    pub exclusive: bool,
    /// The log in is refused with this error after the data has been stored.
    pub refusal: Option<ParseError>,
}

impl Clone for Outcome {
    fn clone(&self) -> Self {
        Self {
            response: self.response.clone(),
            save: self.save.clone(),
            do_not_save: self.do_not_save,
            exclusive: self.exclusive,
            refusal: self.refusal.as_ref().map(ParseError::again),
        }
    }
}

/// Verifies identities of one provider. Errors are sent to the client.
pub trait AuthAdapter: Send + Sync + fmt::Debug {
    /// The role of its identities.
    ///
    /// # Errors
    /// -1 if the settings contain no valid policy.
    fn policy(&self, _stored: Option<&Map<String, Json>>) -> Result<Policy> {
        Ok(Policy::Default)
    }

    /// For providers whose proof is not stored, such as a code: exchanges it for what is stored, with the user's id. `None` if
    /// [`AuthAdapter::validate`] verifies the data. It is called for all data but what a logged in user already has.
    fn identify<'a>(&'a self, _given: &'a Given<'a>) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move { Ok(None) })
    }

    /// The error for valid data that another request has used in the meantime.
    fn used_up(&self) -> ParseError {
        refused("The authentication data was used by another request.")
    }

    /// Verifies the data; the [`Outcome`] says what to store.
    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>>;

    /// Answers a challenge; `None` if the provider has none.
    fn challenge<'a>(
        &'a self,
        _challenge: &'a Json,
        _data: Option<&'a Map<String, Json>>,
        _request: &'a Json,
    ) -> BoxFuture<'a, Result<Option<Json>>> {
        Box::pin(async move { Ok(None) })
    }

    /// The data that readers see instead of the stored data; `None` means the stored data. `master`: read with the
    /// master key.
    fn present(&self, _stored: &Map<String, Json>, _master: bool) -> Option<Map<String, Json>> {
        None
    }

    /// Like [`AuthAdapter::present`], with a call of an external service; only called if
    /// [`AuthAdapter::asks_before_showing`].
    fn present_remotely<'a>(&'a self, _stored: &'a Json, _request: &'a Json) -> BoxFuture<'a, Option<Json>> {
        Box::pin(async move { None })
    }

    /// Whether [`AuthAdapter::present_remotely`] must be called.
    fn asks_before_showing(&self) -> bool {
        false
    }
}

/// The providers by name.
#[derive(Debug, Default)]
pub struct Providers {
    adapters: HashMap<String, Arc<dyn AuthAdapter>>,
}

impl Providers {
    /// Opens the providers of the configuration (`auth`, without `anonymous`).
    ///
    /// # Errors
    /// A text for the person who configured them.
    pub fn open(settings: &Map<String, Json>, modules: &Modules) -> Result<Self, String> {
        let mut adapters = HashMap::new();
        for (name, settings) in settings {
            let off = settings.get("enabled") == Some(&Json::Bool(false));
            let Some(settings) = settings.as_object().filter(|_| !off && name != "anonymous") else { continue };
            if let Some(adapter) =
                open(name, settings, modules).map_err(|error| format!("option auth.{name}: {error}"))?
            {
                adapters.insert(name.clone(), adapter);
            }
        }
        Ok(Self { adapters })
    }

    /// The provider with this name, if it is configured.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AuthAdapter>> {
        self.adapters.get(name)
    }

    /// Whether any provider must be called before data is shown.
    #[must_use]
    pub fn any_asks_before_showing(&self) -> bool {
        self.adapters.values().any(|adapter| adapter.asks_before_showing())
    }
}

/// Opens a provider with its settings; the error is a message for the administrator.
type Open = fn(&Map<String, Json>) -> Result<Arc<dyn AuthAdapter>, String>;

/// A built-in provider.
#[derive(Debug)]
pub struct Provider {
    /// Its name in `auth` and `authData`.
    pub name: &'static str,
    /// The error for clients if it is not configured; `None` means that of an unknown provider.
    pub not_configured: Option<&'static str>,
    open: Open,
}

/// The built-in providers. A new one is a file and a line here.
pub const PROVIDERS: &[Provider] = &[
    provider("apple", Some("Apple auth is not configured."), |settings| shared(oidc::Oidc::apple(settings))),
    provider("facebook", Some("Facebook auth is not configured."), |settings| {
        shared(facebook::Facebook::open(settings))
    }),
    provider("gcenter", None, |settings| shared(gcenter::GameCenter::open(settings))),
    provider("github", None, |settings| shared(code::CodeExchange::open("github", settings))),
    provider("google", Some("Google auth is not configured."), |settings| shared(oidc::Oidc::google(settings))),
    provider("gpgames", None, |settings| shared(code::CodeExchange::open("gpgames", settings))),
    provider("instagram", None, |settings| shared(code::CodeExchange::open("instagram", settings))),
    provider("janraincapture", None, |settings| shared(janrain::JanrainCapture::open(settings))),
    provider("keycloak", Some("Missing keycloak configuration"), |settings| shared(keycloak::Keycloak::open(settings))),
    provider("line", None, |settings| shared(code::CodeExchange::open("line", settings))),
    provider("linkedin", None, |settings| shared(code::CodeExchange::open("linkedin", settings))),
    provider("mfa", None, |settings| shared(mfa::Mfa::open(settings))),
    provider("microsoft", None, |settings| shared(code::CodeExchange::open("microsoft", settings))),
    provider("qq", None, |settings| shared(code::CodeExchange::open("qq", settings))),
    provider("spotify", None, |settings| shared(code::CodeExchange::open("spotify", settings))),
    provider("twitter", None, |settings| shared(twitter::Twitter::open(settings))),
    provider("wechat", None, |settings| shared(code::CodeExchange::open("wechat", settings))),
    provider("weibo", None, |settings| shared(code::CodeExchange::open("weibo", settings))),
];

/// Providers of parse-server that are not built in, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("digits", "the service has ended"),
    ("janrainengage", INSECURE),
    ("ldap", "this server does not speak LDAP"),
    ("meetup", INSECURE),
    ("phantauth", "it is an OpenID provider, which the module oidc is for"),
    ("vkontakte", INSECURE),
];

const INSECURE: &str = "parse-server has it only with enableInsecureAuth, which believes access tokens of any app";

/// Modules for providers of any name (`module` in the settings).
pub const MODULES: &[Provider] = &[
    provider("oidc", None, |settings| {
        let options = settings.get("options").and_then(Json::as_object).ok_or("options must be an object")?;
        shared(oidc::Oidc::open(options))
    }),
    provider("webhook", None, |settings| shared(own_code::OwnCode::open(settings))),
];

const fn provider(name: &'static str, not_configured: Option<&'static str>, open: Open) -> Provider {
    Provider { name, not_configured, open }
}

fn shared<A: AuthAdapter + 'static>(adapter: Result<A, String>) -> Result<Arc<dyn AuthAdapter>, String> {
    adapter.map(|adapter| Arc::new(adapter) as Arc<dyn AuthAdapter>)
}

fn open(name: &str, settings: &Map<String, Json>, modules: &Modules) -> Result<Option<Arc<dyn AuthAdapter>>, String> {
    let (table, wanted) = match settings.get("module").and_then(Json::as_str) {
        Some(module) if MODULES.iter().all(|known| known.name != module) => {
            return Ok(Some(Arc::new(own_code::OwnCode::module(name, module, settings, modules))));
        }
        Some(module) => (MODULES, module),
        None if settings.get("oauth2") == Some(&Json::Bool(true)) => {
            return shared(oauth2::OAuth2::open(settings)).map(Some);
        }
        None => (PROVIDERS, name),
    };
    table.iter().find(|provider| provider.name == wanted).map(|provider| (provider.open)(settings)).transpose()
}

/// A setting that is a string.
///
/// # Errors
/// If it is missing or invalid.
fn text(settings: &Map<String, Json>, key: &str) -> Result<String, String> {
    match settings.get(key) {
        Some(Json::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(format!("{key} must be a string")),
    }
}

/// A setting that is a string or a list of strings.
///
/// # Errors
/// If it is missing or invalid.
fn texts(settings: &Map<String, Json>, key: &str) -> Result<Vec<String>, String> {
    let list = match settings.get(key) {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    if list.is_empty() || list.iter().any(String::is_empty) {
        return Err(format!("{key} must be a string or a list of strings"));
    }
    Ok(list)
}

/// A URL in the settings, or the default one.
///
/// # Errors
/// If it is not allowed.
fn endpoint(settings: &Map<String, Json>, key: &str, real: &str) -> Result<reqwest::Url, String> {
    match settings.get(key) {
        None | Some(Json::Null) => crate::adapters::http::address(real),
        Some(Json::String(url)) => crate::adapters::http::address(url),
        Some(_) => Err(format!("{key} must be a URL")),
    }
}

/// The error for an invalid response of a provider: 101 with a message.
#[must_use]
pub fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::ObjectNotFound, message)
}

/// The error for a provider of parse-server that is not configured.
#[must_use]
pub fn not_configured(name: &str) -> Option<ParseError> {
    let text = PROVIDERS.iter().find(|provider| provider.name == name)?.not_configured?;
    Some(invalid(text))
}

/// 141 with a message.
#[must_use]
pub fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::ScriptFailed, message)
}
