//! Query parameters of operations.

use poem_openapi::registry::{MetaOperationParam, MetaParamIn, MetaSchema, MetaSchemaRef};

/// A query parameter: name, kind of value, description.
pub type Parameter = (&'static str, ParameterType, &'static str);

/// Type of a parameter's value.
#[derive(Debug, Clone, Copy)]
pub enum ParameterType {
    /// Any string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// An integer, 0 or greater.
    Natural,
    /// One of these words.
    Word(&'static [&'static str]),
}

use ParameterType::{Boolean, Natural, Text, Word};

const MEMBER: ParameterType = Word(&["PRIMARY", "PRIMARY_PREFERRED", "SECONDARY", "SECONDARY_PREFERRED", "NEAREST"]);

const KEYS: Parameter = ("keys", Text, "Fields to return, separated by commas.");
const EXCLUDE_KEYS: Parameter = ("excludeKeys", Text, "Fields not to return, separated by commas.");
const INCLUDE: Parameter = ("include", Text, "Pointers to replace by their objects, separated by commas.");
const READ_PREFERENCE: Parameter = ("readPreference", MEMBER, "Members of the replica set to read from.");
const INCLUDE_READ_PREFERENCE: Parameter =
    ("includeReadPreference", MEMBER, "Members of the replica set to read included objects from.");
const SUBQUERY_READ_PREFERENCE: Parameter =
    ("subqueryReadPreference", MEMBER, "Members of the replica set to run subqueries on.");

/// Parameters of operations that list objects.
pub const FIND: &[Parameter] = &[
    ("where", Text, "Conditions as JSON."),
    ("order", Text, "Fields to sort by, separated by commas; `-` before a field sorts it in descending order."),
    ("limit", Natural, "Maximum number of objects (default 100)."),
    ("skip", Natural, "Number of objects to skip at the start."),
    KEYS,
    EXCLUDE_KEYS,
    INCLUDE,
    ("includeAll", Boolean, "Replace all pointers of the first level by their objects."),
    ("count", Natural, "1: return the number of matching objects too."),
    ("redirectClassNameForKey", Text, "Query the target class of this pointer or relation field instead."),
    READ_PREFERENCE,
    INCLUDE_READ_PREFERENCE,
    SUBQUERY_READ_PREFERENCE,
    ("hint", Text, "Index to use."),
    ("explain", Boolean, "Return the plan of the query instead of its result; by default only with the master key."),
    ("comment", Text, "Comment that the database logs with the query."),
];

/// Parameters of operations that get one object.
pub const GET: &[Parameter] =
    &[KEYS, EXCLUDE_KEYS, INCLUDE, READ_PREFERENCE, INCLUDE_READ_PREFERENCE, SUBQUERY_READ_PREFERENCE];

/// Parameters of log in by GET.
pub const LOG_IN: &[Parameter] = &[
    ("username", Text, "Username or email address."),
    ("email", Text, "Email address."),
    ("password", Text, "Password."),
];

/// Parameters of an aggregation.
pub const AGGREGATE: &[Parameter] = &[
    ("pipeline", Text, "Stages of a MongoDB aggregation pipeline, as a JSON array."),
    ("where", Text, "Conditions that are applied before the pipeline, as JSON."),
    ("distinct", Text, "Return the distinct values of this field instead of running a pipeline."),
    ("hint", Text, "Index to use."),
    ("explain", Boolean, "Return the plan instead of the result."),
    ("comment", Text, "Comment that the database logs with the pipeline."),
    READ_PREFERENCE,
];

/// Parameters of the log.
pub const LOGS: &[Parameter] = &[
    ("from", Text, "Earliest time, ISO 8601 (default: a week before `until`)."),
    ("until", Text, "Latest time, ISO 8601 (default: now)."),
    ("size", Natural, "Maximum number of lines (default 10)."),
    ("order", Word(&["asc", "desc"]), "Sort order: oldest first (`asc`) or newest first (`desc`, the default)."),
    ("level", Word(&["info", "error"]), "`error`: only errors."),
];

/// The parameter as poem-openapi describes it.
#[must_use]
pub fn meta((name, kind, about): &Parameter) -> MetaOperationParam {
    let schema = match kind {
        Text => MetaSchema::new("string"),
        Boolean => MetaSchema::new("boolean"),
        Natural => MetaSchema { minimum: Some(0.0), ..MetaSchema::new("integer") },
        Word(words) => {
            MetaSchema { enum_items: words.iter().map(|word| (*word).into()).collect(), ..MetaSchema::new("string") }
        }
    };
    MetaOperationParam {
        name: (*name).to_owned(),
        schema: MetaSchemaRef::Inline(Box::new(schema)),
        in_type: MetaParamIn::Query,
        description: Some((*about).to_owned()),
        required: false,
        deprecated: false,
        explode: true,
        style: None,
    }
}
