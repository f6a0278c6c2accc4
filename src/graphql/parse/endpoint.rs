//! GraphQL over HTTP: POST and GET, JSON and multipart forms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde_json::json;

use super::cache::SchemaCache;
use super::dialect::ParseDialect;
use super::gate::GateCheck;
use super::run::Run;
use crate::domain::features::sessions::open_context;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{self, TokenUse};
use crate::domain::kernel::context::{Client, Context};
use crate::error::Result;
use crate::graphql::engine::{self, GraphQlRequest, Policy, Refusal, Text, multipart};
use crate::http::answer::{self, Matched, refusal};
use crate::http::gate::Gate;
use crate::http::{body, client, credentials};

/// Bytes that the part of a request that is no file may always have.
const OPERATION: u64 = 1 << 20;

/// Files of the largest size that a form has room for.
const UPLOADS: u64 = 3;

/// Serves a dialect of GraphQL at one path.
#[derive(Debug)]
pub struct GraphQlEndpoint<D: ParseDialect> {
    app: Arc<App>,
    gate: Arc<Gate>,
    schemas: SchemaCache<D>,
    pattern: Arc<str>,
}

impl<D: ParseDialect> GraphQlEndpoint<D> {
    /// The endpoint of an app, mounted at `path` behind a gate.
    #[must_use]
    pub fn new(app: &Arc<App>, gate: &Arc<Gate>, path: &str) -> Self {
        Self { app: app.clone(), gate: gate.clone(), schemas: SchemaCache::default(), pattern: path.into() }
    }

    /// Who calls, and the limits of the routes it uses; only credentials in headers count.
    async fn context(&self, request: &Request) -> Result<(Context, GateCheck)> {
        let options = &self.app.options;
        let peer =
            request.remote_addr().as_socket_addr().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let local = request.local_addr().as_socket_addr().copied();
        let origin = client::origin(&options.server, peer, local, request.headers());
        let told = credentials::from_headers(request.headers(), &options.keys.app_id);
        let standing = auth::standing(&self.app, &told, origin.ip)?;
        let client = Client {
            ip: origin.ip,
            base_url: origin.base_url,
            cloud_context: credentials::cloud_context(request.headers())?,
            headers: (!self.app.triggers.is_empty()).then(|| Arc::new(client::headers(request.headers()))),
            depth: client::depth(request.headers()),
            request_id: None,
        };
        let gate = GateCheck { gate: self.gate.clone(), direct: !origin.forwarded, mount: self.pattern.clone() };
        Ok((open_context(&self.app, standing, told, TokenUse::Check, client).await?, gate))
    }

    async fn answer(&self, mut request: Request) -> Result<Response> {
        let (cx, gate) = self.context(&request).await?;
        let mut given = match self.read(&mut request).await? {
            Ok(given) => given,
            Err(refused) => return Ok(refuse(&refused)),
        };
        let schema = self.schemas.get(&cx).await?;
        let uploads = std::mem::take(&mut given.uploads);
        let run = Run { cx: &cx, gate: &gate, catalog: schema.catalog.as_ref(), uploads: &uploads };
        Ok(match engine::run::<D>(&schema, policy(&cx), run, given).await {
            Ok(body) => respond(StatusCode::OK, body.into_bytes()),
            Err(refused) => refuse(&refused),
        })
    }

    /// Reads what the request asks for.
    async fn read(&self, request: &mut Request) -> Result<Result<GraphQlRequest, Refusal>> {
        let options = &self.app.options;
        match *request.method() {
            Method::GET => return Ok(GraphQlRequest::from_query_string(request.uri().query().unwrap_or_default())),
            Method::POST => {}
            _ => return Ok(Err(Refusal::new(405, "BAD_REQUEST", "GraphQL supports only GET and POST requests."))),
        }
        let timeout = Duration::from_millis(options.own.request_timeout_ms);
        let taken = request.take_body();
        let multipart = body::is_multipart(request.headers());
        let most = options.server.max_upload_size.bytes;
        let limit =
            if multipart { most.saturating_mul(UPLOADS).saturating_add(OPERATION) } else { most.max(OPERATION) };
        let bytes = body::read(taken, request.headers(), limit, timeout).await?;
        Ok(if multipart {
            multipart::read(request.headers(), bytes).await.and_then(GraphQlRequest::from_form)
        } else if is_json(request) {
            GraphQlRequest::from_json(&bytes)
        } else {
            Err(GraphQlRequest::empty())
        })
    }
}

/// What the caller may ask for.
fn policy(cx: &Context) -> Policy {
    let options = &cx.app.options;
    let limits = &options.security.request_complexity;
    let bounded = !cx.auth.is_master();
    Policy {
        may_introspect: !bounded || options.graphql.public_introspection,
        max_depth: limits.graphql_depth.get().filter(|_| bounded),
        max_fields: limits.graphql_fields.get().filter(|_| bounded),
    }
}

impl<D: ParseDialect> Endpoint for GraphQlEndpoint<D> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let sanitize = self.app.options.security.enable_sanitized_error_response;
        let mut response = self.answer(request).await.unwrap_or_else(|error| refusal(&error, sanitize));
        response.set_data(Matched(self.pattern.clone()));
        Ok(response)
    }
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
