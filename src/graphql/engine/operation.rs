//! Runs the operation of a request and writes the body of the response.

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Name, Positioned, Variables};
use serde_json::Value as Json;

use super::coerce::{self, Reader};
use super::dialect::Dialect;
use super::document::{self, Bounds};
use super::error::{INTERNAL, Refusal};
use super::execute::{RootField, execute};
use super::introspect::is_too_deep;
use super::leaf::Leaf;
use super::persisted::PersistedQueries;
use super::prepared::Prepared;
use super::request::GraphQlRequest;
use super::schema::Schema;
use super::select::{Selected, Selector};
use super::text::Text;
use super::validation;
use crate::traces;

/// Permissions and limits of a caller.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Whether the caller may learn the schema by introspection and from error messages.
    pub may_introspect: bool,
    /// Maximum depth of fields; `None` means no limit.
    pub max_depth: Option<u64>,
    /// Maximum number of fields; `None` means no limit.
    pub max_fields: Option<u64>,
    /// Maximum size of the document.
    pub document: Bounds,
}

/// An operation of which every field has been compiled.
#[derive(Debug)]
pub struct Operation<F> {
    kind: OperationType,
    fields: Vec<RootField<F>>,
}

impl<F> Operation<F> {
    /// The one field of a subscription; the operation itself, if it is none.
    ///
    /// # Errors
    /// 400 if the subscription has other fields.
    pub fn subscribed(self) -> Result<Result<Box<F>, Self>, Refusal> {
        if self.kind != OperationType::Subscription {
            return Ok(Err(self));
        }
        let mut fields = self.fields.into_iter();
        match (fields.next(), fields.next()) {
            (Some(RootField::Dialect(field)), None) => Ok(Ok(field)),
            _ => Err(Refusal::invalid("A subscription must select one field of the type Subscription.", &[])),
        }
    }

    /// Runs the operation and returns the body of the response.
    ///
    /// # Errors
    /// 400 for a subscription.
    pub async fn run<'a, D>(self, schema: &'a Schema<D::Catalog>, context: D::Request<'a>) -> Result<Text, Refusal>
    where
        D: Dialect<Field = F>,
    {
        match self.kind {
            OperationType::Subscription => Err(Refusal::invalid(NO_STREAM, &[])),
            kind => Ok(execute::<D>(schema, context, self.fields, kind == OperationType::Mutation).await),
        }
    }
}

/// Why a subscription has no answer.
const NO_STREAM: &str =
    "A subscription needs a web socket, or a request that accepts text/event-stream or multipart/mixed.";

/// Runs an operation that has one response.
///
/// # Errors
/// If the request is not executed at all. Errors of single fields are in the body.
pub async fn run<'a, D: Dialect>(
    schema: &'a Schema<D::Catalog>,
    persisted: &PersistedQueries,
    policy: Policy,
    context: D::Request<'a>,
    request: GraphQlRequest,
) -> Result<Text, Refusal> {
    compile::<D>(schema, persisted, policy, request).await?.run::<D>(schema, context).await
}

