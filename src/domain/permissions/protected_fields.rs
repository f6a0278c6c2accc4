//! Protected fields: removed from results, and refused in conditions and sort orders.

use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::error::{ParseError, Result};
use crate::model::object::Object;
use crate::model::value::Value;
use crate::model::{columns, names};

const USER_FIELD: &str = "userField:";

/// The fields of a class that a caller may not see.
#[derive(Debug, Default)]
pub struct Visibility {
    /// Fields that are hidden by the sets that apply to the caller; `None` if no set applies.
    fields: Option<Vec<String>>,
    /// Field that may point to the caller → fields that are hidden in such rows. These sets can only unhide fields.
    by_user_field: Vec<(String, Vec<String>)>,
    /// The callers see all fields of their own user.
    exempt: Option<String>,
    user: Option<String>,
    /// The column of linked identities. Conditions on it could reveal secrets character by character.
    identities: bool,
    /// The caller has the read-only master key: conditions must not reveal what the key does not read.
    reads_no_secrets: bool,
}

impl Visibility {
    /// Determines the fields that are hidden from the caller. `object_id`: the id in the condition, if any.
    ///
    /// # Errors
    /// When the caller's roles cannot be read.
    pub async fn of(cx: &Context, class: &Class, object_id: Option<&str>) -> Result<Self> {
        if cx.auth.is_master() {
            return Ok(Self { reads_no_secrets: cx.auth.is_read_only(), ..Self::default() });
        }
        let is_user_class = class.schema.name == names::USER;
        let none = Self { identities: is_user_class, ..Self::default() };
        let sets = &class.permissions.protected_fields;
        if sets.is_empty() {
            return Ok(none);
        }
        let user = cx.auth.user_id();
        let owner_exempt = cx.app.options.security.protected_fields_owner_exempt;
        if user.is_some() && object_id == user && (owner_exempt || !is_user_class) {
            return Ok(none);
        }
        let mut applying: Vec<&Vec<String>> = Vec::new();
        let mut by_user_field = Vec::new();
        for (entity, fields) in sets {
            if let Some(field) = entity.strip_prefix(USER_FIELD) {
                by_user_field.push((field.to_owned(), fields.clone()));
                continue;
            }
            let applies = match entity.as_str() {
                "*" => true,
                "authenticated" => user.is_some(),
                role if role.starts_with("role:") => cx.holds(role).await?,
                id => user == Some(id),
            };
            if applies {
                applying.push(fields);
            }
        }
        let fields = applying.split_first().map(|(first, others)| {
            first.iter().filter(|field| others.iter().all(|other| other.contains(field))).cloned().collect()
        });
        let exempt = user.filter(|_| is_user_class && owner_exempt).map(str::to_owned);
        Ok(Self { fields, by_user_field, exempt, user: user.map(str::to_owned), ..none })
    }

    /// Fields that must be read to decide what is hidden, even if they were not requested.
    pub fn needed_fields(&self) -> impl Iterator<Item = &str> {
        self.by_user_field.iter().map(|(field, _)| field.as_str())
    }

    /// Refuses a condition or sort order that uses a hidden field.
    ///
    /// # Errors
    /// 119, sanitised.
    pub fn refuse(&self, class: &Class, path: &str, verb: &str) -> Result<()> {
        let root = path.split('.').next().unwrap_or(path);
        let inside_identities = self.identities && root == "authData" && root != path;
        if inside_identities || (self.reads_no_secrets && columns::leads_to_secret(path)) || self.hides(root) {
            return Err(ParseError::forbidden(format!(
                "This user is not allowed to {verb} {root} on class {}",
                class.schema.name
            )));
        }
        Ok(())
    }

    /// Whether the same fields are hidden in every row.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.by_user_field.is_empty() && self.exempt.is_none()
    }

    /// The fields that are hidden in every row.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().flatten().map(String::as_str)
    }

    /// Whether the field is hidden in every row.
    #[must_use]
    pub fn hides(&self, field: &str) -> bool {
        self.fields().any(|hidden| hidden == field)
    }

    /// Removes the hidden fields from a row.
    pub fn redact(&self, row: &mut Object) {
        if self.exempt.is_some() && row.get_str("objectId") == self.exempt.as_deref() {
            return;
        }
        let pointing: Vec<&Vec<String>> = self
            .by_user_field
            .iter()
            .filter(|(field, _)| row.get(field).is_some_and(|value| self.points_at_user(value)))
            .map(|(_, fields)| fields)
            .collect();
        let Some(base) = &self.fields else {
            return;
        };
        row.retain(|field, _| {
            !base.iter().any(|hidden| hidden == field)
                || !pointing.iter().all(|set| set.iter().any(|hidden| hidden == field))
        });
    }

    fn points_at_user(&self, value: &Value) -> bool {
        match value {
            Value::Pointer(pointer) => Some(pointer.id.as_str()) == self.user.as_deref(),
            Value::Object(object) => {
                object.get_str("objectId").is_some() && object.get_str("objectId") == self.user.as_deref()
            }
            Value::Array(list) => list.iter().any(|item| self.points_at_user(item)),
            _ => false,
        }
    }
}
