//! Turns the command line and the environment into a command to run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::class_command::ClassTask;
use super::cli::{self, Verb};
use super::data_command::DataTask;
use super::database_uri::DatabaseUri;
use super::error::ConfigError;
use super::files_command::{self, FilesTask};
use super::merge::{self, FlatOption, Setting};
use super::user_command::UserTask;
use super::values::Secret;
use super::{Options, Unknown, completions, first_run, help, man, nearest, resolve, traces};
use crate::random::Random;

/// The environment variables of the process.
pub type Environment = BTreeMap<String, String>;

/// The variable that names the configuration file where the command line names none.
const CONFIGURATION: &str = "REPARSE_CONFIG";

/// Reads the environment of this process, without variables that are not UTF-8.
#[must_use]
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The command that the program runs.
#[derive(Debug)]
pub enum Command {
    /// Run the server.
    Serve(Box<Loaded>),
    /// Serve live queries alone, beside servers of the same database.
    LiveQuery(Box<Loaded>),
    /// Say where Parse Dashboard is installed, or how to get it.
    Dashboard(Box<Loaded>),
    /// Print the OpenAPI document of the application.
    OpenApi {
        /// The options.
        loaded: Box<Loaded>,
        /// Whether to print YAML instead of JSON.
        yaml: bool,
    },
    /// Do something with a user.
    User {
        /// The options.
        loaded: Box<Loaded>,
        /// What.
        task: UserTask,
    },
    /// Do something with classes.
    Class {
        /// The options.
        loaded: Box<Loaded>,
        /// What.
        task: ClassTask,
    },
    /// Say which keys a data directory has from now on.
    Keys(NewKeys),
    /// Do something with all data.
    Data {
        /// The options.
        loaded: Box<Loaded>,
        /// What.
        task: DataTask,
    },
    /// Do something with all files.
    Files {
        /// The options.
        loaded: Box<Loaded>,
        /// What.
        task: FilesTask,
    },
    /// Run a job of the app's code, and wait for its end.
    Job {
        /// The options.
        loaded: Box<Loaded>,
        /// Its name.
        name: String,
        /// Its parameters.
        params: Map<String, Value>,
    },
    /// Check that an audit log is as it was written.
    Audit {
        /// A file, or the folder.
        path: PathBuf,
    },
    /// Check whether a running server is healthy; exit status 0 if so.
    HealthCheck {
        /// URL to request.
        url: String,
        /// Whether it is that of this machine, whose certificate has another name.
        own: bool,
    },
    /// Serve the program that started this process.
    Embedded {
        /// Where the program listens.
        socket: PathBuf,
    },
    /// Print this text.
    Help(String),
    /// Print this text.
    Version(String),
}

/// The keys that a data directory was given just now.
#[derive(Debug)]
pub struct NewKeys {
    /// Bypasses all permission checks.
    pub master_key: Secret,
    /// Writes what only the server writes otherwise.
    pub maintenance_key: Secret,
    /// The file that has them.
    pub file: PathBuf,
}

/// The options, and how they were loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The options.
    pub options: Options,
    /// Warnings to log once logging is set up; without secrets.
    pub warnings: Vec<String>,
    /// Whether the server runs without a configuration, with generated keys.
    pub zero_configuration: bool,
    /// Whether the keys were generated just now; they are shown only then.
    pub fresh_keys: bool,
}

