//! Serves Parse Dashboard below its path: the files of the installed package, the log in, and what its pages ask of their host.

mod html;

use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde_json::json;

use crate::domain::features::dashboard::{Dashboard, PublicFile, Session, Verdict};
use crate::domain::kernel::app::App;
use crate::domain::kernel::audit::{Deed, What};
use crate::domain::kernel::context::Client;
use crate::domain::kernel::noting;
use crate::error::{ParseError, Result};
use crate::http::answer::{self, RequestId, refusal};
use crate::http::caller::Caller;
use crate::http::compression::takes_gzip;
use crate::http::conditional::etag;
use crate::http::dashboard_session::{COOKIE, cookie, hosted, is_same_origin};
use crate::http::mount::{below, of_url};
use crate::http::record::RequestRecord;
use crate::http::{body, query};

/// The cookie that carries a word from a failed log in to the next page.
const NOTE: &str = "reparse_dashboard_note";
/// Maximum bytes of a form.
const FORM_BYTES: u64 = 16 << 10;
/// What the page of a log in says, by the word in the cookie.
const UNKNOWN_USER: &str = "user";

/// The endpoint of the dashboard.
pub struct DashboardEndpoint {
    app: Arc<App>,
    /// Its path, with a slash at the end.
    mount: String,
}

/// A request to the dashboard, with what is known of its sender.
struct Visit<'a> {
    dashboard: &'a Dashboard,
    session: Option<Session>,
    https: bool,
    now: i64,
}

impl DashboardEndpoint {
    /// The endpoint at the path of the options.
    ///
    /// # Errors
    /// A message for the administrator, if the configuration of the dashboard is wrong.
    pub fn new(app: &Arc<App>) -> std::result::Result<Self, String> {
        Dashboard::of(app)?;
        let path = app.options.own.dashboard.path.trim_end_matches('/');
        Ok(Self { app: app.clone(), mount: format!("{path}/") })
    }

    async fn answer(&self, request: Request) -> Result<Response> {
        let path = below(&self.mount, request.uri().path()).unwrap_or_default().trim_start_matches('/').to_owned();
        let dashboard = hosted(&self.app).ok_or_else(ParseError::unknown_route)?;
        let record = RequestRecord::of(&request);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if reads && let Some(file) = dashboard.file(&path).await {
            record.set_route("/dashboard/{file}".into());
            return send(dashboard, request.headers(), &file).await.ok_or_else(ParseError::unknown_route);
        }
        record.set_route("/dashboard".into());
        // Icons of the pages ask for the base address, many times a page.
        if reads
            && path.is_empty()
            && text(request.headers(), "sec-fetch-dest").is_some_and(|use_as| use_as != "document")
        {
            let response = Response::builder().status(StatusCode::NO_CONTENT);
            return Ok(response.header(header::CACHE_CONTROL, "private, max-age=3600").finish());
        }
        let caller = Caller::without_keys(&request, &self.app.options);
        let https = caller.client.base_url.starts_with("https://");
        let local = self.admit(dashboard, &caller, request.headers(), https)?;
        let now = self.app.clock.now().millis();
        let given = cookie(request.headers(), COOKIE).and_then(|cookie| dashboard.session(cookie, now));
        // Without users, whoever is at this machine has a session at once.
        let session = given.or_else(|| local.then(|| dashboard.start("", self.nonce(), now)));
        let visit = Visit { dashboard, session, https, now };
        match (request.method(), path.as_str()) {
            (&Method::GET | &Method::HEAD, "parse-dashboard-config.json") => Self::configuration(&visit, &request),
            (&Method::GET | &Method::HEAD, "login") => Ok(self.log_in_page(&visit, &request)),
            (&Method::POST, "login") => self.log_in(visit, request, &caller).await,
            (&Method::GET, "logout") => Ok(self.log_out()),
            (&Method::GET | &Method::HEAD, _) => Ok(self.page(&visit, &request, &path)),
            _ => Err(ParseError::unknown_route()),
        }
    }

