//! Options of email verification, password reset and their pages.

use serde_json::Map;

use super::code::{Callback, Decision, Placeholders};
use super::declare::Status::Supported;
use super::declare::{group, options};
use super::free::Module;

options! {
    /// Options of email verification, password reset and their pages.
    pub struct Mail {
        /// Adapter that sends mails.
        email_adapter: Option<Module> = None, "emailAdapter", "PARSE_SERVER_EMAIL_ADAPTER", Supported;
        /// Send a verification mail when the email address of a user is set or changed; or {"module": …}, a function that decides.
        verify_user_emails: Decision = Decision::Always(false), "verifyUserEmails", "PARSE_SERVER_VERIFY_USER_EMAILS", Supported;
        /// Refuse log in until the email address is verified, and create no session at sign up; or {"module": …}, a function that decides.
        prevent_login_with_unverified_email: Decision = Decision::Always(false), "preventLoginWithUnverifiedEmail", "PARSE_SERVER_PREVENT_LOGIN_WITH_UNVERIFIED_EMAIL", Supported;
        /// Create the user at sign up, but answer with an error until the email address is verified.
        prevent_signup_with_unverified_email: bool = false, "preventSignupWithUnverifiedEmail", "PARSE_SERVER_PREVENT_SIGNUP_WITH_UNVERIFIED_EMAIL", Supported;
        /// Send the verification mail. With `false` the server creates the token but sends no mail. Or {"module": …}, a function that decides.
        send_user_email_verification: Decision = Decision::Always(true), "sendUserEmailVerification", "PARSE_SERVER_SEND_USER_EMAIL_VERIFICATION", Supported;
        /// Seconds until a verification token expires (default: never).
        email_verify_token_validity_duration: Option<f64> = None, "emailVerifyTokenValidityDuration", "PARSE_SERVER_EMAIL_VERIFY_TOKEN_VALIDITY_DURATION", Supported;
        /// Send a verification token again while it is valid.
        email_verify_token_reuse_if_valid: bool = false, "emailVerifyTokenReuseIfValid", "PARSE_SERVER_EMAIL_VERIFY_TOKEN_REUSE_IF_VALID", Supported;
        /// Answer requests for a verification mail the same way whether or not the email address is known.
        email_verify_success_on_invalid_email: bool = true, "emailVerifySuccessOnInvalidEmail", "PARSE_SERVER_EMAIL_VERIFY_SUCCESS_ON_INVALID_EMAIL", Supported;
        /// URLs to redirect to instead of the built-in pages (older form of pages.customUrls).
        custom_pages: CustomPages = CustomPages::default(), "customPages", "PARSE_SERVER_CUSTOM_PAGES", Supported;
        /// Pages behind the links in mails.
        pages: Pages = Pages::default(), "pages", "PARSE_SERVER_PAGES", Supported;
    }
}

group! {
    /// Options of the pages behind the links in mails.
    pub struct Pages {
        /// Additional routes below the path of the pages.
        custom_routes: Vec<PagesRoute> = Vec::new(), "customRoutes", "PARSE_SERVER_PAGES_CUSTOM_ROUTES", Supported;
        /// URLs to redirect to instead of the built-in pages.
        custom_urls: PagesCustomUrls = PagesCustomUrls::default(), "customUrls", "PARSE_SERVER_PAGES_CUSTOM_URLS", Supported;
        /// Choose pages and texts by the locale of the request.
        enable_localization: bool = false, "enableLocalization", "PARSE_SERVER_PAGES_ENABLE_LOCALIZATION", Supported;
        /// Percent-encode the response headers that contain page parameters.
        encode_page_param_headers: bool = false, "encodePageParamHeaders", "PARSE_SERVER_PAGES_ENCODE_PAGE_PARAM_HEADERS", Supported;
        /// Always redirect to a page instead of sending its content.
        force_redirect: bool = false, "forceRedirect", "PARSE_SERVER_PAGES_FORCE_REDIRECT", Supported;
        /// Locale that is used if there are no texts for the requested one.
        localization_fallback_locale: String = "en".to_owned(), "localizationFallbackLocale", "PARSE_SERVER_PAGES_LOCALIZATION_FALLBACK_LOCALE", Supported;
        /// JSON file with the texts of each locale.
        localization_json_path: Option<String> = None, "localizationJsonPath", "PARSE_SERVER_PAGES_LOCALIZATION_JSON_PATH", Supported;
        /// Path of the pages below mountPath.
        pages_endpoint: String = "apps".to_owned(), "pagesEndpoint", "PARSE_SERVER_PAGES_PAGES_ENDPOINT", Supported;
        /// Directory of custom pages.
        pages_path: Option<String> = None, "pagesPath", "PARSE_SERVER_PAGES_PAGES_PATH", Supported;
        /// Values for placeholders in the pages; or {"module": …}, a function that gives them.
        placeholders: Placeholders = Placeholders::Fixed(Map::new()), "placeholders", "PARSE_SERVER_PAGES_PLACEHOLDERS", Supported;
    }
}

