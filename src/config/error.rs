//! The error of a refused configuration.

use std::fmt;

/// Why the server refuses to start, as a message for the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
    thrown: bool,
}

impl ConfigError {
    /// An error with a message of this server or of parse-server.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        ConfigError { message: message.into(), thrown: false }
    }

    /// An error that parse-server throws as an `Error` object.
    #[must_use]
    pub fn thrown(message: impl Into<String>) -> Self {
        ConfigError { message: message.into(), thrown: true }
    }

    /// The last line of output before the process exits. As in parse-server, it begins with
    /// `Error` for thrown errors and with `error` for others.
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