/// Parses `args` (without the program's name) and loads the options. Opens only the
/// configuration file and, without a configuration, the file of the generated keys.
pub fn load(
    args: impl IntoIterator<Item = OsString>,
    env: &Environment,
    random: &dyn Random,
) -> Result<Command, ConfigError> {
    let places = merge::places();
    let line = cli::parse(args, &places)?;
    match line.verb {
        Verb::Help => return Ok(Command::Help(help::text())),
        Verb::Version => return Ok(Command::Version(format!("reparse {}", env!("CARGO_PKG_VERSION")))),
        Verb::Man => return Ok(Command::Help(man::text())),
        Verb::Completions => {
            let text = line.operand.as_deref().and_then(Path::to_str).and_then(completions::text);
            let text =
                text.ok_or_else(|| ConfigError::new("completions takes the name of a shell: bash, zsh or fish"))?;
            return Ok(Command::Help(text));
        }
        Verb::HealthCheck => return health_check(line, env, &places),
        Verb::Audit => {
            let path = line.operand.filter(|_| line.verify);
            let path =
                path.ok_or_else(|| ConfigError::new("audit verify takes the path of an audit log, or its folder"))?;
            return Ok(Command::Audit { path });
        }
        Verb::Embedded => {
            let socket = line.operand.ok_or_else(|| ConfigError::new("embedded takes the path of a socket"))?;
            return Ok(Command::Embedded { socket });
        }
        Verb::Serve
        | Verb::Dashboard
        | Verb::OpenApi
        | Verb::LiveQuery
        | Verb::Files
        | Verb::Data
        | Verb::User
        | Verb::Class
        | Verb::Keys
        | Verb::Job => {}
    }
    let task = match line.verb {
        Verb::Files => Some(line.files.task(env.get(files_command::OLD_KEY))?),
        _ => None,
    };
    let data = match line.verb {
        Verb::Data => Some(line.data.task()?),
        _ => None,
    };
    let user = match line.verb {
        Verb::User => Some(line.user.task()?),
        _ => None,
    };
    let class = match line.verb {
        Verb::Class => Some(line.class.task()?),
        _ => None,
    };
    let (from_env, mut warnings) = variables(env, &places)?;
    let file = line.operand.or_else(|| file_in(env));
    let mut map = match &file {
        Some(file) => merge::configuration(read_file(file)?)?,
        None => Map::new(),
    };
    merge::overlay(&mut map, from_env);
    merge::overlay(&mut map, line.settings);

    if line.verb == Verb::LiveQuery {
        alone(&mut map);
    }
    let given = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
    if line.verb == Verb::Keys {
        let configured = file.is_some() || given("appId") || given("masterKey");
        return renew_keys(map, configured, random);
    }
    let zero_configuration = file.is_none() && !given("appId") && !given("masterKey");
    let mut fresh_keys = false;
    if zero_configuration {
        fresh_keys = without_configuration(
            &mut map,
            matches!(line.verb, Verb::Serve | Verb::Job | Verb::User | Verb::Class).then_some(random),
        )?;
    }
    let (options, more) = resolve(map, Unknown::Refused)?;
    warnings.extend(more);
    let loaded = Box::new(Loaded { options, warnings, zero_configuration, fresh_keys });
    if let Some(task) = user {
        return Ok(Command::User { loaded, task });
    }
    if let Some(task) = class {
        return Ok(Command::Class { loaded, task });
    }
    if let Some(task) = data {
        return Ok(Command::Data { loaded, task });
    }
    Ok(match (line.verb, task) {
        (_, Some(task)) => Command::Files { loaded, task },
        (Verb::OpenApi, None) => Command::OpenApi { loaded, yaml: line.yaml },
        (Verb::Dashboard, None) => Command::Dashboard(loaded),
        (Verb::LiveQuery, None) => Command::LiveQuery(loaded),
        (Verb::Job, None) => job(loaded, line.job)?,
        _ => Command::Serve(loaded),
    })
}

/// Gives a data directory other keys.
fn renew_keys(mut map: Map<String, Value>, configured: bool, random: &dyn Random) -> Result<Command, ConfigError> {
    if configured {
        return Err(ConfigError::new(
            "the keys are in the configuration: change them there; a running server takes them on SIGHUP",
        ));
    }
    without_configuration(&mut map, None)?;
    let (options, _) = resolve(map, Unknown::Refused)?;
    let (keys, file) = first_run::renew(options.data_dir(), random)?;
    let (master_key, maintenance_key) = (Secret::new(keys.master_key), Secret::new(keys.maintenance_key));
    Ok(Command::Keys(NewKeys { master_key, maintenance_key, file }))
}

/// Makes the port of the live query server that of the whole process.
fn alone(map: &mut Map<String, Value>) {
    map.insert("startLiveQueryServer".to_owned(), Value::from(true));
    let port = map.get_mut("liveQueryServerOptions").and_then(|options| options.as_object_mut()?.shift_remove("port"));
    if let Some(port) = port.filter(|port| !port.is_null()) {
        map.insert("port".to_owned(), port);
    }
}

/// Reads the options of a program that embeds the server. As in parse-server, a program's options do not come from the
/// environment, and unknown ones are warned of.
pub fn load_embedded(options: Map<String, Value>) -> Result<Loaded, ConfigError> {
    let map = merge::configuration(Value::Object(options))?;
    let (options, warnings) = resolve(map, Unknown::Warned)?;
    Ok(Loaded { options, warnings, zero_configuration: false, fresh_keys: false })
}

fn job(loaded: Box<Loaded>, (name, params): (Option<String>, Option<String>)) -> Result<Command, ConfigError> {
    let name = name.ok_or_else(|| ConfigError::new("reparse job needs the name of a job".to_owned()))?;
    let params = match params {
        None => Map::new(),
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| ConfigError::new(format!("the value of --params is no JSON object: {error}")))?,
    };
    Ok(Command::Job { loaded, name, params })
}

