//! The public pages behind the links of mails: verify an address, choose a new password, and static files of the owner.
//!
//! They belong to browsers, not to SDKs: an application is named in the path, no key is needed, and what a link brings is
//! shown escaped or not at all.

mod built_in;
mod files;
mod form;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use poem::web::Redirect;
use poem::{IntoResponse as _, Request, Response};
use serde_json::Value as Json;

use crate::config::mail::{CustomPages, PagesCustomUrls};
use crate::domain::features::users::verification::{Resent, Verified, Who};
use crate::domain::features::users::{mail, reset, verification};
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{Auth, unauthorized};
use crate::domain::kernel::context::{Client, Context};
use crate::error::{ErrorCode, ParseError};
use crate::http::answer::{self, refusal};
use crate::http::{body, client};
use crate::model::template::{Escape, Values, render};
use crate::model::url_component;
use form::Form;

/// Bytes a form may have.
const MAX_FORM: u64 = 64 << 10;

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

    /// The owner's url for the page: `pages.customUrls`, or the older `customPages`.
    fn own_url<'a>(self, urls: &'a PagesCustomUrls, old: &'a CustomPages) -> Option<&'a str> {
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

/// How a page gets to the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As the answer itself, unless the options want a redirect.
    Content,
    /// By a redirect.
    Redirect,
}

/// Serves the pages of an app.
pub struct Pages {
    app: Arc<App>,
    /// First segment of their paths.
    endpoint: String,
    folder: Option<PathBuf>,
    /// Locale → texts by name.
    texts: serde_json::Map<String, Json>,
    /// `Content-Security-Policy` of the built-in pages.
    security_policy: HeaderValue,
}

/// What a flow knows when it shows a page.
struct Visit<'a> {
    cx: Context,
    app_name: &'a str,
    public_url: &'a str,
    locale: Option<String>,
}

