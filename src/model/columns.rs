//! Internal columns of rows, and the columns of `authData`.
//!
//! In requests and responses `authData` is one object with a member for each provider. In a row each provider has its
//! own column, so that its ids can have a unique index.

use std::borrow::Cow;

/// Prefix of the column of a provider.
const AUTH_DATA: &str = "_auth_data_";

/// The columns of the ACL. Any caller may use them in a condition; for clients the permission filter replaces `_rperm`.
pub const PERMISSIONS: [&str; 2] = ["_rperm", "_wperm"];

/// Columns that the master key may use in a condition.
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

/// Fields and columns whose strings are read as dates.
pub const DATES: [&str; 7] = [
    "createdAt",
    "updatedAt",
    "expiresAt",
    "_email_verify_token_expires_at",
    "_account_lockout_expires_at",
    "_password_changed_at",
    "_perishable_token_expires_at",
];

/// Whether a column contains secrets with which a reader could act as a user: hashes, tokens, identities.
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

/// Whether a path of a request or row leads to a secret column, also by its name in requests.
#[must_use]
pub fn leads_to_secret(path: &str) -> bool {
    let root = path.split('.').next().unwrap_or(path);
    is_secret(root) || root == "sessionToken" || (root == "authData" && root != path)
}

/// The column of a provider.
#[must_use]
pub fn of_provider(provider: &str) -> String {
    format!("{AUTH_DATA}{provider}")
}

/// The provider of a column.
#[must_use]
pub fn provider_of(column: &str) -> Option<&str> {
    column.strip_prefix(AUTH_DATA)
}

/// Converts a path of a request to a path of a row: `authData.P.id` becomes `_auth_data_P.id`.
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
