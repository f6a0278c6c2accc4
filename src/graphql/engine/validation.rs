//! Validates documents with async-graphql. Messages are reworded as in graphql-js, without names that the caller may
//! not learn.

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql::dynamic::Schema;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, ServerError, Value as ConstValue};

use super::error::{MAX_ERRORS, Refusal, document_error};

/// Prevents async-graphql from executing the document.
pub struct OnlyValidate;

impl ExtensionFactory for OnlyValidate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for OnlyValidate {
    async fn execute(
        &self,
        _context: &ExtensionContext<'_>,
        _operation: Option<&str>,
        _next: NextExecute<'_>,
    ) -> Response {
        Response::new(ConstValue::Null)
    }
}

/// Validates a document against the schema, without the values of variables.
///
/// # Errors
/// 400 with the errors; `may_introspect` decides whether messages may contain names of the schema.
pub async fn validate(
    schema: &Schema,
    document: &ExecutableDocument,
    text: &str,
    operation: Option<&str>,
    may_introspect: bool,
) -> Result<(), Refusal> {
    let mut request = Request::new("");
    request.operation_name = operation.map(str::to_owned);
    request.set_parsed_query(document.clone());
    let response = schema.execute(request).await;
    if response.errors.is_empty() {
        return Ok(());
    }
    let known = if may_introspect { None } else { Some(words(text)) };
    let errors = response
        .errors
        .iter()
        .take(MAX_ERRORS)
        .map(|error| document_error("GRAPHQL_VALIDATION_FAILED", &message(error, known.as_ref()), &error.locations))
        .collect();
    Err(Refusal { status: 400, errors })
}

/// The names in the caller's document, which errors may repeat.
fn words(text: &str) -> HashSet<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .collect()
}

/// Rewords the validator's message as in graphql-js, because clients may parse it. Unless the caller may introspect, a
/// message with a name that is not in the document is replaced completely.
fn message(error: &ServerError, known: Option<&HashSet<&str>>) -> String {
    let quoted: Vec<&str> = error.message.split('"').skip(1).step_by(2).collect();
    let may_say = |name: &str| known.is_none_or(|known| words(name).iter().all(|word| known.contains(word)));
    match quoted.as_slice() {
        [field, ty] if error.message.starts_with("Unknown field") => {
            if may_say(ty) {
                format!("Cannot query field \"{field}\" on type \"{ty}\".")
            } else {
                format!("Cannot query field \"{field}\".")
            }
        }
        [argument, field, ty] if error.message.starts_with("Unknown argument") => {
            if may_say(ty) {
                format!("Unknown argument \"{argument}\" on field \"{ty}.{field}\".")
            } else {
                format!("Unknown argument \"{argument}\" on field \"{field}\".")
            }
        }
        [path, field, ty] if error.message.contains("unknown field") => {
            let _ = path;
            if may_say(ty) {
                format!("Field \"{field}\" is not defined by type \"{ty}\".")
            } else {
                format!("Field \"{field}\" is not defined.")
            }
        }
        [_, ty, value] if error.message.contains("enumeration type") => {
            if may_say(ty) {
                format!("Value \"{value}\" does not exist in \"{ty}\" enum.")
            } else {
                format!("Value \"{value}\" does not exist.")
            }
        }
        [field, ty] if error.message.contains("must have a selection") => {
            if may_say(ty) {
                format!("Field \"{field}\" of type \"{ty}\" must have a selection of subfields.")
            } else {
                format!("Field \"{field}\" must have a selection of subfields.")
            }
        }
        names if names.iter().all(|name| may_say(name)) => super::error::shorten(&error.message),
        _ => "The document does not fit the schema.".to_owned(),
    }
}
