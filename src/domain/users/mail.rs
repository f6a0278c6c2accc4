//! Mail flows of a server that has no mail adapter: both routes are refused before their parameters are looked at.

use serde_json::{Map, Value as Json};

use crate::domain::context::Context;
use crate::error::{ErrorCode, ParseError, Result};

fn not_configured() -> ParseError {
    ParseError {
        status: 400,
        ..ParseError::new(
            ErrorCode::InternalServerError,
            "An appName, publicServerURL, and emailAdapter are required for password reset and email verification functionality.",
        )
    }
}

/// Sends a password reset mail.
///
/// # Errors
/// 1, with status 400: no mail adapter is configured.
pub async fn request_password_reset(_cx: &Context, _body: Map<String, Json>) -> Result<()> {
    Err(not_configured())
}

/// Sends a verification mail.
///
/// # Errors
/// 1, with status 400: no mail adapter is configured.
pub async fn request_verification_email(_cx: &Context, _body: Map<String, Json>) -> Result<()> {
    Err(not_configured())
}
