//! What a subscription follows, and what of each event is written.

use std::sync::Arc;

use async_graphql::Pos;
use async_graphql::parser::types::SelectionSet;
use serde_json::{Map, Value as Json};

use crate::graphql::engine::Refusal;
use crate::graphql::parse::catalog::Class;
use crate::graphql::parse::plan::{Compiler, ObjectPlan};

/// A field of a subscription.
#[derive(Debug)]
pub struct Followed {
    /// Key in the response.
    pub key: String,
    /// Its position in the document.
    pub place: Pos,
    /// The class.
    pub class: Arc<Class>,
    /// `where`, `events`, `watch`, `resume`.
    pub arguments: Map<String, Json>,
    /// The selection of each event.
    pub plan: EventPlan,
}

/// Selection of an event.
#[derive(Debug)]
pub struct EventPlan {
    /// Name of its type.
    pub type_name: String,
    /// Selected fields.
    pub fields: Vec<(String, EventField)>,
}

/// One selected field of an event.
#[derive(Debug)]
pub enum EventField {
    /// `__typename`.
    TypeName,
    /// What happened.
    Event,
    /// The object.
    Object(ObjectPlan),
    /// The object before.
    Original(ObjectPlan),
    /// With what the subscriber can go on after it.
    Token,
}

impl EventPlan {
    /// Compiles the selection of the events of a class.
    ///
    /// # Errors
    /// 400 if it is invalid.
    pub fn compile<'a>(
        compiler: &mut Compiler<'a>,
        class: &Arc<Class>,
        sets: &[&'a SelectionSet],
    ) -> Result<Self, Refusal> {
        let type_name = event_type(&class.type_name);
        let mut fields = Vec::new();
        for field in compiler.selector.fields(&type_name, sets)? {
            let kind = match field.name {
                "event" => EventField::Event,
                "resumeToken" => EventField::Token,
                "object" => EventField::Object(compiler.object(class, &field.sets)?),
                "original" => EventField::Original(compiler.object(class, &field.sets)?),
                _ => EventField::TypeName,
            };
            fields.push((field.key.to_owned(), kind));
        }
        Ok(Self { type_name, fields })
    }

    /// Whether its token is selected.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.fields.iter().any(|(_, field)| matches!(field, EventField::Token))
    }

    /// The selections of the object.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectPlan> {
        self.fields.iter().filter_map(|(_, field)| if let EventField::Object(plan) = field { Some(plan) } else { None })
    }

    /// The selections of the object before.
    pub fn originals(&self) -> impl Iterator<Item = &ObjectPlan> {
        self.fields
            .iter()
            .filter_map(|(_, field)| if let EventField::Original(plan) = field { Some(plan) } else { None })
    }
}

/// The name of the type of a class's events.
#[must_use]
pub fn event_type(type_name: &str) -> String {
    format!("{type_name}Event")
}
