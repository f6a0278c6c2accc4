//! Serves a dialect: holds its current schema and the persisted queries.

use std::sync::Arc;

use async_graphql::Data;
use futures_util::future::BoxFuture;

use super::cache::SchemaCache;
use super::custom::CustomSchema;
use super::dialect::ParseDialect;
use super::gate::GateCheck;
use super::run::Run;
use crate::config::Options;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::graphql::engine::{self, GraphQlRequest, INTERNAL, PersistedQueries, Policy, Refusal, Serve, Text};

/// Executes the requests of a dialect.
#[derive(Debug)]
pub struct Service<D: ParseDialect> {
    schemas: SchemaCache<D>,
    persisted: PersistedQueries,
}

/// The caller of a request.
#[derive(Debug)]
pub struct Caller {
    /// The request's context.
    pub cx: Context,
    /// Rate limits and allowed routes of the caller.
    pub gate: GateCheck,
}

impl<D: ParseDialect> Service<D> {
    /// A service without a schema, which is built for the first request. `custom`: what the app adds to it.
    #[must_use]
    pub fn new(options: &Options, custom: Option<Arc<CustomSchema>>) -> Self {
        Self { schemas: SchemaCache::new(custom), persisted: persisted(options) }
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

impl<D: ParseDialect> Serve for Service<D> {
    fn serve<'a>(&'a self, data: &'a Data, request: GraphQlRequest) -> BoxFuture<'a, Result<Text, Refusal>> {
        Box::pin(async move {
            let caller = data.get(&std::any::TypeId::of::<Caller>()).and_then(|caller| caller.downcast_ref::<Caller>());
            let Some(Caller { cx, gate }) = caller else {
                return Err(Refusal::new(403, "UNAUTHENTICATED", "unauthorized"));
            };
            self.answer(cx, gate, request).await.unwrap_or_else(|error| {
                let sanitize = cx.app.options.security.enable_sanitized_error_response;
                Err(Refusal::new(error.status, INTERNAL, error.public_message(sanitize)))
            })
        })
    }
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
    let bounded = !cx.auth.is_master();
    Policy {
        may_introspect: !bounded || options.graphql.public_introspection,
        max_depth: limits.graphql_depth.get().filter(|_| bounded),
        max_fields: limits.graphql_fields.get().filter(|_| bounded),
    }
}
