//! Why a configuration is refused.

use std::fmt;

/// One reason the server does not start, written for the person who configures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
    thrown: bool,
}

impl ConfigError {
    /// A reason in our words or parse-server's.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        ConfigError { message: message.into(), thrown: false }
    }

    /// A reason that parse-server throws as an `Error` object.
    #[must_use]
    pub fn thrown(message: impl Into<String>) -> Self {
        ConfigError { message: message.into(), thrown: true }
    }

    /// The last line a process writes before it gives up. Tools that look for
    /// parse-server's output tell its `Error` objects from plain texts by the first word.
    #[must_use]
    pub fn line(&self) -> String {
        let word = if self.thrown { "Error" } else { "error" };
        format!("{word}: {}", self.message)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}
