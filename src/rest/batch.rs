//! `POST /batch`: several requests in one. Each part is routed like a separate request, with the context of the whole
//! batch.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use poem::http::Method;
use poem::{Body, Response};
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::call::{Call, JsonMap, Payload};
use super::describe::{Batch, BatchEntry};
use super::openapi::Tag;
use super::reply;
use super::request::Rest;
use super::route::{Outcome, Route};
use super::router::Found;
use crate::config::server::Server;
use crate::domain::batch;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::gate::operations::Verb;
use crate::http::mount;
use crate::http::pieces::Pieces;

/// Maximum number of parts of a batch that run at the same time.
const AT_ONCE: usize = 64;
/// Maximum number of them that read objects: what a read costs of the budget is known when it has its answer.
const READS_AT_ONCE: usize = 8;
/// Attempts before a transaction that hits a write conflict is given up.
const ATTEMPTS: u32 = 5;
/// The operation id of this route; parts must not be batches.
const BATCH: &str = "batch";

/// The route.
pub fn routes() -> Vec<Route> {
    vec![
        Route::hidden(Method::POST, "/batch", BATCH, run_batch)
            .documented::<Vec<BatchEntry>>(Tag::Batch, "Send several requests at once.")
            .description(
                "The parts run concurrently, or with `transaction` one after the other and all or none. The answer has one entry per\npart, in their order. In the transaction are the parts about objects; others, such as functions, are carried out before it begins.",
            )
            .json::<Batch>(),
    ]
}

async fn run_batch(mut call: Call) -> Outcome {
    let mut body = call.take_body();
    let in_transaction = matches!(body.get("transaction"), Some(Json::Bool(true)));
    let parts = parts(&call.rest, &call.cx, body.shift_remove("requests"), in_transaction)?;
    call.rest.admit_parts(&call.cx, &parts, call.direct).await?;
    let answer = if in_transaction { transaction(&call, parts).await? } else { concurrently(&call, parts).await };
    Ok(reply::body(answer.into_body()))
}

/// A part of a batch whose route has been found.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its method.
    pub method: Method,
    /// Its route.
    pub found: Found,
    /// The query of its path.
    pub query: String,
    /// Its body.
    pub body: JsonMap,
}

impl Part {
    /// Whether it is about objects: only then it is carried out in the transaction.
    fn is_about_objects(&self) -> bool {
        self.found.route().object.is_some()
    }

    /// The class of the objects that it is about.
    fn class(&self) -> Option<&str> {
        let (_, class) = self.found.route().object?;
        class.or_else(|| self.found.value("className"))
    }

    /// Whether it creates, updates or deletes an object.
    fn writes_objects(&self) -> bool {
        let verb = self.found.route().object.map(|(verb, _)| verb);
        matches!(verb, Some(Verb::Create | Verb::Update | Verb::Delete))
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, message)
}

/// Checks all parts before any of them runs.
fn parts(rest: &Rest, cx: &Context, requests: Option<Json>, in_transaction: bool) -> Result<Vec<Part>> {
    let Some(Json::Array(requests)) = requests else {
        return Err(invalid("requests must be an array"));
    };
    let options = &rest.app.options;
    let count = requests.len();
    let limit = options
        .security
        .request_complexity
        .batch_request_limit
        .get()
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limit = limit.unwrap_or(options.own.limits.batch_parts);
    if count > limit && !cx.auth.is_master() {
        return Err(invalid(format!(
            "Batch request contains {count} sub-requests, which exceeds the limit of {limit}."
        )));
    }
    let limit = options.own.limits.transaction_parts;
    if in_transaction && count > limit {
        return Err(invalid(format!(
            "A transaction contains {count} sub-requests, which exceeds the limit of {limit}."
        )));
    }
    let bases = bases(&options.server, &cx.client.base_url);
    requests.into_iter().map(|request| part(rest, &bases, request)).collect()
}

/// What paths of parts begin with: clients take the path of the address by which they know the server.
fn bases<'a>(options: &'a Server, base_url: &'a str) -> Vec<&'a str> {
    let own = options.server_url.as_deref().and_then(mount::of_url).filter(|path| !path.is_empty());
    let mut bases: Vec<_> =
        [Some(options.mount_path.as_str()), mount::of_url(base_url), own].into_iter().flatten().collect();
    // A base below another one goes first.
    bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
    bases
}

fn part(rest: &Rest, bases: &[&str], request: Json) -> Result<Part> {
    let Json::Object(mut request) = request else { return Err(invalid("batch request path must be a string")) };
    let Some(Json::String(given)) = request.shift_remove("path") else {
        return Err(invalid("batch request path must be a string"));
    };
    let (whole, query) = given.split_once('?').unwrap_or((&given, ""));
    let path = bases.iter().find_map(|base| mount::below(base, whole)).map(mount::trim);
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return Err(invalid(format!("cannot route batch path {given}")));
    };
    let place = rest.router.look_up(path);
    if place.route(&Method::POST).is_some_and(|route| route.operation == BATCH) {
        return Err(invalid("nested batch requests are not allowed"));
    }
    let name = match request.shift_remove("method") {
        Some(Json::String(name)) => name.to_ascii_uppercase(),
        _ => "undefined".to_owned(),
    };
    let method = Method::from_bytes(name.as_bytes()).ok();
    let found = method.and_then(|method| Some((place.found(&method)?, method)));
    // Pages are for browsers and cannot be parts of a batch.
    let Some((found, method)) = found.filter(|(found, _)| found.route().about.is_some()) else {
        return Err(invalid(format!("cannot route {name} {path}")));
    };
    let mut body = object(request.shift_remove("body"));
    // Use the context of the whole batch.
    body.shift_remove("_context");
    Ok(Part { method, found, query: query.to_owned(), body })
}

