//! Executes an operation (queries concurrently, mutations in order) and writes the response.

use futures_util::StreamExt as _;
use serde_json::Value as Json;

use super::describe::SchemaElement;
use super::dialect::Dialect;
use super::introspect::Introspector;
use super::leaf::Leaf;
use super::schema::Schema;
use super::text::Text;

/// Maximum number of root fields of a query that run at the same time.
pub const TOGETHER: usize = 8;

/// A root field; `F` is a field compiled by the dialect.
#[derive(Debug)]
pub enum RootField<F> {
    /// `__typename` of the root.
    TypeName(String),
    /// `__schema`.
    Schema(String, Leaf),
    /// `__type`, with the requested name.
    Type(String, String, Leaf),
    /// A field of the dialect.
    Dialect(Box<F>),
}

/// Executes the fields of an operation and returns the body of the response.
pub async fn execute<'a, D: Dialect>(
    schema: &'a Schema<D::Catalog>,
    context: D::Request<'a>,
    fields: Vec<RootField<D::Field>>,
    mutation: bool,
) -> Text {
    let describe = |element: SchemaElement<'_>| D::describe(&schema.catalog, element);
    let introspector = Introspector::new(&schema.types, &describe);
    let answers = futures_util::stream::iter(fields)
        .map(|field| async move {
            match field {
                RootField::TypeName(key) => {
                    let name = if mutation { "Mutation" } else { "Query" };
                    Answer { key, value: Some(Text::of(name)), errors: Vec::new(), nullable: false }
                }
                RootField::Schema(key, leaf) => {
                    let value = introspector.schema(&leaf);
                    Answer { key, value: Some(Text::of(&value)), errors: Vec::new(), nullable: false }
                }
                RootField::Type(key, name, leaf) => {
                    let value = introspector.type_of_name(&name, &leaf);
                    Answer { key, value: Some(Text::of(&value)), errors: Vec::new(), nullable: true }
                }
                RootField::Dialect(field) => D::answer(context, field).await,
            }
        })
        .buffered(if mutation { 1 } else { TOGETHER })
        .collect::<Vec<_>>()
        .await;
    body(answers)
}

/// The body of the response with the results of all root fields.
pub fn body(answers: Vec<Answer>) -> Text {
    let (data, errors) = gather(answers);
    let mut body = Text::default();
    let mut first = body.open('{');
    if !errors.is_empty() {
        body.key(&mut first, "errors");
        body.value(&errors);
    }
    body.key(&mut first, "data");
    match data {
        Some(data) => body.append(&data),
        None => body.null(),
    }
    body.close('}');
    body
}

/// Combines the results of fields: their object (`None` if a non-null field has no value) and all errors.
pub fn gather(answers: Vec<Answer>) -> (Option<Text>, Vec<Json>) {
    let (mut data, mut errors, mut lost) = (Text::default(), Vec::new(), false);
    let mut first = data.open('{');
    for answer in answers {
        errors.extend(answer.errors);
        lost |= answer.value.is_none() && !answer.nullable;
        data.key(&mut first, &answer.key);
        match &answer.value {
            Some(value) => data.append(value),
            None => data.null(),
        }
    }
    data.close('}');
    ((!lost).then_some(data), errors)
}

/// A step of a path in the response.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Into an object.
    Key(&'a str),
    /// Into a list.
    Index(usize),
}

impl Step<'_> {
    /// The path of a value in the response, for errors.
    #[must_use]
    pub fn path(steps: &[Self]) -> Vec<Json> {
        let json = |step: &Self| match *step {
            Self::Key(key) => Json::from(key),
            Self::Index(index) => Json::from(index),
        };
        steps.iter().map(json).collect()
    }
}

/// The result of a root field.
#[derive(Debug)]
pub struct Answer {
    /// Key in the response.
    pub key: String,
    /// Its value; `None` if it has none.
    pub value: Option<Text>,
    /// Its errors.
    pub errors: Vec<Json>,
    /// Whether it may be null.
    pub nullable: bool,
}
