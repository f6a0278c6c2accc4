//! What the owner of a database does with everything in it, without a server.

pub mod check;
pub mod export;
pub mod import;
mod lines;
pub mod parts;
pub mod transfer;

use std::collections::{HashMap, HashSet};

use crate::config::Options;
use crate::domain::kernel::system_classes;
use crate::domain::schema::bootstrap;
use crate::model::names::{self, ClassName};
use crate::model::schema::{ClassSchema, FieldType};
use crate::storage::{Result, Storage};

/// A class of an app.
#[derive(Debug)]
pub struct Class {
    /// With all columns that it has by itself.
    pub schema: ClassSchema,
    /// As it is in the store; `None`: it has rows without a schema document.
    pub stored: Option<ClassSchema>,
}

/// The classes of an app; those of relations are not among them, see [`relations`].
///
/// # Errors
/// If the store cannot be read.
pub async fn classes(storage: &dyn Storage) -> Result<Vec<Class>> {
    let whole = |mut schema: ClassSchema| {
        system_classes::add_default_columns(&mut schema);
        schema
    };
    let stored = storage.classes().await?;
    // parse-server, and this one, note a class for a relation whose pairs a master writes or asks for as objects.
    let stored: Vec<ClassSchema> = stored.into_iter().filter(|class| !class.name.is_join()).collect();
    let mut known: HashSet<ClassName> = stored.iter().map(|class| class.name.clone()).collect();
    let mut classes: Vec<Class> =
        stored.into_iter().map(|schema| Class { schema: whole(schema.clone()), stored: Some(schema) }).collect();
    for name in storage.stored_classes().await? {
        let of_app = names::is_valid_class_name(name.as_str()) || names::VOLATILE_CLASSES.contains(&name.as_str());
        if of_app && !name.is_join() && known.insert(name.clone()) {
            classes.push(Class { schema: whole(ClassSchema::new(name)), stored: None });
        }
    }
    Ok(classes)
}

/// The relations of a class: the field, its join class, the class of the members.
pub fn relations(class: &ClassSchema) -> impl Iterator<Item = (&str, ClassName, &ClassName)> {
    class.fields.iter().filter_map(|(name, field)| match &field.kind {
        FieldType::Relation(target) => Some((name.as_str(), class.name.join(name), target)),
        _ => None,
    })
}

/// The names of the indexes that a server with these options makes by itself, by class.
fn own_indexes(options: &Options) -> HashMap<String, HashSet<String>> {
    let names = |indexes: Vec<crate::storage::IndexSpec>| indexes.into_iter().map(|index| index.name).collect();
    bootstrap::indexes(options).into_iter().map(|(class, indexes)| (class, names(indexes))).collect()
}
