//! Sends mail. There are two mails: one verifies an email address, one resets a password.

pub mod discard;
pub mod file;
pub mod javascript;
pub mod message;
pub mod outbox;
pub mod smtp;
pub mod webhook;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use crate::adapters::cloud::module::Modules;

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Its link verifies the email address.
    Verification,
    /// Its link opens the page that sets a new password.
    PasswordReset,
}

/// A mail to send.
pub struct Mail {
    /// Unique id, usable as a file name.
    pub id: String,
    /// Time of creation in milliseconds since 1970.
    pub millis: i64,
    /// Its kind.
    pub kind: Purpose,
    /// The recipient's address.
    pub to: String,
    /// Name of the application.
    pub app_name: String,
    /// The link, which is a secret.
    pub link: String,
    /// The username.
    pub username: String,
    /// The user in the form that the user itself can read.
    pub user: Json,
    /// The user's locale, such as `de` or `de-AT`.
    pub locale: Option<String>,
}

impl fmt::Debug for Mail {
    /// Omits the link, which is a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mail").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A mail in the app's own words (`Parse.Cloud.sendEmail`).
#[derive(Debug)]
pub struct OwnMail {
    /// A name of its own, fit for a file.
    pub id: String,
    /// Milliseconds since 1970 at which it was written.
    pub millis: i64,
    /// `to`, `subject`, `text`, and maybe `html` and `from`.
    pub fields: Map<String, Json>,
}

/// Why a mail was not sent. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Temporary: retry later.
    #[error("{0}")]
    Temporary(String),
    /// Permanent: do not retry.
    #[error("{0}")]
    Permanent(String),
}

/// Sends mails.
pub trait EmailAdapter: Send + Sync + fmt::Debug {
    /// Sends a mail. May be called again with the same mail after a temporary failure.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>>;

    /// Hands over a mail in the app's own words.
    fn send_own<'a>(&'a self, mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>>;
}

/// Opens an adapter with its settings.
type Open = fn(&Map<String, Json>) -> Result<Arc<dyn EmailAdapter>, String>;

/// The built-in adapters by name. A new one is a file and a line here.
pub const ADAPTERS: &[(&str, Open)] = &[
    ("discard", |_| Ok(Arc::new(discard::Discard))),
    ("file", |options| Ok(Arc::new(file::Folder::open(options)?))),
    ("smtp", |options| Ok(Arc::new(smtp::Smtp::open(options)?))),
    ("webhook", |options| Ok(Arc::new(webhook::Webhook::open(options)?))),
];

/// The adapter with this name and these settings. A name that is none of a built-in adapter is a module of the app.
///
/// # Errors
/// A text for the person who configured it.
pub fn open(module: &str, options: &Map<String, Json>, modules: &Modules) -> Result<Arc<dyn EmailAdapter>, String> {
    if let Some((_, open)) = ADAPTERS.iter().find(|(name, _)| *name == module) {
        return open(options);
    }
    Ok(Arc::new(javascript::JavaScript::open(module, options, modules)?))
}

/// A required setting that is a string.
fn text<'a>(options: &'a Map<String, Json>, adapter: &str, key: &str) -> Result<&'a str, String> {
    options
        .get(key)
        .and_then(Json::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("emailAdapter {adapter} needs the option {key}, a string"))
}

/// Refuses unknown settings of an adapter.
fn only(options: &Map<String, Json>, adapter: &str, known: &[&str]) -> Result<(), String> {
    match options.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("emailAdapter {adapter} has no option {key}; it has: {}", known.join(", "))),
        None => Ok(()),
    }
}
