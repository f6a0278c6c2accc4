//! Sending mail. The server knows two mails: one to verify an address, one to set a new password.

pub mod discard;
pub mod file;
pub mod message;
pub mod outbox;
pub mod smtp;
pub mod webhook;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Opening its link verifies the address.
    Verification,
    /// Its link leads to the page that sets a new password.
    PasswordReset,
}

/// A mail to send.
pub struct Mail {
    /// A name of its own, fit for a file.
    pub id: String,
    /// Milliseconds since 1970 at which it was written.
    pub millis: i64,
    /// What it is for.
    pub kind: Kind,
    /// The address it goes to.
    pub to: String,
    /// The application's name.
    pub app_name: String,
    /// What opening it does is behind this link; whoever has it has the power.
    pub link: String,
    /// The user's name.
    pub username: String,
    /// The user as the user itself reads it.
    pub user: Json,
    /// The user's language, as `de` or `de-AT`.
    pub locale: Option<String>,
}

impl fmt::Debug for Mail {
    /// Without the link, which is a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mail").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Why a mail was not sent. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Trying again later may help.
    #[error("{0}")]
    Temporary(String),
    /// It will not.
    #[error("{0}")]
    Permanent(String),
}

/// Sends mails.
#[async_trait]
pub trait EmailAdapter: Send + Sync + fmt::Debug {
    /// Hands a mail over. May be called again with the same mail after a temporary failure.
    async fn send(&self, mail: &Mail) -> Result<(), SendError>;
}

/// How an adapter is opened with its settings.
type Open = fn(&Map<String, Json>) -> Result<Arc<dyn EmailAdapter>, String>;

/// The adapters that are built in, by name. A new one is a file and a line here.
pub const ADAPTERS: &[(&str, Open)] = &[
    ("discard", |_| Ok(Arc::new(discard::Discard))),
    ("file", |options| Ok(Arc::new(file::Folder::open(options)?))),
    ("smtp", |options| Ok(Arc::new(smtp::Smtp::open(options)?))),
    ("webhook", |options| Ok(Arc::new(webhook::Webhook::open(options)?))),
];

/// The adapter with this name and these settings.
///
/// # Errors
/// A text for the person who configured it.
pub fn open(module: &str, options: &Map<String, Json>) -> Result<Arc<dyn EmailAdapter>, String> {
    if let Some((_, open)) = ADAPTERS.iter().find(|(name, _)| *name == module) {
        return open(options);
    }
    let built_in: Vec<&str> = ADAPTERS.iter().map(|(name, _)| *name).collect();
    Err(format!("emailAdapter {module} is unknown; built in: {}", built_in.join(", ")))
}

/// A setting that must be a text.
fn text<'a>(options: &'a Map<String, Json>, adapter: &str, key: &str) -> Result<&'a str, String> {
    options
        .get(key)
        .and_then(Json::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("emailAdapter {adapter} needs the option {key}, a text"))
}

/// Refuses settings an adapter does not have.
fn only(options: &Map<String, Json>, adapter: &str, known: &[&str]) -> Result<(), String> {
    match options.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("emailAdapter {adapter} has no option {key}; it has: {}", known.join(", "))),
        None => Ok(()),
    }
}
