//! GraphQL over HTTP: POST and GET, JSON and multipart forms.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Body, Endpoint, Request, Response};
use serde_json::json;
use tokio::sync::Mutex;

use super::custom::CustomSchema;
use super::dialect::ParseDialect;
use super::gate::GateCheck;
use super::service::Service;
use crate::domain::features::files::{self, Share};
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::TokenUse;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::graphql::engine::multipart::{Bounds, OPERATION};
use crate::graphql::engine::{EngineExecutor, GraphQlRequest, Refusal, Text, multipart};
use crate::http::answer::{self, RouteLabel, refusal};
use crate::http::caller::Caller;
use crate::http::gate::Gate;
use crate::http::{body, detach};

/// Number of files of the maximum size that a form can contain.
const UPLOADS: u64 = 3;

/// Serves a dialect of GraphQL at one path.
#[derive(Debug)]
pub struct GraphQlEndpoint<D: ParseDialect> {
    app: Arc<App>,
    gate: Arc<Gate>,
    service: Arc<Service<D>>,
    pattern: Arc<str>,
}

impl<D: ParseDialect> GraphQlEndpoint<D> {
    /// The endpoint of an application at `path`, with its gate. `custom`: what the app adds to the schema.
    #[must_use]
    pub fn new(app: &Arc<App>, gate: &Arc<Gate>, path: &str, custom: Option<Arc<CustomSchema>>) -> Self {
        let service = Arc::new(Service::new(&app.options, custom));
        Self { app: app.clone(), gate: gate.clone(), service, pattern: path.into() }
    }

    /// Executes requests for callers whose [`Caller`](super::service::Caller) is in the data of the request or the
    /// connection.
    #[must_use]
    pub fn executor(&self) -> EngineExecutor<Service<D>> {
        EngineExecutor(self.service.clone())
    }

    /// The caller, from the credentials in the headers.
    async fn context(&self, request: &Request) -> Result<(Context, GateCheck)> {
        let caller = Caller::of(request, &self.app)?;
        let gate = GateCheck { gate: self.gate.clone(), direct: caller.direct, mount: self.pattern.clone() };
        let auth = caller.auth(&self.app)?;
        Ok((caller.open(&self.app, auth, TokenUse::Check).await?, gate))
    }

    async fn answer(&self, mut request: Request) -> Result<Response> {
        let (cx, gate) = self.context(&request).await?;
        let mut room = None;
        let given = match self.read(&cx, &mut request, &mut room).await? {
            Ok(given) => given,
            Err(refused) => return Ok(refuse(&refused)),
        };
        // A client that leaves must not stop a mutation halfway; a query that nobody waits for is given up. The word
        // alone does not make a mutation, but there is none without it (or by the hash of a document that was sent
        // before).
        let writes = given.query.is_empty() || given.query.contains("mutation");
        let service = self.service.clone();
        let work = async move {
            let _room = room;
            service.answer(&cx, &gate, given).await
        };
        Ok(match detach::run(&self.app.tasks, writes, work).await? {
            Ok(body) => respond(StatusCode::OK, body.into_bytes()),
            Err(refused) => refuse(&refused),
        })
    }

    /// Reads what the request asks for. `room`: what the files of a form take of the memory for files.
    async fn read(
        &self,
        cx: &Context,
        request: &mut Request,
        room: &mut Option<Share>,
    ) -> Result<Result<GraphQlRequest, Refusal>> {
        let options = &self.app.options;
        match *request.method() {
            Method::GET => return Ok(GraphQlRequest::from_query_string(request.uri().query().unwrap_or_default())),
            Method::POST => {}
            _ => return Ok(Err(Refusal::new(405, "BAD_REQUEST", "GraphQL supports only GET and POST requests."))),
        }
        let timeout = Duration::from_millis(options.own.request_timeout_ms);
        let taken = request.take_body();
        let most = options.server.max_upload_size.bytes;
        if body::is_multipart(request.headers()) {
            let room = room.insert(files::room(cx)?);
            let pieces = Arc::new(Mutex::new(body::pieces(taken, timeout)));
            let all = most.saturating_mul(UPLOADS).saturating_add(2 * OPERATION);
            let mut grow = |bytes| {
                room.grow(bytes).map_err(|error| Refusal::new(error.status, "INTERNAL_SERVER_ERROR", &error.message))
            };
            let bounds = Bounds { file: most, all };
            let form = multipart::read(request.headers(), body_of(&pieces), bounds, &mut grow).await;
            if form.is_err() {
                // The client reads the answer once it has sent all.
                body::drain(body_of(&pieces), timeout).await;
            }
            return Ok(form.and_then(GraphQlRequest::from_form));
        }
        let bytes = body::read(taken, request.headers(), most.max(OPERATION), timeout).await?;
        let _budget = self.gate.parsing.reserve(bytes.len()).await;
        Ok(if is_json(request) {
            self.gate.parsing.check(&bytes)?;
            GraphQlRequest::from_json(&bytes)
        } else {
            Err(GraphQlRequest::empty())
        })
    }
}

impl<D: ParseDialect> Endpoint for GraphQlEndpoint<D> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let sanitize = self.app.options.security.enable_sanitized_error_response;
        RouteLabel::of(&request).set(self.pattern.clone());
        Ok(self.answer(request).await.unwrap_or_else(|error| refusal(&error, sanitize)))
    }
}

/// What is left of a body.
fn body_of(pieces: &Arc<Mutex<BoxStream<'static, Result<Bytes>>>>) -> Body {
    let next = |pieces: Arc<Mutex<BoxStream<'static, Result<Bytes>>>>| async move {
        let piece = pieces.lock().await.next().await?;
        Some((piece.map_err(std::io::Error::other), pieces))
    };
    Body::from_bytes_stream(stream::unfold(pieces.clone(), next))
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = answer::json(status, body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(refused: &Refusal) -> Response {
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = respond(status, Text::of(&json!({ "errors": refused.errors })).into_bytes());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}
