//! Reads the current user with the permissions of its session.

use crate::domain::features::sessions;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::commands::{FindQuery, GetQuery};
use crate::domain::kernel::context::Context;
use crate::domain::read;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::USER;
use crate::model::object::Object;
use crate::model::query::parameters::QueryParameters;

/// 209.
#[must_use]
pub fn no_session() -> ParseError {
    ParseError::sanitized(ErrorCode::InvalidSessionToken, "Invalid session token")
}

/// The context for a sign up, which here creates a session even with the master key.
#[must_use]
pub fn with_session(cx: &Context) -> Context {
    let mut own = cx.clone();
    own.master_key_in_header = false;
    own
}

/// The context for reading the user of a new session.
#[must_use]
pub fn standing_after(cx: &Context, user: &Object) -> Auth {
    if cx.auth.is_master() { cx.auth.clone() } else { sessions::standing_of(user) }
}

/// Reads a user with the permissions of its own session.
///
/// # Errors
/// 209 if that session may not read it.
pub async fn read_own(cx: &Context, id: &str, parameters: QueryParameters) -> Result<Object> {
    let found = read::find(cx, FindQuery::from(GetQuery::new(USER, id, parameters))).await?;
    found.results.into_iter().next().ok_or_else(no_session)
}
