//! What a caller reads of a row: internal columns go, hidden fields go, stored forms become Parse's.

use std::sync::Arc;

use super::request::ReadRequest;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::permissions::protected_fields::Hidden;
use crate::model::object::Object;
use crate::model::shape::{ALWAYS_SHOWN, Names, Shape};

/// How rows of one class look to one caller.
pub struct View<'a> {
    cx: &'a Context,
    hidden: &'a Hidden,
    rules: Arc<dyn ClassRules>,
    shape: Arc<Shape>,
    /// Whether what is seen of a row does not depend on it.
    uniform: bool,
}

impl<'a> View<'a> {
    /// The view of a query.
    #[must_use]
    pub fn new(cx: &'a Context, class: &Class, hidden: &'a Hidden, request: &ReadRequest) -> Self {
        let rules = cx.app.rules.of(&class.schema.name);
        let uniform = hidden.is_uniform() && !rules.look_into_rows();
        let mut shape = Shape::of(&class.schema, cx.file_addresses());
        shape.relations.retain(|(name, _)| !hidden.hides(name));
        shape.internal = cx.auth.is_maintenance();
        shape.exclude = request
            .parameters
            .exclude_keys
            .iter()
            .filter(|key| !key.contains('.') && !ALWAYS_SHOWN.contains(&key.as_str()))
            .cloned()
            .collect();
        shape.keys = wanted(class, request, &shape.exclude);
        if uniform {
            shape.hidden = hidden.fields().map(str::to_owned).collect();
        }
        Self { cx, hidden, rules, shape: Arc::new(shape), uniform }
    }

    /// The fields the store must read; `None`: all.
    #[must_use]
    pub fn needed_fields(&self) -> Option<Vec<String>> {
        let mut fields: Vec<String> = self.shape.keys.as_ref()?.iter().cloned().collect();
        fields.extend(self.hidden.needed_fields().map(str::to_owned));
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
    pub fn present(&self, mut row: Object) -> Object {
        if !self.uniform {
            self.hidden.redact(&mut row);
            self.rules.present(self.cx, &mut row);
        }
        self.shape.present(row)
    }
}

/// The top level fields wanted; `None`: all.
fn wanted(class: &Class, request: &ReadRequest, exclude: &Names) -> Option<Names> {
    // To leave out fields is to ask for all others that the class has.
    let all_fields = || class.schema.fields.keys().cloned().collect::<Vec<_>>();
    let asked = request.parameters.keys.clone().or_else(|| (!exclude.is_empty()).then(all_fields))?;
    // Includes expand what is wanted; they do not add to it.
    let roots = asked.iter().map(|path| path.split('.').next().unwrap_or(path));
    Some(roots.filter(|key| !exclude.contains(*key)).map(str::to_owned).collect())
}
