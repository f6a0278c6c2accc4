//! Parses the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use super::class_command::ClassArguments;
use super::data_command::DataArguments;
use super::declare::{OptionType, from_text};
use super::error::ConfigError;
use super::files_command::{self, FilesArguments};
use super::merge::{FlatOption, Setting};
use super::nearest;
use super::user_command::UserArguments;

/// The command to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Serve,
    Audit,
    Dashboard,
    Completions,
    Man,
    OpenApi,
    LiveQuery,
    HealthCheck,
    Files,
    Data,
    User,
    Class,
    Keys,
    Embedded,
    Job,
    Help,
    Version,
}

/// A parsed command line.
#[derive(Debug)]
pub(super) struct Line {
    pub verb: Verb,
    /// The configuration file, the url of a health check, or the socket of the program that embeds the server.
    pub operand: Option<PathBuf>,
    pub settings: Vec<Setting>,
    /// Dotted names of the options that are set by flags.
    pub given: Vec<String>,
    /// Whether an audit log is to be checked.
    pub verify: bool,
    /// Whether to print the OpenAPI document as YAML.
    pub yaml: bool,
    /// What is to be done with files.
    pub files: FilesArguments,
    /// What is to be done with the data.
    pub data: DataArguments,
    /// What is to be done with a user.
    pub user: UserArguments,
    /// What is to be done with classes.
    pub class: ClassArguments,
    /// The job to run, and its parameters as JSON.
    pub job: (Option<String>, Option<String>),
}

/// Parses the arguments without the program's name.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>, places: &[FlatOption]) -> Result<Line, ConfigError> {
    let mut args = args.into_iter().peekable();
    let mut line = Line {
        verb: Verb::Serve,
        operand: None,
        settings: Vec::new(),
        given: Vec::new(),
        verify: false,
        yaml: false,
        files: FilesArguments::default(),
        data: DataArguments::default(),
        user: UserArguments::default(),
        class: ClassArguments::default(),
        job: (None, None),
    };
    let mut first = true;
    let mut flags_over = false;
    while let Some(arg) = args.next() {
        let text = arg.to_str();
        match text {
            Some("--") if !flags_over => {
                flags_over = true;
                continue;
            }
            Some("--help" | "-h") if !flags_over => line.verb = Verb::Help,
            Some("--version" | "-V") if !flags_over => line.verb = Verb::Version,
            Some("--yaml") if !flags_over && line.verb == Verb::OpenApi => line.yaml = true,
            Some(flag) if !flags_over && line.verb == Verb::Files && line.files.takes(flag) => {
                let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
                let value = match value {
                    Some(value) => value.to_owned(),
                    None if files_command::SWITCHES.contains(&name) => "true".to_owned(),
                    None => text_of(args.next(), name)?,
                };
                line.files.set(name, value);
            }
            Some(flag) if !flags_over && line.verb == Verb::Data && line.data.takes(flag) => {}
            Some("--params") if !flags_over && line.verb == Verb::Job => {
                line.job.1 = Some(text_of(args.next(), "--params")?);
            }
            Some(flag) if !flags_over && line.verb == Verb::Job && flag.starts_with("--params=") => {
                line.job.1 = flag.strip_prefix("--params=").map(str::to_owned);
            }
            Some(flag) if !flags_over && flag.starts_with('-') && flag.len() > 1 => {
                let (name, value) = match flag.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (flag, None),
                };
                let place = find(name, places)?;
                let value = match value {
                    Some(value) => value,
                    None if place.kind == OptionType::Boolean => {
                        let next = args.peek().and_then(|next| next.to_str());
                        match next.filter(|next| from_text(next, OptionType::Boolean).is_some()) {
                            Some(_) => text_of(args.next(), name)?,
                            None => "true".to_owned(),
                        }
                    }
                    None => {
                        let next = args.next_if(|next| !next.to_str().is_some_and(|next| next.starts_with("--")));
                        text_of(next, name)?
                    }
                };
                line.settings.push(place.setting(&value, &format!("flag --{}", place.name()))?);
                line.given.push(place.name());
            }
            Some("live-query") if first => line.verb = Verb::LiveQuery,
            Some("completions") if first => line.verb = Verb::Completions,
            Some("man") if first => line.verb = Verb::Man,
            Some("version") if first => line.verb = Verb::Version,
            Some("audit") if first => line.verb = Verb::Audit,
            Some("verify") if line.verb == Verb::Audit && !line.verify => line.verify = true,
            Some("dashboard") if first => line.verb = Verb::Dashboard,
            Some("openapi") if first => line.verb = Verb::OpenApi,
            Some("embedded") if first => line.verb = Verb::Embedded,
            Some("healthcheck") if first => line.verb = Verb::HealthCheck,
            Some("files") if first => line.verb = Verb::Files,
            Some(word) if first && line.data.begin(word) => line.verb = Verb::Data,
            Some(action) if line.verb == Verb::Files && line.files.action.is_none() => {
                line.files.action = Some(action.to_owned());
            }
            Some("user") if first => line.verb = Verb::User,
            Some(argument) if line.verb == Verb::User && line.user.takes(argument) => {}
            Some("class") if first => line.verb = Verb::Class,
            Some(argument) if line.verb == Verb::Class && line.class.takes(argument) => {}
            Some("keys") if first => line.verb = Verb::Keys,
            Some("job") if first => line.verb = Verb::Job,
            Some(name) if line.verb == Verb::Job && line.job.0.is_none() => line.job.0 = Some(name.to_owned()),
            _ if line.verb == Verb::Data && line.data.place().is_some() => {
                if let Some(place) = line.data.place() {
                    *place = Some(PathBuf::from(arg));
                }
            }
            _ if line.operand.is_none() => line.operand = Some(PathBuf::from(arg)),
            _ => return Err(ConfigError::new(format!("more than one configuration file: {}", arg.to_string_lossy()))),
        }
        first = false;
    }
    Ok(line)
}

fn text_of(value: Option<OsString>, flag: &str) -> Result<String, ConfigError> {
    match value.map(OsString::into_string) {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) => Err(ConfigError::new(format!("the value of {flag} is not UTF-8"))),
        None => Err(ConfigError::new(format!("flag {flag} needs a value"))),
    }
}

/// Finds the option of a flag: `--appId`, `--app-id`, `--accountLockout.duration`.
fn find<'a>(flag: &str, places: &'a [FlatOption]) -> Result<&'a FlatOption, ConfigError> {
    let name = flag.trim_start_matches('-');
    let wanted = plain(name);
    let found = flag.starts_with("--").then(|| {
        let exact = places.iter().find(|place| place.name() == name);
        exact.or_else(|| places.iter().find(|place| plain(&place.name()) == wanted))
    });
    found.flatten().ok_or_else(|| {
        let names: Vec<String> = places.iter().map(FlatOption::name).collect();
        let hint = nearest(name, names.iter().map(String::as_str)).map(|name| format!("; did you mean --{name}?"));
        ConfigError::new(format!("unknown option {flag}{}", hint.unwrap_or_default()))
    })
}

/// A name in lower case without hyphens, for comparison.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect()
}
