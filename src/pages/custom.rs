//! Custom pages: URLs to redirect to, and values for placeholders.

use serde_json::{Map, Value as Json};

use super::{Page, Pages};
use crate::config::code::Placeholders;
use crate::config::mail::{CustomPages, PagesCustomUrls};
use crate::domain::kernel::context::Context;
use crate::domain::triggers;
use crate::error::Result;
use crate::model::template::Values;

impl Page {
    /// The custom URL for the page: `pages.customUrls`, or the older `customPages`.
    pub(super) fn own_url<'a>(self, urls: &'a PagesCustomUrls, old: &'a CustomPages) -> Option<&'a str> {
        let url = match self {
            Self::PasswordReset => urls.password_reset.as_ref().or(old.choose_password.as_ref()),
            Self::PasswordResetSuccess => urls.password_reset_success.as_ref().or(old.password_reset_success.as_ref()),
            Self::PasswordResetLinkInvalid => urls
                .password_reset_link_invalid
                .as_ref()
                .or(old.invalid_password_reset_link.as_ref())
                .or(old.invalid_link.as_ref()),
            Self::EmailVerificationSuccess => {
                urls.email_verification_success.as_ref().or(old.verify_email_success.as_ref())
            }
            Self::EmailVerificationLinkInvalid => urls
                .email_verification_link_invalid
                .as_ref()
                .or(old.invalid_verification_link.as_ref())
                .or(old.invalid_link.as_ref()),
            Self::EmailVerificationLinkExpired => {
                urls.email_verification_link_expired.as_ref().or(old.expired_verification_link.as_ref())
            }
            Self::EmailVerificationSendSuccess => {
                urls.email_verification_send_success.as_ref().or(old.link_send_success.as_ref())
            }
            Self::EmailVerificationSendFail => {
                urls.email_verification_send_fail.as_ref().or(old.link_send_fail.as_ref())
            }
        };
        url.map(String::as_str)
    }
}

impl Pages {
    /// Values for placeholders: `pages.placeholders` and the texts of the locale. `parameters`: what the page is told, which a function
    /// that gives values is told, too.
    ///
    /// # Errors
    /// What the function throws.
    pub(super) async fn values(
        &self,
        cx: &Context,
        locale: Option<&str>,
        parameters: &[(&str, &str)],
    ) -> Result<Values> {
        let options = &self.app.options.mail.pages;
        let mut values = Values::new();
        let given = match (&options.placeholders, &self.placeholders) {
            (Placeholders::Fixed(fixed), _) => fixed.clone(),
            (Placeholders::Asked(_), None) => Map::new(),
            (Placeholders::Asked(_), Some(function)) => {
                let told = parameters.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value)));
                match triggers::ask(cx, function, None, vec![Json::Object(told.collect())]).await? {
                    Some(Json::Object(given)) => given,
                    _ => Map::new(),
                }
            }
        };
        for (name, value) in given {
            values.set_own(name, plain(&value));
        }
        if options.enable_localization {
            let language = locale.and_then(|locale| locale.split('-').next());
            let fallback = Some(options.localization_fallback_locale.as_str());
            let texts = [locale, language, fallback].into_iter().flatten().find_map(|locale| self.texts.get(locale));
            for (name, value) in texts.and_then(|texts| texts.get("translation")?.as_object()).into_iter().flatten() {
                values.set_own(name.clone(), plain(value));
            }
        }
        Ok(values)
    }
}

/// A value as text.
pub(super) fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
