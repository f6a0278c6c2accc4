//! The arguments of `reparse files`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::error::ConfigError;
use super::values::Secret;

/// The flag that has leftovers removed.
const REMOVE: &str = "--remove";
/// The flag that says that files are not encrypted so far.
const PLAIN: &str = "--plain";
/// The flags without a value.
pub(super) const SWITCHES: [&str; 2] = [REMOVE, PLAIN];
/// The variable that holds the key which files have so far.
pub(super) const OLD_KEY: &str = "REPARSE_OLD_FILE_KEY";
/// What belongs to no file and is younger may be an upload in progress.
const MINUTES: u64 = 60;

/// What is to be done with all files of a store.
#[derive(Debug, Clone, PartialEq)]
pub enum FilesTask {
    /// Copy them to another store.
    Copy {
        /// Where they are.
        from: FilesPlace,
        /// Where they go.
        to: FilesPlace,
    },
    /// Read them, and look for what uploads left behind that were interrupted.
    Check {
        /// Whether what was left behind is removed.
        remove: bool,
        /// What is younger is not looked at.
        older_than: Duration,
    },
    /// Encrypt them by the key of the configuration.
    RotateKey {
        /// The key they have so far; `None`: they are plain.
        old: Option<Secret>,
    },
}

/// A file store, as the command line names it.
#[derive(Debug, Clone, PartialEq)]
pub enum FilesPlace {
    /// Beside the objects of the configuration: GridFS, or the data directory.
    Database,
    /// The one of another configuration.
    Configuration(PathBuf),
    /// A value of the option `filesAdapter`.
    Adapter(Value),
}

impl FilesPlace {
    fn read(text: &str) -> Result<Self, ConfigError> {
        if text == "database" {
            return Ok(Self::Database);
        }
        if text.trim_start().starts_with('{') {
            let adapter = serde_json::from_str(text);
            return adapter
                .map(Self::Adapter)
                .map_err(|error| ConfigError::new(format!("not valid JSON: {text}: {error}")));
        }
        let is_file =
            std::path::Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        Ok(if is_file { Self::Configuration(text.into()) } else { Self::Adapter(Value::from(text)) })
    }
}

/// The arguments as they were given.
#[derive(Debug, Default)]
pub(super) struct FilesArguments {
    pub action: Option<String>,
    from: Option<String>,
    to: Option<String>,
    old_key: Option<String>,
    older_than: Option<String>,
    remove: bool,
    plain: bool,
}

impl FilesArguments {
    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "--from" => Some(&mut self.from),
            "--to" => Some(&mut self.to),
            "--old-key" => Some(&mut self.old_key),
            "--older-than" => Some(&mut self.older_than),
            _ => None,
        }
    }

    /// Whether a flag is one of these, and not an option of the server.
    pub fn takes(&mut self, flag: &str) -> bool {
        let name = flag.split('=').next().unwrap_or_default();
        SWITCHES.contains(&name) || self.place(name).is_some()
    }

    /// Notes the value of a flag.
    pub fn set(&mut self, name: &str, value: String) {
        match self.place(name) {
            Some(place) => *place = Some(value),
            None if name == PLAIN => self.plain = value == "true",
            None => self.remove = value == "true",
        }
    }

    /// What is to be done. `old_key` is what the environment says.
    ///
    /// # Errors
    /// For a task that is none, lacks a flag, or has one of another task.
    pub fn task(self, old_key: Option<&String>) -> Result<FilesTask, ConfigError> {
        let Self { action, from, to, old_key: given_key, older_than, remove, plain } = self;
        let action = action.unwrap_or_default();
        let strange = match action.as_str() {
            "copy" => given_key.is_some() || older_than.is_some() || remove || plain,
            "check" => from.is_some() || to.is_some() || given_key.is_some() || plain,
            "rotate-key" => from.is_some() || to.is_some() || older_than.is_some() || remove,
            _ => return Err(ConfigError::new("files takes copy, check or rotate-key")),
        };
        if strange {
            return Err(ConfigError::new(format!("files {action} does not take this flag; see --help")));
        }
        let place = |flag: &str, given: Option<String>| {
            let given = given.ok_or_else(|| ConfigError::new(format!("files copy needs {flag}")))?;
            FilesPlace::read(&given)
        };
        Ok(match action.as_str() {
            "copy" => FilesTask::Copy { from: place("--from", from)?, to: place("--to", to)? },
            "check" => {
                let minutes = older_than.map_or(Ok(MINUTES), |text| text.parse());
                let minutes = minutes.map_err(|_| ConfigError::new("--older-than takes minutes"))?;
                FilesTask::Check { remove, older_than: Duration::from_secs(minutes.saturating_mul(60)) }
            }
            // A key that was forgotten would have files encrypted twice, and nobody can tell by looking at them.
            _ => match (given_key.or_else(|| old_key.cloned()), plain) {
                (Some(old), false) => FilesTask::RotateKey { old: Some(Secret::new(old)) },
                (None, true) => FilesTask::RotateKey { old: None },
                (Some(_), true) => return Err(ConfigError::new("files that have a key are not plain; see --help")),
                (None, false) => {
                    let message =
                        format!("files rotate-key needs the key so far in {OLD_KEY} or --old-key, or --plain");
                    return Err(ConfigError::new(message));
                }
            },
        })
    }
}
