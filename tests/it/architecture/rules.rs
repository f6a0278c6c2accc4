//! Who may name whom, and which exceptions are left.

/// What a module may name. The rule with the longest `of` counts; a name stands for the module and all below it.
pub struct Rule {
    pub of: &'static str,
    /// Besides what is below `of`.
    pub may: &'static [&'static str],
    /// Wins over `may` and over `of`.
    pub never: &'static [&'static str],
    /// Crates that must not be named.
    pub never_crates: &'static [&'static str],
}

const STORES: &[&str] = &["storage::mongo", "storage::sqlite", "storage::memory"];
const DATABASES: &[&str] = &["mongodb", "bson", "rusqlite"];
const WEB_AND_DATABASES: &[&str] =
    &["poem", "poem_openapi", "hyper", "async_graphql", "async_graphql_poem", "mongodb", "bson", "rusqlite"];
const DATABASES_AND_GRAPHQL: &[&str] = &["mongodb", "bson", "rusqlite", "async_graphql", "async_graphql_poem"];

/// One line per module whose directions differ from those of the module around it.
pub const RULES: &[Rule] = &[
    Rule { of: "error", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "clock", may: &["model"], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "random", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule {
        of: "model",
        may: &["error"],
        never: &[],
        never_crates: &["tokio", "poem", "mongodb", "bson", "rusqlite", "async_graphql", "futures_util"],
    },
    Rule { of: "config", may: &["model", "error", "random"], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "logging", may: &["config", "clock"], never: &[], never_crates: WEB_AND_DATABASES },
    // The trait, and two stores that do not know each other.
    Rule { of: "storage", may: &["model", "error"], never: STORES, never_crates: WEB_AND_DATABASES },
    Rule {
        of: "storage::mongo",
        may: &["storage", "model", "error"],
        never: &["storage::sqlite", "storage::memory"],
        never_crates: &["poem", "poem_openapi", "hyper", "async_graphql", "rusqlite"],
    },
    Rule {
        of: "storage::sqlite",
        may: &["storage", "model", "error"],
        never: &["storage::mongo", "storage::memory"],
        never_crates: &["poem", "poem_openapi", "hyper", "async_graphql", "mongodb", "bson"],
    },
    Rule { of: "adapters", may: &["model", "error", "random"], never: &[], never_crates: WEB_AND_DATABASES },
    // Inside the domain: features → pipelines → schema → store → permissions → kernel.
    Rule { of: "domain::kernel", may: KERNEL_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::schema", may: SCHEMA_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::permissions", may: PERMISSIONS_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::read", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::write", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::delete", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::batch", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::aggregate", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::store", may: STORE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::start", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::classes", may: FEATURE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::features", may: FEATURE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    // What speaks a protocol: decodes, calls the domain, encodes. None knows another.
    Rule { of: "http", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "rest", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "pages", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "live_query", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "graphql", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES },
    Rule { of: "graphql::engine", may: &[], never: DIALECTS, never_crates: DATABASES },
    Rule { of: "graphql::current", may: DIALECT_MAY, never: &["graphql::legacy"], never_crates: DATABASES },
    Rule { of: "graphql::legacy", may: DIALECT_MAY, never: &["graphql::current"], never_crates: DATABASES },
    // Until it moves to `graphql::legacy`.
    Rule { of: "graphql_legacy", may: DIALECT_MAY, never: &[], never_crates: DATABASES },
];

const KERNEL_MAY: &[&str] = &["model", "error", "config", "clock", "random", "storage", "adapters"];
const PERMISSIONS_MAY: &[&str] =
    &["domain::kernel", "model", "error", "config", "clock", "random", "storage", "adapters"];
const STORE_MAY: &[&str] =
    &["domain::permissions", "domain::kernel", "model", "error", "config", "clock", "random", "storage", "adapters"];
const SCHEMA_MAY: &[&str] = &[
    "domain::store",
    "domain::permissions",
    "domain::kernel",
    "model",
    "error",
    "config",
    "clock",
    "random",
    "storage",
    "adapters",
];
/// Pipelines use each other: a write reads, a read runs sub-queries.
const PIPELINE_MAY: &[&str] = &[
    "domain::store",
    "domain::read",
    "domain::write",
    "domain::delete",
    "domain::batch",
    "domain::aggregate",
    "domain::permissions",
    "domain::schema",
    "domain::kernel",
    "model",
    "error",
    "config",
    "clock",
    "random",
    "storage",
    "adapters",
];
/// Features do not name each other; [`SEPARATE_BELOW`] says so.
const FEATURE_MAY: &[&str] = PIPELINE_MAY;
const PROTOCOL_MAY: &[&str] = &["http", "domain", "model", "error", "config"];
const DIALECT_MAY: &[&str] = &["graphql", "http", "domain", "model", "error", "config"];
const DIALECTS: &[&str] = &["graphql::current", "graphql::legacy"];

/// Each module directly below one of these is on its own: it does not name its neighbours.
pub const SEPARATE_BELOW: &[&str] = &["domain::features"];

/// Each module directly below one of these needs a rule of its own, so that a new one is given a place.
pub const NEEDS_A_PLACE: &[&str] = &["", "domain"];

/// Modules that put the parts together and may name anything.
pub const UNRULED: &[&str] = &["main", "lib", "server", "commands", "program"];

/// Words of Parse that the GraphQL engine must not contain, in names or texts.
pub const PARSE_WORDS: &[&str] = &[
    "objectId",
    "className",
    "sessionToken",
    "createdAt",
    "updatedAt",
    "ParseError",
    "ClassName",
    "masterKey",
    "ACL",
    "Pointer",
    "Relation",
    "GeoPoint",
];

/// Modules that may compare with the name of a class that has rules of its own, and why.
pub const KNOWS_CLASSES: &[(&str, &str)] = &[
    ("model::names", "the table of names"),
    ("domain::kernel::system_classes", "the columns of these classes"),
    ("storage::mongo::names", "parse-server's column names in these classes"),
];
