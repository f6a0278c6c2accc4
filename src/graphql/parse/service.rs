//! Serves a dialect: holds its current schema and the persisted queries.

use std::sync::Arc;

use async_graphql::Data;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value as Json;

use super::cache::SchemaCache;
use super::custom::CustomSchema;
use super::dialect::ParseDialect;
use super::error::parse_error;
use super::gate::GateCheck;
use super::run::Run;
use super::subscription::{Events, Subscriber};
use crate::config::Options;
use crate::domain::features::live_query::Published;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::error::{ParseError, Result};
use crate::graphql::engine::{
    self, Bounds, GraphQlRequest, INTERNAL, Operation, PersistedQueries, Policy, Refusal, Responses, Serve, Text,
};
use crate::http::detach;

/// Executes the requests of a dialect.
#[derive(Debug)]
pub struct Service<D: ParseDialect> {
    schemas: SchemaCache<D>,
    persisted: PersistedQueries,
}

impl<D: ParseDialect> Service<D> {
    /// A service without a schema, which is built for the first request. `custom`: what the app adds to it.
    /// `published`: the classes that can be subscribed to.
    #[must_use]
    pub fn new(options: &Options, custom: Option<Arc<CustomSchema>>, published: Option<Arc<Published>>) -> Self {
        Self { schemas: SchemaCache::new(custom, published), persisted: persisted(options) }
    }

    /// Executes a request.
    ///
    /// # Errors
    /// If the schema cannot be built. The inner error: the request is not executed at all.
    pub async fn answer(
        &self,
        cx: &Context,
        gate: &GateCheck,
        mut request: GraphQlRequest,
    ) -> Result<Result<Text, Refusal>> {
        let schema = self.schemas.get(cx).await?;
        let uploads = std::mem::take(&mut request.uploads);
        let run = Run { cx, gate, catalog: schema.catalog.as_ref(), uploads: &uploads };
        Ok(engine::run::<D>(&schema, &self.persisted, policy(cx), run, request).await)
    }
}

impl<D: ParseDialect> Service<D> {
    /// Executes a request of a client that may subscribe. A mutation runs to its end, even if the client leaves.
    ///
    /// # Errors
    /// As [`Service::answer`]; 155 if the client has as much under way as it may.
    pub async fn follow(
        self: &Arc<Self>,
        subscriber: &Arc<Subscriber>,
        mut request: GraphQlRequest,
    ) -> Result<Result<Responses, Refusal>> {
        let variables = serde_json::to_vec(&request.variables).map_or(0, |text| text.len());
        let share = subscriber.share(request.query.len() + variables)?;
        let cx = subscriber.context().await?;
        let writes = request.query.is_empty() || request.query.contains("mutation");
        let uploads = std::mem::take(&mut request.uploads);
        let (service, subscriber, tasks) = (self.clone(), subscriber.clone(), subscriber.app.tasks.clone());
        let work = async move {
            let schema = service.schemas.get(&cx).await?;
            let compiled = engine::compile::<D>(&schema, &service.persisted, policy(&cx), request).await;
            let followed = match compiled.and_then(Operation::subscribed) {
                Ok(Ok(field)) => D::followed(field),
                Ok(Err(operation)) => {
                    let run =
                        Run { cx: &cx, gate: &subscriber.gate, catalog: schema.catalog.as_ref(), uploads: &uploads };
                    let text = operation.run::<D>(&schema, run).await;
                    return Ok(text.map(|text| stream::iter([text]).boxed()));
                }
                Err(refused) => return Ok(Err(refused)),
            };
            let followed = followed.ok_or_else(|| ParseError::internal("a subscription that follows nothing"))?;
            let (place, path) = (followed.place, [Json::from(followed.key.as_str())]);
            Ok(match Events::open(&cx, schema, followed, (subscriber, share)).await {
                Ok(events) => Ok(events.into_stream()),
                Err(error) => {
                    let sanitize = cx.app.options.security.enable_sanitized_error_response;
                    Err(Refusal { status: error.status, errors: vec![parse_error(&error, place, &path, sanitize)] })
                }
            })
        };
        detach::run(&tasks, writes, work).await
    }
}

impl<D: ParseDialect> Serve for Service<D> {
    fn serve<'a>(&'a self, data: &'a Data, request: GraphQlRequest) -> BoxFuture<'a, Result<Text, Refusal>> {
        Box::pin(async move {
            let Some(subscriber) = subscriber_of(data) else { return Err(unauthorized()) };
            let answer = async {
                let cx = subscriber.context().await?;
                self.answer(&cx, &subscriber.gate, request).await
            };
            answer.await.unwrap_or_else(|error| Err(refused(&subscriber.app, &error)))
        })
    }

    fn follow(
        self: Arc<Self>,
        data: Arc<Data>,
        request: GraphQlRequest,
    ) -> BoxFuture<'static, Result<Responses, Refusal>> {
        Box::pin(async move {
            let Some(subscriber) = subscriber_of(&data) else { return Err(unauthorized()) };
            let responses = Self::follow(&self, subscriber, request).await;
            responses.unwrap_or_else(|error| Err(refused(&subscriber.app, &error)))
        })
    }
}

fn subscriber_of(data: &Data) -> Option<&Arc<Subscriber>> {
    data.get(&std::any::TypeId::of::<Arc<Subscriber>>())?.downcast_ref()
}

fn unauthorized() -> Refusal {
    Refusal::new(403, "UNAUTHENTICATED", "unauthorized")
}

fn refused(app: &App, error: &ParseError) -> Refusal {
    let sanitize = app.options.security.enable_sanitized_error_response;
    Refusal::new(error.status, INTERNAL, error.public_message(sanitize))
}

/// The cache of persisted queries, with the limits in the options.
fn persisted(options: &Options) -> PersistedQueries {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    PersistedQueries::new(
        size(options.own.graphql_persisted_queries.into()),
        size(options.own.graphql_persisted_query_bytes),
    )
}

/// Permissions and limits of the caller.
fn policy(cx: &Context) -> Policy {
    let options = &cx.app.options;
    let limits = &options.security.request_complexity;
    let document = &options.own.limits;
    let bounded = !cx.auth.is_master();
    Policy {
        may_introspect: !bounded || options.graphql.public_introspection,
        max_depth: limits.graphql_depth.get().filter(|_| bounded),
        max_fields: limits.graphql_fields.get().filter(|_| bounded),
        document: Bounds {
            bytes: document.graphql_bytes,
            tokens: document.graphql_tokens,
            aliases: document.graphql_aliases,
            fragments: document.graphql_fragments,
            variables: document.graphql_variables,
            selections: document.graphql_selections,
        },
    }
}
