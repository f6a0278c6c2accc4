//! The values between the stages of a write: [`Save`](super::commands::Save) → [`Draft`] → [`Checked`] → [`Stored`] →
//! [`Saved`]. They have no `Debug`, because they contain passwords and tokens.

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

/// The response to a write.
pub struct Saved {
    /// Whether the write creates a row.
    pub created: bool,
    /// Class and id of the row, for the `Location` header.
    pub location: Option<(String, String)>,
    /// The body of the response.
    pub body: Object,
    /// The row after the write with its internal columns, if the pipeline wrote one.
    pub row: Option<Object>,
}

/// Values that the pipeline determines in one stage and needs in a later one, for any class.
#[derive(Default)]
pub struct Facts {
    /// Fields that the server set, which the response contains.
    pub filled_in: Vec<String>,
    /// The default ACL of the class that a new row got, which the response contains.
    pub given_acl: Option<Json>,
    /// Whether the client chose the id of a new row.
    pub id_given: bool,
    /// `createdAt` of a new row, if the maintenance key sets it.
    pub created_at: Option<Date>,
    /// `updatedAt` of a new row, if the maintenance key sets it.
    pub updated_at: Option<Date>,
    /// What the request contains besides the body, as REST JSON. Triggers see it; class rules write it.
    pub sent_aside: Map<String, Json>,
    /// State for triggers and subscribers; `None` if there are none.
    pub concerned: Option<Concerned>,
}

/// State of a write for triggers and subscribers.
pub struct Concerned {
    /// The write triggers of the class, if it has any.
    pub triggers: Option<Arc<ClassTriggers>>,
    /// Whether there are subscribers.
    pub told: bool,
    /// Relations that the write gave members.
    pub relations: Vec<String>,
    /// The stored row before the write; `None` if there was none.
    pub before: Option<Arc<Object>>,
    /// The row before the write, as the caller may see it.
    pub original: Option<Map<String, Json>>,
    /// What the request contains besides the body.
    pub sent_aside: Map<String, Json>,
    /// Fields that the request writes: afterSave sees them, even those that the caller may not read.
    pub written: Vec<String>,
    /// Fields that beforeSave changed, which the response contains.
    pub changed: Vec<String>,
    /// Fields that beforeSave removed, which the response reports.
    pub removed: Vec<String>,
}

impl Concerned {
    /// Whether afterSave will be called.
    #[must_use]
    pub fn has_after_save(&self) -> bool {
        self.triggers.as_ref().is_some_and(|triggers| triggers.get(Trigger::AfterSave).is_some())
    }
}

/// A write whose fields have not been checked yet.
#[must_use]
pub struct Draft {
    /// Its class.
    pub class: ClassName,
    /// The id of the row to update; `None` for a create.
    pub id: Option<String>,
    /// The id of a new row.
    pub new_id: String,
    /// Fields and operations, as REST JSON.
    pub body: Map<String, Json>,
    /// The ACL from the request or by default.
    pub acl: Option<Acl>,
    /// Internal columns to write.
    pub internal: Update,
    /// Additional condition on the row to update.
    pub only: Resolved,
    /// Values of the pipeline for later stages.
    pub facts: Facts,
    /// Values of the class rules for later stages.
    pub state: RuleState,
}

impl Draft {
    /// Whether a row is made.
    #[must_use]
    pub const fn creates(&self) -> bool {
        self.id.is_none()
    }
}

/// A write whose fields match the schema.
#[must_use]
pub struct Checked {
    /// The class with all fields of the write.
    pub class: Arc<Class>,
    /// Whether the write added a field to the class.
    pub adds_field: bool,
    /// The id of the row to update; `None` for a create.
    pub id: Option<String>,
    /// The id of a new row.
    pub new_id: String,
    /// Changes and relations.
    pub write: ParsedWrite,
    /// The ACL from the request or by default.
    pub acl: Option<Acl>,
    /// Internal columns to write.
    pub internal: Update,
    /// Additional condition on the row to update.
    pub only: Resolved,
    /// Values of the pipeline for later stages.
    pub facts: Facts,
    /// Values of the class rules for later stages.
    pub state: RuleState,
}

impl Checked {
    /// The id of the row.
    #[must_use]
    pub fn row_id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.new_id)
    }
}

/// A write that has been stored.
#[must_use]
pub struct Stored {
    /// The class.
    pub class: Arc<Class>,
    /// Whether the write creates a row.
    pub created: bool,
    /// The row's id.
    pub id: String,
    /// The row as it is now, with its internal columns.
    pub row: Object,
    /// The operations (not plain values) in the request, by path; the response contains their results.
    pub operations: Vec<String>,
    /// Values of the pipeline for later stages.
    pub facts: Facts,
    /// Values of the class rules for later stages.
    pub state: RuleState,
}
