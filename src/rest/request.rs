//! What happens to a request before it has a route, in this order: the application, the body and what it says of itself
//! (keys, method), the caller's keys and address, rate limits, the list of allowed routes, the session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderMap, Method, Uri};
use poem::{Endpoint, Request, Response};

use super::batch::Part;
use super::body_keys;
use super::idempotency::Idempotency;
use super::openapi::Documents;
use super::pages::Pages;
use super::payload::{Incoming, JsonMap, pairs};
use super::routes::{self, Routes};
use crate::domain::features::idempotency;
use crate::domain::features::sessions::open_context;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{self, Credentials, TokenUse};
use crate::domain::kernel::context::{Client, Context};
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::answer::{Matched, Refused, refusal};
use crate::http::gate::Gate;
use crate::http::gate::rate_limit::{Identity, Standing};
use crate::http::{body, client, credentials};

/// The REST API of an app.
pub struct Rest {
    pub(super) app: Arc<App>,
    pub(super) routes: Routes,
    pub(super) endpoint: BoxEndpoint<'static>,
    pub(super) gate: Arc<Gate>,
    pub(super) pages: Pages,
    pub(super) idempotency: Idempotency,
    /// How the API describes itself, if it does.
    pub(super) documents: Option<Documents>,
}

/// A request whose form is known: what it wants and who it says to be.
struct Wish {
    method: Method,
    /// Below the mount path, trimmed.
    path: String,
    query: String,
    body: JsonMap,
    credentials: Credentials,
    client: Client,
    forwarded: bool,
}

/// The one route that asks for nothing.
const HEALTH: &str = "/health";
/// The route on which a session token is not even looked at.
const LOGIN: &str = "/login";
/// The route that judges the session token itself.
const OWN_SESSION: &str = "/sessions/me";

/// Exchanges an old session for a revocable one.
const UPGRADE_SESSION: &str = "/upgradeToRevocableSession";

/// Below this, bodies are files.
const FILES: &str = "/files";

/// Serves the REST API below the mount path.
pub struct RestEndpoint(pub Arc<Rest>);

impl Endpoint for RestEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let sanitize = self.0.app.options.security.enable_sanitized_error_response;
        Ok(match self.0.clone().answer(request).await {
            Ok(response) => response,
            Err((error, pattern)) => {
                let mut response = refusal(&error, sanitize);
                if let Some(pattern) = pattern {
                    response.set_data(Matched(pattern));
                }
                response
            }
        })
    }
}

/// An error, and the route it happened on if that is known.
type Failure = (ParseError, Option<Arc<str>>);

impl Rest {
    async fn answer(self: Arc<Self>, mut request: Request) -> Result<Response, Failure> {
        let options = &self.app.options.server;
        let path = request.original_uri().path();
        let path = routes::below(&options.mount_path, path).map(routes::trim).unwrap_or_default().to_owned();
        if path.eq_ignore_ascii_case(HEALTH) {
            return self.health(&request, path).await;
        }
        if let Some(description) = self.describe(&request, &path).await? {
            return Ok(description);
        }
        if let Some(page) = self.pages.answer(&mut request, &path).await {
            return Ok(page);
        }
        let known = |method: &Method| self.routes.find(method, &path).map(|found| found.pattern);
        let before = known(request.method());
        let wish = self.read(request, path.clone()).await.map_err(|error| (error, before))?;
        let pattern = known(&wish.method);
        self.admit(wish).await.map_err(|error| (error, pattern))
    }

    /// Health needs no application and knows no caller.
    async fn health(&self, request: &Request, path: String) -> Result<Response, Failure> {
        self.gate.allowed.check(false, request.method(), &path).map_err(|error| (error, Some(Arc::from(HEALTH))))?;
        let inner =
            Request::builder().method(Method::GET).uri(Uri::from_static(HEALTH)).extension(self.app.clone()).finish();
        let mut response = self.endpoint.get_response(inner).await;
        response.set_data(Matched(Arc::from(HEALTH)));
        Ok(self.finish(response))
    }

    /// Reads what the request says.
    async fn read(&self, mut request: Request, path: String) -> Result<Wish> {
        let options = &self.app.options;
        let application = options.keys.app_id.as_str();
        let peer =
            request.remote_addr().as_socket_addr().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let local = request.local_addr().as_socket_addr().copied();
        let origin = client::origin(&options.server, peer, local, request.headers());
        let mut credentials = credentials::from_headers(request.headers(), application);
        let known = credentials.application_id.as_deref() == Some(application);
        let mut method = match request.method() {
            &Method::HEAD => Method::GET,
            method => method.clone(),
        };
        if !known && method != Method::POST {
            return Err(auth::unauthorized());
        }
        let mut body = self.body(&mut request, known && is_file(&path)).await?;
        let mut cloud_context = credentials::cloud_context(request.headers())?;
        if !known {
            let told = body_keys::take(&mut body, &options.keys, &mut credentials)?;
            cloud_context = told.cloud_context.or(cloud_context);
        }
        if method == Method::POST
            && let Some(replacement) = body_keys::method(&mut body)?
        {
            method = replacement;
        }
        let request_id = text(request.headers(), "x-parse-request-id");
        let client = Client {
            ip: origin.ip,
            base_url: origin.base_url,
            cloud_context,
            headers: (!self.app.triggers.is_empty()).then(|| Arc::new(client::headers(request.headers()))),
            depth: client::depth(request.headers()),
            request_id,
        };
        let query = request.original_uri().query().unwrap_or_default().to_owned();
        Ok(Wish { method, path, query, body, credentials, client, forwarded: origin.forwarded })
    }

