//! Writes the row and its relations.

use crate::domain::batch;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::classes::Class;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::kernel::rule_state::RuleState;
use crate::domain::kernel::stages::{Checked, Stored};
use crate::domain::permissions::{Operation, scope};
use crate::domain::store;
use crate::error::{ParseError, Result};
use crate::model::acl::Acl;
use crate::model::object::Object;
use crate::model::operation::parse::RelationChange;
use crate::model::operation::{Change, Update, apply};
use crate::model::value::Pointer;
use crate::storage::StorageError;

/// Writes the row, its relations and what precedes it: in one transaction if the store has cheap ones, otherwise in an
/// order in which a crash leaves nothing that hurts a retry.
///
/// # Errors
/// 101 if no matching object is visible to the caller; 137, 202 or 203 if a unique index is violated.
pub async fn store(cx: &Context, mut checked: Checked, rules: &dyn ClassRules) -> Result<Stored> {
    let precedes = rules.precedes(cx, &checked);
    if !precedes && checked.write.relations.is_empty() {
        return write(cx, checked, rules).await;
    }
    let unit = batch::begin_for_one(cx).await?;
    let inside = unit.as_ref().unwrap_or(cx);
    let ready = if precedes { rules.precede(inside, &mut checked).await } else { Ok(()) };
    let written = match ready {
        Ok(()) => write(inside, checked, rules).await,
        Err(error) => Err(error),
    };
    let Some(unit) = unit else { return written };
    let stored = batch::end_for_one(&unit, written).await?;
    // It may have been cached again before the commit.
    cx.app.caches.forget(stored.class.schema.name.as_str(), Some(&stored.id));
    Ok(stored)
}

async fn write(cx: &Context, checked: Checked, rules: &dyn ClassRules) -> Result<Stored> {
    let Checked { class, adds_field, id, new_id, write, acl, internal, only, mut facts, state } = checked;
    let now = cx.now();
    let operations = write
        .update
        .0
        .iter()
        .filter(|(_, change)| !matches!(change, Change::Set(_) | Change::Unset))
        .map(|(path, _)| path.clone())
        .collect();
    let (created, id, row) = if let Some(id) = id {
        let mut update = write.update;
        update.0.extend(internal.0);
        put_acl(&mut update, acl.as_ref());
        update.put("updatedAt", Change::Set(now.into()));
        let scope = scope::scope(
            cx,
            &class,
            Operation::Update,
            store::by_id(&id).and(only),
            adds_field.then_some(Operation::AddField),
        )
        .await?;
        let row = match store::update_one(cx, &class, &scope, &update).await {
            Ok(Some(row)) => row,
            Ok(None) => return Err(rules.refused_update(cx, ParseError::not_found())),
            Err(error) => return Err(conflict(cx, error, rules, false, &Object::new()).await),
        };
        write_relations(cx, &class, &id, &write.relations).await?;
        (false, id, row)
    } else {
        let mut row = apply::for_create(&write.update)?;
        apply::apply(&internal, &mut row)?;
        row.insert("objectId", new_id.clone());
        row.insert("createdAt", facts.created_at.unwrap_or(now));
        row.insert("updatedAt", facts.updated_at.unwrap_or(now));
        if let Some(acl) = &acl {
            let (readers, writers) = acl.to_permissions();
            row.insert("_wperm", writers);
            row.insert("_rperm", readers);
        }
        if !write.relations.is_empty() {
            let relations: Vec<String> = write.relations.iter().map(|change| change.field.clone()).collect();
            cx.app.events.announce_relations(&class.schema.name, &new_id, &relations);
        }
        // Members of an object that is never stored hurt nobody, because no other object gets its id. An object that a
        // client finds without its members would be wrong.
        let relations_first = !facts.id_given;
        if relations_first {
            write_relations(cx, &class, &new_id, &write.relations).await?;
        }
        if let Err(error) = store::insert(cx, &class, row.clone()).await {
            let refusal = conflict(cx, error, rules, true, &row).await;
            if cx.transaction.is_none() {
                retract(cx, &class, &new_id, if relations_first { &write.relations } else { &[] }, rules, &state).await;
            }
            return Err(refusal);
        }
        if !relations_first {
            write_relations(cx, &class, &new_id, &write.relations).await?;
        }
        (true, new_id, row)
    };
    if let Some(concerned) = &mut facts.concerned {
        concerned.relations = write.relations.iter().map(|change| change.field.clone()).collect();
    }
    cx.app.caches.forget(class.schema.name.as_str(), Some(&id));
    Ok(Stored { class, created, id, row, operations, facts, state })
}

fn put_acl(update: &mut Update, acl: Option<&Acl>) {
    if let Some(acl) = acl {
        let (readers, writers) = acl.to_permissions();
        update.put("_wperm", Change::Set(writers));
        update.put("_rperm", Change::Set(readers));
    }
}

async fn conflict(
    cx: &Context,
    error: StorageError,
    rules: &dyn ClassRules,
    creating: bool,
    row: &Object,
) -> crate::error::ParseError {
    if let StorageError::Duplicate { index } = &error
        && let Some(mapped) = rules.conflict(cx, index, creating, row).await
    {
        return mapped.with_source(error);
    }
    failure(error)
}

/// Removes what was written for a row that could not be stored. What cannot be removed hurts nobody.
async fn retract(
    cx: &Context,
    class: &Class,
    owner: &str,
    relations: &[RelationChange],
    rules: &dyn ClassRules,
    state: &RuleState,
) {
    let mut retracted = rules.retract(cx, state).await;
    for RelationChange { field, add, .. } in relations {
        let removed = store::change_relation(cx, &class.schema.name, field, owner, &[], &ids(add)).await;
        retracted = retracted.and(removed);
    }
    if let Err(error) = retracted {
        tracing::warn!(%error, "could not remove what belongs to an object that was not stored");
    }
}

fn ids(pointers: &[Pointer]) -> Vec<String> {
    pointers.iter().map(|pointer| pointer.id.clone()).collect()
}

async fn write_relations(cx: &Context, class: &Class, owner: &str, relations: &[RelationChange]) -> Result<()> {
    for RelationChange { field, add, remove, .. } in relations {
        store::change_relation(cx, &class.schema.name, field, owner, &ids(add), &ids(remove)).await?;
    }
    Ok(())
}
