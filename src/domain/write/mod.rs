//! The write pipeline, which creates and updates objects of any class.
//!
//! Each stage takes the value of the previous one by move, so none can be skipped or repeated:
//!
//! | stage | value | what happens |
//! |---|---|---|
//! | [`open`] | [`Save`] → [`Draft`] | read-only callers, internal classes, object ids, class creation, denied keywords |
//! | prepare | `Draft` → `Draft` or done | `ClassRules::prepare`: sessions, authData, restricted fields |
//! | permit | `Draft` → `Draft` | class level permission, before the row is read |
//! | [`triggers`] | `Draft` → `Draft` | beforeSave: may refuse or change the write |
//! | [`validate_fields`] | `Draft` → [`Checked`] | types against the schema, new fields, defaults, required fields |
//! | transform | `Checked` → `Checked` | `ClassRules::transform`: hash, unique names |
//! | [`store`] | `Checked` → [`Stored`] | the write of the row and its relations |
//! | follow up | `Stored` → `Stored` | `ClassRules::follow_up`: session token, cleared sessions |
//! | [`respond`] | `Stored` → [`Saved`] | the response |
//! | [`triggers`] | `Saved` → `Saved` | events, afterSave |

pub mod open;
pub mod respond;
pub mod store;
pub mod triggers;
pub mod validate_fields;

use std::ops::ControlFlow;

use crate::domain::kernel::commands::Save;
use crate::domain::kernel::context::Context;
pub use crate::domain::kernel::stages::{Checked, Draft, Saved, Stored};
use crate::domain::permissions::{Operation, scope};
use crate::domain::triggers as call;
use crate::error::{ParseError, Result};
use crate::model::operation::Update;
use crate::model::query::{Filter, Resolved};
use crate::model::trigger::Trigger;
use crate::traces;

/// Creates or updates an object.
///
/// # Errors
/// The errors of the stages.
///
/// # Cancel safety
/// From the write on, the work continues even if the caller stops waiting, so that every write is followed by the
/// stages after it.
pub async fn save(cx: &Context, save: Save) -> Result<Saved> {
    save_only(cx, save, Filter::All, Update::default()).await
}

/// Like [`save`], with an additional condition on the row to update, and internal columns to write.
///
/// # Errors
/// As [`save`]; 101 if the row does not match `only` at the time of the write.
///
/// # Cancel safety
/// As [`save`].
pub async fn save_only(cx: &Context, save: Save, only: Resolved, internal: Update) -> Result<Saved> {
    let rules = cx.app.rules.of(&save.class);
    if !rules.rehearses() {
        call::end_unless_asking(cx, Trigger::BeforeSave, &save.class)?;
    }
    let updating = save.id.is_some();
    let refused = |error| if updating { rules.refused_update(cx, error) } else { error };
    let mut draft = open::open(cx, save)?;
    draft.only = only;
    draft.internal = internal;
    let draft = match rules.prepare(cx, draft).await.map_err(refused)? {
        ControlFlow::Continue(draft) => draft,
        ControlFlow::Break(saved) => return Ok(saved),
    };
    permit(cx, &draft).await.map_err(refused)?;
    let draft = triggers::before_save(cx, draft, &*rules).await?;
    if cx.is_rehearsed() {
        rules.rehearse(cx, &draft).await?;
    }
    call::end_when_asked(cx)?;
    let checked = validate_fields::validate_fields(cx, draft).await?;
    let checked = rules.transform(cx, checked).await?;
    let task_cx = cx.clone();
    let task = cx.app.tasks.spawn(traces::carry(async move {
        let stored = store::store(&task_cx, checked, &*rules).await?;
        let mut stored = rules.follow_up(&task_cx, stored).await?;
        let (class, concerned) = (stored.class.clone(), stored.facts.concerned.take());
        let mut saved = respond::respond(&task_cx, stored, concerned.as_ref(), &*rules).await?;
        if let Some(concerned) = concerned {
            triggers::after_save(&task_cx, class, concerned, &mut saved).await;
        }
        Ok(saved)
    }));
    task.await.map_err(ParseError::internal)?
}

async fn permit(cx: &Context, draft: &Draft) -> Result<()> {
    let operation = if draft.creates() { Operation::Create } else { Operation::Update };
    scope::admit(cx, &cx.class(&draft.class), operation).await
}
