//! Query parameters of operations.

use poem_openapi::registry::{MetaOperationParam, MetaParamIn, MetaSchema, MetaSchemaRef};

/// A query parameter: name, kind of value, description.
pub type Parameter = (&'static str, Kind, &'static str);

/// What values of a parameter are.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number, 0 or more.
    Natural,
    /// One of some words.
    Word(&'static [&'static str]),
}

use Kind::{Boolean, Natural, Text, Word};

const MEMBER: Kind = Word(&["PRIMARY", "PRIMARY_PREFERRED", "SECONDARY", "SECONDARY_PREFERRED", "NEAREST"]);

const KEYS: Parameter = ("keys", Text, "Fields to return, comma between them.");
const EXCLUDE_KEYS: Parameter = ("excludeKeys", Text, "Fields not to return, comma between them.");
const INCLUDE: Parameter = ("include", Text, "Pointers to replace by their objects, comma between them.");
const READ_PREFERENCE: Parameter = ("readPreference", MEMBER, "Which member of a replica set to ask.");
const INCLUDE_READ_PREFERENCE: Parameter = ("includeReadPreference", MEMBER, "Which one to ask for included objects.");
const SUBQUERY_READ_PREFERENCE: Parameter =
    ("subqueryReadPreference", MEMBER, "Which one to ask for the queries within constraints.");

/// Of every operation that lists objects.
pub const FIND: &[Parameter] = &[
    ("where", Text, "Constraints, as JSON."),
    ("order", Text, "Fields to sort by, comma between them, `-` before those that descend."),
    ("limit", Natural, "How many objects at most (default 100)."),
    ("skip", Natural, "How many objects to leave out at the start."),
    KEYS,
    EXCLUDE_KEYS,
    INCLUDE,
    ("includeAll", Boolean, "Replace all pointers by their objects, one level."),
    ("count", Natural, "1: tell how many objects match."),
    ("redirectClassNameForKey", Text, "Query the class that this relation field leads to."),
    READ_PREFERENCE,
    INCLUDE_READ_PREFERENCE,
    SUBQUERY_READ_PREFERENCE,
    ("hint", Text, "Index to use."),
    (
        "explain",
        Boolean,
        "Answer with the plan of the query instead; with the master key alone unless configured otherwise.",
    ),
    ("comment", Text, "Goes to the log of the database with the query."),
];

/// Of every operation that gives one object.
pub const GET: &[Parameter] =
    &[KEYS, EXCLUDE_KEYS, INCLUDE, READ_PREFERENCE, INCLUDE_READ_PREFERENCE, SUBQUERY_READ_PREFERENCE];

/// Of a log in by GET.
pub const LOG_IN: &[Parameter] = &[
    ("username", Text, "Name, or e-mail address."),
    ("email", Text, "E-mail address."),
    ("password", Text, "Password."),
];

/// Of an aggregation.
pub const AGGREGATE: &[Parameter] = &[
    ("pipeline", Text, "Stages in MongoDB's language, as a JSON array."),
    ("where", Text, "Constraints that come before the pipeline, as JSON."),
    ("distinct", Text, "A field whose different values are asked for, instead of a pipeline."),
    ("hint", Text, "Index to use."),
    ("explain", Boolean, "Answer with the plan instead."),
    ("comment", Text, "Goes to the log of the database with the pipeline."),
    READ_PREFERENCE,
];

/// Of the log.
pub const LOGS: &[Parameter] = &[
    ("from", Text, "Earliest moment, ISO 8601 (default: a week before `until`)."),
    ("until", Text, "Latest moment, ISO 8601 (default: now)."),
    ("size", Natural, "How many lines at most (default 10)."),
    ("order", Word(&["asc", "desc"]), "Oldest (`asc`) or newest (`desc`, the default) first."),
    ("level", Word(&["info", "error"]), "`error`: errors alone."),
];

/// As the document lists one.
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