/// Adds the settings of a server without a configuration: local address, embedded store,
/// GraphQL, generated keys. Returns whether the keys are new. Without `random` no keys are
/// generated, for commands that do not use them.
fn without_configuration(map: &mut Map<String, Value>, random: Option<&dyn Random>) -> Result<bool, ConfigError> {
    let data_dir = map.get("dataDir").and_then(Value::as_str).unwrap_or("./data").to_owned();
    for (key, value) in [
        ("host", Value::from("127.0.0.1")),
        ("mountGraphQL", Value::from(true)),
        ("databaseURI", Value::from(format!("file:{data_dir}"))),
    ] {
        map.entry(key).or_insert(value);
    }
    // With placeholders for the keys, all other options are checked before anything is
    // written to disk.
    let mut trial = map.clone();
    for (key, value) in [("appId", "trial"), ("masterKey", "trial master"), ("maintenanceKey", "trial maintenance")] {
        trial.entry(key).or_insert(Value::from(value));
    }
    let Some(random) = random else {
        *map = trial;
        return Ok(false);
    };
    let (options, _) = resolve(trial, Unknown::Refused)?;
    let dir = match options.database.uri {
        DatabaseUri::Embedded { dir } => dir,
        DatabaseUri::Mongo { .. } => PathBuf::from(data_dir),
    };
    let keys = first_run::keys(&dir, random)?;
    map.insert("appId".to_owned(), Value::from(keys.app_id));
    map.insert("masterKey".to_owned(), Value::from(keys.master_key));
    map.entry("maintenanceKey").or_insert(Value::from(keys.maintenance_key));
    Ok(keys.fresh)
}

/// Variables of parse-server that belong to no option of its own and switch something on by being there, with ours that do the same.
const SWITCHES: [(&str, &str); 1] =
    [("PARSE_SERVER_CLEANUP_INVALID_INSTALLATIONS", "REPARSE_CLEANUP_INVALID_INSTALLATIONS")];

/// The settings in the environment, and a warning for each unknown variable with the prefix of
/// options. An empty variable counts as not set.
fn variables(env: &Environment, places: &[FlatOption]) -> Result<(Vec<Setting>, Vec<String>), ConfigError> {
    let mut settings = Vec::new();
    let set = |name: &str| env.get(name).filter(|text| !text.is_empty());
    for place in places {
        let switch = SWITCHES.iter().find(|(_, own)| *own == place.env && set(own).is_none());
        if switch.is_some_and(|(theirs, _)| set(theirs).is_some()) {
            settings.push(place.setting("true", place.env)?);
        } else if let Some(text) = set(place.env) {
            settings.push(place.setting(text, &format!("environment variable {}", place.env))?);
        }
    }
    // Last, so that a variable of ours counts first.
    let (standard, mut warnings) = traces::standard(env);
    for (name, text) in standard.iter().filter(|(name, _)| set(name).is_none()) {
        if let Some(place) = places.iter().find(|place| place.env == *name) {
            settings.push(place.setting(text, &format!("environment variable {name}"))?);
        }
    }
    let known = || places.iter().map(|place| place.env).chain(SWITCHES.iter().map(|(theirs, _)| *theirs));
    let strange = env.keys().filter(|name| name.starts_with("PARSE_SERVER_") || name.starts_with("REPARSE_"));
    let unknown = strange
        .filter(|name| {
            *name != files_command::OLD_KEY && *name != CONFIGURATION && !known().any(|env| env == name.as_str())
        })
        .map(|name| {
            let hint = nearest(name, known()).map(|env| format!("; did you mean {env}?")).unwrap_or_default();
            format!("environment variable {name} is not an option{hint}")
        });
    warnings.extend(unknown);
    Ok((settings, warnings))
}

/// The file that the environment names, for commands that are given none.
fn file_in(env: &Environment) -> Option<PathBuf> {
    env.get(CONFIGURATION).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn read_file(file: &Path) -> Result<Value, ConfigError> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::new(format!("cannot read the configuration {name}: {error}")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        ConfigError::new(format!("the configuration {name} is not valid JSON ({place})"))
    })
}

/// The URL of a health check: the one on the command line, or that of a server on this machine with the same configuration.
fn health_check(line: cli::Line, env: &Environment, places: &[FlatOption]) -> Result<Command, ConfigError> {
    let url = line.operand.as_deref().and_then(Path::to_str);
    if let Some(url) = url.filter(|url| url.starts_with("http://") || url.starts_with("https://")) {
        return Ok(Command::HealthCheck { url: url.to_owned(), own: false });
    }
    if line.operand.as_ref().is_some_and(|file| !file.exists()) {
        return Err(ConfigError::new(
            "healthcheck takes a URL that starts with http:// or https://, or the path of a configuration",
        ));
    }
    let mut map = match line.operand.or_else(|| file_in(env)) {
        Some(file) => merge::configuration(read_file(&file)?)?,
        None => Map::new(),
    };
    merge::overlay(&mut map, variables(env, places)?.0);
    merge::overlay(&mut map, line.settings);
    let (options, _) = super::read(map);
    let (scheme, server) = (options.own.tls.scheme(), options.server);
    let mount = server.mount_path.trim_end_matches('/');
    let host = own_host(&server.host);
    Ok(Command::HealthCheck { url: format!("{scheme}://{host}:{}{mount}/health", server.port), own: true })
}

/// Where this machine reaches a server that listens on a host.
fn own_host(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(address)) if address.is_unspecified() => "[::1]".to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(_)) | Err(_) => bare.to_owned(),
    }
}
