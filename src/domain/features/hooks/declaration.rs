//! One web hook: what is behind which address, as JSON and as a row.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value as Json};

use super::{refused, text};
use crate::domain::kernel::triggers::Target;
use crate::error::Result;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::query::{Filter, Resolved};
use crate::model::trigger::Trigger;

/// Length of a row's id: it has the form of MongoDB's own ids.
const ID_LENGTH: usize = 24;

/// Which of the two lists a declaration is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// Of functions.
    Function,
    /// Of triggers.
    Trigger,
}

/// What is behind which address.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// The function or trigger.
    pub target: Target,
    /// The address: any text.
    pub url: String,
}

impl Declaration {
    /// A declaration with an address as it was sent.
    ///
    /// # Errors
    /// 143 without an address.
    pub fn new(target: Target, url: Option<&Json>) -> Result<Self> {
        let url = url.and_then(Json::as_str).filter(|url| !url.is_empty()).ok_or_else(invalid)?;
        Ok(Self { target, url: url.to_owned() })
    }

    /// Reads a body; a name of a function goes before a class and a trigger.
    ///
    /// # Errors
    /// 143 for what is no declaration, and for a class that cannot have the trigger.
    pub fn parse(body: &Map<String, Json>) -> Result<Self> {
        let text = |key: &str| body.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        let target = match (text("functionName"), text("className"), text("triggerName").and_then(Trigger::named)) {
            (Some(name), ..) => Target::Function(name.to_owned()),
            (None, Some(class), Some(trigger)) => {
                let class = ClassName::unchecked(class);
                if let Some(refusal) = trigger.refusal(&class) {
                    return Err(refused(refusal));
                }
                Target::Trigger(trigger, class)
            }
            _ => return Err(invalid()),
        };
        Self::new(target, body.get("url"))
    }

    /// Reads a row; `None` when it declares nothing that can be called.
    #[must_use]
    pub fn of_row(row: &Object) -> Option<Self> {
        let url = text(row, "url")?;
        let target = if let Some(name) = text(row, "functionName") {
            Target::Function(name)
        } else {
            let class = ClassName::unchecked(text(row, "className")?);
            let trigger = Trigger::named(&text(row, "triggerName")?)?;
            if trigger.refusal(&class).is_some() {
                return None;
            }
            Target::Trigger(trigger, class)
        };
        Some(Self { target, url })
    }

    /// The list it is in.
    #[must_use]
    pub const fn kind(&self) -> HookKind {
        match self.target {
            Target::Function(_) | Target::Job(_) | Target::LiveQueryEvents => HookKind::Function,
            Target::Trigger(..) => HookKind::Trigger,
        }
    }

    fn fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields = names(&self.target);
        fields.push(("url", &self.url));
        fields
    }

    /// As clients read it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Object(self.fields().into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect())
    }

    /// As it rests. The id follows from what is declared.
    #[must_use]
    pub fn to_row(&self) -> Object {
        let named: Vec<u8> =
            names(&self.target).into_iter().flat_map(|(key, value)| format!("{key}={value}\0").into_bytes()).collect();
        let digest = digest(&SHA256, &named);
        let mut id = String::with_capacity(ID_LENGTH);
        for byte in digest.as_ref().iter().take(ID_LENGTH / 2) {
            let _ = write!(id, "{byte:02x}");
        }
        let mut row = Object::new();
        row.insert("objectId", id);
        for (key, value) in self.fields() {
            row.insert(key, value);
        }
        row
    }
}

pub(super) fn invalid() -> crate::error::ParseError {
    refused("invalid hook declaration")
}

/// The fields that name what is declared.
fn names(target: &Target) -> Vec<(&'static str, &str)> {
    match target {
        Target::Function(name) | Target::Job(name) => vec![("functionName", name)],
        Target::Trigger(trigger, class) => vec![("className", class.as_str()), ("triggerName", trigger.name())],
        Target::LiveQueryEvents => Vec::new(),
    }
}

/// The condition that a row declares this.
#[must_use]
pub fn condition(target: &Target) -> Resolved {
    Filter::And(names(target).into_iter().map(|(field, value)| Filter::eq(field, value)).collect())
}
