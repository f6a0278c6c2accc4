//! What the owner of a database does with everything in it, without a server.

pub mod check;

use std::collections::HashSet;

use crate::domain::kernel::system_classes;
use crate::model::names::{self, ClassName};
use crate::model::schema::{ClassSchema, FieldType};
use crate::storage::{Result, Storage};

/// The classes of an app, those without a schema document included, with all columns that they have by themselves.
///
/// # Errors
/// If the store cannot be read.
pub async fn classes(storage: &dyn Storage) -> Result<Vec<ClassSchema>> {
    let mut classes = storage.classes().await?;
    let mut known: HashSet<ClassName> = classes.iter().map(|class| class.name.clone()).collect();
    for name in storage.stored_classes().await? {
        let of_app = names::is_valid_class_name(name.as_str()) || names::VOLATILE_CLASSES.contains(&name.as_str());
        if of_app && !name.is_join() && known.insert(name.clone()) {
            classes.push(ClassSchema::new(name));
        }
    }
    classes.iter_mut().for_each(system_classes::add_default_columns);
    Ok(classes)
}

/// The relations of a class: their join classes, with the class of the members.
pub fn relations(class: &ClassSchema) -> impl Iterator<Item = (ClassName, &ClassName)> {
    class.fields.iter().filter_map(|(name, field)| match &field.kind {
        FieldType::Relation(target) => Some((class.name.join(name), target)),
        _ => None,
    })
}
