//! The options: declared once per option, loaded in the order
//! defaults < configuration file < environment < flags.

pub mod database;
pub mod database_uri;
pub mod declare;
pub mod driver;
pub mod files;
pub mod free;
pub mod graphql;
pub mod keys;
pub mod live_query;
pub mod logging;
pub mod mail;
pub mod network;
pub mod own;
pub mod push;
pub mod rate_limit;
pub mod rules;
pub mod schema;
pub mod security;
pub mod server;
pub mod users;
mod validate;
pub mod values;

pub use database_uri::DatabaseUri;
pub use values::Secret;

/// Every option, in areas.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Application id and keys.
    pub keys: keys::Keys,
    /// The HTTP server.
    pub server: server::Server,
    /// Where objects are stored.
    pub database: database::Database,
    /// Classes.
    pub schema: schema::Schema,
    /// Users and sessions.
    pub users: users::Users,
    /// Mail flows.
    pub mail: mail::Mail,
    /// What callers may do.
    pub security: security::Security,
    /// Files.
    pub files: files::Files,
    /// GraphQL.
    pub graphql: graphql::GraphQl,
    /// Live queries.
    pub live_query: live_query::LiveQuery,
    /// Push and installations.
    pub push: push::Push,
    /// Logs.
    pub logging: logging::Logging,
    /// What parse-server does not have.
    pub own: own::Own,
}

/// The candidate most like `word`, if any is alike.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}
