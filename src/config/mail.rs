//! E-mail verification, password reset, and their pages.

use serde_json::{Map, Value};

use super::declare::Status::{NotYet, Supported};
use super::declare::{group, options};
use super::free::{Free, Module};

options! {
    /// E-mail verification, password reset, and their pages.
    pub struct Mail {
        /// Mail sender.
        email_adapter: Option<Module> = None, "emailAdapter", "PARSE_SERVER_EMAIL_ADAPTER", Supported;
        /// E-mail verification.
        verify_user_emails: bool = false, "verifyUserEmails", "PARSE_SERVER_VERIFY_USER_EMAILS", Supported;
        /// No log in before verification; also withholds the session at sign up.
        prevent_login_with_unverified_email: bool = false, "preventLoginWithUnverifiedEmail", "PARSE_SERVER_PREVENT_LOGIN_WITH_UNVERIFIED_EMAIL", Supported;
        /// Sign up answers with an error while unverified.
        prevent_signup_with_unverified_email: bool = false, "preventSignupWithUnverifiedEmail", "PARSE_SERVER_PREVENT_SIGNUP_WITH_UNVERIFIED_EMAIL", Supported;
        /// Send the verification mail (false: only make the token).
        send_user_email_verification: bool = true, "sendUserEmailVerification", "PARSE_SERVER_SEND_USER_EMAIL_VERIFICATION", Supported;
        /// Life of a verification token in seconds (none: for ever).
        email_verify_token_validity_duration: Option<f64> = None, "emailVerifyTokenValidityDuration", "PARSE_SERVER_EMAIL_VERIFY_TOKEN_VALIDITY_DURATION", Supported;
        /// Keep a verification token that is still valid.
        email_verify_token_reuse_if_valid: bool = false, "emailVerifyTokenReuseIfValid", "PARSE_SERVER_EMAIL_VERIFY_TOKEN_REUSE_IF_VALID", Supported;
        /// Hide whether an address is known when a verification mail is asked for.
        email_verify_success_on_invalid_email: bool = true, "emailVerifySuccessOnInvalidEmail", "PARSE_SERVER_EMAIL_VERIFY_SUCCESS_ON_INVALID_EMAIL", Supported;
        /// Own urls of the mail pages.
        custom_pages: CustomPages = CustomPages::default(), "customPages", "PARSE_SERVER_CUSTOM_PAGES", Supported;
        /// Mail pages.
        pages: Pages = Pages::default(), "pages", "PARSE_SERVER_PAGES", Supported;
    }
}

group! {
    /// The public pages.
    pub struct Pages {
        /// Own routes under the pages path.
        custom_routes: Vec<PagesRoute> = Vec::new(), "customRoutes", "PARSE_SERVER_PAGES_CUSTOM_ROUTES", Supported;
        /// Own urls per page.
        custom_urls: PagesCustomUrls = PagesCustomUrls::default(), "customUrls", "PARSE_SERVER_PAGES_CUSTOM_URLS", Supported;
        /// Localised pages.
        enable_localization: bool = false, "enableLocalization", "PARSE_SERVER_PAGES_ENABLE_LOCALIZATION", Supported;
        /// Percent-encode the page parameter headers.
        encode_page_param_headers: bool = false, "encodePageParamHeaders", "PARSE_SERVER_PAGES_ENCODE_PAGE_PARAM_HEADERS", Supported;
        /// Always redirect instead of sending the page.
        force_redirect: bool = false, "forceRedirect", "PARSE_SERVER_PAGES_FORCE_REDIRECT", Supported;
        /// Locale of last resort.
        localization_fallback_locale: String = "en".to_owned(), "localizationFallbackLocale", "PARSE_SERVER_PAGES_LOCALIZATION_FALLBACK_LOCALE", Supported;
        /// File with texts.
        localization_json_path: Option<String> = None, "localizationJsonPath", "PARSE_SERVER_PAGES_LOCALIZATION_JSON_PATH", Supported;
        /// Path of the pages.
        pages_endpoint: String = "apps".to_owned(), "pagesEndpoint", "PARSE_SERVER_PAGES_PAGES_ENDPOINT", Supported;
        /// Folder of the pages.
        pages_path: Option<String> = None, "pagesPath", "PARSE_SERVER_PAGES_PAGES_PATH", Supported;
        /// Values for the pages.
        placeholders: Map<String, Value> = Map::new(), "placeholders", "PARSE_SERVER_PAGES_PLACEHOLDERS", Supported;
    }
}

