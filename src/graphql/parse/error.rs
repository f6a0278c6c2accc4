//! Errors of fields in the form of Parse's GraphQL API.

use async_graphql::Pos;
use serde_json::Value as Json;

use crate::error::{ErrorCode, ParseError};
use crate::graphql::engine::{INTERNAL, field_error};

/// Why a field has no value.
#[derive(Debug)]
pub enum FieldError {
    /// An error of the domain.
    Parse(ParseError),
    /// The same, from a mutation that does not return Parse's code.
    Uncoded(String),
    /// A non-null field has no value: type and field.
    Missing(String, String),
}

impl From<ParseError> for FieldError {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl FieldError {
    /// The error as JSON.
    #[must_use]
    pub fn to_json(&self, place: Pos, path: &[Json], sanitize: bool) -> Json {
        let (message, code) = match self {
            Self::Parse(error) => return parse_error(error, place, path, sanitize),
            Self::Uncoded(message) => (message.clone(), Json::from(INTERNAL)),
            Self::Missing(ty, field) => {
                (format!("Cannot return null for non-nullable field {ty}.{field}."), Json::from(INTERNAL))
            }
        };
        field_error(&message, &code, place, path)
    }
}

/// An error of the domain as JSON. Logs the cause.
#[must_use]
pub fn parse_error(error: &ParseError, place: Pos, path: &[Json], sanitize: bool) -> Json {
    if let Some(source) = &error.source {
        tracing::error!(error = %error, cause = %source, "GraphQL field failed");
    }
    field_error(error.public_message(sanitize), &Json::from(number(error)), place, path)
}

/// Parse's code; errors without one count as 119.
fn number(error: &ParseError) -> i64 {
    let usual = match error.status {
        403 => ErrorCode::OperationForbidden,
        _ => ErrorCode::InternalServerError,
    };
    error.number().unwrap_or_else(|| i64::from(usual.number()))
}
