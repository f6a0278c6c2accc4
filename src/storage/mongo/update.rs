//! Converts updates to MongoDB's update operators.

use bson::{Bson, Document, doc};

use super::encode::{self, key, nested, nested_list, number};
use super::names::{POINTER, column, renamed};
use crate::model::operation::{Change, Update};
use crate::model::schema::ClassSchema;
use crate::model::value::Value;
use crate::storage::{Result, StorageError};

/// The update document; empty if nothing changes.
pub(super) fn document(schema: &ClassSchema, update: &Update) -> Result<Document> {
    refuse_overlaps(update)?;
    let mut operators = Operators::default();
    for (path, change) in &update.0 {
        if path.contains('.') {
            operators.below(path, change)?;
        } else {
            operators.whole(schema, path, change)?;
        }
    }
    operators.permissions(update);
    Ok(operators.into_document())
}

/// Refuses an update that changes both a field and a path inside it, because MongoDB refuses it too.
fn refuse_overlaps(update: &Update) -> Result<()> {
    let mut dotted = update.0.iter().map(|(path, _)| path).filter(|path| path.contains('.')).peekable();
    if dotted.peek().is_none() {
        return Ok(());
    }
    for path in dotted {
        let inside = |(other, _): &&(String, Change)| {
            path.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some((other, _)) = update.0.iter().find(inside) {
            return Err(StorageError::Refused(format!(
                "Updating the path '{path}' would create a conflict at '{other}'"
            )));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Operators {
    set: Document,
    unset: Document,
    inc: Document,
    push: Document,
    add_to_set: Document,
    pull_all: Document,
}

impl Operators {
    /// A change of a field itself.
    fn whole(&mut self, schema: &ClassSchema, field: &str, change: &Change) -> Result<()> {
        if let Change::Set(value) = change {
            if let Some((column, value)) = encode::column(schema, field, value.clone())? {
                self.set.insert(column, value);
            }
            return Ok(());
        }
        let name = key(column(schema, field).into_owned())?;
        self.change(name, change)
    }

    /// A change of a path inside a field.
    fn below(&mut self, path: &str, change: &Change) -> Result<()> {
        let path = key(path.to_owned())?;
        if let Change::Set(value) = change {
            self.set.insert(path, nested(value.clone())?);
            return Ok(());
        }
        self.change(path, change)
    }

    fn change(&mut self, column: String, change: &Change) -> Result<()> {
        match change {
            Change::Set(value) => {
                self.set.insert(column, nested(value.clone())?);
            }
            Change::Unset => {
                self.unset.insert(column, "");
            }
            Change::Increment(amount) => {
                self.inc.insert(column, number(*amount));
            }
            Change::Add(values) => {
                self.push.insert(column, each(values)?);
            }
            Change::AddUnique(values) => {
                self.add_to_set.insert(column, each(values)?);
            }
            Change::Remove(values) => {
                self.pull_all.insert(column, nested_list(values.clone())?);
            }
        }
        Ok(())
    }

    /// Updates the redundant column `_acl`.
    fn permissions(&mut self, update: &Update) {
        let value = |column: &str| match update.get(column) {
            Some(Change::Set(value)) => Some(value),
            _ => None,
        };
        let removed = |column: &str| matches!(update.get(column), Some(Change::Unset));
        if let Some(acl) = encode::acl(value("_wperm"), value("_rperm")) {
            self.set.insert("_acl", acl);
        } else if removed("_rperm") && removed("_wperm") {
            self.unset.insert("_acl", "");
        }
    }

    fn into_document(self) -> Document {
        [
            ("$set", self.set),
            ("$unset", self.unset),
            ("$inc", self.inc),
            ("$push", self.push),
            ("$addToSet", self.add_to_set),
            ("$pullAll", self.pull_all),
        ]
        .into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(operator, changes)| (operator.to_owned(), Bson::Document(changes)))
        .collect()
    }
}

fn each(values: &[Value]) -> Result<Document> {
    Ok(doc! { "$each": nested_list(values.to_vec())? })
}

/// The columns of a field; a relation has none.
pub(super) fn removal(schema: &ClassSchema, fields: &[String]) -> Document {
    use crate::model::schema::FieldType;
    fields
        .iter()
        .filter(|field| !matches!(schema.kind(field), Some(FieldType::Relation(_))))
        .map(|field| {
            let column = match schema.kind(field) {
                Some(FieldType::Pointer(_)) => format!("{POINTER}{field}"),
                _ => renamed(field).unwrap_or(field).to_owned(),
            };
            (column, Bson::String(String::new()))
        })
        .collect()
}
