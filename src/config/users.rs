//! Options of users and sessions.

use super::code::Callback;
use super::declare::Status::{Harmless, Supported};
use super::declare::{group, options};
use super::free::Providers;
use crate::model::js_pattern::JsPattern;

options! {
    /// Options of users and sessions.
    pub struct Users {
        /// Give new users an ACL that hides them from other users.
        enforce_private_users: bool = true, "enforcePrivateUsers", "PARSE_SERVER_ENFORCE_PRIVATE_USERS", Supported;
        /// Accept anonymous users.
        enable_anonymous_users: bool = true, "enableAnonymousUsers", "PARSE_SERVER_ENABLE_ANON_USERS", Supported;
        /// Identity providers and their settings.
        auth: Providers = Providers::default(), "auth", "PARSE_SERVER_AUTH_PROVIDERS", Supported;
        /// At log in, do not verify `authData` again if it has not changed.
        allow_expired_auth_data_token: bool = false, "allowExpiredAuthDataToken", "PARSE_SERVER_ALLOW_EXPIRED_AUTH_DATA_TOKEN", Harmless("all of it is verified at each log in, as in parse-server 9.10");
        /// Accept the insecure identity providers of parse-server.
        enable_insecure_auth_adapters: bool = false, "enableInsecureAuthAdapters", "PARSE_SERVER_ENABLE_INSECURE_AUTH_ADAPTERS", Harmless("this server has none of them");
        /// Store email addresses in lower case.
        convert_email_to_lowercase: bool = false, "convertEmailToLowercase", "PARSE_SERVER_CONVERT_EMAIL_TO_LOWERCASE", Supported;
        /// Store usernames in lower case.
        convert_username_to_lowercase: bool = false, "convertUsernameToLowercase", "PARSE_SERVER_CONVERT_USERNAME_TO_LOWERCASE", Supported;
        /// Seconds until a session expires.
        session_length: f64 = 31_536_000.0, "sessionLength", "PARSE_SERVER_SESSION_LENGTH", Supported;
        /// Sessions expire after sessionLength.
        expire_inactive_sessions: bool = true, "expireInactiveSessions", "PARSE_SERVER_EXPIRE_INACTIVE_SESSIONS", Supported;
        /// Extend a session when it is used.
        extend_session_on_use: bool = false, "extendSessionOnUse", "PARSE_SERVER_EXTEND_SESSION_ON_USE", Supported;
        /// Delete the sessions of a user whose password changes.
        revoke_session_on_password_reset: bool = true, "revokeSessionOnPasswordReset", "PARSE_SERVER_REVOKE_SESSION_ON_PASSWORD_RESET", Supported;
        /// Rules for passwords.
        password_policy: Option<PasswordPolicy> = None, "passwordPolicy", "PARSE_SERVER_PASSWORD_POLICY", Supported;
        /// Lock an account after too many failed log ins.
        account_lockout: Option<AccountLockout> = None, "accountLockout", "PARSE_SERVER_ACCOUNT_LOCKOUT", Supported;
    }
}

group! {
    /// When and for how long an account is locked.
    pub struct AccountLockout {
        /// Minutes for which the account is locked (greater than 0, less than 100000).
        duration: Option<f64> = None, "duration", "PARSE_SERVER_ACCOUNT_LOCKOUT_DURATION", Supported;
        /// Number of failed log ins that locks the account (1 to 999).
        threshold: Option<u32> = None, "threshold", "PARSE_SERVER_ACCOUNT_LOCKOUT_THRESHOLD", Supported;
        /// Unlock the account when its password is reset.
        unlock_on_password_reset: bool = false, "unlockOnPasswordReset", "PARSE_SERVER_ACCOUNT_LOCKOUT_UNLOCK_ON_PASSWORD_RESET", Supported;
    }
}

group! {
    /// Rules for passwords.
    pub struct PasswordPolicy {
        /// The password must not contain the username.
        do_not_allow_username: bool = false, "doNotAllowUsername", "PARSE_SERVER_PASSWORD_POLICY_DO_NOT_ALLOW_USERNAME", Supported;
        /// Days until a password expires.
        max_password_age: Option<f64> = None, "maxPasswordAge", "PARSE_SERVER_PASSWORD_POLICY_MAX_PASSWORD_AGE", Supported;
        /// Number of previous passwords that must not be reused (0 to 20).
        max_password_history: Option<u32> = None, "maxPasswordHistory", "PARSE_SERVER_PASSWORD_POLICY_MAX_PASSWORD_HISTORY", Supported;
        /// Answer password reset requests the same way whether or not the email address is known.
        reset_password_success_on_invalid_email: bool = true, "resetPasswordSuccessOnInvalidEmail", "PARSE_SERVER_PASSWORD_POLICY_RESET_PASSWORD_SUCCESS_ON_INVALID_EMAIL", Supported;
        /// Send a reset token again while it is valid (needs resetTokenValidityDuration).
        reset_token_reuse_if_valid: bool = false, "resetTokenReuseIfValid", "PARSE_SERVER_PASSWORD_POLICY_RESET_TOKEN_REUSE_IF_VALID", Supported;
        /// Seconds until a reset token expires (default: never).
        reset_token_validity_duration: Option<f64> = None, "resetTokenValidityDuration", "PARSE_SERVER_PASSWORD_POLICY_RESET_TOKEN_VALIDITY_DURATION", Supported;
        /// Error message for a password that breaks these rules.
        validation_error: Option<String> = None, "validationError", "PARSE_SERVER_PASSWORD_POLICY_VALIDATION_ERROR", Supported;
        /// {"module": …}: function that checks a password.
        validator_callback: Option<Callback> = None, "validatorCallback", "PARSE_SERVER_PASSWORD_POLICY_VALIDATOR_CALLBACK", Supported;
        /// Regular expression that a password must match.
        validator_pattern: Option<JsPattern> = None, "validatorPattern", "PARSE_SERVER_PASSWORD_POLICY_VALIDATOR_PATTERN", Supported;
    }
}