group! {
    /// URLs to redirect to instead of the built-in pages.
    pub struct PagesCustomUrls {
        /// URL to redirect to instead of the page `emailVerificationLinkExpired`.
        email_verification_link_expired: Option<String> = None, "emailVerificationLinkExpired", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_LINK_EXPIRED", Supported;
        /// URL to redirect to instead of the page `emailVerificationLinkInvalid`.
        email_verification_link_invalid: Option<String> = None, "emailVerificationLinkInvalid", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_LINK_INVALID", Supported;
        /// URL to redirect to instead of the page `emailVerificationSendFail`.
        email_verification_send_fail: Option<String> = None, "emailVerificationSendFail", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_SEND_FAIL", Supported;
        /// URL to redirect to instead of the page `emailVerificationSendSuccess`.
        email_verification_send_success: Option<String> = None, "emailVerificationSendSuccess", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_SEND_SUCCESS", Supported;
        /// URL to redirect to instead of the page `emailVerificationSuccess`.
        email_verification_success: Option<String> = None, "emailVerificationSuccess", "PARSE_SERVER_PAGES_CUSTOM_URL_EMAIL_VERIFICATION_SUCCESS", Supported;
        /// URL to redirect to instead of the page `passwordReset`.
        password_reset: Option<String> = None, "passwordReset", "PARSE_SERVER_PAGES_CUSTOM_URL_PASSWORD_RESET", Supported;
        /// URL to redirect to instead of the page `passwordResetLinkInvalid`.
        password_reset_link_invalid: Option<String> = None, "passwordResetLinkInvalid", "PARSE_SERVER_PAGES_CUSTOM_URL_PASSWORD_RESET_LINK_INVALID", Supported;
        /// URL to redirect to instead of the page `passwordResetSuccess`.
        password_reset_success: Option<String> = None, "passwordResetSuccess", "PARSE_SERVER_PAGES_CUSTOM_URL_PASSWORD_RESET_SUCCESS", Supported;
    }
}

group! {
    /// URLs to redirect to instead of the built-in pages (older form).
    pub struct CustomPages {
        /// URL to redirect to instead of the page `choosePassword`.
        choose_password: Option<String> = None, "choosePassword", "PARSE_SERVER_CUSTOM_PAGES_CHOOSE_PASSWORD", Supported;
        /// URL to redirect to instead of the page `expiredVerificationLink`.
        expired_verification_link: Option<String> = None, "expiredVerificationLink", "PARSE_SERVER_CUSTOM_PAGES_EXPIRED_VERIFICATION_LINK", Supported;
        /// URL to redirect to instead of the page `invalidLink`.
        invalid_link: Option<String> = None, "invalidLink", "PARSE_SERVER_CUSTOM_PAGES_INVALID_LINK", Supported;
        /// URL to redirect to instead of the page `invalidPasswordResetLink`.
        invalid_password_reset_link: Option<String> = None, "invalidPasswordResetLink", "PARSE_SERVER_CUSTOM_PAGES_INVALID_PASSWORD_RESET_LINK", Supported;
        /// URL to redirect to instead of the page `invalidVerificationLink`.
        invalid_verification_link: Option<String> = None, "invalidVerificationLink", "PARSE_SERVER_CUSTOM_PAGES_INVALID_VERIFICATION_LINK", Supported;
        /// URL to redirect to instead of the page `linkSendFail`.
        link_send_fail: Option<String> = None, "linkSendFail", "PARSE_SERVER_CUSTOM_PAGES_LINK_SEND_FAIL", Supported;
        /// URL to redirect to instead of the page `linkSendSuccess`.
        link_send_success: Option<String> = None, "linkSendSuccess", "PARSE_SERVER_CUSTOM_PAGES_LINK_SEND_SUCCESS", Supported;
        /// URL to redirect to instead of the page `parseFrameURL`.
        parse_frame_url: Option<String> = None, "parseFrameURL", "PARSE_SERVER_CUSTOM_PAGES_PARSE_FRAME_URL", Supported;
        /// URL to redirect to instead of the page `passwordResetSuccess`.
        password_reset_success: Option<String> = None, "passwordResetSuccess", "PARSE_SERVER_CUSTOM_PAGES_PASSWORD_RESET_SUCCESS", Supported;
        /// URL to redirect to instead of the page `verifyEmailSuccess`.
        verify_email_success: Option<String> = None, "verifyEmailSuccess", "PARSE_SERVER_CUSTOM_PAGES_VERIFY_EMAIL_SUCCESS", Supported;
    }
}

group! {
    /// An additional route below the path of the pages.
    pub struct PagesRoute {
        /// HTTP method of the route.
        method: String = String::new(), "method", "PARSE_SERVER_PAGES_ROUTE_METHOD", Supported;
        /// Path of the route; a segment `:name` stands for any one.
        path: String = String::new(), "path", "PARSE_SERVER_PAGES_ROUTE_PATH", Supported;
        /// {"module": …}, a function that says which page answers.
        handler: Option<Callback> = None, "handler", "PARSE_SERVER_PAGES_ROUTE_HANDLER", Supported;
    }
}