group! {
    /// Own urls instead of the built-in pages.
    pub struct PagesCustomUrls {
        /// Own url instead of the page `emailVerificationLinkExpired`.
        email_verification_link_expired: Option<String> = None, "emailVerificationLinkExpired", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_LINK_EXPIRED", Supported;
        /// Own url instead of the page `emailVerificationLinkInvalid`.
        email_verification_link_invalid: Option<String> = None, "emailVerificationLinkInvalid", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_LINK_INVALID", Supported;
        /// Own url instead of the page `emailVerificationSendFail`.
        email_verification_send_fail: Option<String> = None, "emailVerificationSendFail", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_SEND_FAIL", Supported;
        /// Own url instead of the page `emailVerificationSendSuccess`.
        email_verification_send_success: Option<String> = None, "emailVerificationSendSuccess", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_SEND_SUCCESS", Supported;
        /// Own url instead of the page `emailVerificationSuccess`.
        email_verification_success: Option<String> = None, "emailVerificationSuccess", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_SUCCESS", Supported;
        /// Own url instead of the page `passwordReset`.
        password_reset: Option<String> = None, "passwordReset", "PARSE_SERVER_PAGES_CUSTOM_URL_PASSWORD_RESET", Supported;
        /// Own url instead of the page `passwordResetLinkInvalid`.
        password_reset_link_invalid: Option<String> = None, "passwordResetLinkInvalid", "PARSE_SERVER_PAGES_CUSTOM_URL_PASSWORD_RESET_LINK_INVALID", Supported;
        /// Own url instead of the page `passwordResetSuccess`.
        password_reset_success: Option<String> = None, "passwordResetSuccess", "PARSE_SERVER_PAGES_CUSTOM_URL_PASSWORD_RESET_SUCCESS", Supported;
    }
}

group! {
    /// Own urls instead of the pages of the mail flows.
    pub struct CustomPages {
        /// Own url instead of the page `choosePassword`.
        choose_password: Option<String> = None, "choosePassword", "PARSE_SERVER_CUSTOM_PAGES_CHOOSE_PASSWORD", Supported;
        /// Own url instead of the page `expiredVerificationLink`.
        expired_verification_link: Option<String> = None, "expiredVerificationLink", "PARSE_SERVER_CUSTOM_PAGES_EXPIRED_VERIFICATION_LINK", Supported;
        /// Own url instead of the page `invalidLink`.
        invalid_link: Option<String> = None, "invalidLink", "PARSE_SERVER_CUSTOM_PAGES_INVALID_LINK", Supported;
        /// Own url instead of the page `invalidPasswordResetLink`.
        invalid_password_reset_link: Option<String> = None, "invalidPasswordResetLink", "PARSE_SERVER_CUSTOM_PAGES_INVALID_PASSWORD_RESET_LINK", Supported;
        /// Own url instead of the page `invalidVerificationLink`.
        invalid_verification_link: Option<String> = None, "invalidVerificationLink", "PARSE_SERVER_CUSTOM_PAGES_INVALID_VERIFICATION_LINK", Supported;
        /// Own url instead of the page `linkSendFail`.
        link_send_fail: Option<String> = None, "linkSendFail", "PARSE_SERVER_CUSTOM_PAGES_LINK_SEND_FAIL", Supported;
        /// Own url instead of the page `linkSendSuccess`.
        link_send_success: Option<String> = None, "linkSendSuccess", "PARSE_SERVER_CUSTOM_PAGES_LINK_SEND_SUCCESS", Supported;
        /// Own url instead of the page `parseFrameURL`.
        parse_frame_url: Option<String> = None, "parseFrameURL", "PARSE_SERVER_CUSTOM_PAGES_PARSE_FRAME_URL", Supported;
        /// Own url instead of the page `passwordResetSuccess`.
        password_reset_success: Option<String> = None, "passwordResetSuccess", "PARSE_SERVER_CUSTOM_PAGES_PASSWORD_RESET_SUCCESS", Supported;
        /// Own url instead of the page `verifyEmailSuccess`.
        verify_email_success: Option<String> = None, "verifyEmailSuccess", "PARSE_SERVER_CUSTOM_PAGES_VERIFY_EMAIL_SUCCESS", Supported;
    }
}

group! {
    /// An own route under the path of the pages.
    pub struct PagesRoute {
        /// Its method.
        method: String = String::new(), "method", "PARSE_SERVER_PAGES_ROUTE_METHOD", Supported;
        /// Its path.
        path: String = String::new(), "path", "PARSE_SERVER_PAGES_ROUTE_PATH", Supported;
        /// Its code.
        handler: Option<Free> = None, "handler", "PARSE_SERVER_PAGES_ROUTE_HANDLER", NotYet;
    }
}
