//! What a caller reads of a row: internal columns go, hidden fields go, stored forms become Parse's.

use std::sync::Arc;

use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::model::object::Object;
use crate::model::query::parameters::QueryParameters;
use crate::model::schema::FieldType;
use crate::model::shape::{ALWAYS_SHOWN, Names, Shape};

/// How rows of one class look to one caller.
pub struct View<'a> {
    cx: &'a Context,
    visibility: &'a Visibility,
    rules: Arc<dyn ClassRules>,
    shape: Arc<Shape>,
    /// Whether what is seen of a row does not depend on it.
    uniform: bool,
}

impl<'a> View<'a> {
    /// The view of a query.
    #[must_use]
    pub fn new(cx: &'a Context, class: &Class, visibility: &'a Visibility, parameters: &QueryParameters) -> Self {
        let rules = cx.app.rules.of(&class.schema.name);
        let uniform = visibility.is_uniform() && !rules.look_into_rows();
        let mut shape = Shape::of(&class.schema, cx.file_addresses());
        shape.relations.retain(|(name, _)| !visibility.hides(name));
        shape.internal = cx.auth.is_maintenance();
        shape.exclude = parameters
            .exclude_keys
            .iter()
            .filter(|key| !key.contains('.') && !ALWAYS_SHOWN.contains(&key.as_str()))
            .cloned()
            .collect();
        shape.keys = wanted(class, parameters, &shape.exclude);
        if uniform {
            shape.hidden = visibility.fields().map(str::to_owned).collect();
        }
        Self { cx, visibility, rules, shape: Arc::new(shape), uniform }
    }

    /// The fields the store must read; `None`: all.
    #[must_use]
    pub fn needed_fields(&self) -> Option<Vec<String>> {
        let mut fields: Vec<String> = self.shape.keys.as_ref()?.iter().cloned().collect();
        fields.extend(self.visibility.needed_fields().map(str::to_owned));
        fields.extend(self.rules.needed_columns().iter().map(|column| (*column).to_owned()));
        fields.sort();
        fields.dedup();
        Some(fields)
    }

    /// How all rows look, when that does not depend on the row.
    #[must_use]
    pub fn uniform(&self) -> Option<&Arc<Shape>> {
        self.uniform.then_some(&self.shape)
    }

    /// The row as the caller reads it.
    #[must_use]
    pub fn redact(&self, mut row: Object) -> Object {
        if !self.uniform {
            self.visibility.redact(&mut row);
            self.rules.redact(self.cx, &mut row);
        }
        self.shape.present(row)
    }
}

/// The top level fields wanted; `None`: all.
fn wanted(class: &Class, parameters: &QueryParameters, exclude: &Names) -> Option<Names> {
    // To leave out fields is to ask for all others that the class has.
    let all_fields = || class.schema.fields.keys().cloned().collect::<Vec<_>>();
    let asked = parameters.keys.clone().or_else(|| (!exclude.is_empty()).then(all_fields))?;
    // An include expands what is wanted and does not add to it; `includeAll` asks for everything that it expands.
    let roots = asked.iter().map(|path| path.split('.').next().unwrap_or(path));
    let all =
        class.schema.fields.iter().filter(|(_, field)| {
            parameters.include.all && matches!(field.kind, FieldType::Pointer(_) | FieldType::Array)
        });
    let wanted = roots.chain(all.map(|(name, _)| name.as_str()));
    Some(wanted.filter(|key| !exclude.contains(*key)).map(str::to_owned).collect())
}
