//! Implements async-graphql's `Executor` with the engine, so that endpoints of async-graphql-poem (above all the one
//! for web sockets) can serve a dialect. `docs/decisions/graphql-engine.md` says why HTTP requests do not use it.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response, ServerError};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::json;

use super::error::Refusal;
use super::request::GraphQlRequest;
use super::text::Text;

/// The bodies of the responses to a request, as they come.
pub type Responses = BoxStream<'static, Text>;

/// Executes requests of the caller in the data of the request or the connection.
pub trait Serve: Send + Sync + 'static {
    /// The body of the response.
    ///
    /// # Errors
    /// If the request is not executed at all.
    fn serve<'a>(&'a self, data: &'a Data, request: GraphQlRequest) -> BoxFuture<'a, Result<Text, Refusal>>;

    /// The bodies of the responses: several to a subscription, one to everything else.
    ///
    /// # Errors
    /// If the request is not executed at all.
    fn follow(
        self: Arc<Self>,
        data: Arc<Data>,
        request: GraphQlRequest,
    ) -> BoxFuture<'static, Result<Responses, Refusal>>;
}

/// Executes requests with a [`Serve`].
#[derive(Debug)]
pub struct EngineExecutor<S>(pub Arc<S>);

impl<S> Clone for EngineExecutor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Serve> Executor for EngineExecutor<S> {
    async fn execute(&self, mut request: Request) -> Response {
        let data = std::mem::take(&mut request.data);
        response(self.0.serve(&data, request.into()).await)
    }

    fn execute_stream(&self, mut request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let server = self.0.clone();
        let responses = async move {
            let data = session_data.unwrap_or_else(|| Arc::new(std::mem::take(&mut request.data)));
            match server.follow(data, request.into()).await {
                Ok(texts) => texts.map(|text| response(Ok(text))).boxed(),
                Err(refused) => stream::iter([response(Err(refused))]).boxed(),
            }
        };
        stream::once(responses).flatten().boxed()
    }
}

impl From<Request> for GraphQlRequest {
    fn from(request: Request) -> Self {
        let persisted_query =
            request.extensions.get("persistedQuery").cloned().and_then(|given| given.into_json().ok());
        Self {
            query: request.query,
            operation_name: request.operation_name.filter(|name| !name.is_empty()),
            variables: request.variables,
            persisted_query,
            ..Self::default()
        }
    }
}

fn response(answer: Result<Text, Refusal>) -> Response {
    let read = match answer {
        Ok(text) => serde_json::from_slice(&text.into_bytes()),
        Err(refused) => serde_json::from_value(json!({ "errors": refused.errors })),
    };
    read.unwrap_or_else(|_| Response::from_errors(vec![ServerError::new("Internal server error", None)]))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::OperationType;
    use async_graphql_poem::GraphQL;
    use poem::http::Method;
    use poem::{Endpoint as _, Request as HttpRequest};
    use serde_json::Value as Json;

    use super::super::types::{FieldDef, ObjectDef, TypeDef, Types};
    use super::super::{
        Answer, Bounds, Description, Dialect, PersistedQueries, Policy, Schema, SchemaElement, Selected, Selector, run,
    };
    use super::*;

    /// A schema with one query, `hello`, and one mutation, `noop`.
    struct Toy;

    impl Dialect for Toy {
        type Catalog = ();
        type Request<'a> = &'a str;
        type Field = String;

        fn compile<'a>(
            _: Selector<'a>,
            (): &'a (),
            _: OperationType,
            field: &mut Selected<'a>,
        ) -> Result<Option<String>, Refusal> {
            Ok(matches!(field.name, "hello" | "noop").then(|| field.key.to_owned()))
        }

        fn describe((): &(), _: SchemaElement<'_>) -> Option<Description> {
            None
        }

        fn answer(word: Self::Request<'_>, key: Box<String>) -> BoxFuture<'_, Answer> {
            let value = Some(Text::of(word));
            Box::pin(async move { Answer { key: *key, value, errors: Vec::new(), nullable: false } })
        }
    }

    struct Server(Schema<()>, PersistedQueries);

    impl Serve for Server {
        fn serve<'a>(&'a self, _: &'a Data, request: GraphQlRequest) -> BoxFuture<'a, Result<Text, Refusal>> {
            let document =
                Bounds { bytes: 1000, tokens: 100, aliases: 10, fragments: 10, variables: 10, selections: 100 };
            let policy = Policy { may_introspect: false, max_depth: None, max_fields: None, document };
            Box::pin(run::<Toy>(&self.0, &self.1, policy, "world", request))
        }

        fn follow(
            self: Arc<Self>,
            data: Arc<Data>,
            request: GraphQlRequest,
        ) -> BoxFuture<'static, Result<Responses, Refusal>> {
            Box::pin(async move {
                let text = self.serve(&data, request).await?;
                Ok(stream::iter([text]).boxed())
            })
        }
    }

    fn executor() -> EngineExecutor<Server> {
        let root = |field: &str| {
            let fields = [(field.to_owned(), FieldDef::new("String!"))].into_iter().collect();
            TypeDef::Object(ObjectDef { implements: Vec::new(), fields })
        };
        let types = Types::from_iter([("Query".to_owned(), root("hello")), ("Mutation".to_owned(), root("noop"))]);
        let schema = Schema::new(types, (), |scalar, _| Err(scalar.to_owned())).unwrap();
        EngineExecutor(Arc::new(Server(schema, PersistedQueries::new(10, 10_000))))
    }

    #[tokio::test]
    async fn async_graphql_poem_serves_the_engine() {
        let endpoint = GraphQL::new(executor());
        for (body, expected) in [
            (json!({"query": "{ a: hello }"}), json!({"data": {"a": "world"}})),
            (
                json!([{"query": "{ hello }"}, {"query": "mutation { noop }"}]),
                json!([{"data": {"hello": "world"}}, {"data": {"noop": "world"}}]),
            ),
        ] {
            let request = HttpRequest::builder()
                .method(Method::POST)
                .header("content-type", "application/json")
                .body(body.to_string());
            let answer = endpoint.call(request).await.unwrap().into_body().into_bytes().await.unwrap();
            assert_eq!(serde_json::from_slice::<Json>(&answer).unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn errors_keep_code_and_place() {
        let answer = serde_json::to_value(executor().execute(Request::new("{ bye }")).await).unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(answer["errors"][0]["locations"][0], json!({"line": 1, "column": 3}));
    }

    #[tokio::test]
    async fn streams_have_one_answer_and_refuse_subscriptions() {
        let executor = executor();
        let answers: Vec<Response> = executor.execute_stream(Request::new("{ hello }"), None).collect().await;
        assert_eq!(serde_json::to_value(&answers).unwrap(), json!([{"data": {"hello": "world"}}]));
        let refused: Vec<Response> =
            executor.execute_stream(Request::new("subscription { hello }"), None).collect().await;
        assert_eq!(refused.len(), 1);
        assert!(refused[0].errors[0].message.contains("not configured to execute subscription"), "{refused:?}");
    }
}
