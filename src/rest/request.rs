//! Handles a request, in this order: route, application, body with its credentials and method, the caller's keys and
//! address, rate limits, allowed routes, session, handler.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::Method;
use poem::{Endpoint, Request, Response};

use super::batch::Part;
use super::body_keys;
use super::call::{Call, JsonMap, Payload};
use super::idempotency::IdempotentPaths;
use super::route::{Access, BodyKind, Outcome};
use super::router::{Found, PathMatch, Router};
use crate::domain::features::idempotency;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{self, Auth, TokenUse};
use crate::domain::kernel::context::Context;
use crate::domain::kernel::triggers::FormFile;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::answer::refusal;
use crate::http::caller::Caller;
use crate::http::form::{self, Form};
use crate::http::gate::Gate;
use crate::http::gate::rate_limit::{Identity, LimitState};
use crate::http::record::{RequestRecord, Subject};
use crate::http::{body, detach, mount, query};

/// The REST API of an app.
pub struct Rest {
    pub(super) app: Arc<App>,
    pub(super) router: Router,
    /// What is asked of calls before they run.
    pub gate: Arc<Gate>,
    pub(super) idempotency: IdempotentPaths,
}

/// A request that has been read, with the caller's claims. In a box, because it is handed from future to future, and each would copy
/// it.
struct IncomingRequest {
    /// The method, or `_method` of a POST.
    method: Method,
    query: String,
    body: Payload,
    files: Vec<FormFile>,
    content_type: Option<String>,
    caller: Caller,
    /// The part of the parsing budget that the body uses until the request is answered.
    _budget: body::Budget,
}

/// Serves the REST API below the mount path.
pub struct RestEndpoint(pub Arc<Rest>);

impl Endpoint for RestEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let rest = &self.0;
        Ok(rest.answer(request).await.unwrap_or_else(|error| rest.refuse(&error)))
    }
}

impl Rest {
    /// An error as a response.
    pub(super) fn refuse(&self, error: &ParseError) -> Response {
        refusal(error, self.app.options.security.enable_sanitized_error_response)
    }

    async fn answer(self: &Arc<Self>, request: Request) -> Outcome {
        let options = &self.app.options;
        let path = mount::below(&options.server.mount_path, request.original_uri().path());
        let matched = self.router.look_up(path.map(mount::trim).unwrap_or_default());
        let record = RequestRecord::of(&request);
        let given = effective(request.method());
        if let Some(pattern) = matched.pattern(&given) {
            record.set_route(pattern);
        }
        if matched.route(&given).is_some_and(|route| route.access.is_public())
            && let Some(found) = matched.found(&given)
        {
            // Boxed, because it is rare: otherwise the future of every request would have room for it. So is the reading of forms.
            return Box::pin(self.answer_public(request, found)).await;
        }
        let incoming = self.read(request, &matched).await?;
        if let Some(pattern) = matched.pattern(&incoming.method) {
            record.set_route(pattern);
        }
        // A write continues if the client disconnects; a read is cancelled.
        let writes = incoming.method != Method::GET;
        let rest = self.clone();
        detach::run(&self.app.tasks, writes, async move { rest.admit(incoming, matched).await }).await
    }

    /// Handles a route that needs no application id.
    async fn answer_public(self: &Arc<Self>, request: Request, found: Found) -> Outcome {
        let options = &self.app.options;
        let (caller, auth) = if found.route().access == Access::OptionalKey {
            let mut caller = Caller::of(&request, &self.app)?;
            if let Some(application) = found.value("appId") {
                caller.credentials.application_id = Some(application.to_owned());
            }
            let auth = caller.optional_auth(&self.app);
            (caller, auth)
        } else {
            (Caller::without_keys(&request, options), Auth::Anonymous)
        };
        let (method, path) = (request.method().clone(), found.path());
        let direct = caller.direct;
        let standing = self.count(false, &method, &path, &caller.identity(&auth)).await?;
        let standing = self.count(true, &method, &path, &caller.identity(&auth)).await?.or(standing);
        self.gate.allowed.check(auth.is_master() || !found.route().listed, &method, &path)?;
        let query = request.original_uri().query().unwrap_or_default().to_owned();
        let public = found.route().access == Access::Public;
        let token = if public { TokenUse::Drop } else { found.route().token };
        let cx = caller.open(&self.app, auth, token).await?;
        let body = Payload::Stream(Box::new(request));
        let writes = !matches!(method, Method::GET | Method::HEAD);
        let files = Vec::new();
        let call = Call { cx, found, query, body, files, content_type: None, direct, rest: self.clone() };
        let rest = self.clone();
        let outcome = detach::run(&self.app.tasks, writes, async move { rest.carry_out(call).await }).await;
        self.with_standing(outcome, standing)
    }

