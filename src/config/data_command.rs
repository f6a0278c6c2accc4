//! The arguments of the commands for all data of an app.

use super::error::ConfigError;

/// What is to be done with the data of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataTask {
    /// Check the configuration, and with `data` what is stored.
    Check {
        /// Whether the data is checked, too.
        data: bool,
    },
    /// Give the room of deleted objects back to the disk.
    Compact,
}

/// The arguments as they were given.
#[derive(Debug, Default)]
pub(super) struct DataArguments {
    action: String,
    data: bool,
}

impl DataArguments {
    /// Whether a word is one of these commands; then its arguments follow.
    pub fn begin(&mut self, word: &str) -> bool {
        let known = ["check", "compact"].contains(&word);
        if known {
            word.clone_into(&mut self.action);
        }
        known
    }

    /// Whether a flag is one of the command, and not an option of the server.
    pub fn takes(&mut self, flag: &str) -> bool {
        let taken = flag == "--data" && self.action == "check";
        self.data |= taken;
        taken
    }

    /// What is to be done.
    ///
    /// # Errors
    /// For a command that is none.
    pub fn task(self) -> Result<DataTask, ConfigError> {
        match self.action.as_str() {
            "check" => Ok(DataTask::Check { data: self.data }),
            "compact" => Ok(DataTask::Compact),
            other => Err(ConfigError::new(format!("{other} is no command"))),
        }
    }
}
