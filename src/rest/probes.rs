//! The health checks: `/health` as parse-server has it, `/health/live` and `/health/ready` for supervisors and load balancers.

use poem::Response;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem_openapi::registry::{MetaMediaType, MetaResponse, Registry};
use poem_openapi::types::Type as _;

use super::call::{Call, JsonMap};
use super::describe;
use super::openapi::Tag;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::domain::features::health::{self, Unready};
use crate::domain::features::live_query::LiveQueries;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::AGAIN;
use crate::error::{ErrorCode, ParseError};
use crate::http::answer;

const HEALTH: &str = "/health";
const LIVE: &str = "/health/live";
const READY: &str = "/health/ready";

const OK: &[u8] = br#"{"status":"ok"}"#;
/// `status` is for probes that were written for parse-server, `error` is the usual form of errors.
const STARTING: &[u8] = br#"{"status":"starting","error":"The server is starting."}"#;
const STOPPING: &[u8] = br#"{"status":"stopping","error":"The server is about to stop."}"#;
const CLOSED: &[u8] = br#"{"status":"closed","error":"The server is closed for now."}"#;
const NO_DATABASE: &[u8] = br#"{"status":"error","error":"The database does not answer."}"#;
const DISK_FULL: &[u8] = br#"{"status":"error","error":"The disk of the database is full."}"#;
const CODE_STARTS: &[u8] = br#"{"status":"starting","error":"Cloud code is starting."}"#;
/// The reason is in the log: it may hold the app's code.
const NO_CODE: &[u8] = br#"{"status":"error","error":"Cloud code does not run."}"#;

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        probe(
            HEALTH,
            "getHealth",
            "Check whether the server and its database are available. Needs no application id and accepts any method.",
            check,
        ),
        probe(
            LIVE,
            "getLiveness",
            "Check whether the process answers requests at all. A supervisor should restart it only if this fails.",
            live,
        ),
        probe(
            READY,
            "getReadiness",
            "Check whether the server should get requests: its database answers, its cloud code runs, it is not closed, and it is not about to stop.",
            ready,
        ),
    ]
}

fn probe<F, Fut>(path: &'static str, operation: &'static str, about: &'static str, handler: F) -> Route
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    Route::hidden(Method::GET, path, operation, handler)
        .any_method()
        .access(Access::Public)
        .stream()
        .documented::<describe::Health>(Tag::Health, about)
        .responses(register, responses)
}

fn register(registry: &mut Registry) {
    describe::Health::register(registry);
    describe::Error::register(registry);
}

fn responses() -> Vec<MetaResponse> {
    let response = |status, description, schema| MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: "application/json", schema }],
        headers: Vec::new(),
    };
    vec![
        response(200, "The server is healthy.", describe::Health::schema_ref()),
        response(400, "The route is not on the list of allowed routes.", describe::Error::schema_ref()),
        response(429, "Too many requests. Retry after the time given in `Retry-After`.", describe::Error::schema_ref()),
        response(
            503,
            "The server is starting, closed or about to stop, the database does not answer, or cloud code does not run.",
            describe::Error::schema_ref(),
        ),
    ]
}

/// The route and the answer of a health check while the server starts; `None` for other paths.
#[must_use]
pub fn while_starting(path: &str) -> Option<(&'static str, Response)> {
    let route = [HEALTH, LIVE, READY].into_iter().find(|route| route.eq_ignore_ascii_case(path))?;
    Some((route, if route == LIVE { answer::json(StatusCode::OK, OK.to_vec()) } else { unavailable(STARTING) }))
}

/// Whether a path is that of a health check.
#[must_use]
pub fn is_probe(path: &str) -> bool {
    [HEALTH, LIVE, READY].iter().any(|route| route.eq_ignore_ascii_case(path))
}

/// The error for requests to a server that accepts none.
#[must_use]
pub fn closed() -> ParseError {
    ParseError::unavailable("The server is closed for now.", AGAIN)
}

/// The error for requests that wait for a start that fails.
#[must_use]
pub fn not_started() -> ParseError {
    ParseError { retry_after: Some(1), ..ParseError::http(503, "The server could not be started.") }
}

/// What a server says that is well, and what it does not accept for now.
fn ok(app: &App) -> JsonMap {
    let mut answer = JsonMap::new();
    answer.insert("status".to_owned(), "ok".into());
    let accepts = app.options.own.accepts;
    if !accepts.writes() {
        answer.insert("accepts".to_owned(), accepts.word().into());
    }
    answer
}

async fn check(call: Call) -> Outcome {
    let app = &call.cx.app;
    if let Err(why) = health::healthy(app).await {
        return Ok(refused(why));
    }
    let mut answer = ok(app);
    // Requests are answered all the same.
    if let Err(reason) = LiveQueries::of(app)?.flow() {
        answer.insert("liveQueries".to_owned(), reason.into());
    }
    reply::json(&answer)
}

async fn live(_: Call) -> Outcome {
    Ok(reply::bytes(OK.to_vec()))
}

async fn ready(call: Call) -> Outcome {
    match health::ready(&call.cx.app).await {
        Ok(()) => reply::json(&ok(&call.cx.app)),
        Err(why) => Ok(refused(why)),
    }
}

fn refused(why: Unready) -> Response {
    unavailable(match why {
        Unready::Stopping => STOPPING,
        Unready::Closed => CLOSED,
        Unready::Database(error) => {
            tracing::warn!(%error, "the database cannot be used");
            if error.is(ErrorCode::ExceededQuota) { DISK_FULL } else { NO_DATABASE }
        }
        Unready::CodeStarts => CODE_STARTS,
        Unready::CodeFails(reason) => {
            tracing::warn!(reason, "cloud code does not run");
            NO_CODE
        }
    })
}

fn unavailable(body: &[u8]) -> Response {
    let mut response: Response = answer::json(StatusCode::SERVICE_UNAVAILABLE, body.to_vec());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