    /// Refuses callers who may not even log in. Returns whether the caller needs no log in.
    fn admit(&self, dashboard: &Dashboard, caller: &Caller, headers: &HeaderMap, https: bool) -> Result<bool> {
        let refuse = |message: &'static str| Err(ParseError::http(403, message));
        let host = text(headers, "host").unwrap_or_default();
        let host = host
            .rsplit_once(':')
            .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
        // A name of this machine: another name could lead here from a page of its owner.
        let named_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let local = caller.direct && caller.client.ip.is_loopback();
        // What a proxy on this machine hands on does not come from this machine.
        let proxied = ["x-forwarded-for", "forwarded", "via"].iter().any(|name| headers.contains_key(*name));
        if !dashboard.has_users() {
            if local && named_local && !proxied {
                return Ok(true);
            }
            return refuse(
                "Configure a user (dashboard.users) to open Parse Dashboard from elsewhere than http://localhost.",
            );
        }
        if !https && (!local || proxied) && !self.app.options.own.dashboard.allow_insecure_http {
            return refuse(
                "Parse Dashboard can be opened from another machine by HTTPS only (or with dashboard.allowInsecureHTTP).",
            );
        }
        Ok(false)
    }

    fn note(&self, caller: &Caller, request: &Request, deed: Deed) {
        let log_id = request.data::<RequestId>().map(|id| id.0.clone());
        noting::note_client(&self.app, &Client { log_id, ..caller.client.clone() }, deed);
    }

    fn nonce(&self) -> String {
        self.app.random.hex(16)
    }