/// Reads, checks and compiles the operation of a request.
///
/// # Errors
/// Why it cannot be executed.
pub async fn compile<D: Dialect>(
    schema: &Schema<D::Catalog>,
    persisted: &PersistedQueries,
    policy: Policy,
    mut request: GraphQlRequest,
) -> Result<Operation<D::Field>, Refusal> {
    let registration = persisted.resolve(&mut request)?;
    let known = schema.documents.get(&request.query);
    let fits = known.is_some();
    let prepared = match known {
        Some(known) => known,
        None => Arc::new(Prepared::parse(&request.query, policy.document)?),
    };
    let document = &prepared.document;
    let name = request.operation_name.as_deref();
    let found = document::operation(document, name);
    let subscribes = found.as_ref().is_ok_and(|operation| operation.node.ty == OperationType::Subscription);
    if subscribes && !schema.types.contains_key("Subscription") {
        return Err(Refusal::invalid("Schema is not configured to execute subscription operation.", &[]));
    }
    // Report errors of the document before a missing operation.
    if !fits {
        let any_name = document.operations.iter().next().and_then(|(name, _)| name).map(ToString::to_string);
        let validated = if found.is_ok() { name } else { any_name.as_deref() };
        validation::validate(&schema.dynamic, document, &request.query, validated, policy.may_introspect).await?;
        schema.documents.keep(&request.query, &prepared);
    }
    let operation = found?;
    if prepared.introspects && !policy.may_introspect {
        return Err(Refusal::new(403, INTERNAL, "Introspection is not allowed"));
    }
    note(document, operation, name);
    check_complexity(policy, prepared.size(operation))?;
    if let Some(registration) = &registration {
        persisted.keep(registration, &request.query);
    }
    let operation = &operation.node;
    if operation.ty == OperationType::Mutation && request.only_query {
        return Err(Refusal::new(
            405,
            "BAD_REQUEST",
            "GET requests only support query operations, not mutation operations",
        ));
    }
    let reader = schema.reader(policy.may_introspect);
    let variables = coerce::variables(reader, operation, request.variables)?;
    let fields = root_fields::<D>(schema, document, operation, &variables, reader)?;
    Ok(Operation { kind: operation.ty, fields })
}

/// Says in the trace and in the log lines of the request which operation it is.
fn note(document: &ExecutableDocument, operation: &Positioned<OperationDefinition>, name: Option<&str>) {
    traces::note("graphql.operation.type", || match operation.node.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    });
    let only = || document.operations.iter().next().and_then(|(name, _)| name).map(Name::as_str);
    if let Some(name) = name.or_else(only) {
        let name = super::error::shorten(name);
        tracing::Span::current().record("operation", name.as_str());
        traces::note("graphql.operation.name", || name);
    }
}

fn check_complexity(policy: Policy, size: document::Size) -> Result<(), Refusal> {
    if let Some(most) = policy.max_depth.filter(|most| size.depth > *most) {
        let message = format!("GraphQL query depth of {} exceeds maximum allowed depth of {most}", size.depth);
        return Err(Refusal::new(400, INTERNAL, &message));
    }
    if let Some(most) = policy.max_fields.filter(|most| size.fields > *most) {
        let message = format!("Number of GraphQL fields ({}) exceeds maximum allowed ({most})", size.fields);
        return Err(Refusal::new(400, INTERNAL, &message));
    }
    Ok(())
}

fn root_fields<D: Dialect>(
    schema: &Schema<D::Catalog>,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    reader: Reader<'_>,
) -> Result<Vec<RootField<D::Field>>, Refusal> {
    let selector = Selector { document, variables, reader };
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    let mut compiled = Vec::new();
    for mut field in selector.fields(root, &[&operation.selection_set.node])? {
        let key = field.key.to_owned();
        compiled.push(match D::compile(selector, &schema.catalog, operation.ty, &mut field)? {
            Some(field) => RootField::Dialect(Box::new(field)),
            None if field.name == "__schema" => RootField::Schema(key, introspection(selector, "__Schema", &field)?),
            None if field.name == "__type" => {
                let name = field.arguments.get("name").and_then(Json::as_str).unwrap_or_default();
                RootField::Type(key, name.to_owned(), introspection(selector, "__Type", &field)?)
            }
            None => RootField::TypeName(key),
        });
    }
    Ok(compiled)
}

fn introspection<'a>(selector: Selector<'a>, type_name: &str, field: &Selected<'a>) -> Result<Leaf, Refusal> {
    let leaf = selector.leaf(type_name, &field.sets)?;
    if is_too_deep(&leaf) {
        return Err(Refusal::invalid("Maximum introspection depth exceeded", &[field.place]));
    }
    Ok(leaf)
}
