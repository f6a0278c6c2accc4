//! GraphQL over HTTP: POST and GET, JSON and multipart forms.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde_json::{Map, Value as Json, json};

use super::cache::SchemaCache;
use super::dialect::Dialect;
use super::error::Refusal;
use super::multipart;
use super::operation::{Asked, run};
use super::routes::Passage;
use super::text::Text;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::TokenUse;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::http::answer::{self, RouteLabel, refusal};
use crate::http::caller::Caller;
use crate::http::gate::Gate;
use crate::http::{body, detach, query};

/// Bytes that the part of a request that is no file may always have.
const OPERATION: u64 = 1 << 20;

/// Files of the largest size that a form has room for.
const UPLOADS: u64 = 3;

/// Serves a dialect of GraphQL at one path.
#[derive(Debug)]
pub struct GraphQlEndpoint<D> {
    app: Arc<App>,
    gate: Arc<Gate>,
    schemas: SchemaCache,
    pattern: Arc<str>,
    dialect: PhantomData<D>,
}

impl<D: Dialect> GraphQlEndpoint<D> {
    /// The endpoint of an app, mounted at `path` behind a gate.
    #[must_use]
    pub fn new(app: &Arc<App>, gate: &Arc<Gate>, path: &str) -> Self {
        Self {
            app: app.clone(),
            gate: gate.clone(),
            schemas: SchemaCache::new(D::build),
            pattern: path.into(),
            dialect: PhantomData,
        }
    }

    /// Who calls, and how it passes the gate; credentials count in headers alone.
    async fn context(&self, request: &Request) -> Result<(Context, Passage)> {
        let caller = Caller::of(request, &self.app.options)?;
        let passage = Passage { gate: self.gate.clone(), direct: caller.direct, mount: self.pattern.clone() };
        let auth = caller.auth(&self.app)?;
        Ok((caller.open(&self.app, auth, TokenUse::Check).await?, passage))
    }

    async fn answer(&self, mut request: Request) -> Result<Response> {
        let (cx, passage) = self.context(&request).await?;
        let asked = match self.asked(&mut request).await? {
            Ok(asked) => asked,
            Err(refused) => return Ok(refuse(&refused)),
        };
        let built = self.schemas.get(&cx).await?;
        // A client that leaves must not stop a mutation halfway; a query that nobody waits for is given up. The word alone
        // does not make a mutation, but there is none without it.
        let writes = asked.query.contains("mutation");
        let work = async move { Ok(run::<D>(&cx, &passage, &built, asked).await) };
        Ok(match detach::run(&self.app.tasks, writes, work).await? {
            Ok(body) => respond(StatusCode::OK, body.into_bytes()),
            Err(refused) => refuse(&refused),
        })
    }

    /// Reads what the request asks for.
    async fn asked(&self, request: &mut Request) -> Result<Result<Asked, Refusal>> {
        let options = &self.app.options;
        match *request.method() {
            Method::GET => return Ok(from_query(request.uri().query().unwrap_or_default())),
            Method::POST => {}
            _ => return Ok(Err(Refusal::new(405, "BAD_REQUEST", "GraphQL supports only GET and POST requests."))),
        }
        let patience = Duration::from_millis(options.own.request_timeout_ms);
        let taken = request.take_body();
        let multipart = body::is_multipart(request.headers());
        let most = options.server.max_upload_size.bytes;
        let limit =
            if multipart { most.saturating_mul(UPLOADS).saturating_add(OPERATION) } else { most.max(OPERATION) };
        let bytes = body::read(taken, request.headers(), limit, patience).await?;
        if multipart {
            return Ok(match multipart::read(request.headers(), bytes).await {
                Ok(form) => from_body(form.operations).map(|asked| Asked { uploads: form.uploads, ..asked }),
                Err(refused) => Err(refused),
            });
        }
        let empty = || Refusal::bad_request("POST body missing, invalid Content-Type, or JSON object has no keys.");
        if !is_json(request) {
            return Ok(Err(empty()));
        }
        let _budget = self.gate.parsing.reserve(bytes.len()).await;
        Ok(match self.gate.parsing.value(bytes).await {
            Ok(Json::Object(map)) if map.is_empty() => Err(empty()),
            Ok(Json::Object(map)) => from_body(map),
            Ok(Json::Array(_)) => Err(Refusal::bad_request("Operation batching disabled.")),
            Ok(_) | Err(_) => Err(Refusal::bad_request("The request body is no JSON object.")),
        })
    }
}

impl<D: Dialect> Endpoint for GraphQlEndpoint<D> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let sanitize = self.app.options.security.enable_sanitized_error_response;
        RouteLabel::of(&request).set(self.pattern.clone());
        Ok(self.answer(request).await.unwrap_or_else(|error| refusal(&error, sanitize)))
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn from_query(text: &str) -> Result<Asked, Refusal> {
    let mut body = Map::new();
    for (key, value) in query::pairs(text) {
        let value = match key.as_str() {
            "query" | "operationName" => Json::from(value),
            "variables" | "extensions" if value.is_empty() => continue,
            "variables" | "extensions" => serde_json::from_str(&value)
                .map_err(|_| Refusal::bad_request(&format!("The `{key}` search parameter contains invalid JSON.")))?,
            _ => continue,
        };
        body.insert(key, value);
    }
    from_body(body).map(|asked| Asked { only_query: true, ..asked })
}

fn from_body(mut body: Map<String, Json>) -> Result<Asked, Refusal> {
    let query = match body.remove("query") {
        Some(Json::String(query)) if !query.is_empty() => query,
        None | Some(Json::Null | Json::String(_)) => {
            let persisted = body.get("extensions").and_then(|extensions| extensions.get("persistedQuery")).is_some();
            return Err(if persisted {
                Refusal::new(200, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
            } else {
                Refusal::bad_request(
                    "GraphQL operations must contain a non-empty `query` or a `persistedQuery` extension.",
                )
            });
        }
        Some(_) => return Err(Refusal::bad_request("GraphQL queries must be strings.")),
    };
    let operation = match body.remove("operationName") {
        Some(Json::String(name)) if !name.is_empty() => Some(name),
        None | Some(Json::Null | Json::String(_)) => None,
        Some(_) => return Err(Refusal::bad_request("`operationName` must be a string.")),
    };
    let variables = match body.remove("variables") {
        Some(Json::Object(map)) => map,
        None | Some(Json::Null) => Map::new(),
        Some(_) => return Err(Refusal::bad_request("`variables` must be an object.")),
    };
    Ok(Asked { query, operation, variables, ..Asked::default() })
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