    fn configuration(visit: &Visit<'_>, request: &Request) -> Result<Response> {
        let session = visit.session.as_ref().filter(|session| session.is_logged_in());
        let (Some(session), true) = (session, is_same_origin(request.headers())) else {
            return Ok(answer::json(StatusCode::UNAUTHORIZED, br#"{"error":"Log in first."}"#.to_vec()));
        };
        let told = visit.dashboard.configuration(session, &origin(request.headers()))?;
        let mut response = answer::json(StatusCode::OK, told.to_string().into_bytes());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    /// A page. The scripts of the dashboard show what belongs to the path.
    fn page(&self, visit: &Visit<'_>, request: &Request, path: &str) -> Response {
        let Some(session) = visit.session.as_ref().filter(|session| session.is_logged_in()) else {
            let wanted = request.uri().query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
            let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
            return redirect(&format!(
                "{}login{}",
                self.mount,
                if path.is_empty() { String::new() } else { format!("?redirect={wanted}") }
            ));
        };
        if path.is_empty() {
            return redirect(&format!("{}apps", self.mount));
        }
        let session = visit.dashboard.renew(session, visit.now);
        let token = visit.dashboard.form_token(&session);
        let html = html::dashboard(&self.mount, &token, visit.dashboard.caches_files());
        let mut response = html::response(html);
        set_cookie(&mut response, COOKIE, &visit.dashboard.cookie(&session), visit.https, None);
        if !session.user.is_empty()
            && let Ok(name) = HeaderValue::from_str(&session.user)
        {
            // The pages show it.
            response.headers_mut().insert("username", name);
        }
        response
    }

    fn log_in_page(&self, visit: &Visit<'_>, request: &Request) -> Response {
        if visit.session.as_ref().is_some_and(Session::is_logged_in) {
            let wanted = query::pairs(request.uri().query().unwrap_or_default()).find(|(name, _)| name == "redirect");
            return redirect(&self.wanted(wanted.as_ref().map(|(_, wanted)| wanted.as_str())));
        }
        let session = visit.session.clone().unwrap_or_else(|| visit.dashboard.visit(self.nonce(), visit.now));
        let note = cookie(request.headers(), NOTE).and_then(note);
        let html = html::log_in(&self.mount, &visit.dashboard.form_token(&session), note.as_deref());
        let mut response = html::response(html);
        let session = visit.dashboard.renew(&session, visit.now);
        set_cookie(&mut response, COOKIE, &visit.dashboard.cookie(&session), visit.https, None);
        if note.is_some() {
            set_cookie(&mut response, NOTE, "", visit.https, Some(0));
        }
        response
    }

    async fn log_in(&self, visit: Visit<'_>, mut request: Request, caller: &Caller) -> Result<Response> {
        let patience = Duration::from_millis(self.app.options.own.request_timeout_ms);
        let sent = request.take_body();
        let headers = request.headers();
        let bytes = body::read(sent, headers, FORM_BYTES, patience).await?;
        let form = String::from_utf8_lossy(&bytes);
        let field =
            |name: &str| query::pairs(&form).find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default();
        let token = field("_csrf");
        let own = visit.session.as_ref().is_some_and(|session| {
            let right = visit.dashboard.form_token(session);
            bool::from(subtle::ConstantTimeEq::ct_eq(right.as_bytes(), token.as_bytes()))
        });
        if !own || !is_same_origin(headers) {
            return Err(ParseError::http(403, "The page is too old. Reload it and try again."));
        }
        let (name, code, wanted) = (field("username"), field("otpCode"), field("redirect"));
        let verdict =
            visit.dashboard.log_in(caller.client.ip, &name, field("password"), code.trim(), visit.now).await?;
        let note = match verdict {
            Verdict::User(user) => {
                tracing::info!(ip = %caller.client.ip, "a dashboard user logged in");
                self.note(caller, &request, Deed::new(What::DashboardLogIn).of(&user));
                let session = visit.dashboard.start(&user, self.nonce(), visit.now);
                let mut response = redirect(&self.wanted(Some(&wanted)));
                set_cookie(&mut response, COOKIE, &visit.dashboard.cookie(&session), visit.https, None);
                return Ok(response);
            }
            Verdict::Unknown => UNKNOWN_USER.to_owned(),
            Verdict::NeedsCode(digits) => format!("code-{digits}"),
            Verdict::WrongCode(digits) => format!("wrong-{digits}"),
        };
        tracing::info!(ip = %caller.client.ip, note, "a log in to the dashboard failed");
        self.note(caller, &request, Deed::new(What::DashboardLogInFailed));
        let wanted: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let back = if wanted.is_empty() { String::new() } else { format!("?redirect={wanted}") };
        let mut response = redirect(&format!("{}login{back}", self.mount));
        set_cookie(&mut response, NOTE, &note, visit.https, Some(60));
        Ok(response)
    }

    fn log_out(&self) -> Response {
        let mut response = redirect(&format!("{}login", self.mount));
        set_cookie(&mut response, COOKIE, "", false, Some(0));
        response
    }

    /// The address of the page that a visitor wanted: always one of the dashboard.
    fn wanted(&self, path: Option<&str>) -> String {
        let path = path.unwrap_or_default().trim_start_matches(['/', '\\']);
        let fits = !path.is_empty()
            && !path.contains("://")
            && path.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
        format!("{}{}", self.mount, if fits { path } else { "apps" })
    }
}

impl Endpoint for DashboardEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let sanitize = self.app.options.security.enable_sanitized_error_response;
        Ok(self.answer(request).await.unwrap_or_else(|error| refusal(&error, sanitize)))
    }
}

/// What a failed log in left in the cookie, as the page of the log in reads it.
fn note(word: &str) -> Option<String> {
    let digits = |kind: &str| word.strip_prefix(kind)?.parse::<u8>().ok().filter(|digits| (4..=10).contains(digits));
    let note = if word == UNKNOWN_USER {
        json!({ "text": "Invalid username or password" })
    } else if let Some(digits) = digits("code-") {
        json!({ "text": "Please enter your one-time password.", "otpLength": digits })
    } else if let Some(digits) = digits("wrong-") {
        json!({ "text": "Invalid one-time password.", "otpLength": digits })
    } else {
        return None;
    };
    Some(note.to_string())
}

/// Scheme and host as the browser sees them. It sends the address of the page with each request; otherwise paths have to do.
fn origin(headers: &HeaderMap) -> String {
    let page = text(headers, "referer").unwrap_or_default();
    let host = text(headers, "host").unwrap_or_default();
    let found = page.split_once("://").and_then(|(scheme, rest)| {
        let of_page = rest.split('/').next()?;
        (of_page == host && matches!(scheme, "http" | "https") && of_url(page).is_some())
            .then(|| format!("{scheme}://{host}"))
    });
    found.unwrap_or_default()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn redirect(to: &str) -> Response {
    let response = Response::builder().status(StatusCode::SEE_OTHER).header(header::CACHE_CONTROL, "no-store");
    response.header(header::LOCATION, to).finish()
}

fn set_cookie(response: &mut Response, name: &str, value: &str, https: bool, seconds: Option<u32>) {
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let secure = if https { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
}

/// A file, unless the client has it. `None` if it is gone.
async fn send(dashboard: &Dashboard, headers: &HeaderMap, file: &PublicFile) -> Option<Response> {
    let packed = if takes_gzip(headers) { dashboard.compressed(file).await } else { None };
    // The two forms are different to caches.
    let tag = etag(&if packed.is_some() { format!("{}-gz", file.tag) } else { file.tag.clone() });
    let mut response = Response::builder()
        .header(header::ETAG, &tag)
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if file.is_compressible() {
        response = response.header(header::VARY, "Accept-Encoding");
    }
    if text(headers, "if-none-match").is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
        return Some(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    response = response.header(header::CONTENT_TYPE, file.kind);
    Some(match packed {
        Some(packed) => response.header(header::CONTENT_ENCODING, "gzip").body(packed),
        None => response.body(file.read().await?),
    })
}