    /// Reads the request.
    async fn read(&self, mut request: Request, matched: &PathMatch) -> Result<Box<IncomingRequest>> {
        let options = &self.app.options;
        let mut caller = Caller::of(&request, &self.app)?;
        let known = caller.names_application(options);
        let mut method = effective(request.method());
        if !known && method != Method::POST {
            return Err(auth::unauthorized());
        }
        let query = request.original_uri().query().unwrap_or_default().to_owned();
        let streamed = matched.route(&method).is_some_and(|route| route.body == BodyKind::Stream);
        if known && streamed {
            let body = Payload::Stream(Box::new(request));
            let (files, budget) = (Vec::new(), body::Budget::default());
            let content_type = None;
            return Ok(Box::new(IncomingRequest { method, query, body, files, content_type, caller, _budget: budget }));
        }
        if known && body::is_multipart(request.headers()) && takes_forms(matched, &method) {
            let (Form { fields, files }, budget) = Box::pin(self.read_form(&mut request)).await?;
            let (body, content_type) = (Payload::Json(fields), None);
            return Ok(Box::new(IncomingRequest { method, query, body, files, content_type, caller, _budget: budget }));
        }
        let read = self.read_json(&mut request, known, streamed).await;
        // The body may be any bytes: if it is not JSON, it only means that it contains no application id.
        let not_json = |error: ParseError| if error.is(ErrorCode::InvalidJson) { auth::unauthorized() } else { error };
        let (mut body, budget) = if streamed { read.map_err(not_json)? } else { read? };
        let mut content_type = None;
        if !known {
            let told = body_keys::take(&mut body, &options.keys.app_id, &self.app.master_key, &mut caller.credentials)?;
            caller.client.cloud_context = told.cloud_context.or(caller.client.cloud_context);
            content_type = told.content_type;
        }
        if method == Method::POST
            && !streamed
            && let Some(replacement) = body_keys::method(&mut body)?
        {
            method = effective(&replacement);
        }
        let (body, files) = (Payload::Json(body), Vec::new());
        Ok(Box::new(IncomingRequest { method, query, body, files, content_type, caller, _budget: budget }))
    }

    /// The body as a form with files.
    async fn read_form(&self, request: &mut Request) -> Result<(Form, body::Budget)> {
        let options = &self.app.options;
        let taken = request.take_body();
        let patience = Duration::from_millis(options.own.request_timeout_ms);
        let most = options.server.max_upload_size.bytes;
        let too_large = |error: ParseError| match error.status {
            413 => ParseError::new(ErrorCode::ObjectTooLarge, "Multipart request exceeds maximum upload size."),
            _ => error,
        };
        let bytes = body::read(taken, request.headers(), most, patience).await.map_err(too_large)?;
        let budget = self.gate.parsing.reserve(bytes.len()).await;
        Ok((form::read(request.headers(), bytes, options.own.limits.form_parts).await?, budget))
    }

    /// The body as a JSON object. Where no header names the application (`known`), the body is searched for it before
    /// values are built. `streamed`: the route takes bytes of any kind otherwise.
    async fn read_json(&self, request: &mut Request, known: bool, streamed: bool) -> Result<(JsonMap, body::Budget)> {
        let options = &self.app.options;
        let taken = request.take_body();
        let patience = Duration::from_millis(options.own.request_timeout_ms);
        let headers = request.headers();
        let (multipart, form) = (body::is_multipart(headers), body::is_form(headers));
        let upload = options.server.max_upload_size.bytes;
        // A file in base64 is bounded as other files are.
        let most = if streamed { upload } else { upload.min(options.own.limits.json_bytes as u64) };
        let bytes = body::read(taken, headers, most, patience).await?;
        if multipart && !bytes.is_empty() {
            return Err(ParseError::new(ErrorCode::InvalidJson, "the request body must be JSON, not a form"));
        }
        if !known && !body_keys::name_application(&bytes, &options.keys.app_id, form)? {
            return Err(auth::unauthorized());
        }
        let budget = self.gate.parsing.reserve(bytes.len()).await;
        let body = if form && !body::looks_like_json(&bytes) {
            query::pairs(&String::from_utf8_lossy(&bytes)).map(|(key, value)| (key, value.into())).collect()
        } else {
            self.gate.parsing.object(bytes).await?
        };
        Ok((body, budget))
    }

