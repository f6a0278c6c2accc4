//! Why a call of JavaScript gave no result.

use serde::Deserialize;

/// Error code of a call whose code did not choose one: Parse's `SCRIPT_FAILED`.
pub const SCRIPT_FAILED: i64 = 141;

/// An error that JavaScript threw, in the form in which it crosses the socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Thrown {
    /// Parse error code. Apps choose any number, so this is not limited to Parse's own codes.
    pub code: i64,
    /// The text for the client.
    pub message: String,
    /// Where it was thrown, for the log.
    #[serde(default)]
    pub stack: Option<String>,
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// The code threw, or a validator refused.
    #[error("{} (code {})", .0.message, .0.code)]
    Thrown(Thrown),
    /// The code did not answer before the deadline of the call.
    #[error("cloud code did not answer in time")]
    TimedOut,
    /// The process ended, or was ended, during the call. Whether the code did its work is unknown.
    #[error("cloud code stopped during the call")]
    Interrupted,
    /// No process is ready to take the call.
    #[error("cloud code is not available: {0}")]
    Unavailable(String),
    /// Too many calls are in flight, or too many bytes wait for a process that does not read.
    #[error("cloud code has too many calls in flight")]
    Overloaded,
    /// A payload that could not be sent, or an answer that could not be read.
    #[error("cloud code: {0}")]
    Protocol(String),
}

impl CloudError {
    /// The Parse error code for the client: that of the thrown error, otherwise 141.
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self {
            Self::Thrown(thrown) => thrown.code,
            _ => SCRIPT_FAILED,
        }
    }

    /// The text for the person who runs the server: where the code threw, if it is known.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Thrown(Thrown { stack: Some(stack), .. }) => stack.clone(),
            other => other.to_string(),
        }
    }

    /// The text for the client. Details of a failure of the process go to the log, not to the client.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Thrown(thrown) => &thrown.message,
            Self::TimedOut => "Cloud code did not answer in time.",
            Self::Interrupted => "Cloud code stopped during the call.",
            Self::Unavailable(_) => "Cloud code is not available.",
            Self::Overloaded => "Cloud code has too many calls in flight.",
            Self::Protocol(_) => "Cloud code gave an invalid answer.",
        }
    }
}