impl Pages {
    /// Reads what the options name.
    ///
    /// # Errors
    /// A text for the person who configured it.
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
            security_policy: security_policy(app),
            app: app.clone(),
        })
    }

    /// Answers a request for a page; `None`: it is for something else. `path`: below the mount path.
    pub async fn answer(&self, request: &mut Request, path: &str) -> Option<Response> {
        let mut parts = path.strip_prefix('/')?.split('/');
        if !parts.next()?.eq_ignore_ascii_case(&self.endpoint) {
            return None;
        }
        let segments: Vec<String> = parts
            .map(|part| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned))
            .collect::<Result<_, _>>()
            .ok()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let get = matches!(*request.method(), Method::GET | Method::HEAD);
        let post = *request.method() == Method::POST;
        let is = |text: &str, route: &str| text.eq_ignore_ascii_case(route);
        let response = match segments.as_slice() {
            [app_id, route] if get && is(route, "verify_email") => self.verify_email(request, app_id).await,
            [app_id, route] if get && is(route, "request_password_reset") => self.reset_link(request, app_id).await,
            [app_id, route] if post && is(route, "request_password_reset") => self.reset(request, app_id).await,
            [app_id, route] if post && is(route, "resend_verification_email") => self.resend(request, app_id).await,
            [route] if get && is(route, "choose_password") => Ok(self.choose_password(request)),
            [] | [""] => return None,
            _ if get => Ok(self.file(request, &segments).await),
            _ => return None,
        };
        Some(response.unwrap_or_else(|error| self.refuse(&error)))
    }

    fn refuse(&self, error: &ParseError) -> Response {
        refusal(error, self.app.options.security.enable_sanitized_error_response)
    }

    /// Begins a visit: the application must be this one, and mail links must be possible at all.
    fn visit(&self, request: &Request, form: &Form, app_id: &str) -> Result<Visit<'_>, Refusal> {
        let options = &self.app.options;
        if app_id != options.keys.app_id {
            return Err(Refusal::Error(unauthorized()));
        }
        let (Some(app_name), Some(public_url)) = (&options.server.app_name, &options.server.public_server_url) else {
            return Err(Refusal::NotFound);
        };
        let cx = self.context(request);
        Ok(Visit { cx, app_name, public_url: public_url.trim_end_matches('/'), locale: locale(request, form) })
    }

    fn context(&self, request: &Request) -> Context {
        let peer = request.remote_addr().as_socket_addr().copied();
        let peer = peer.unwrap_or_else(|| std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        let origin = client::origin(&self.app.options.server, peer, None, request.headers());
        let client = Client { ip: origin.ip, base_url: origin.base_url, ..Client::default() };
        Context::new(self.app.clone(), Auth::Anonymous, None, None, false, client)
    }

    async fn verify_email(&self, request: &Request, app_id: &str) -> Result<Response, ParseError> {
        let form = Form::query(request);
        let visit = match self.visit(request, &form, app_id) {
            Ok(visit) => visit,
            Err(refusal) => return Ok(refusal.answer()),
        };
        let token = form.get("token").unwrap_or_default();
        Ok(match verification::verify(&visit.cx, token).await? {
            Verified::Done => self.page(&visit, Page::EmailVerificationSuccess, &[], Way::Content),
            Verified::Expired => {
                self.page(&visit, Page::EmailVerificationLinkExpired, &[("token", token)], Way::Content)
            }
            Verified::Invalid => self.page(&visit, Page::EmailVerificationLinkInvalid, &[], Way::Content),
        })
    }

    async fn resend(&self, request: &mut Request, app_id: &str) -> Result<Response, ParseError> {
        let form = self.form(request).await?;
        let visit = match self.visit(request, &form, app_id) {
            Ok(visit) => visit,
            Err(refusal) => return Ok(refusal.answer()),
        };
        let who = match (form.get("username"), form.get("token")) {
            (_, Some(token)) if !token.is_empty() => Who::Token(token),
            (Some(username), _) if !username.is_empty() => Who::Username(username),
            _ => return Ok(self.page(&visit, Page::EmailVerificationLinkInvalid, &[], Way::Redirect)),
        };
        let sent = verification::resend(&visit.cx, who).await? == Resent::Sent;
        let page = if sent || self.app.options.mail.email_verify_success_on_invalid_email {
            Page::EmailVerificationSendSuccess
        } else {
            Page::EmailVerificationSendFail
        };
        Ok(self.page(&visit, page, &[], Way::Redirect))
    }

    fn choose_password(&self, request: &Request) -> Response {
        let form = Form::query(request);
        let visit = match self.visit(request, &form, form.get("appId").unwrap_or_default()) {
            Ok(visit) => visit,
            Err(refusal) => return refusal.answer(),
        };
        let token = form.get("token").unwrap_or_default();
        self.page(&visit, Page::PasswordReset, &[("token", token)], Way::Content)
    }

    async fn reset_link(&self, request: &Request, app_id: &str) -> Result<Response, ParseError> {
        let form = Form::query(request);
        let visit = match self.visit(request, &form, app_id) {
            Ok(visit) => visit,
            Err(refusal) => return Ok(refusal.answer()),
        };
        let token = form.get("token").unwrap_or_default();
        match reset::check(&visit.cx, token).await {
            Ok(_) => Ok(self.page(&visit, Page::PasswordReset, &[("token", token)], Way::Content)),
            Err(error) if error.is(ErrorCode::OtherCause) => {
                Ok(self.page(&visit, Page::PasswordResetLinkInvalid, &[], Way::Content))
            }
            Err(error) => Err(error),
        }
    }

    async fn reset(&self, request: &mut Request, app_id: &str) -> Result<Response, ParseError> {
        let form = self.form(request).await?;
        let given = |name: &str| form.get(name).filter(|text| !text.is_empty());
        let (token, password) = (given("token"), given("new_password"));
        if request.headers().get("x-requested-with").is_some_and(|with| with == "XMLHttpRequest") {
            // Scripts are shown no page, so it does not matter where pages are.
            if let Err(Refusal::Error(error)) = self.visit(request, &form, app_id) {
                return Err(error);
            }
            let token = token.ok_or_else(|| ParseError::new(ErrorCode::OtherCause, "Missing token"))?;
            let password = password.ok_or_else(|| ParseError::new(ErrorCode::PasswordMissing, "Missing password"))?;
            reset::reset(&self.context(request), token, password).await?;
            return Ok(answer::json(StatusCode::OK, b"\"Password successfully reset\"".to_vec()));
        }
        let visit = match self.visit(request, &form, app_id) {
            Ok(visit) => visit,
            Err(refusal) => return Ok(refusal.answer()),
        };
        let (Some(token), Some(password)) = (token, password) else {
            return Ok(self.page(&visit, Page::PasswordResetLinkInvalid, &[], Way::Redirect));
        };
        match reset::reset(&visit.cx, token, password).await {
            Ok(()) => Ok(self.page(&visit, Page::PasswordResetSuccess, &[], Way::Content)),
            Err(error) if !error.is(ErrorCode::OtherCause) => Err(error),
            Err(error) => {
                let text = error.public_message(true).to_owned();
                let values = [("token", token), ("error", text.as_str())];
                Ok(self.page(&visit, Page::PasswordReset, &values, Way::Content))
            }
        }
    }

    async fn form(&self, request: &mut Request) -> Result<Form, ParseError> {
        let taken = request.take_body();
        let patience = Duration::from_millis(self.app.options.own.request_timeout_ms);
        let bytes = body::read(taken, request.headers(), MAX_FORM, patience).await?;
        Ok(Form::body(request.headers(), &bytes))
    }
}

