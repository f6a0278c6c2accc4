//! From the text of a request to the body of its answer.

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Value as ConstValue, Variables};
use serde_json::{Map, Value as Json};

use super::coerce::{self, Reader};
use super::dialect::Dialect;
use super::document;
use super::error::{INTERNAL, Refusal};
use super::execute::{Entry, execute};
use super::introspect::is_too_deep;
use super::multipart::Uploads;
use super::plan::{Compiler, Leaf};
use super::prepared::Prepared;
use super::resolve::Run;
use super::routes::Passage;
use super::schema::Built;
use super::select::{Selected, Selector};
use super::text::Text;
use super::validation;
use crate::domain::kernel::context::Context;

/// What a client asks for.
#[derive(Debug, Default)]
pub struct Asked {
    /// The document.
    pub query: String,
    /// The operation to run, when the document has several.
    pub operation: Option<String>,
    /// Values of variables.
    pub variables: Map<String, Json>,
    /// Files that came along.
    pub uploads: Uploads,
    /// Whether only a query may be run.
    pub only_query: bool,
}

/// Runs an operation.
///
/// # Errors
/// When the request is not executed at all; errors of single fields are in the body.
pub async fn run<D: Dialect>(cx: &Context, passage: &Passage, built: &Built, asked: Asked) -> Result<Text, Refusal> {
    let options = &cx.app.options;
    let may_introspect = cx.auth.is_master() || options.graphql.public_introspection;
    let known = built.documents.get(&asked.query);
    let fits = known.is_some();
    let prepared = match known {
        Some(known) => known,
        None => Arc::new(Prepared::parse(&asked.query)?),
    };
    let document = &prepared.document;
    let name = asked.operation.as_deref();
    let found = document::operation(document, name);
    if found.as_ref().is_ok_and(|operation| operation.node.ty == OperationType::Subscription) {
        return Err(Refusal::invalid("Schema is not configured to execute subscription operation.", &[]));
    }
    // Errors of the document come before that of a missing operation.
    if !fits {
        let any_name = document.operations.iter().next().and_then(|(name, _)| name).map(ToString::to_string);
        let validated = if found.is_ok() { name } else { any_name.as_deref() };
        validation::validate(&built.dynamic, document, &asked.query, validated, may_introspect).await?;
        built.documents.keep(&asked.query, &prepared);
    }
    let operation = found?;
    if prepared.introspects && !may_introspect {
        return Err(Refusal::new(403, INTERNAL, "Introspection is not allowed"));
    }
    if !cx.auth.is_master() {
        check_complexity(cx, prepared.size(operation))?;
    }
    let operation = &operation.node;
    let mutation = operation.ty == OperationType::Mutation;
    if mutation && asked.only_query {
        return Err(Refusal::new(
            405,
            "BAD_REQUEST",
            "GET requests only support query operations, not mutation operations",
        ));
    }
    let reader = Reader { types: &built.catalog.types, may_introspect };
    let variables = coerce::variables(reader, operation, given(asked.variables, &asked.uploads)?)?;
    let entries = entries::<D>(built, document, operation, &variables, reader)?;
    Ok(execute::<D>(Run { cx, passage, catalog: &built.catalog, uploads: &asked.uploads }, entries, mutation).await)
}

fn check_complexity(cx: &Context, size: document::Size) -> Result<(), Refusal> {
    let limits = &cx.app.options.security.request_complexity;
    if let Some(most) = limits.graphql_depth.get().filter(|most| size.depth > *most) {
        let message = format!("GraphQL query depth of {} exceeds maximum allowed depth of {most}", size.depth);
        return Err(Refusal::new(400, INTERNAL, &message));
    }
    if let Some(most) = limits.graphql_fields.get().filter(|most| size.fields > *most) {
        let message = format!("Number of GraphQL fields ({}) exceeds maximum allowed ({most})", size.fields);
        return Err(Refusal::new(400, INTERNAL, &message));
    }
    Ok(())
}

fn given(variables: Map<String, Json>, uploads: &Uploads) -> Result<Variables, Refusal> {
    let bad = |_| Refusal::bad_request("The variables cannot be read.");
    let mut values = ConstValue::from_json(Json::Object(variables)).map_err(bad)?;
    uploads.place(&mut values)?;
    let mut variables = Variables::default();
    if let ConstValue::Object(map) = values {
        for (name, value) in map {
            variables.insert(name, value);
        }
    }
    Ok(variables)
}

fn entries<D: Dialect>(
    built: &Built,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    reader: Reader<'_>,
) -> Result<Vec<Entry<D::Job>>, Refusal> {
    let mutation = operation.ty == OperationType::Mutation;
    let mut compiler = Compiler::new(Selector { document, variables, reader }, &built.catalog);
    let root = if mutation { "Mutation" } else { "Query" };
    let mut entries = Vec::new();
    for mut field in compiler.fields(root, &[&operation.selection_set.node])? {
        let key = field.key.to_owned();
        entries.push(match D::compile(&mut compiler, &built.catalog, mutation, &mut field)? {
            Some(job) => Entry::Job(Box::new(job)),
            None if field.name == "__schema" => Entry::Schema(key, introspection(&compiler, "__Schema", &field)?),
            None if field.name == "__type" => {
                let name = field.arguments.get("name").and_then(Json::as_str).unwrap_or_default();
                Entry::Type(key, name.to_owned(), introspection(&compiler, "__Type", &field)?)
            }
            None => Entry::TypeName(key),
        });
    }
    Ok(entries)
}

fn introspection<'a>(compiler: &Compiler<'a>, type_name: &str, field: &Selected<'a>) -> Result<Leaf, Refusal> {
    let leaf = compiler.leaf(type_name, &field.sets)?;
    if is_too_deep(&leaf) {
        return Err(Refusal::invalid("Maximum introspection depth exceeded", &[field.place]));
    }
    Ok(leaf)
}
