//! Users, sessions, log in.

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{group, options};
use super::free::Providers;
use crate::model::js_pattern::JsPattern;

options! {
    /// Users, sessions, log in.
    pub struct Users {
        /// New users are not publicly readable.
        enforce_private_users: bool = true, "enforcePrivateUsers", "PARSE_SERVER_ENFORCE_PRIVATE_USERS", Supported;
        /// Allow anonymous users.
        enable_anonymous_users: bool = true, "enableAnonymousUsers", "PARSE_SERVER_ENABLE_ANON_USERS", Supported;
        /// Identity providers and their settings.
        auth: Providers = Providers::default(), "auth", "PARSE_SERVER_AUTH_PROVIDERS", Supported;
        /// Do not re-check an identity provider's data that has not changed.
        allow_expired_auth_data_token: bool = false, "allowExpiredAuthDataToken", "PARSE_SERVER_ALLOW_EXPIRED_AUTH_DATA_TOKEN", Supported;
        /// Allow provider adapters considered unsafe.
        enable_insecure_auth_adapters: bool = false, "enableInsecureAuthAdapters", "PARSE_SERVER_ENABLE_INSECURE_AUTH_ADAPTERS", Harmless("no such provider is built in");
        /// Fold e-mail to lower case on write.
        convert_email_to_lowercase: bool = false, "convertEmailToLowercase", "PARSE_SERVER_CONVERT_EMAIL_TO_LOWERCASE", Supported;
        /// Fold user name to lower case on write.
        convert_username_to_lowercase: bool = false, "convertUsernameToLowercase", "PARSE_SERVER_CONVERT_USERNAME_TO_LOWERCASE", Supported;
        /// Life of a session in seconds.
        session_length: f64 = 31_536_000.0, "sessionLength", "PARSE_SERVER_SESSION_LENGTH", Supported;
        /// Sessions get an expiry date.
        expire_inactive_sessions: bool = true, "expireInactiveSessions", "PARSE_SERVER_EXPIRE_INACTIVE_SESSIONS", Supported;
        /// Using a session prolongs it.
        extend_session_on_use: bool = false, "extendSessionOnUse", "PARSE_SERVER_EXTEND_SESSION_ON_USE", Supported;
        /// A password change deletes the user's sessions.
        revoke_session_on_password_reset: bool = true, "revokeSessionOnPasswordReset", "PARSE_SERVER_REVOKE_SESSION_ON_PASSWORD_RESET", Supported;
        /// Password rules.
        password_policy: Option<PasswordPolicy> = None, "passwordPolicy", "PARSE_SERVER_PASSWORD_POLICY", Supported;
        /// Lock an account after repeated failed log ins.
        account_lockout: Option<AccountLockout> = None, "accountLockout", "PARSE_SERVER_ACCOUNT_LOCKOUT", Supported;
    }
}

group! {
    /// When an account is locked.
    pub struct AccountLockout {
        /// Minutes locked (over 0, under 100000).
        duration: Option<f64> = None, "duration", "PARSE_SERVER_ACCOUNT_LOCKOUT_DURATION", Supported;
        /// Failures until locked (1-999).
        threshold: Option<u32> = None, "threshold", "PARSE_SERVER_ACCOUNT_LOCKOUT_THRESHOLD", Supported;
        /// A password reset releases the lock.
        unlock_on_password_reset: bool = false, "unlockOnPasswordReset", "PARSE_SERVER_ACCOUNT_LOCKOUT_UNLOCK_ON_PASSWORD_RESET", Supported;
    }
}

group! {
    /// What a password must be.
    pub struct PasswordPolicy {
        /// Password must not contain the user name.
        do_not_allow_username: bool = false, "doNotAllowUsername", "PARSE_SERVER_PASSWORD_POLICY_DO_NOT_ALLOW_USERNAME", Supported;
        /// Days until a password expires.
        max_password_age: Option<f64> = None, "maxPasswordAge", "PARSE_SERVER_PASSWORD_POLICY_MAX_PASSWORD_AGE", Supported;
        /// How many last passwords may not come back (up to 20).
        max_password_history: Option<u32> = None, "maxPasswordHistory", "PARSE_SERVER_PASSWORD_POLICY_MAX_PASSWORD_HISTORY", Supported;
        /// Hide whether an address is known.
        reset_password_success_on_invalid_email: bool = true, "resetPasswordSuccessOnInvalidEmail", "PARSE_SERVER_PASSWORD_POLICY_RESET_PASSWORD_SUCCESS_ON_INVALID_EMAIL", Supported;
        /// Keep a reset token that is still valid (needs the next).
        reset_token_reuse_if_valid: bool = false, "resetTokenReuseIfValid", "PARSE_SERVER_PASSWORD_POLICY_RESET_TOKEN_REUSE_IF_VALID", Supported;
        /// Life of a reset token in seconds.
        reset_token_validity_duration: Option<f64> = None, "resetTokenValidityDuration", "PARSE_SERVER_PASSWORD_POLICY_RESET_TOKEN_VALIDITY_DURATION", Supported;
        /// Own refusal text.
        validation_error: Option<String> = None, "validationError", "PARSE_SERVER_PASSWORD_POLICY_VALIDATION_ERROR", Supported;
        /// Own check (function).
        validator_callback: Option<String> = None, "validatorCallback", "PARSE_SERVER_PASSWORD_POLICY_VALIDATOR_CALLBACK", NotYet;
        /// Pattern a password must match.
        validator_pattern: Option<JsPattern> = None, "validatorPattern", "PARSE_SERVER_PASSWORD_POLICY_VALIDATOR_PATTERN", Supported;
    }
}