/// The body of a part as an object. Other values are converted to objects as JavaScript would, so that the route
/// refuses them with its own error while the other parts run.
fn object(body: Option<Json>) -> JsonMap {
    match body {
        Some(Json::Object(body)) => body,
        Some(Json::Array(list)) => {
            list.into_iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        Some(Json::String(text)) => {
            let first = text.chars().next();
            first.map(|letter| ("0".to_owned(), Json::String(letter.into()))).into_iter().collect()
        }
        None | Some(Json::Null | Json::Bool(_) | Json::Number(_)) => JsonMap::new(),
    }
}

async fn concurrently(call: &Call, parts: Vec<Part>) -> BatchAnswer {
    let reads = Semaphore::new(READS_AT_ONCE);
    let run = |part: Part| async {
        let reading = part.is_about_objects() && !part.writes_objects();
        let _turn = if reading { reads.acquire().await.ok() } else { None };
        let outcome = one(call, &call.cx, part).await;
        Entry::of(&call.rest, outcome).await
    };
    let mut entries = std::pin::pin!(stream::iter(parts).map(run).buffered(AT_ONCE));
    let mut answer = BatchAnswer::default();
    while let Some(entry) = entries.next().await {
        answer.add(entry);
    }
    answer
}

/// Runs all parts about objects in order in one transaction. The first error rolls it back and is returned.
async fn transaction(call: &Call, parts: Vec<Part>) -> Result<BatchAnswer> {
    let parts = apart(call, parts).await?;
    let mut attempt = 1;
    let mut asked = None;
    loop {
        let classes = parts.iter().filter_map(Step::class);
        asked = batch::rehearse(&call.cx, classes, asked.as_ref());
        match attempt_transaction(call, asked.as_ref(), &parts).await {
            Err(error) if batch::is_conflict(&error) && attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

/// A part of a transaction.
enum Step {
    /// It was carried out before the transaction; its entry in the response.
    Done(Entry),
    /// It is carried out in the transaction.
    Due(Part),
}

impl Step {
    /// The class of the object that is written in the transaction.
    fn class(&self) -> Option<&str> {
        match self {
            Self::Due(part) if part.writes_objects() => part.class(),
            Self::Due(_) | Self::Done(_) => None,
        }
    }
}

/// Carries out the parts that are not about objects, such as functions and log ins, once and before the transaction: the app's code in
/// them may write by itself, and they may take longer than other writers can wait.
async fn apart(call: &Call, parts: Vec<Part>) -> Result<Vec<Step>> {
    let mut steps = Vec::with_capacity(parts.len());
    for part in parts {
        steps.push(if part.is_about_objects() {
            Step::Due(part)
        } else {
            let response = one(call, &call.cx, part).await?;
            Step::Done(Entry::of(&call.rest, Ok(response)).await)
        });
    }
    Ok(steps)
}

/// `asked`: the context of what is done before the transaction begins, if anything is.
async fn attempt_transaction(call: &Call, asked: Option<&Context>, parts: &[Step]) -> Result<BatchAnswer> {
    if let Some(asking) = asked {
        for (number, part) in parts.iter().enumerate() {
            if let Step::Due(part) = part
                && part.writes_objects()
            {
                // The same error occurs again when the part runs.
                let _ = one(call, &batch::part(asking, number), part.clone()).await;
            }
        }
    }
    let inside = batch::begin(asked.unwrap_or(&call.cx)).await?;
    let mut answer = BatchAnswer::default();
    for (number, part) in parts.iter().enumerate() {
        let part = match part {
            Step::Done(entry) => {
                answer.add(entry.clone());
                continue;
            }
            Step::Due(part) => part.clone(),
        };
        match one(call, &batch::part(&inside, number), part).await {
            Ok(response) => answer.add(Entry::of(&call.rest, Ok(response)).await),
            Err(error) => {
                batch::abort(&inside).await;
                return Err(error);
            }
        }
    }
    batch::commit(&inside).await?;
    Ok(answer)
}

async fn one(call: &Call, cx: &Context, part: Part) -> Outcome {
    let Part { found, query, body, .. } = part;
    let part = Call {
        cx: cx.part(),
        found,
        query,
        body: Payload::Json(body),
        files: Vec::new(),
        content_type: None,
        direct: call.direct,
        rest: call.rest.clone(),
    };
    call.rest.carry_out(part).await
}

/// The answer to a part.
#[derive(Debug, Clone)]
struct Entry {
    succeeded: bool,
    /// JSON.
    body: Bytes,
}

impl Entry {
    async fn of(rest: &Rest, outcome: Outcome) -> Self {
        let mut response: Response = outcome.unwrap_or_else(|error| rest.refuse(&error));
        let body = response.take_body().into_bytes().await.unwrap_or_default();
        Self { succeeded: response.status().is_success(), body }
    }
}

/// The answer to a batch: the entries of its parts.
#[derive(Debug, Default)]
struct BatchAnswer {
    body: Pieces,
    entries: usize,
}

impl BatchAnswer {
    fn add(&mut self, Entry { succeeded, body }: Entry) {
        self.body.add(if self.entries == 0 { b"[" } else { b"," });
        self.entries += 1;
        self.body.add(if succeeded { b"{\"success\":" } else { b"{\"error\":" });
        self.body.add_bytes(if body.is_empty() { Bytes::from_static(b"{}") } else { body });
        self.body.add(b"}");
    }

    fn into_body(mut self) -> Body {
        self.body.add(if self.entries == 0 { b"[]" } else { b"]" });
        self.body.into_body()
    }
}
