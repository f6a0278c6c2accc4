//! What a client subscribes to.

use serde_json::{Map, Value as Json};

use crate::error::Result;
use crate::model::names::ClassName;

/// A query that a client follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The class.
    pub class: ClassName,
    /// The condition, in Parse's query language.
    pub condition: Map<String, Json>,
    /// Fields that are sent, besides those that every object has; `None`: all.
    pub keys: Option<Vec<String>>,
    /// Fields of which one must change for an update to be told; empty: any.
    pub watch: Vec<String>,
    /// Whether the client can go on later where it was.
    pub resume: Resume,
}

/// Whether a client can go on where it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Resume {
    /// It does not want to.
    #[default]
    Never,
    /// It wants the tokens with which it can, later.
    Later,
    /// It does, after the event with this token.
    After(String),
}

impl Query {
    /// Follows a class.
    ///
    /// # Errors
    /// 103 for a name that no class can have.
    pub fn new(class: &str, condition: Map<String, Json>) -> Result<Self> {
        let class = match ClassName::unchecked(class) {
            internal if internal.is_internal() => internal,
            _ => ClassName::parse(class)?,
        };
        Ok(Self { class, condition, keys: None, watch: Vec::new(), resume: Resume::Never })
    }

    /// What queries have in common that are matched together.
    pub(super) fn condition_key(&self) -> String {
        serde_json::to_string(&(&self.condition, &self.watch)).unwrap_or_default()
    }
}