    /// Checks the caller and runs the call.
    async fn admit(self: &Arc<Self>, incoming: Box<IncomingRequest>, matched: PathMatch) -> Outcome {
        let IncomingRequest { method, query, body, files, content_type, caller, _budget } = *incoming;
        let found = matched.found(&method);
        let path = found.as_ref().map_or_else(|| matched.decoded_path().into_owned(), Found::path);
        if let Some(subject) = found.as_ref().and_then(subject) {
            caller.record.set_subject(subject);
        }
        let auth = caller.auth(&self.app)?;
        let (ip, direct) = (caller.client.ip, caller.direct);
        let before_session = self.count(false, &method, &path, &caller.identity(&auth)).await?;
        let unlisted = found.as_ref().is_some_and(|found| !found.route().listed);
        self.gate.allowed.check(auth.is_master() || unlisted, &method, &path)?;
        let token = found.as_ref().map_or(TokenUse::Check, |found| found.route().token);
        let cx = caller.open(&self.app, auth, token).await?;
        let with_session = self.count(true, &method, &path, &Identity { ip, direct, auth: &cx.auth }).await?;
        let found = found.ok_or_else(ParseError::unknown_route)?;
        if let Some(id) = &cx.client.request_id
            && found.route().idempotent
            && self.idempotency.include(&path)
        {
            idempotency::remember(&cx, id).await?;
        }
        let call = Call { cx, found, query, body, files, content_type, direct, rest: self.clone() };
        let outcome = self.carry_out(call).await;
        self.with_standing(outcome, before_session.or(with_session))
    }

    /// Adds the headers with the remaining number of calls to a response, also to errors.
    fn with_standing(&self, outcome: Outcome, standing: Option<LimitState>) -> Outcome {
        let Some(standing) = standing else { return outcome };
        let mut response = outcome.unwrap_or_else(|error| self.refuse(&error));
        standing.apply(&mut response);
        Ok(response)
    }

    async fn count(
        &self,
        with_session: bool,
        method: &Method,
        path: &str,
        who: &Identity<'_>,
    ) -> Result<Option<LimitState>> {
        self.gate.count(with_session, method, path, who, self.app.clock.now().millis()).await
    }

    /// Checks each part of a batch like a separate request, before any of them runs. If one is refused, the whole
    /// batch is.
    ///
    /// # Errors
    /// Checks the rate limits and the allowed routes.
    pub(super) async fn admit_parts(&self, cx: &Context, parts: &[Part], direct: bool) -> Result<()> {
        let ip: IpAddr = cx.client.ip;
        let identity = Identity { ip, direct, auth: &cx.auth };
        // Limits are for clients, not for the app's code.
        let parts = if cx.client.inside { &[] } else { parts };
        for Part { method, found, .. } in parts {
            let path = found.path();
            for with_session in [false, true] {
                // Like parse-server, which uses 429 only for whole requests.
                let counted = self.count(with_session, method, &path, &identity).await;
                counted.map_err(|error| ParseError { status: 400, retry_after: None, source: None, ..error })?;
            }
            self.gate.allowed.check(cx.auth.is_master(), method, &path)?;
        }
        Ok(())
    }

    /// Runs a call that was admitted, or a part of a batch that [`Rest::admit_parts`] admitted.
    ///
    /// # Errors
    /// Errors of the route's access rules and of its handler.
    pub(super) async fn carry_out(&self, call: Call) -> Outcome {
        let route = call.found.route().clone();
        if route.access == Access::Master {
            call.cx.require_master()?;
        }
        if let Some(message) = route.refuses_read_only {
            call.cx.refuse_read_only(message)?;
        }
        (route.handler)(call).await
    }
}

/// What a call is about: what its path names, or the only class of its route.
fn subject(found: &Found) -> Option<Subject> {
    let named = found.parameters().find_map(|(name, value)| Subject::of_parameter(name, value));
    named.or_else(|| Some(Subject::Class(found.route().object?.1?.to_owned())))
}

/// Whether the route for a method takes forms with files.
fn takes_forms(matched: &PathMatch, method: &Method) -> bool {
    matched.route(method).is_some_and(|route| route.body == BodyKind::Form)
}

/// `HEAD` is `GET` without the body of the response.
fn effective(method: &Method) -> Method {
    if *method == Method::HEAD { Method::GET } else { method.clone() }
}
