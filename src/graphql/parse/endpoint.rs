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
use tokio_util::sync::CancellationToken;

use super::custom::CustomSchema;
use super::dialect::ParseDialect;
use super::gate::GateCheck;
use super::service::Service;
use super::subscription::Subscriber;
use super::subscription::shared::{SharedStreams, Step};
use super::subscription::socket::{self, Opening};
use super::subscription::stream::Form;
use crate::domain::features::files::{self, Share};
use crate::domain::features::live_query::{self, LiveQueries};
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::TokenUse;
use crate::domain::kernel::context::Context;
use crate::error::{ParseError, Result};
use crate::graphql::engine::multipart::{Bounds, OPERATION};
use crate::graphql::engine::{EngineExecutor, GraphQlRequest, Refusal, Text, multipart};
use crate::http::answer::{self, refusal};
use crate::http::caller::Caller;
use crate::http::gate::Gate;
use crate::http::long::LongConnections;
use crate::http::record::RequestRecord;
use crate::http::{body, detach, web_socket};

/// Number of files of the maximum size that a form can contain.
const UPLOADS: u64 = 3;

/// Serves a dialect of GraphQL at one path.
#[derive(Debug)]
pub struct GraphQlEndpoint<D: ParseDialect> {
    app: Arc<App>,
    gate: Arc<Gate>,
    service: Arc<Service<D>>,
    pattern: Arc<str>,
    /// The connections of subscribers; `None`: there are no subscriptions.
    subscribers: Option<LongConnections>,
    /// Streams that a client's operations share.
    shared: SharedStreams,
}

impl<D: ParseDialect> GraphQlEndpoint<D> {
    /// The endpoint of an application at `path`, with its gate. `custom`: what the app adds to the schema. `subscribers`: the connections
    /// of those who subscribe, if the schema is to offer that.
    #[must_use]
    pub fn new(
        app: &Arc<App>,
        gate: &Arc<Gate>,
        path: &str,
        custom: Option<Arc<CustomSchema>>,
        subscribers: Option<LongConnections>,
    ) -> Self {
        let published = subscribers.as_ref().and_then(|_| Some(LiveQueries::of(app).ok()?.published.clone()));
        let service = Arc::new(Service::new(&app.options, custom, published));
        Self {
            app: app.clone(),
            gate: gate.clone(),
            service,
            pattern: path.into(),
            subscribers,
            shared: SharedStreams::default(),
        }
    }

    /// The gate for what a caller asks.
    fn gate_of(&self, caller: &Caller) -> GateCheck {
        GateCheck { gate: self.gate.clone(), direct: caller.direct, mount: self.pattern.clone() }
    }

    /// The caller, from the credentials in the headers.
    async fn context(&self, request: &Request) -> Result<(Context, GateCheck)> {
        let caller = Caller::of(request, &self.app)?;
        let gate = self.gate_of(&caller);
        let auth = caller.auth(&self.app)?;
        Ok((caller.open(&self.app, auth, TokenUse::Check).await?, gate))
    }

    /// Answers with a stream: one response to most requests, many to a subscription.
    async fn stream(&self, mut request: Request, form: Form, connections: &LongConnections) -> Result<Response> {
        let admitted = connections.admit(&request).ok_or_else(too_many)?;
        let claims = Caller::of(&request, &self.app)?;
        let gate = self.gate_of(&claims);
        let lost = CancellationToken::new();
        let subscriber = Arc::new(Subscriber::admit(&self.app, claims, gate, lost.clone()).await?);
        let mut room = None;
        let responses = match self.read(&subscriber.context().await?, &mut request, &mut room).await? {
            Ok(given) => self.service.follow(&subscriber, given).await?,
            Err(refused) => return Ok(refuse(&refused)),
        };
        let responses = match responses {
            Ok(responses) => responses
                .map(move |text| {
                    let _open = (&admitted, &room);
                    text
                })
                .boxed(),
            Err(refused) => stream::iter([Text::of(&json!({ "errors": refused.errors }))]).boxed(),
        };
        Ok(form.answer(responses, subscriber.bounds.ping, [lost, connections.stop().clone()]))
    }