/// A visit that does not begin.
enum Refusal {
    Error(ParseError),
    NotFound,
}

impl Refusal {
    fn answer(self) -> Response {
        match self {
            Self::Error(error) => refusal(&error, true),
            Self::NotFound => not_found(),
        }
    }
}

fn not_found() -> Response {
    page_response(StatusCode::NOT_FOUND, "text/html; charset=utf-8", b"Not found.".to_vec())
}

/// The language of a visit, if it has the form of one.
fn locale(request: &Request, form: &Form) -> Option<String> {
    let query = Form::query(request);
    let header = request.headers().get("x-parse-page-param-locale").and_then(|value| value.to_str().ok());
    [form.get("locale"), query.get("locale"), header]
        .into_iter()
        .flatten()
        .find(|locale| mail::is_locale(locale))
        .map(str::to_owned)
}

fn page_response(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::builder().status(status).body(body);
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A token in the address must not travel on.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// No script, nothing from elsewhere; forms lead to this server and, by redirects, to the owner's pages.
fn security_policy(app: &App) -> HeaderValue {
    let options = &app.options;
    let mut targets = vec!["'self'".to_owned()];
    let own =
        Page::ALL.iter().filter_map(|page| page.own_url(&options.mail.pages.custom_urls, &options.mail.custom_pages));
    for url in own.chain(options.server.public_server_url.as_deref()) {
        targets.extend(origin_of(url).filter(|origin| !targets.contains(origin)));
    }
    let frame = options.mail.custom_pages.parse_frame_url.as_deref().and_then(origin_of);
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action {}; frame-ancestors {}",
        targets.join(" "),
        frame.as_deref().unwrap_or("'none'")
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// Scheme and authority of an address.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
    let fits = authority.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:[]*".contains(letter));
    fits.then(|| format!("{scheme}://{authority}"))
}

impl Pages {
    /// Shows a page: the owner's url for it, the owner's file, or the built-in one.
    fn page(&self, visit: &Visit<'_>, page: Page, values: &[(&'static str, &str)], way: Way) -> Response {
        let options = &self.app.options;
        let mut parameters: Vec<(&'static str, &str)> =
            vec![("appId", &options.keys.app_id), ("appName", visit.app_name)];
        parameters.extend_from_slice(values);
        parameters.push(("publicServerUrl", visit.public_url));
        if let Some(locale) = &visit.locale {
            parameters.push(("locale", locale));
        }
        let own = page.own_url(&options.mail.pages.custom_urls, &options.mail.custom_pages);
        let locale = visit.locale.as_deref().filter(|_| options.mail.pages.enable_localization);
        let mut response = if own.is_some() || way == Way::Redirect || options.mail.pages.force_redirect {
            let base = own.map_or_else(
                || {
                    let folder = self.localized(page, locale).map(|folder| format!("{folder}/")).unwrap_or_default();
                    format!("{}/{}/{folder}{}", visit.public_url, self.endpoint, page.file())
                },
                str::to_owned,
            );
            redirect(&base, &parameters)
        } else {
            self.content(page, locale, &parameters)
        };
        self.tell(&mut response, &parameters);
        response
    }

    /// The parameters as headers, for pages that are put into frames or apps.
    fn tell(&self, response: &mut Response, parameters: &[(&'static str, &str)]) {
        let encode = self.app.options.mail.pages.encode_page_param_headers;
        for (name, value) in parameters {
            let text = if encode { url_component::encode(value) } else { (*value).to_owned() };
            // Browsers and servers of the web read headers as Latin-1.
            let bytes: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
            let value = bytes
                .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
                .or_else(|| HeaderValue::try_from(url_component::encode(value)).ok());
            let name = HeaderName::try_from(format!("x-parse-page-param-{}", name.to_ascii_lowercase()));
            if let (Ok(name), Some(value)) = (name, value) {
                response.headers_mut().insert(name, value);
            }
        }
    }

    /// The folder that has the page in the language of a locale.
    fn localized(&self, page: Page, locale: Option<&str>) -> Option<String> {
        let locale = locale?;
        match &self.folder {
            Some(folder) => files::localized_folder(folder, locale, page.file()),
            None => built_in::speaks(locale).then(|| locale.to_owned()),
        }
    }

    fn content(&self, page: Page, locale: Option<&str>, parameters: &[(&'static str, &str)]) -> Response {
        let own = self.folder.as_ref().and_then(|folder| {
            let place = locale.and_then(|locale| files::localized_folder(folder, locale, page.file()));
            let path = place.map_or_else(|| page.file().to_owned(), |place| format!("{place}/{}", page.file()));
            files::text(folder, &path)
        });
        let mut values = self.values(locale);
        for (name, value) in parameters {
            values.set(*name, *value);
        }
        self.html(own.as_deref(), Some(page), locale, &values)
    }

    /// A filled page. Built-in ones are fenced in; the owner's may do as the owner likes.
    fn html(&self, own: Option<&str>, page: Option<Page>, locale: Option<&str>, values: &Values) -> Response {
        let html = match (own, page) {
            (Some(own), _) => render(own, values, Escape::Html),
            (None, Some(page)) => {
                let mut values = values.clone();
                values.set("pagesEndpoint", self.endpoint.as_str());
                values.set("appIdInUrl", url_component::encode(&self.app.options.keys.app_id));
                render(&built_in::template(page, locale), &values, Escape::Html)
            }
            (None, None) => return not_found(),
        };
        let mut response = page_response(StatusCode::OK, "text/html; charset=utf-8", html.into_bytes());
        if own.is_none() {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, self.security_policy.clone());
        }
        response
    }

    /// The owner's values: `placeholders`, and the texts of the locale.
    fn values(&self, locale: Option<&str>) -> Values {
        let options = &self.app.options.mail.pages;
        let mut values = Values::new();
        for (name, value) in &options.placeholders {
            values.set_own(name.clone(), plain(value));
        }
        if options.enable_localization {
            let language = locale.and_then(|locale| locale.split('-').next());
            let fallback = Some(options.localization_fallback_locale.as_str());
            let texts = [locale, language, fallback].into_iter().flatten().find_map(|locale| self.texts.get(locale));
            for (name, value) in texts.and_then(|texts| texts.get("translation")?.as_object()).into_iter().flatten() {
                values.set_own(name.clone(), plain(value));
            }
        }
        values
    }

    /// A file of the owner's folder, or a built-in page.
    async fn file(&self, request: &Request, segments: &[&str]) -> Response {
        let form = Form::query(request);
        let asked = locale(request, &form);
        let locale = asked.as_deref().filter(|_| self.app.options.mail.pages.enable_localization);
        let path = segments.join("/");
        let page = |name: &str| Page::ALL.into_iter().find(|page| page.file() == name);
        let (page, spoken) = match segments {
            [name] => (page(name), locale),
            [folder, name] if built_in::speaks(folder) && mail::is_locale(folder) => (page(name), Some(*folder)),
            _ => (None, locale),
        };
        let mut values = self.values(locale);
        let options = &self.app.options;
        let of_app = page.is_some() || form.get("appId") == Some(options.keys.app_id.as_str());
        if of_app && let (Some(app_name), Some(url)) = (&options.server.app_name, &options.server.public_server_url) {
            values.set("appId", options.keys.app_id.as_str());
            values.set("appName", app_name.as_str());
            values.set("publicServerUrl", url.trim_end_matches('/'));
            values.set("token", form.get("token").unwrap_or_default());
        }
        if let Some(locale) = &asked {
            values.set("locale", locale.as_str());
        }
        let own = match &self.folder {
            Some(folder) if Path::new(&path).extension().is_some_and(|extension| extension == "html") => {
                files::text(folder, &path)
            }
            Some(folder) => match files::bytes(folder, &path).await {
                Some((content_type, bytes)) => return page_response(StatusCode::OK, content_type, bytes),
                None => return not_found(),
            },
            None if path == "custom_json.html" => Some(built_in::EXAMPLE.to_owned()),
            None => None,
        };
        let mut response = self.html(own.as_deref(), page, spoken, &values);
        if let Some(locale) = &asked {
            self.tell(&mut response, &[("locale", locale.as_str())]);
        }
        response
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn redirect(base: &str, parameters: &[(&'static str, &str)]) -> Response {
    let mut url = base.to_owned();
    for (index, (name, value)) in parameters.iter().enumerate() {
        url.push(if index == 0 && !base.contains('?') { '?' } else { '&' });
        url.push_str(name);
        url.push('=');
        url.push_str(&form::encode(value));
    }
    let mut response = Redirect::see_other(&url).into_response();
    let text = format!("Found. Redirecting to {url}");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response.set_body(text);
    response
}
