//! The values that a write goes through: request → [`Draft`] → [`Checked`] → [`Stored`] → [`Saved`].

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::classes::Class;
use crate::model::acl::Acl;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::operation::parse::ParsedWrite;
use crate::model::query::Resolved;

/// A wish to make (no id) or change (with id) a row.
#[derive(Debug)]
pub struct SaveRequest {
    /// Its class.
    pub class: ClassName,
    /// The row to change.
    pub id: Option<String>,
    /// Fields and operations, as REST JSON.
    pub body: Map<String, Json>,
}

/// What a client reads after a write.
#[derive(Debug)]
pub struct Saved {
    /// Whether a row was made.
    pub created: bool,
    /// Class and id of the row, where the answer names its place.
    pub location: Option<(String, String)>,
    /// The whole answer.
    pub body: Object,
    /// The row as it is now, with its internal columns, where the pipeline wrote one.
    pub row: Option<Object>,
}

/// What stages find out that later stages need.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub struct Facts {
    /// authData was sent: the answer says what its providers answered.
    pub auth_data_sent: bool,
    /// What providers tell the client, for the answer.
    pub auth_data_response: Object,
    /// Providers that the caller logged in or signed up with, comma separated; `None`: by password.
    pub auth_provider: Option<String>,
    /// Fields the server filled in, which the answer tells.
    pub filled_in: Vec<String>,
    /// The ACL that the class gave to a new row, as it stands in the class; told in the answer.
    pub given_acl: Option<Json>,
    /// The password changes: sessions end.
    pub password_changed: bool,
    /// The user brings the identity of another service (not only the anonymous one).
    pub foreign_identity: bool,
    /// The user's address is to be verified: a mail goes out.
    pub verify_email: bool,
    /// A token for the answer.
    pub session_token: Option<String>,
    /// Times that a maintenance caller sets by itself.
    pub created_at: Option<Date>,
    /// As `created_at`.
    pub updated_at: Option<Date>,
}

/// A write before its fields were checked.
#[derive(Debug)]
#[must_use]
pub struct Draft {
    /// Its class.
    pub class: ClassName,
    /// The row to change; `None`: a new one.
    pub id: Option<String>,
    /// The id of a new row.
    pub new_id: String,
    /// Fields and operations, as REST JSON.
    pub body: Map<String, Json>,
    /// The ACL sent or given.
    pub acl: Option<Acl>,
    /// Internal columns to write.
    pub internal: Update,
    /// Narrows the rows that an update may reach.
    pub only: Resolved,
    /// For later stages.
    pub facts: Facts,
}

impl Draft {
    /// Whether a row is made.
    #[must_use]
    pub const fn creates(&self) -> bool {
        self.id.is_none()
    }
}

/// A write whose fields fit the schema.
#[derive(Debug)]
#[must_use]
pub struct Checked {
    /// The class with all fields of the write.
    pub class: Arc<Class>,
    /// Whether the write brought a field.
    pub adds_field: bool,
    /// The row to change; `None`: a new one.
    pub id: Option<String>,
    /// The id of a new row.
    pub new_id: String,
    /// Changes and relations.
    pub write: ParsedWrite,
    /// The ACL sent or given.
    pub acl: Option<Acl>,
    /// Internal columns to write.
    pub internal: Update,
    /// Narrows the rows that an update may reach.
    pub only: Resolved,
    /// For later stages.
    pub facts: Facts,
}

impl Checked {
    /// The id of the row, new or old.
    #[must_use]
    pub fn row_id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.new_id)
    }
}

/// A write that is in the database.
#[derive(Debug)]
#[must_use]
pub struct Stored {
    /// The class.
    pub class: Arc<Class>,
    /// Whether a row was made.
    pub created: bool,
    /// The row's id.
    pub id: String,
    /// The row as it is now, with its internal columns.
    pub row: Object,
    /// The operations (not plain values) that were sent, by path: their results are told.
    pub operations: Vec<String>,
    /// For later stages.
    pub facts: Facts,
}
