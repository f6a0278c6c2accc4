//! `POST /batch`: several requests in one. Each part goes through the routes like a request of its own, with the context
//! that was made for the whole.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use poem::Response;
use poem::http::Method;
use poem_openapi::OpenApi;
use serde_json::Value as Json;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, Dispatcher, JsonMap, Reply};
use super::request::Rest;
use super::routes;
use crate::domain::batch;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::http::answer::{Refused, refusal};

/// Parts of one batch that run at the same time.
const AT_ONCE: usize = 64;
/// How often a transaction that met another one is tried.
const ATTEMPTS: u32 = 5;

/// What the general routes of objects begin with.
const CLASSES: &str = "/classes/";

/// Batches.
pub struct BatchApi;

#[OpenApi]
impl BatchApi {
    /// Send several requests at once.
    ///
    /// The parts run concurrently, or with `transaction` one after the other and all or none. The answer has one entry per
    /// part, in their order.
    #[oai(path = "/batch", method = "post", operation_id = "batch", tag = "Tag::Batch")]
    async fn batch(
        &self,
        caller: Caller,
        dispatcher: Dispatcher,
        body: Body<describe::Batch>,
    ) -> Answer<Vec<describe::BatchResult>> {
        let Caller(context) = caller;
        let mut body = body.0;
        let in_transaction = matches!(body.get("transaction"), Some(Json::Bool(true)));
        let parts = parts(&dispatcher.rest, &context, body.shift_remove("requests"))?;
        dispatcher.rest.admit_parts(&context, &parts, dispatcher.direct)?;
        let bytes = if in_transaction {
            transaction(&dispatcher, &context, parts).await?
        } else {
            concurrently(&dispatcher, &context, parts).await
        };
        Ok(Reply::of_bytes(bytes))
    }
}

/// A part of a batch, checked so far that it has a route.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its method.
    pub method: Method,
    /// Its path below the mount path, trimmed.
    pub path: String,
    /// The query of its path.
    pub query: String,
    /// Its body.
    pub body: JsonMap,
}

impl Part {
    /// Whether it makes, changes or deletes an object of a class by the general routes.
    fn writes_objects(&self) -> bool {
        let head = self.path.get(..CLASSES.len());
        self.method != Method::GET && head.is_some_and(|head| head.eq_ignore_ascii_case(CLASSES))
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, message)
}

/// Judges all parts before any of them runs.
fn parts(rest: &Rest, context: &Context, requests: Option<Json>) -> Result<Vec<Part>> {
    let Some(Json::Array(requests)) = requests else {
        return Err(invalid("requests must be an array"));
    };
    let options = &rest.app.options;
    let limit = options.security.request_complexity.batch_request_limit;
    if limit.is_exceeded_by(requests.len()) && !context.auth.is_master() {
        let (count, limit) = (requests.len(), limit.get().unwrap_or_default());
        return Err(invalid(format!(
            "Batch request contains {count} sub-requests, which exceeds the limit of {limit}."
        )));
    }
    let mount = &options.server.mount_path;
    let part = |request: Json| {
        let Json::Object(mut request) = request else { return Err(invalid("batch request path must be a string")) };
        let Some(Json::String(given)) = request.shift_remove("path") else {
            return Err(invalid("batch request path must be a string"));
        };
        let (whole, query) = given.split_once('?').unwrap_or((&given, ""));
        let Some(path) = routes::below(mount, whole).map(routes::trim).filter(|path| !path.is_empty()) else {
            return Err(invalid(format!("cannot route batch path {given}")));
        };
        if path.eq_ignore_ascii_case("/batch") {
            return Err(invalid("nested batch requests are not allowed"));
        }
        let name = match request.shift_remove("method") {
            Some(Json::String(name)) => name.to_ascii_uppercase(),
            _ => "undefined".to_owned(),
        };
        let method = Method::from_bytes(name.as_bytes()).ok().filter(|method| rest.routes.find(method, path).is_some());
        let Some(method) = method else { return Err(invalid(format!("cannot route {name} {path}"))) };
        let body = match request.shift_remove("body") {
            None | Some(Json::Null) => JsonMap::new(),
            Some(Json::Object(mut body)) => {
                // The context of the whole counts.
                body.shift_remove("_context");
                body
            }
            Some(_) => return Err(invalid("batch request body must be an object")),
        };
        Ok(Part { method, path: path.to_owned(), query: query.to_owned(), body })
    };
    requests.into_iter().map(part).collect()
}

async fn concurrently(dispatcher: &Dispatcher, context: &Context, parts: Vec<Part>) -> Vec<u8> {
    let run = |part| async { bytes(one(&dispatcher.rest, context, part, dispatcher.direct).await).await };
    let results: Vec<Vec<u8>> = stream::iter(parts).map(run).buffered(AT_ONCE).collect().await;
    join(&results)
}

/// All parts in their order inside one transaction. The first that fails undoes all, and its error is the answer.
async fn transaction(dispatcher: &Dispatcher, context: &Context, parts: Vec<Part>) -> Result<Vec<u8>> {
    let mut attempt = 1;
    loop {
        match attempt_transaction(dispatcher, context, parts.clone()).await {
            Err(error) if batch::is_conflict(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(copy(&error)),
            Ok(bytes) => return Ok(bytes),
        }
    }
}

/// The error of a part as the error of the whole; its cause is in the log already.
fn copy(error: &ParseError) -> ParseError {
    ParseError {
        code: error.code,
        status: error.status,
        message: error.message.clone(),
        sensitive: error.sensitive,
        retry_after: error.retry_after,
        source: None,
    }
}

async fn attempt_transaction(
    dispatcher: &Dispatcher,
    context: &Context,
    parts: Vec<Part>,
) -> Result<Vec<u8>, Arc<ParseError>> {
    let asked = batch::rehearse(context);
    if let Some(asking) = &asked {
        for (number, part) in parts.iter().enumerate().filter(|(_, part)| part.writes_objects()) {
            one(&dispatcher.rest, &batch::part(asking, number), part.clone(), dispatcher.direct).await;
        }
    }
    let inside = batch::begin(asked.as_ref().unwrap_or(context)).await.map_err(Arc::new)?;
    let mut results = Vec::with_capacity(parts.len());
    for (number, part) in parts.into_iter().enumerate() {
        let response = one(&dispatcher.rest, &batch::part(&inside, number), part, dispatcher.direct).await;
        if let Some(Refused(error)) = response.data::<Refused>() {
            let error = error.clone();
            batch::abort(&inside).await;
            return Err(error);
        }
        results.push(bytes(response).await);
    }
    batch::commit(&inside).await.map_err(Arc::new)?;
    Ok(join(&results))
}

async fn one(rest: &Arc<Rest>, context: &Context, part: Part, direct: bool) -> Response {
    match rest.dispatch_part(context.part(), part, direct).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = refusal(&error, rest.app.options.security.enable_sanitized_error_response);
            response.set_data(Refused(Arc::new(error)));
            response
        }
    }
}

/// The entry of a part: its body is JSON already.
async fn bytes(mut response: Response) -> Vec<u8> {
    let key: &[u8] = if response.status().is_success() { b"{\"success\":" } else { b"{\"error\":" };
    let body = response.take_body().into_bytes().await.unwrap_or_default();
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    [key, body, b"}"].concat()
}

fn join(results: &[Vec<u8>]) -> Vec<u8> {
    [b"[".as_slice(), &results.join(&b','), b"]"].concat()
}
