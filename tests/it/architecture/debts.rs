//! Exceptions from `rules.rs` that are not mended yet. The lists may only become shorter.

/// Uses that break a rule.
pub struct Arrows {
    /// Why they are still there.
    pub reason: &'static str,
    /// The using module and the used one.
    pub arrows: &'static [(&'static str, &'static str)],
}

/// A module that treats classes differently by their names.
pub struct Classes {
    pub module: &'static str,
    /// Constants of `model/names.rs`.
    pub names: &'static [&'static str],
    pub reason: &'static str,
}

/// Files of the domain that depend on each other in a circle.
pub const LARGEST_CIRCLE: usize = 5;

pub const ARROWS: &[Arrows] = &[
    Arrows {
        reason: "Log in and sign up create a session: one way from users to sessions, none back.",
        arrows: &[("domain::features::users::sessions", "domain::features::sessions")],
    },
    Arrows {
        reason: "The GraphQL configuration is stored like the global one.",
        arrows: &[("domain::features::graphql_config", "domain::features::global_config")],
    },
    Arrows {
        reason: "Audiences are plain objects except for one field.",
        arrows: &[("domain::features::audiences", "domain::classes")],
    },
    Arrows {
        reason: "The last lines of the log are kept in a global value, which `/scriptlog` reads.",
        arrows: &[("logging", "domain::features::logs")],
    },
];

pub const CLASSES: &[Classes] = &[
    Classes {
        module: "config::rules",
        names: &["USER"],
        reason: "The default of the option `protectedFields` names the class whose e-mail addresses it hides.",
    },
    Classes {
        module: "domain::features::graphql_config",
        names: &["USER"],
        reason: "Old configurations say `username` where the fields of users are meant.",
    },
    Classes {
        module: "domain::permissions::protected_fields",
        names: &["USER"],
        reason: "The option about users' own rows (`protectedFieldsOwnerExempt`) is about this class alone.",
    },
    Classes {
        module: "domain::schema::clp_check",
        names: &["USER"],
        reason: "A pointer permission needs a field that points at users.",
    },
    Classes {
        module: "graphql::current::schema",
        names: &["USER"],
        reason: "Users have types of their own in the GraphQL schema.",
    },
    Classes {
        module: "graphql::legacy::schema",
        names: &["USER"],
        reason: "Users have types of their own in the GraphQL schema.",
    },
    Classes {
        module: "rest::openapi::typed",
        names: &["PRODUCT", "USER"],
        reason: "The document has routes and fields of their own for these classes.",
    },
    Classes {
        module: "rest::reply",
        names: &["USER"],
        reason: "The `Location` of a new user is another route than that of an object.",
    },
    Classes {
        module: "storage::mongo::schema",
        names: &["USER"],
        reason: "parse-server's schema document leaves out the password of users.",
    },
];

/// Words of Parse in the GraphQL engine: module, word, reason.
pub const WORDS: &[(&str, &str, &str)] = &[];
