//! The arguments of `reparse user`.

use super::error::ConfigError;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAction {
    /// Make a user.
    Create,
    /// Give the user another password.
    Password,
    /// Forget failed log ins, so that a locked account is open again.
    Unlock,
    /// End all sessions.
    LogOut,
}

/// What is to be done with a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserTask {
    /// What.
    pub action: UserAction,
    /// The user's name.
    pub name: String,
}

/// The arguments as they were given.
#[derive(Debug, Default)]
pub(super) struct UserArguments(Vec<String>);

impl UserArguments {
    /// Takes the next argument, if the command is not complete.
    pub fn takes(&mut self, argument: &str) -> bool {
        let taken = self.0.len() < 2;
        if taken {
            self.0.push(argument.to_owned());
        }
        taken
    }

    /// What is to be done.
    ///
    /// # Errors
    /// For an action that is none, or without a name.
    pub fn task(self) -> Result<UserTask, ConfigError> {
        let refused = || ConfigError::new("user takes create, password, unlock or log-out, and the name of a user");
        let [action, name] = <[String; 2]>::try_from(self.0).map_err(|_| refused())?;
        let action = match action.as_str() {
            "create" => UserAction::Create,
            "password" => UserAction::Password,
            "unlock" => UserAction::Unlock,
            "log-out" => UserAction::LogOut,
            _ => return Err(refused()),
        };
        Ok(UserTask { action, name })
    }
}
