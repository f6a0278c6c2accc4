//! The option `databaseURI`.

use std::path::PathBuf;

use serde_json::Value;

use super::declare::{OptionType, OptionValue, Reader};
use super::values::Secret;

/// The store, and its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUri {
    /// MongoDB. The connection string may contain a password.
    Mongo {
        /// The connection string.
        uri: Secret,
    },
    /// The embedded store.
    Embedded {
        /// Its directory.
        dir: PathBuf,
    },
}

impl Default for DatabaseUri {
    fn default() -> Self {
        DatabaseUri::Mongo { uri: Secret::new("mongodb://localhost:27017/parse") }
    }
}

impl DatabaseUri {
    /// Whether whoever can reach the database must know a password of which `is_strong` holds. A store without passwords passes.
    #[must_use]
    pub fn has_strong_password(&self, is_strong: impl Fn(&str) -> bool) -> bool {
        match self {
            DatabaseUri::Embedded { .. } => true,
            DatabaseUri::Mongo { uri } => {
                let authority = uri.expose().split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
                let credentials = authority.and_then(|(credentials, _)| credentials.split_once(':'));
                credentials.is_some_and(|(_, password)| is_strong(password))
            }
        }
    }

    /// Parses a connection string. The error message does not quote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("file:") {
            // `file:///var/lib/x` means the same as `file:/var/lib/x`
            let dir = rest.strip_prefix("//").unwrap_or(rest);
            if dir.is_empty() || dir.contains('\0') {
                return Err("databaseURI contains no directory: use for example file:./data".to_owned());
            }
            return Ok(DatabaseUri::Embedded { dir: PathBuf::from(dir) });
        }
        if text.starts_with("mongodb://") || text.starts_with("mongodb+srv://") {
            return Ok(DatabaseUri::Mongo { uri: Secret::new(text) });
        }
        let scheme = text.split(':').next().unwrap_or_default();
        if matches!(scheme, "postgres" | "postgresql") {
            return Err("databaseURI: PostgreSQL is not supported; use mongodb://… or file:…".to_owned());
        }
        Err("databaseURI must start with mongodb://, mongodb+srv:// or file:".to_owned())
    }
}

impl OptionValue for DatabaseUri {
    const TYPE: OptionType = OptionType::Text;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let text = String::from_json(value, reader)?;
        match DatabaseUri::parse(&text) {
            Ok(uri) => Some(uri),
            Err(message) => reader.refuse(message),
        }
    }

    fn to_json(&self) -> Value {
        Value::String(match self {
            DatabaseUri::Mongo { uri } => uri.expose().to_owned(),
            DatabaseUri::Embedded { dir } => format!("file:{}", dir.display()),
        })
    }
}
