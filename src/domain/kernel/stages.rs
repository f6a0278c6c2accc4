//! The values that a write goes through: [`Save`](super::commands::Save) → [`Draft`] → [`Checked`] → [`Stored`] → [`Saved`]. None of them has `Debug`: they hold
//! passwords and tokens.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::classes::Class;
use super::rule_state::RuleState;
use super::triggers::ClassTriggers;
use crate::model::acl::Acl;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::Update;
use crate::model::operation::parse::ParsedWrite;
use crate::model::query::Resolved;
use crate::model::trigger::Trigger;

/// What a client reads after a write.
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

/// What the pipeline itself finds out in one stage and needs in a later one, whatever the class.
#[derive(Debug, Default)]
pub struct Facts {
    /// Fields the server filled in, which the answer tells.
    pub filled_in: Vec<String>,
    /// The ACL that the class gave to a new row, as it stands in the class; told in the answer.
    pub given_acl: Option<Json>,
    /// `createdAt` of a new row, where a maintenance caller sets it.
    pub created_at: Option<Date>,
    /// `updatedAt` of a new row, where a maintenance caller sets it.
    pub updated_at: Option<Date>,
    /// What triggers and subscribers have to do with the write; `None`: nothing.
    pub concerned: Option<Concerned>,
}

/// What triggers and subscribers have to do with a write.
#[derive(Debug)]
pub struct Concerned {
    /// The triggers of the class, if it has any for writes.
    pub triggers: Option<Arc<ClassTriggers>>,
    /// Whether somebody wants to know what is written.
    pub told: bool,
    /// Relations that the write gave members.
    pub relations: Vec<String>,
    /// The row before, as it rests; `None`: there was none.
    pub before: Option<Arc<Object>>,
    /// The row before, as the caller may see it.
    pub original: Option<Map<String, Json>>,
    /// Fields that beforeSave changed: the answer tells them.
    pub changed: Vec<String>,
    /// Fields that beforeSave removed: the answer tells that.
    pub removed: Vec<String>,
}

impl Concerned {
    /// Whether afterSave comes.
    #[must_use]
    pub fn has_after_save(&self) -> bool {
        self.triggers.as_ref().is_some_and(|triggers| triggers.get(Trigger::AfterSave).is_some())
    }
}

/// A write before its fields were checked.
#[must_use]
pub struct Draft {
    /// Its class.
    pub class: ClassName,
    /// The row to change; `None`: a new one.
    pub id: Option<String>,
    /// The id of a new row.
    pub new_id: String,
    /// Whether the client chose that id.
    pub id_given: bool,
    /// Fields and operations, as REST JSON.
    pub body: Map<String, Json>,
    /// The ACL sent or given.
    pub acl: Option<Acl>,
    /// Internal columns to write.
    pub internal: Update,
    /// Narrows the rows that an update may reach.
    pub only: Resolved,
    /// What the pipeline found out for later stages.
    pub facts: Facts,
    /// What the class's rules found out for later stages.
    pub state: RuleState,
}

impl Draft {
    /// Whether a row is made.
    #[must_use]
    pub const fn creates(&self) -> bool {
        self.id.is_none()
    }
}

/// A write whose fields fit the schema.
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
    /// What the pipeline found out for later stages.
    pub facts: Facts,
    /// What the class's rules found out for later stages.
    pub state: RuleState,
}

impl Checked {
    /// The id of the row, new or old.
    #[must_use]
    pub fn row_id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.new_id)
    }
}

/// A write that is in the database.
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
    /// What the pipeline found out for later stages.
    pub facts: Facts,
    /// What the class's rules found out for later stages.
    pub state: RuleState,
}
