//! The audit log as the kernel knows it: what is noted of whom, and who keeps it. Module `noting` has the functions that note.
//!
//! The rules of a class say which of its fields matter whoever changes them. What a master key changes is always noted. An entry has
//! names of fields, never values.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::model::date::Date;
use crate::model::names::ClassName;

/// Which writes of a class are noted, whoever makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audited {
    /// None; those with a master key are.
    OfMaster,
    /// Deletions, and writes of fields that begin with one of these words.
    Fields(&'static [&'static str]),
    /// All.
    All,
}

impl Audited {
    /// Whether writes of a field are noted.
    #[must_use]
    pub fn has(self, field: &str) -> bool {
        match self {
            Self::OfMaster => false,
            Self::Fields(words) => words.iter().any(|word| field.starts_with(word)),
            Self::All => true,
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An object was made.
    Create,
    /// Objects were changed.
    Update,
    /// Objects were deleted.
    Delete,
    /// A class was made.
    CreateClass,
    /// Fields, permissions or indexes of a class were changed.
    ChangeClass,
    /// A class was deleted.
    DeleteClass,
    /// A file was stored with a master key.
    CreateFile,
    /// A file was deleted.
    DeleteFile,
    /// A user logged in.
    LogIn,
    /// A log in failed.
    LogInFailed,
    /// A user of the dashboard logged in.
    DashboardLogIn,
    /// A log in to the dashboard failed.
    DashboardLogInFailed,
    /// A master key was wrong, or may not be used from the address.
    KeyRefused,
}

impl What {
    /// Its name in the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::CreateClass => "createClass",
            Self::ChangeClass => "changeClass",
            Self::DeleteClass => "deleteClass",
            Self::CreateFile => "createFile",
            Self::DeleteFile => "deleteFile",
            Self::LogIn => "logIn",
            Self::LogInFailed => "logInFailed",
            Self::DashboardLogIn => "dashboardLogIn",
            Self::DashboardLogInFailed => "dashboardLogInFailed",
            Self::KeyRefused => "keyRefused",
        }
    }
}

/// What was done, to what.
#[derive(Debug, Clone)]
pub struct Deed {
    /// What.
    pub what: What,
    /// The class.
    pub class: Option<String>,
    /// The object, the file, or the user who logs in.
    pub id: Option<String>,
    /// Names of the fields, or of the parts of a class.
    pub fields: Vec<String>,
    /// How many objects, where that is known and an id is not.
    pub count: Option<u64>,
}

impl Deed {
    /// Something that has no more to it.
    #[must_use]
    pub const fn new(what: What) -> Self {
        Self { what, class: None, id: None, fields: Vec::new(), count: None }
    }

    /// With the object, the file or the user.
    #[must_use]
    pub fn of(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// In a class.
    #[must_use]
    pub fn in_class(mut self, class: &ClassName) -> Self {
        self.class = Some(class.as_str().to_owned());
        self
    }

    /// With the names of fields.
    #[must_use]
    pub fn fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }
}

/// Who did something.
#[derive(Debug, Clone)]
pub struct Who {
    /// The key: `master`, `readOnlyMaster`, `maintenance`, `session`; `none` without one.
    pub key: &'static str,
    /// The user of the session, or of the dashboard.
    pub user: Option<String>,
    /// Address of the client.
    pub address: IpAddr,
    /// The id of the request in the log.
    pub request: Option<Arc<str>>,
    /// Whether the app's own code did it.
    pub inside: bool,
}

/// Keeps what is noted.
pub trait Auditor: Send + Sync + fmt::Debug {
    /// Notes what was done. Done once it is written: what a client was told to be done is in the log even if the server is killed next.
    fn note(&self, time: Date, who: Who, deed: Deed) -> BoxFuture<'_, ()>;

    /// Notes what was refused, soon. If there is too much of it, only how much was lost is noted.
    fn note_soon(&self, time: Date, who: Who, deed: Deed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_matter_by_how_they_begin() {
        let audited = Audited::Fields(&["_hashed_password", "_auth_data_"]);
        assert!(audited.has("_auth_data_google") && audited.has("_hashed_password"));
        assert!(!audited.has("score") && !Audited::OfMaster.has("score") && Audited::All.has("score"));
    }
}