    /// The body as JSON; that of a file, which is `opaque`, counts as empty.
    async fn body(&self, request: &mut Request, opaque: bool) -> Result<JsonMap> {
        let options = &self.app.options;
        let taken = request.take_body();
        let patience = Duration::from_millis(options.own.request_timeout_ms);
        let multipart = body::is_multipart(request.headers());
        let form = body::is_form(request.headers());
        let bytes = body::read(taken, request.headers(), options.server.max_upload_size.bytes, patience).await?;
        if opaque {
            return Ok(JsonMap::new());
        }
        if multipart && !bytes.is_empty() {
            return Err(ParseError::new(ErrorCode::InvalidJson, "the request body must be JSON, not a form"));
        }
        match (body::parse_object(&bytes), std::str::from_utf8(&bytes)) {
            (Err(_), Ok(text)) if form => Ok(pairs(text).map(|(key, value)| (key, value.into())).collect()),
            (parsed, _) => parsed,
        }
    }

    /// Decides who is calling and whether the call may proceed; then it does.
    async fn admit(self: Arc<Self>, wish: Wish) -> Result<Response> {
        let Wish { method, path, query, body, credentials, client, forwarded } = wish;
        let standing = auth::standing(&self.app, &credentials, client.ip)?;
        let token_use = if path.eq_ignore_ascii_case(LOGIN) {
            TokenUse::Drop
        } else if method == Method::GET && path.eq_ignore_ascii_case(OWN_SESSION) {
            TokenUse::Keep
        } else if path.eq_ignore_ascii_case(UPGRADE_SESSION) {
            TokenUse::Upgrade
        } else {
            TokenUse::Check
        };
        let now = self.app.clock.now().millis();
        let first = self.gate.limits.count(
            false,
            &method,
            &path,
            &Identity { ip: client.ip, direct: !forwarded, auth: &standing },
            now,
        )?;
        self.gate.allowed.check(standing.is_master(), &method, &path)?;
        let context = open_context(&self.app, standing, credentials, token_use, client).await?;
        let counted = Counted { direct: !forwarded, before_session: first, alone: true };
        self.dispatch(context, Part { method, path, query, body }, &counted).await
    }

    /// Judges the parts of a batch, each as a request of its own, before any of them is carried out. The whole batch is refused
    /// for one that may not be.
    ///
    /// # Errors
    /// What the limits and the list of routes refuse.
    pub(super) fn admit_parts(&self, context: &Context, parts: &[Part], direct: bool) -> Result<()> {
        let identity = Identity { ip: context.client.ip, direct, auth: &context.auth };
        let now = self.app.clock.now().millis();
        for Part { method, path, .. } in parts {
            for with_session in [false, true] {
                // As parse-server does: 429 is for requests, this one is but part of one.
                let counted = self.gate.limits.count(with_session, method, path, &identity, now);
                counted.map_err(|error| ParseError { status: 400, retry_after: None, source: None, ..error })?;
            }
            self.gate.allowed.check(context.auth.is_master(), method, path)?;
        }
        Ok(())
    }

    /// Carries out a part of a batch that [`Rest::admit_parts`] let through.
    ///
    /// # Errors
    /// As a request of its own.
    pub(super) async fn dispatch_part(
        self: &Arc<Self>,
        context: Context,
        part: Part,
        direct: bool,
    ) -> Result<Response> {
        self.clone().dispatch(context, part, &Counted { direct, before_session: None, alone: false }).await
    }

    async fn dispatch(self: Arc<Self>, context: Context, part: Part, counted: &Counted) -> Result<Response> {
        let Part { method, path, query, body } = part;
        let identity = Identity { ip: context.client.ip, direct: counted.direct, auth: &context.auth };
        let second = if counted.alone {
            self.gate.limits.count(true, &method, &path, &identity, self.app.clock.now().millis())?
        } else {
            None
        };
        let Some(found) = self.routes.find(&method, &path) else {
            return Err(ParseError::unknown_route());
        };
        if let Some(id) = &context.client.request_id
            && counted.alone
            && self.idempotency.concerns(&method, &found.pattern, &path)
        {
            idempotency::remember(&context, id).await?;
        }
        let uri = Uri::try_from(found.path.as_ref())
            .map_err(|_| ParseError::new(ErrorCode::InvalidJson, "malformed path"))?;
        let incoming = Incoming::new(context, body, query, counted.direct, self.clone());
        let inner = Request::builder().method(method).uri(uri).extension(incoming).finish();
        let mut response = self.endpoint.get_response(inner).await;
        response.set_data(Matched(found.pattern));
        let mut response = self.finish(response);
        if let Some(standing) = counted.before_session.or(second) {
            standing.apply(&mut response);
        }
        Ok(response)
    }

    /// Writes the body of a refusal.
    fn finish(&self, response: Response) -> Response {
        let Some(Refused(error)) = response.data::<Refused>().cloned() else {
            return response;
        };
        let matched = response.data::<Matched>().cloned();
        let mut response = refusal(&error, self.app.options.security.enable_sanitized_error_response);
        response.set_data(Refused(error));
        if let Some(matched) = matched {
            response.set_data(matched);
        }
        response
    }
}

/// What was found out about a call before its session was looked at.
struct Counted {
    direct: bool,
    before_session: Option<Standing>,
    /// Whether it is a request of its own, not a part of a batch.
    alone: bool,
}

/// Whether the body of a request to this path is the content of a file.
fn is_file(path: &str) -> bool {
    routes::below(FILES, path).is_some()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .filter(|text| !text.is_empty())
}