    /// Takes a step of a client whose operations share one stream.
    async fn share(&self, mut request: Request, step: Step, connections: &LongConnections) -> Result<Response> {
        let claims = Caller::of(&request, &self.app)?;
        let credentials = claims.credentials.clone();
        let find =
            |token: &str| self.shared.of(token, &credentials).ok_or_else(|| ParseError::http(404, "Stream not found"));
        match step {
            Step::Reserve => {
                let admitted = connections.admit(&request).ok_or_else(too_many)?;
                let gate = self.gate_of(&claims);
                let subscriber = Subscriber::admit(&self.app, claims, gate, CancellationToken::new()).await?;
                let token = self.app.random.hex(16);
                self.shared.reserve(token.clone(), subscriber, credentials, admitted);
                Ok(plain(StatusCode::CREATED, token))
            }
            Step::Open(token) => {
                let shared = find(&token)?;
                let opened = self.shared.open(token, &shared, connections.stop());
                opened.ok_or_else(|| ParseError::http(409, "Stream already open"))
            }
            Step::Begin(token) => {
                let shared = find(&token)?;
                let cx = shared.subscriber.context().await?;
                let mut room = None;
                let given = match self.read(&cx, &mut request, &mut room).await? {
                    Ok(given) => given,
                    Err(refused) => return Ok(refuse(&refused)),
                };
                let Some(id) = given.operation_id.clone().filter(|id| !id.is_empty()) else {
                    return Err(ParseError::http(400, "Operation ID is missing"));
                };
                let running =
                    shared.begin(id).ok_or_else(|| ParseError::http(409, "Operation with ID already exists"))?;
                match self.service.follow(&shared.subscriber, given).await? {
                    Ok(responses) => {
                        let ending = connections.stop().clone();
                        connections.spawn(async move {
                            let _room = room;
                            running.tell(responses, ending).await;
                        });
                        Ok(plain(StatusCode::ACCEPTED, String::new()))
                    }
                    Err(refused) => Ok(refuse(&refused)),
                }
            }
            Step::End(token, id) => {
                find(&token)?.end(&id);
                Ok(plain(StatusCode::OK, String::new()))
            }
        }
    }

    /// Takes a connection over in which the client speaks a protocol of GraphQL.
    fn socket(&self, request: &Request, connections: &LongConnections) -> Result<Response> {
        let Some(protocol) = socket::protocol(web_socket::offered(request)) else {
            return Err(ParseError::unknown_route());
        };
        let admitted = connections.admit(request).ok_or_else(too_many)?;
        // The first message may hold what the headers lack.
        let claims = Caller::of(request, &self.app)?;
        let gate = self.gate_of(&claims);
        let opening = Opening { app: self.app.clone(), claims, headers: request.headers().clone(), gate };
        let bytes = live_query::Bounds::new(&self.app.options).message_bytes;
        let (response, upgraded) = web_socket::accept(request, Some(protocol.sec_websocket_protocol()), bytes)
            .map_err(|_| ParseError::unknown_route())?;
        let (executor, stop) = (EngineExecutor(self.service.clone()), connections.stop().clone());
        connections.spawn(async move {
            let _admitted = admitted;
            if let Some(upgraded) = upgraded.await {
                socket::run(upgraded, protocol, executor, opening, &stop).await;
            }
        });
        Ok(response)
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
        RequestRecord::of(&request).set_route(self.pattern.clone());
        let answer = match &self.subscribers {
            Some(connections) if web_socket::wants(&request) => self.socket(&request, connections),
            Some(connections) => match (Step::of(&request), Form::wanted(&request)) {
                (Some(step), _) => Box::pin(self.share(request, step, connections)).await,
                (None, Some(form)) => Box::pin(self.stream(request, form, connections)).await,
                (None, None) => self.answer(request).await,
            },
            None => self.answer(request).await,
        };
        Ok(answer.unwrap_or_else(|error| refusal(&error, sanitize)))
    }
}

/// An answer of plain text.
fn plain(status: StatusCode, text: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
        .header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .body(text)
}

fn too_many() -> ParseError {
    ParseError::unavailable("Too many live query connections are open.", 5)
}

/// Whether a request asks for a web socket in which the client speaks a protocol of GraphQL.
#[must_use]
pub fn wants_graphql_socket(request: &Request) -> bool {
    web_socket::wants(request) && socket::protocol(web_socket::offered(request)).is_some()
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
