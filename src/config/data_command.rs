//! The arguments of the commands for all data of an app.

use std::path::PathBuf;

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
    /// Write the embedded store and its files into one file.
    Backup {
        /// The file, which must not be there.
        file: PathBuf,
    },
    /// Put what is in such a file into a data directory that has no data.
    Restore {
        /// The file.
        file: PathBuf,
    },
    /// Write everything into a directory of JSON Lines.
    Export {
        /// The directory.
        folder: PathBuf,
        /// Whether files are written, too.
        files: bool,
    },
    /// Put what is in such a directory into the store.
    Import {
        /// The directory.
        folder: PathBuf,
        /// Whether its files are put into the file store.
        files: bool,
    },
}

/// The commands.
const ACTIONS: [&str; 6] = ["check", "compact", "backup", "restore", "export", "import"];

/// The arguments as they were given.
#[derive(Debug, Default)]
pub(super) struct DataArguments {
    action: String,
    place: Option<PathBuf>,
    data: bool,
    without_files: bool,
}

impl DataArguments {
    /// Whether a word is one of these commands; then its arguments follow.
    pub fn begin(&mut self, word: &str) -> bool {
        let known = ACTIONS.contains(&word);
        if known {
            word.clone_into(&mut self.action);
        }
        known
    }

    /// Whether a flag is one of the command, and not an option of the server.
    pub fn takes(&mut self, flag: &str) -> bool {
        match (self.action.as_str(), flag) {
            ("check", "--data") => self.data = true,
            ("export" | "import", "--without-files") => self.without_files = true,
            _ => return false,
        }
        true
    }

    /// Where the place is noted that the command needs before the configuration; `None`: it needs none, or has it.
    pub fn place(&mut self) -> Option<&mut Option<PathBuf>> {
        let needs = !matches!(self.action.as_str(), "check" | "compact");
        (needs && self.place.is_none()).then_some(&mut self.place)
    }

    /// What is to be done.
    ///
    /// # Errors
    /// If the command lacks its place.
    pub fn task(self) -> Result<DataTask, ConfigError> {
        let Self { action, place, data, without_files } = self;
        let files = !without_files;
        let needed = |what: &str| place.ok_or_else(|| ConfigError::new(format!("{action} needs the path of {what}")));
        Ok(match action.as_str() {
            "check" => DataTask::Check { data },
            "compact" => DataTask::Compact,
            "backup" => DataTask::Backup { file: needed("a file")? },
            "restore" => DataTask::Restore { file: needed("a file")? },
            "export" => DataTask::Export { folder: needed("a directory")?, files },
            _ => DataTask::Import { folder: needed("a directory")?, files },
        })
    }
}
