//! The public pages behind the links in mails: verify an email address, choose a new password; and static files of the
//! directory of custom pages.
//!
//! They are for browsers, not for SDKs: the path names the application, no key is needed, and parameters of a link are
//! always escaped.

mod built_in;
mod custom;
mod files;
mod flows;
mod form;
pub mod own_routes;
mod render;

use std::path::PathBuf;
use std::sync::Arc;

use poem::http::{HeaderValue, Method};
use serde_json::Value as Json;

use self::own_routes::OwnPages;
use crate::domain::kernel::app::App;
use crate::domain::triggers::AppCode;
use crate::rest::call::Call;
use crate::rest::route::{Access, Outcome, Route};

/// The pages of the flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    PasswordReset,
    PasswordResetSuccess,
    PasswordResetLinkInvalid,
    EmailVerificationSuccess,
    EmailVerificationLinkInvalid,
    EmailVerificationLinkExpired,
    EmailVerificationSendSuccess,
    EmailVerificationSendFail,
}

impl Page {
    const ALL: [Self; 8] = [
        Self::PasswordReset,
        Self::PasswordResetSuccess,
        Self::PasswordResetLinkInvalid,
        Self::EmailVerificationSuccess,
        Self::EmailVerificationLinkInvalid,
        Self::EmailVerificationLinkExpired,
        Self::EmailVerificationSendSuccess,
        Self::EmailVerificationSendFail,
    ];

    const fn file(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset.html",
            Self::PasswordResetSuccess => "password_reset_success.html",
            Self::PasswordResetLinkInvalid => "password_reset_link_invalid.html",
            Self::EmailVerificationSuccess => "email_verification_success.html",
            Self::EmailVerificationLinkInvalid => "email_verification_link_invalid.html",
            Self::EmailVerificationLinkExpired => "email_verification_link_expired.html",
            Self::EmailVerificationSendSuccess => "email_verification_send_success.html",
            Self::EmailVerificationSendFail => "email_verification_send_fail.html",
        }
    }
}

/// The pages of an application.
pub struct Pages {
    app: Arc<App>,
    /// First segment of their paths (`pages.pagesEndpoint`).
    endpoint: String,
    folder: Option<PathBuf>,
    /// Locale → texts by name.
    texts: serde_json::Map<String, Json>,
    /// `Content-Security-Policy` of the built-in pages.
    security_policy: HeaderValue,
    /// The function of the app that gives values for placeholders.
    placeholders: Option<AppCode>,
}

impl Pages {
    /// The pages without what the app's code adds. Reads the files that the options name.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(app: &Arc<App>) -> Result<Self, String> {
        let options = &app.options.mail.pages;
        let folder = match &options.pages_path {
            None => None,
            Some(path) => {
                Some(std::fs::canonicalize(path).map_err(|error| format!("pages.pagesPath {path}: {error}"))?)
            }
        };
        let texts = match &options.localization_json_path {
            Some(path) if options.enable_localization => {
                let wrong = |error: &dyn std::fmt::Display| format!("pages.localizationJsonPath {path}: {error}");
                let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
                serde_json::from_str(&text).map_err(|error| wrong(&error))?
            }
            _ => serde_json::Map::new(),
        };
        Ok(Self {
            endpoint: options.pages_endpoint.trim_matches('/').to_owned(),
            folder,
            texts,
            security_policy: render::security_policy(app),
            app: app.clone(),
            placeholders: None,
        })
    }

    /// The routes of the pages, and those of the app.
    #[must_use]
    pub fn routes(self, own: OwnPages) -> Vec<Route> {
        let pages = Arc::new(Self { placeholders: own.placeholders, ..self });
        let endpoint = pages.endpoint.as_str();
        let path = |rest: &str| format!("/{endpoint}/{rest}");
        let (verify, reset) = (path("{appId}/verify_email"), path("{appId}/request_password_reset"));
        let mut routes = vec![
            pages.route(Method::GET, verify, "verifyEmailPage", Self::verify_email),
            pages.route(Method::GET, reset.clone(), "passwordResetLink", Self::reset_link),
            pages.route(Method::POST, reset, "passwordResetPage", Self::reset),
            pages.route(Method::POST, path("{appId}/resend_verification_email"), "resendEmailPage", Self::resend),
            pages.route(Method::GET, path("choose_password"), "choosePasswordPage", Self::choose_password),
            pages.route(Method::GET, path("{*file}"), "pageFile", Self::file),
        ];
        routes.extend(own.routes.into_iter().map(|route| route.mount(&pages)));
        routes
    }

    fn route<F, Fut>(self: &Arc<Self>, method: Method, path: String, operation: &'static str, handler: F) -> Route
    where
        F: Fn(Arc<Self>, Call) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let pages = self.clone();
        Route::hidden(method, path, operation, move |call| handler(pages.clone(), call))
            .access(Access::Public)
            .unlisted()
            .stream()
    }
}
