//! Which module may use which other module, and which crates.

/// What a module may use. The rule with the longest matching `of` applies. A name stands for the module and all modules below it.
pub struct Rule {
    pub of: &'static str,
    /// In addition to modules below `of`.
    pub may: &'static [&'static str],
    /// Overrides `may` and `of`.
    pub never: &'static [&'static str],
    /// Crates that must not be used.
    pub never_crates: &'static [&'static str],
}

const STORES: &[&str] = &["storage::mongo", "storage::sqlite", "storage::memory"];
const DATABASES: &[&str] = &["mongodb", "bson", "rusqlite"];
const WEB_AND_DATABASES: &[&str] =
    &["poem", "poem_openapi", "hyper", "async_graphql", "async_graphql_poem", "mongodb", "bson", "rusqlite"];
const DATABASES_AND_GRAPHQL: &[&str] = &["mongodb", "bson", "rusqlite", "async_graphql", "async_graphql_poem"];

/// One entry per module whose rule differs from that of its parent.
pub const RULES: &[Rule] = &[
    Rule { of: "error", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "clock", may: &["model"], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "bounded_cache", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "random", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "private_file", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "system", may: &[], never: &[], never_crates: WEB_AND_DATABASES },
    Rule { of: "traces", may: &["model"], never: &[], never_crates: WEB_AND_DATABASES },
    Rule {
        of: "model",
        may: &["error"],
        never: &[],
        never_crates: &["tokio", "poem", "mongodb", "bson", "rusqlite", "async_graphql", "futures_util"],
    },
    Rule {
        of: "config",
        may: &["model", "error", "random", "private_file", "system"],
        never: &[],
        never_crates: WEB_AND_DATABASES,
    },
    // Reads the adapters' tables of names and settings.
    Rule {
        of: "config::support",
        may: &["config", "adapters", "model", "error", "random"],
        never: &[],
        never_crates: WEB_AND_DATABASES,
    },
    Rule { of: "logging", may: &["config", "clock"], never: &[], never_crates: WEB_AND_DATABASES },
    // The trait, and two stores that do not know each other.
    Rule { of: "storage", may: &["model", "error"], never: STORES, never_crates: WEB_AND_DATABASES },
    Rule {
        of: "storage::observed",
        may: &["storage", "model", "traces"],
        never: STORES,
        never_crates: WEB_AND_DATABASES,
    },
    Rule {
        of: "storage::mongo",
        may: &["storage", "model", "error"],
        never: &["storage::sqlite", "storage::memory"],
        never_crates: &["poem", "poem_openapi", "hyper", "async_graphql", "rusqlite"],
    },
    Rule {
        of: "storage::sqlite",
        may: &["storage", "model", "error", "private_file", "system"],
        never: &["storage::mongo", "storage::memory"],
        never_crates: &["poem", "poem_openapi", "hyper", "async_graphql", "mongodb", "bson"],
    },
    Rule {
        of: "adapters",
        may: &["model", "error", "clock", "random", "bounded_cache", "private_file", "system", "traces"],
        never: &[],
        never_crates: WEB_AND_DATABASES,
    },
    // Files can be stored in MongoDB (GridFS), with a client of their own, or by an adapter in JavaScript.
    Rule {
        of: "adapters::files",
        may: &["adapters::cloud", "model", "error", "clock", "random", "private_file", "system"],
        never: &[],
        never_crates: &["poem", "poem_openapi", "hyper", "async_graphql", "rusqlite"],
    },
    // Inside the domain: features → pipelines → schema → store → permissions → kernel.
    Rule { of: "domain::kernel", may: KERNEL_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::schema", may: SCHEMA_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::permissions", may: PERMISSIONS_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::read", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::write", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::delete", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::batch", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::aggregate", may: PIPELINE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    // Calls the handlers of triggers; the pipelines call it.
    Rule { of: "domain::triggers", may: TRIGGERS_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::store", may: STORE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    // Opens the app: reads the schema, creates classes, calls the features.
    Rule { of: "domain::start", may: FEATURE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::classes", may: FEATURE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    Rule { of: "domain::features", may: FEATURE_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    // What is done to all data, without a server and its features.
    Rule { of: "domain::upkeep", may: UPKEEP_MAY, never: STORES, never_crates: WEB_AND_DATABASES },
    // Protocols decode, call the domain and encode. They do not use each other.
    Rule { of: "http", may: HTTP_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "rest", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    // Pages are routes below the mount path of REST, stated like the others.
    Rule { of: "pages", may: PAGES_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "dashboard", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "live_query", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES_AND_GRAPHQL },
    Rule { of: "graphql", may: PROTOCOL_MAY, never: &[], never_crates: DATABASES },
    Rule { of: "graphql::engine", may: &["traces"], never: DIALECTS, never_crates: DATABASES },
    // What the dialects share: Parse on top of the engine.
    Rule { of: "graphql::parse", may: DIALECT_MAY, never: DIALECTS, never_crates: DATABASES },
    Rule { of: "graphql::current", may: DIALECT_MAY, never: &["graphql::legacy"], never_crates: DATABASES },
    Rule { of: "graphql::legacy", may: DIALECT_MAY, never: &["graphql::current"], never_crates: DATABASES },
];

const KERNEL_MAY: &[&str] = &["model", "error", "config", "clock", "random", "storage", "adapters", "traces"];
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
const UPKEEP_MAY: &[&str] = &[
    "domain::schema",
    "domain::kernel",
    "model",
    "error",
    "config",
    "clock",
    "random",
    "private_file",
    "storage",
    "adapters",
];
const TRIGGERS_MAY: &[&str] = &[
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
/// Pipelines use each other: a write reads, a read runs sub-queries.
const PIPELINE_MAY: &[&str] = &[
    "domain::triggers",
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
    "bounded_cache",
    "storage",
    "adapters",
    "traces",
];
/// Features do not use each other; [`SEPARATE_BELOW`] says so.
const FEATURE_MAY: &[&str] = PIPELINE_MAY;
/// Rate limits count in Redis.
const HTTP_MAY: &[&str] = &["adapters::redis", "random", "domain", "model", "error", "config", "system", "traces"];
const PROTOCOL_MAY: &[&str] = &["http", "domain", "model", "error", "config", "traces"];
const PAGES_MAY: &[&str] = &["rest::route", "rest::call", "http", "domain", "model", "error", "config"];
const DIALECT_MAY: &[&str] = &["graphql", "http", "domain", "model", "error", "config"];
const DIALECTS: &[&str] = &["graphql::current", "graphql::legacy"];

/// Modules directly below one of these do not use each other.
pub const SEPARATE_BELOW: &[&str] = &["domain::features"];

/// Every module directly below one of these needs a rule, so that nobody forgets to add one for a new module.
pub const NEED_RULES: &[&str] = &["", "domain"];

/// Modules that put the parts together and may use anything.
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

/// Modules that implement a trait of another crate which was declared with `async_trait`.
pub const IMPLEMENT_ASYNC_TRAITS: &[&str] = &["adapters::files::cloud::web"];

/// Modules that may compare class names with those of special classes: the module and all below it, the constants of
/// `model/names.rs` (none: all), and why.
pub const MAY_COMPARE_CLASSES: &[(&str, &[&str], &str)] = &[
    ("model::names", &[], "defines these names"),
    ("domain::kernel::system_classes", &[], "defines the columns of these classes"),
    ("storage::mongo::names", &[], "maps column names to parse-server's in these classes"),
    ("domain::features::users", &["USER"], "the feature of this class"),
    ("domain::features::sessions", &["SESSION", "USER"], "caches objects of these classes"),
    ("domain::features::roles", &["ROLE", "ROLE_USERS", "ROLE_ROLES"], "caches objects of these classes"),
    ("domain::features::installations", &["INSTALLATION"], "the feature of this class"),
];
