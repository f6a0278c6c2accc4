//! The flows behind the links in mails: verify an email address, set a password, send a mail again.

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::{Request, Response};

use super::form::Form;
use super::render::{Delivery, not_found};
use super::{Page, Pages};
use crate::domain::features::users::verification::{Resent, Verified, Who};
use crate::domain::features::users::{mail, reset, verification};
use crate::domain::kernel::auth::unauthorized;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::answer;
use crate::http::body;
use crate::rest::call::Call;
use crate::rest::route::Outcome;

/// Maximum bytes of a form.
pub(super) const MAX_FORM: u64 = 64 << 10;

/// A request for a page of this application.
pub struct PageRequest<'a> {
    /// An anonymous caller.
    pub cx: &'a Context,
    /// Name of the application, shown in texts.
    pub app_name: &'a str,
    /// Public URL of the server.
    pub public_url: &'a str,
    /// Locale that the request asks for.
    pub locale: Option<String>,
}

impl Pages {
    /// Begins a flow; `None` if links in mails are not configured.
    ///
    /// # Errors
    /// 403 if the path names another application.
    pub(super) fn begin<'a>(
        &'a self,
        cx: &'a Context,
        app_id: &str,
        locale: Option<String>,
    ) -> Result<Option<PageRequest<'a>>> {
        let options = &self.app.options;
        if app_id != options.keys.app_id {
            return Err(unauthorized());
        }
        let (Some(app_name), Some(public_url)) = (&options.server.app_name, &options.server.public_server_url) else {
            return Ok(None);
        };
        Ok(Some(PageRequest { cx, app_name, public_url: public_url.trim_end_matches('/'), locale }))
    }

    /// Begins the flow of a link.
    fn follow<'a>(&'a self, call: &'a mut Call, form: &Form, app_id: &str) -> Result<Option<PageRequest<'a>>> {
        let request = call.take_request().ok_or_else(ParseError::unknown_route)?;
        self.begin(&call.cx, app_id, locale(&request, form, form))
    }

    /// `GET …/verify_email`.
    pub(super) async fn verify_email(self: Arc<Self>, mut call: Call) -> Outcome {
        let form = Form::query(&call.query);
        let app_id = call.path("appId")?.to_owned();
        let Some(request) = self.follow(&mut call, &form, &app_id)? else { return Ok(not_found()) };
        let token = form.get("token").unwrap_or_default();
        let (page, values) = match verification::verify(request.cx, token).await? {
            Verified::Done => (Page::EmailVerificationSuccess, None),
            Verified::Expired => (Page::EmailVerificationLinkExpired, Some(("token", token))),
            Verified::Invalid => (Page::EmailVerificationLinkInvalid, None),
        };
        self.page(&request, page, values.as_slice(), Delivery::Content).await
    }

    /// `POST …/resend_verification_email`.
    pub(super) async fn resend(self: Arc<Self>, mut call: Call) -> Outcome {
        let Submitted { form, locale, .. } = self.submitted(&mut call).await?;
        let Some(request) = self.begin(&call.cx, call.path("appId")?, locale)? else { return Ok(not_found()) };
        let who = match (form.get("username"), form.get("token")) {
            (_, Some(token)) if !token.is_empty() => Who::Token(token),
            (Some(username), _) if !username.is_empty() => Who::Username(username),
            _ => return self.page(&request, Page::EmailVerificationLinkInvalid, &[], Delivery::Redirect).await,
        };
        let sent = verification::resend(request.cx, who).await? == Resent::Sent;
        let page = if sent || self.app.options.mail.email_verify_success_on_invalid_email {
            Page::EmailVerificationSendSuccess
        } else {
            Page::EmailVerificationSendFail
        };
        self.page(&request, page, &[], Delivery::Redirect).await
    }

    /// `GET …/choose_password`.
    pub(super) async fn choose_password(self: Arc<Self>, mut call: Call) -> Outcome {
        let form = Form::query(&call.query);
        let app_id = form.get("appId").unwrap_or_default();
        let Some(request) = self.follow(&mut call, &form, app_id)? else { return Ok(not_found()) };
        let token = form.get("token").unwrap_or_default();
        self.page(&request, Page::PasswordReset, &[("token", token)], Delivery::Content).await
    }

    /// `GET …/request_password_reset`.
    pub(super) async fn reset_link(self: Arc<Self>, mut call: Call) -> Outcome {
        let form = Form::query(&call.query);
        let app_id = call.path("appId")?.to_owned();
        let Some(request) = self.follow(&mut call, &form, &app_id)? else { return Ok(not_found()) };
        let token = form.get("token").unwrap_or_default();
        match reset::check(request.cx, token).await {
            Ok(_) => self.page(&request, Page::PasswordReset, &[("token", token)], Delivery::Content).await,
            Err(error) if error.is(ErrorCode::OtherCause) => {
                self.page(&request, Page::PasswordResetLinkInvalid, &[], Delivery::Content).await
            }
            Err(error) => Err(error),
        }
    }

    /// `POST …/request_password_reset`.
    pub(super) async fn reset(self: Arc<Self>, mut call: Call) -> Outcome {
        let Submitted { form, locale, by_script } = self.submitted(&mut call).await?;
        let given = |name: &str| form.get(name).filter(|text| !text.is_empty());
        let (token, password) = (given("token"), given("new_password"));
        let begun = self.begin(&call.cx, call.path("appId")?, locale)?;
        if by_script {
            // Scripts get JSON, so this works without pages.
            let token = token.ok_or_else(|| ParseError::new(ErrorCode::OtherCause, "Missing token"))?;
            let password = password.ok_or_else(|| ParseError::new(ErrorCode::PasswordMissing, "Missing password"))?;
            reset::reset(&call.cx, token, password).await?;
            return Ok(answer::json(StatusCode::OK, b"\"Password successfully reset\"".to_vec()));
        }
        let Some(request) = begun else { return Ok(not_found()) };
        let (Some(token), Some(password)) = (token, password) else {
            return self.page(&request, Page::PasswordResetLinkInvalid, &[], Delivery::Redirect).await;
        };
        self.set_password(&request, token, password).await
    }

    async fn set_password(&self, request: &PageRequest<'_>, token: &str, password: &str) -> Result<Response> {
        match reset::reset(request.cx, token, password).await {
            Ok(()) => self.page(request, Page::PasswordResetSuccess, &[], Delivery::Content).await,
            Err(error) if !error.is(ErrorCode::OtherCause) => Err(error),
            Err(error) => {
                let text = error.public_message(true).to_owned();
                let values = [("token", token), ("error", text.as_str())];
                self.page(request, Page::PasswordReset, &values, Delivery::Content).await
            }
        }
    }

    async fn submitted(&self, call: &mut Call) -> Result<Submitted> {
        let mut request = call.take_request().ok_or_else(ParseError::unknown_route)?;
        let taken = request.take_body();
        let patience = Duration::from_millis(self.app.options.own.request_timeout_ms);
        let bytes = body::read(taken, request.headers(), MAX_FORM, patience).await?;
        let form = Form::body(request.headers(), &bytes);
        let by_script = request.headers().get("x-requested-with").is_some_and(|with| with == "XMLHttpRequest");
        Ok(Submitted { locale: locale(&request, &form, &Form::query(&call.query)), form, by_script })
    }
}

/// A submitted form.
struct Submitted {
    form: Form,
    locale: Option<String>,
    /// Whether a script of a custom page sent it; it gets JSON.
    by_script: bool,
}

/// The locale in the form, the query or a header, if it is well formed.
pub fn locale(request: &Request, form: &Form, query: &Form) -> Option<String> {
    let header = request.headers().get("x-parse-page-param-locale").and_then(|value| value.to_str().ok());
    [form.get("locale"), query.get("locale"), header]
        .into_iter()
        .flatten()
        .find(|locale| mail::is_locale(locale))
        .map(str::to_owned)
}
