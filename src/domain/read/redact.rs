//! Converts stored rows to the form that the caller sees: removes internal columns and hidden fields, and converts
//! stored values to Parse's form.

use std::sync::Arc;

use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Visibility;
use crate::model::names::ClassName;
use crate::model::object::{FieldName, Object};
use crate::model::query::parameters::QueryParameters;
use crate::model::schema::FieldType;
use crate::model::shape::{ALWAYS_SHOWN, Names, Shape};
use crate::model::value::Value;

/// How rows of a class are shown to a caller.
pub struct View<'a> {
    cx: &'a Context,
    visibility: &'a Visibility,
    rules: Arc<dyn ClassRules>,
    shape: Arc<Shape>,
    /// The relations of the class, if each row decides whether it shows them.
    relations: Vec<(FieldName, ClassName)>,
    /// Whether all rows show the same fields.
    uniform: bool,
}

impl<'a> View<'a> {
    /// Builds the view of a query.
    #[must_use]
    pub fn new(cx: &'a Context, class: &Class, visibility: &'a Visibility, parameters: &QueryParameters) -> Self {
        let rules = cx.app.rules.of(&class.schema.name);
        let uniform = visibility.is_uniform() && !rules.look_into_rows();
        let mut shape = Shape::of(&class.schema, cx.file_addresses());
        let mut relations = Vec::new();
        if uniform {
            shape.relations.retain(|(name, _)| !visibility.hides(name));
        } else {
            relations = std::mem::take(&mut shape.relations);
        }
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
        Self { cx, visibility, rules, shape: Arc::new(shape), relations, uniform }
    }

    /// The fields that the store must read; `None` means all.
    #[must_use]
    pub fn needed_fields(&self) -> Option<Vec<String>> {
        let keys = self.shape.keys.as_ref()?;
        if self.rules.composed_fields().iter().any(|field| keys.contains(*field)) {
            return None;
        }
        let mut fields: Vec<String> = keys.iter().cloned().collect();
        fields.extend(self.visibility.needed_fields().map(str::to_owned));
        fields.extend(self.rules.needed_columns().iter().map(|column| (*column).to_owned()));
        fields.sort();
        fields.dedup();
        Some(fields)
    }

    /// The view of all rows, if it does not depend on the row.
    #[must_use]
    pub fn uniform(&self) -> Option<&Arc<Shape>> {
        self.uniform.then_some(&self.shape)
    }

    /// The row in the form that the caller sees.
    #[must_use]
    pub fn redact(&self, mut row: Object) -> Object {
        if self.uniform {
            return self.shape.present(row);
        }
        for (name, target) in &self.relations {
            row.insert(name.clone(), Value::Relation(target.clone()));
        }
        self.visibility.redact(&mut row);
        let shown: Vec<_> = self.relations.iter().filter(|(name, _)| row.get(name).is_some()).collect();
        self.rules.redact(self.cx, &mut row);
        let mut row = self.shape.present(row);
        // Relations are shown whatever fields were asked for.
        for (name, target) in shown {
            row.insert(name.clone(), Value::Relation(target.clone()));
        }
        row
    }
}

/// The requested top-level fields; `None` means all.
fn wanted(class: &Class, parameters: &QueryParameters, exclude: &Names) -> Option<Names> {
    // `excludeKeys` means all other fields of the class.
    let all_fields = || class.schema.fields.keys().cloned().collect::<Vec<_>>();
    let asked = parameters.keys.clone().or_else(|| (!exclude.is_empty()).then(all_fields))?;
    // `include` does not add fields; `includeAll` adds all fields that it includes.
    let roots = asked.iter().map(|path| path.split('.').next().unwrap_or(path));
    let all =
        class.schema.fields.iter().filter(|(_, field)| {
            parameters.include.all && matches!(field.kind, FieldType::Pointer(_) | FieldType::Array)
        });
    let wanted = roots.chain(all.map(|(name, _)| name.as_str()));
    Some(wanted.filter(|key| !exclude.contains(*key)).map(str::to_owned).collect())
}
