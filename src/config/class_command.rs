//! The arguments of `reparse class`.

use serde_json::{Map, Value};

use super::error::ConfigError;

/// What is to be done with the classes of an app.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassTask {
    /// List them.
    List,
    /// Delete all objects of one.
    Purge {
        /// Its name.
        name: String,
    },
    /// Make or drop indexes of one.
    Index {
        /// Its name.
        name: String,
        /// As the schema API has them: `{"byName": {"name": 1}, "old": {"__op": "Delete"}}`.
        indexes: Map<String, Value>,
    },
}

/// The arguments as they were given.
#[derive(Debug, Default)]
pub(super) struct ClassArguments(Vec<String>);

impl ClassArguments {
    /// Takes the next argument, if the command is not complete.
    pub fn takes(&mut self, argument: &str) -> bool {
        let wanted = match self.0.first().map(String::as_str) {
            Some("purge") => 2,
            Some("index") => 3,
            _ => 1,
        };
        let taken = self.0.len() < wanted;
        if taken {
            self.0.push(argument.to_owned());
        }
        taken
    }

    /// What is to be done.
    ///
    /// # Errors
    /// For an action that is none, or one that lacks something.
    pub fn task(self) -> Result<ClassTask, ConfigError> {
        let mut given = self.0.into_iter();
        match (given.next().as_deref(), given.next(), given.next()) {
            (Some("list"), None, None) => Ok(ClassTask::List),
            (Some("purge"), Some(name), None) => Ok(ClassTask::Purge { name }),
            (Some("index"), Some(name), Some(indexes)) => match serde_json::from_str(&indexes) {
                Ok(indexes) => Ok(ClassTask::Index { name, indexes }),
                Err(error) => Err(ConfigError::new(format!("the indexes are no JSON object: {error}"))),
            },
            _ => Err(ConfigError::new("class takes list, purge NAME, or index NAME INDEXES")),
        }
    }
}
