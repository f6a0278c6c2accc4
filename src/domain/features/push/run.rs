//! The stages of a push after its request was answered.

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::devices::{Devices, context};
use super::request::When;
use super::state::Pushes;
use super::work::{End, Stage, Work};
use super::{badges, send, status};
use crate::domain::kernel::app::App;
use crate::domain::permissions::Scoped;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::date::Date;
use crate::model::names::{self, ClassName};
use crate::model::operation::{Change, Update};
use crate::traces;

/// How often work is taken up again that fails without getting further.
const MOST_FAILURES: u32 = 8;
/// The pause after the first failure, in seconds; it doubles each time.
const FIRST_PAUSE: f64 = 2.0;
/// How often the server tries to say how far it got, when the store fails.
const GOODBYES: u32 = 5;

/// Works on a push beside whatever called.
pub(super) fn start(app: &Arc<App>, pushes: &Pushes, work: Work) {
    take_note(pushes, &work.id);
    let app = app.clone();
    let tasks = app.tasks.clone();
    tasks.spawn(traces::carry(async move {
        let Ok(pushes) = app.feature::<Pushes>() else { return };
        let id = work.id.clone();
        tokio::select! {
            () = pushes.stop.cancelled() => end(&app, work, Ok(End::GoOnLater(app.clock.now()))).await,
            permit = pushes.permits.acquire() => {
                if permit.is_ok() {
                    work_on(&app, pushes, work).await;
                }
            }
        }
        forget(pushes, &id);
    }));
}

/// Takes up work that nobody holds, beside whatever called.
pub(super) fn take_up(app: &Arc<App>, pushes: &Pushes, id: String) {
    take_note(pushes, &id);
    let app = app.clone();
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        let Ok(pushes) = app.feature::<Pushes>() else { return };
        if let Ok(_permit) = pushes.permits.acquire().await {
            match Work::take(&app, &id).await {
                Ok(Some(work)) => match status::exists(&app, &id).await {
                    Ok(true) => work_on(&app, pushes, work).await,
                    // It was taken back, or its request never got an answer.
                    Ok(false) => work.delete(&app).await,
                    Err(error) => tracing::warn!(push = id, %error, "a push cannot go on for now"),
                },
                Ok(None) => {}
                Err(error) => tracing::warn!(push = id, %error, "a push cannot be taken up for now"),
            }
        }
        forget(pushes, &id);
    });
}

/// Whether this server works on a push, or will.
pub(super) fn is_taken(pushes: &Pushes, id: &str) -> bool {
    pushes.taken.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
}

fn take_note(pushes: &Pushes, id: &str) {
    pushes.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
}

fn forget(pushes: &Pushes, id: &str) {
    pushes.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
}

async fn work_on(app: &Arc<App>, pushes: &Pushes, mut work: Work) {
    let mut span = traces::work("push");
    span.set("reparse.push.id", work.id.clone());
    let worked = Box::pin(async {
        let result = Box::pin(stages(app, pushes, &mut work)).await;
        end(app, work, result).await;
    });
    span.scope(worked).await;
}

/// The stages that are left.
async fn stages(app: &Arc<App>, pushes: &Pushes, work: &mut Work) -> Result<End> {
    work.progress.give_up_open();
    if work.progress.stage == Stage::Badges {
        if let ControlFlow::Break(end) = badges::update(app, pushes, work).await? {
            return Ok(end);
        }
        count_audience(app, work).await?;
        work.progress.stage = Stage::Count;
        match work.due() {
            Some(due) if pushes.sends_scheduled => return Ok(End::GoOnLater(due)),
            Some(_) => return Ok(End::Finished),
            None => {}
        }
    }
    if let When::At(moment) = work.request.when {
        work.request.expire_after(Date::from_millis(moment));
    }
    if work.progress.stage == Stage::Count {
        let devices = async { Devices::of(app, &work.request).await?.count().await };
        let devices = match work.while_held(app, devices).await {
            // There are too many to count in the time of a search. They are found all the same, a few at a time.
            Err(error) if error.is(ErrorCode::Timeout) => None,
            counted => Some(counted?),
        };
        if devices == Some(0) {
            status::change(app, work, status::succeeded(work)).await?;
            return Ok(End::Finished);
        }
        work.progress.batches = devices.map_or(0, |devices| devices.div_ceil(pushes.batch_size));
        work.progress.stage = Stage::Send;
        if !work.save(app).await? {
            return Ok(End::Lost);
        }
        if !status::change(app, work, status::running(work)).await? {
            return Ok(End::Finished);
        }
    }
    if pushes.sends { Box::pin(send::send(app, pushes, work)).await } else { Ok(End::GoOnLater(app.clock.now())) }
}

/// Does what the end of the work asks for.
async fn end(app: &Arc<App>, mut work: Work, result: Result<End>) {
    let end = match result {
        Ok(end) => end,
        Err(error) => fail(app, &mut work, error).await,
    };
    match end {
        End::Finished => work.delete(app).await,
        End::Lost => tracing::warn!(push = work.id, "another server has taken a push over"),
        End::GoOnLater(moment) => {
            let mut pause = Duration::from_secs(1);
            for attempt in 1..=GOODBYES {
                let Err(error) = work.leave(app, moment).await else { return };
                tracing::warn!(push = work.id, %error, attempt, "how far a push got cannot be written down for now");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }
}

/// What follows from a failure: another try where that may help, else the push is over.
async fn fail(app: &Arc<App>, work: &mut Work, error: ParseError) -> End {
    let may_pass = error.status >= 500 || error.is(ErrorCode::Timeout);
    if may_pass && work.progress.failures < MOST_FAILURES {
        tracing::warn!(push = work.id, %error, "a push cannot go on for now");
        let pause = FIRST_PAUSE * f64::from(2_u32.saturating_pow(work.progress.failures));
        work.progress.failures += 1;
        return End::GoOnLater(app.clock.now().plus_seconds(pause));
    }
    tracing::error!(push = work.id, %error, "a push failed");
    match status::change(app, work, status::failed(work, &error)).await {
        Ok(_) => End::Finished,
        Err(error) => {
            tracing::warn!(push = work.id, %error, "that a push failed cannot be written down for now");
            End::GoOnLater(app.clock.now().plus_seconds(FIRST_PAUSE))
        }
    }
}

/// Counts the push for the audience that it names. One that does not exist does not matter.
async fn count_audience(app: &Arc<App>, work: &Work) -> Result<()> {
    let Some(id) = work.request.body.get("audience_id").and_then(serde_json::Value::as_str) else { return Ok(()) };
    let cx = context(app, &work.request.base_url);
    let mut update = Update::default();
    update.put("lastUsed", Change::Set(cx.now().into()));
    update.put("timesUsed", Change::Increment(1.0));
    update.put("updatedAt", Change::Set(cx.now().into()));
    let scope = Scoped::internal(store::by_id(id), "the audience that a master names");
    store::update_many(&cx, &cx.class(&ClassName::unchecked(names::AUDIENCE)), &scope, &update).await.map(|_| ())
}
