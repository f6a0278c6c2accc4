//! The options of the server. Each is declared once, in the file of its area. Flags override
//! environment variables, which override the configuration file, which overrides the defaults.
//!
//! [`load`] turns the command line and the environment into a [`Command`]. The rest of the
//! server gets typed [`Options`] and never reads the environment.

pub mod audit;
pub mod backup;
mod class_command;
mod cli;
pub mod code;
mod completions;
pub mod dashboard;
mod data_command;
pub mod database;
pub mod database_uri;
pub mod declare;
pub mod driver;
mod error;
pub mod files;
mod files_command;
mod first_run;
pub mod free;
pub mod graphql;
pub mod help;
pub mod keys;
pub mod limits;
pub mod live;
pub mod live_query;
mod load;
pub mod logging;
pub mod mail;
mod man;
mod merge;
mod messages;
pub mod metrics;
pub mod network;
pub mod push;
pub mod rate_limit;
pub mod reparse;
pub mod rules;
pub mod schema;
pub mod security;
pub mod server;
mod support;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod traces;
mod user_command;
pub mod users;
mod validate;
pub mod values;

use serde_json::{Map, Value};

pub use class_command::ClassTask;
pub use data_command::DataTask;
pub use database_uri::DatabaseUri;
use declare::{Problem, Reader, Section, Spec};
pub use error::ConfigError;
pub use files_command::{FilesPlace, FilesTask};
pub use live::LiveOptions;
pub use load::{Command, Environment, Loaded, NewKeys, environment, load, load_embedded};
pub use network::{IpList, TrustProxy};
pub use user_command::{UserAction, UserTask};
pub use values::Secret;

/// Declares [`Options`]: one field for each area. The keys of all areas are at the top level of
/// a configuration file.
macro_rules! areas {
    ($($(#[doc = $doc:literal])+ $field:ident: $ty:ty, $title:literal;)*) => {
        /// All options, by area.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct Options {
            $($(#[doc = $doc])+ pub $field: $ty,)*
        }

        impl Options {
            /// The table of options: title and rows of each area.
            #[must_use]
            pub fn areas() -> Vec<(&'static str, Vec<Spec>)> {
                vec![$(($title, <$ty as Section>::specs()),)*]
            }

            fn read(map: &mut Map<String, Value>, reader: &mut Reader) -> Self {
                Self { $($field: <$ty as Section>::read(map, reader),)* }
            }

            /// The options as a configuration file would have them.
            #[must_use]
            pub fn write(&self) -> Map<String, Value> {
                let mut map = Map::new();
                $(self.$field.write(&mut map);)*
                map
            }
        }
    };
}

areas! {
    /// Application id, keys, and the addresses that may use them.
    keys: keys::Keys, "Keys";
    /// HTTP server.
    server: server::Server, "Server";
    /// Database and queries.
    database: database::Database, "Database";
    /// Schema.
    schema: schema::Schema, "Schema";
    /// Users and sessions.
    users: users::Users, "Users and sessions";
    /// Email verification, password reset and their pages.
    mail: mail::Mail, "Email";
    /// What callers may read, request and send.
    security: security::Security, "Security";
    /// Files.
    files: files::Files, "Files";
    /// GraphQL.
    graphql: graphql::GraphQl, "GraphQL";
    /// Live queries.
    live_query: live_query::LiveQuery, "Live query";
    /// Push and installations.
    push: push::Push, "Push and installations";
    /// Logs.
    logging: logging::Logging, "Logs";
    /// Options that parse-server does not have.
    own: reparse::ReparseOptions, "Options that only reparse has";
}

impl Options {
    /// Reads options from JSON with the form of a configuration file, without environment and
    /// flags. Fails where the server would refuse to start.
    pub fn from_json(configuration: Value) -> Result<Self, ConfigError> {
        let map = merge::configuration(configuration)?;
        resolve(map, Unknown::Refused).map(|(options, _)| options)
    }

    /// The folder for what the server keeps beside its database: that of the embedded store, or the option `dataDir`.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        match &self.database.uri {
            DatabaseUri::Embedded { dir } => dir,
            DatabaseUri::Mongo { .. } => std::path::Path::new(&self.own.data_dir),
        }
    }

    /// Checks that no key is another one, too.
    ///
    /// # Errors
    /// Which are the same.
    pub fn check_keys(&self) -> Result<(), ConfigError> {
        validate::keys(self)
    }

    /// All top-level rows.
    #[must_use]
    fn specs() -> Vec<Spec> {
        Self::areas().into_iter().flat_map(|(_, specs)| specs).collect()
    }
}

/// What happens to keys that no option has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    Warned,
}

/// Turns merged settings into options and warnings. Checks unknown keys, types, rules and
/// support, in this order.
fn resolve(mut map: Map<String, Value>, unknown: Unknown) -> Result<(Options, Vec<String>), ConfigError> {
    let mut warnings = support::take_removed(&mut map);
    let names_database = map.get("databaseURI").is_some_and(|uri| !uri.is_null());
    let (mut options, problems) = read(map.clone());
    for problem in problems {
        match problem {
            Problem::Wrong(message) => return Err(ConfigError::new(message)),
            Problem::Unknown { path, nearest } => {
                let hint = nearest.map(|key| format!("; did you mean {key}?")).unwrap_or_default();
                let message = format!("unknown option {path}{hint}");
                if unknown == Unknown::Refused && !options.own.ignore_unsupported {
                    return Err(ConfigError::new(message));
                }
                warnings.push(format!("{message} (ignored)"));
            }
        }
    }
    validate::required(&options, names_database)?;
    validate::rules(&options)?;
    let missing = support::missing(&options, &map);
    if !missing.is_empty() {
        if let (false, Some(first)) = (options.own.ignore_unsupported, missing.first()) {
            return Err(ConfigError::new(first.message.clone()));
        }
        for gap in &missing {
            warnings.push(format!("{} (ignored)", gap.message));
            support::prune(&mut map, &gap.path);
        }
        options = read(map).0;
    }
    warnings.extend(validate::warnings(&options));
    complete(&mut options);
    Ok((options, warnings))
}

/// Reads every option and lists the problems.
fn read(mut map: Map<String, Value>) -> (Options, Vec<Problem>) {
    let mut reader = Reader::default();
    let options = Options::read(&mut map, &mut reader);
    reader.unknown(&map, &Options::specs());
    (options, reader.problems)
}

/// Sets the options whose default depends on other options.
fn complete(options: &mut Options) {
    let server = &mut options.server;
    for path in [
        &mut server.mount_path,
        &mut options.graphql.path,
        &mut options.graphql.playground_path,
        &mut options.own.graphql_legacy_path,
        &mut options.own.dashboard.path,
        &mut options.own.metrics.path,
    ] {
        if path.len() > 1 && path.ends_with('/') {
            path.truncate(path.trim_end_matches('/').len().max(1));
        }
    }
    if server.server_url.is_none() {
        let scheme = options.own.tls.scheme();
        server.server_url = Some(format!("{scheme}://localhost:{}{}", server.port, server.mount_path));
    }
    let security = &mut options.security;
    if let Some(fields) = &security.user_sensitive_fields {
        security.protected_fields.add_user_fields(fields);
    }
    security.protected_fields.complete(security.protected_fields_owner_exempt);
}

/// The candidate most similar to `word`, if one is similar enough.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}
