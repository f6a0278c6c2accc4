//! Columns of rows that are no fields: what the server keeps for itself, and where `authData` is kept.
//!
//! On the wire `authData` is one object with a member for each provider; in a row each provider has a column of its own, so that ids of
//! a provider can have a unique index.

use std::borrow::Cow;

/// What the column of a provider begins with.
const AUTH_DATA: &str = "_auth_data_";

/// Who may read a row, and who may write it. Anybody may name them in a condition; for clients the filter of readers replaces `_rperm`.
pub const PERMISSIONS: [&str; 2] = ["_rperm", "_wperm"];

/// Columns that the master key may name in a condition.
pub const INTERNAL: [&str; 10] = [
    "_session_token",
    "_email_verify_token",
    "_perishable_token",
    "_perishable_token_expires_at",
    "_tombstone",
    "_email_verify_token_expires_at",
    "_failed_login_count",
    "_account_lockout_expires_at",
    "_password_changed_at",
    "_password_history",
];

/// Fields and columns whose plain text is read as a date.
pub const DATES: [&str; 7] = [
    "createdAt",
    "updatedAt",
    "expiresAt",
    "_email_verify_token_expires_at",
    "_account_lockout_expires_at",
    "_password_changed_at",
    "_perishable_token_expires_at",
];

/// Whether a column holds what lets its reader act as a user, or guess how to: hashes, tokens, identities.
#[must_use]
pub fn is_secret(column: &str) -> bool {
    matches!(
        column,
        "_hashed_password"
            | "_session_token"
            | "session_token"
            | "_email_verify_token"
            | "_perishable_token"
            | "_password_history"
    ) || column.starts_with(AUTH_DATA)
}

/// The column of a provider.
#[must_use]
pub fn of_provider(provider: &str) -> String {
    format!("{AUTH_DATA}{provider}")
}

/// The provider whose column this is.
#[must_use]
pub fn provider_of(column: &str) -> Option<&str> {
    column.strip_prefix(AUTH_DATA)
}

/// The path in a row of a path on the wire: `authData.P.id` is `_auth_data_P.id`.
#[must_use]
pub fn path(wire: &str) -> Cow<'_, str> {
    match wire.strip_prefix("authData.") {
        Some(rest) => Cow::Owned(format!("{AUTH_DATA}{rest}")),
        None => Cow::Borrowed(wire),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_columns() {
        assert_eq!(path("authData.facebook.id"), "_auth_data_facebook.id");
        assert_eq!(path("authData"), "authData");
        assert_eq!(path("a.authData.b"), "a.authData.b");
        assert_eq!(provider_of(&of_provider("apple")), Some("apple"));
        assert_eq!(provider_of("_hashed_password"), None);
    }
}
