//! Badges: the number on the icon of an application. A push may set or raise it for all of its devices, in the database, before it is sent.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::badge::Badge;
use super::devices::Devices;
use super::state::Pushes;
use super::work::{End, Flow, Work};
use crate::domain::kernel::app::App;
use crate::error::Result;
use crate::model::operation::{Change, Update};
use crate::model::value::Value;

/// Devices whose badges change in one step. The work says which step was begun, so that none is done twice.
const STEP: u64 = 1000;

/// Changes the badges of all devices, from where the work is at.
///
/// # Errors
/// When the condition is none, or the store fails.
pub(super) async fn update(app: &Arc<App>, pushes: &Pushes, work: &mut Work) -> Result<Flow> {
    let change = match work.request.badge() {
        Badge::Unchanged => return Ok(ControlFlow::Continue(())),
        Badge::Set(number) => Change::Set(Value::Number(number)),
        Badge::Raise(amount) => Change::Increment(amount),
    };
    let devices = work.while_held(app, Devices::of(app, &work.request)).await?;
    while let Some(last) = work.while_held(app, devices.last_of(&work.progress.after, STEP)).await? {
        if pushes.stop.is_cancelled() {
            return Ok(ControlFlow::Break(End::GoOnLater(app.clock.now())));
        }
        let first = std::mem::replace(&mut work.progress.after, last.clone());
        if !work.save(app).await? {
            return Ok(ControlFlow::Break(End::Lost));
        }
        let mut update = Update::default();
        update.put("badge", change.clone());
        update.put("updatedAt", Change::Set(app.clock.now().into()));
        work.while_held(app, devices.update(&first, &last, &update)).await?;
    }
    work.progress.after.clear();
    Ok(ControlFlow::Continue(()))
}
