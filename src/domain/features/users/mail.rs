//! Sends verification and password reset mails in the background.

use std::sync::Arc;

use serde_json::Value as Json;

use super::state::Users;
use crate::adapters::email::outbox::Outbox;
use crate::adapters::email::{Mail, Purpose};
use crate::domain::kernel::commands::GetQuery;
use crate::domain::kernel::context::Context;
use crate::domain::read;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::names;
use crate::model::object::Object;
use crate::model::url_component;
use crate::traces;

/// Sends verification and password reset mails.
pub struct Mailer {
    outbox: Arc<Outbox>,
    app_name: String,
    /// Base URL, without a slash at the end.
    public_url: String,
}

/// The mailer of this server.
///
/// # Errors
/// 1, with status 400, if a required option is missing.
pub fn mailer(cx: &Context) -> Result<Mailer> {
    let options = &cx.app.options.server;
    match (&cx.app.feature::<Users>()?.outbox, &options.app_name, &options.public_server_url) {
        (Some(outbox), Some(app_name), Some(url)) if !app_name.is_empty() => Ok(Mailer {
            outbox: outbox.clone(),
            app_name: app_name.clone(),
            public_url: url.trim_end_matches('/').to_owned(),
        }),
        _ => Err(ParseError {
            status: 400,
            ..ParseError::new(
                ErrorCode::InternalServerError,
                "An appName, publicServerURL, and emailAdapter are required for password reset and email verification functionality.",
            )
        }),
    }
}

/// Checks the email address in a request: 204 or 125 if it is missing or invalid.
///
/// # Errors
/// 204 or 125.
pub fn address(sent: Option<&Json>) -> Result<&str> {
    match sent.filter(|address| is_truthy(address)) {
        Some(Json::String(address)) => Ok(address),
        None => Err(ParseError::new(ErrorCode::EmailMissing, "you must provide an email")),
        Some(_) => Err(ParseError::new(ErrorCode::InvalidEmailAddress, "you must provide a valid email string")),
    }
}

impl Mailer {
    /// Builds the link of a mail. With `customPages.parseFrameURL` it points there and contains the page to show in a
    /// frame.
    fn link(&self, cx: &Context, page: &str, token: &str) -> String {
        let options = &cx.app.options;
        let app_id = url_component::encode(&options.keys.app_id);
        let path = format!("/{}/{app_id}/{page}", options.mail.pages.pages_endpoint.trim_matches('/'));
        let token = url_component::encode(token);
        match &options.mail.custom_pages.parse_frame_url {
            Some(frame) => {
                let join = if frame.contains('?') { '&' } else { '?' };
                format!("{frame}{join}link={}&token={token}", url_component::encode(&path))
            }
            None => format!("{}{path}?token={token}", self.public_url),
        }
    }

    /// Sends a mail to a user in the background. Users without an email address get none, unless their username is one.
    pub fn send(self, cx: &Context, kind: Purpose, user: &Object, token: &str) {
        let id = user.get_str("objectId").unwrap_or_default().to_owned();
        let username = user.get_str("username").unwrap_or_default().to_owned();
        let to = match user.get_str("email").filter(|email| !email.is_empty()) {
            Some(email) => email.to_owned(),
            None => username.clone(),
        };
        if to.is_empty() {
            return;
        }
        let Some(reservation) = self.outbox.reserve() else { return };
        let page = match kind {
            Purpose::Verification => "verify_email",
            Purpose::PasswordReset => "request_password_reset",
        };
        let link = self.link(cx, page, token);
        let locale = user.get_str("locale").filter(|locale| is_locale(locale)).map(str::to_owned);
        let now = cx.now().millis();
        let mail_id = format!("{now}-{}", cx.app.random.hex(8));
        let task_cx = cx.outside_transaction().as_master();
        cx.app.tasks.spawn(traces::carry(async move {
            let mail = Mail {
                id: mail_id,
                millis: now,
                kind,
                to,
                app_name: self.app_name,
                link,
                username,
                user: view(&task_cx, &id).await,
                locale,
            };
            self.outbox.deliver(reservation, &mail).await;
        }));
    }
}

/// The user for an adapter, without credentials.
async fn view(cx: &Context, id: &str) -> Json {
    match read::get(cx, GetQuery::of(names::USER, id)).await {
        Ok(mut user) => {
            user.remove("authData");
            user.remove("sessionToken");
            serde_json::to_value(&user).unwrap_or_default()
        }
        Err(error) => {
            tracing::warn!(%error, "failed to read the recipient of a mail");
            Json::Null
        }
    }
}

/// Whether a string has the form of a language tag, such as `de` or `de-AT`.
#[must_use]
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
