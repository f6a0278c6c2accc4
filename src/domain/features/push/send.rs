//! Sending, batch by batch. A few batches are in flight at a time; each is written down as taken before it is sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::counter;
use tokio::task::{Id, JoinError, JoinSet};

use super::devices::Devices;
use super::request::When;
use super::state::Pushes;
use super::tally::per_type;
use super::work::{End, HELD_FOR, Progress, Work};
use super::{batch, local_time, payload, status};
use crate::adapters::push::{Device, Outcome};
use crate::domain::kernel::app::App;
use crate::error::{ParseError, Result};
use crate::model::date::Date;
use crate::model::measures;
use crate::traces;

/// Batches of a push that are sent at the same time.
const IN_FLIGHT: usize = 8;
/// Batches that are taken in one go: each time costs a query, and a write that says so.
const AT_ONCE: usize = IN_FLIGHT / 2;
/// The row of a push shows counts that are at most about this old. So are those that the work remembers; what a server that is killed
/// has not said counts as failed.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

/// Sends a push to the devices that are left, and says so in its row.
///
/// # Errors
/// When the store fails. What is in flight then is counted before.
pub(super) async fn send(app: &Arc<App>, pushes: &Pushes, work: &mut Work) -> Result<End> {
    if let When::LocalTime(wall) = work.request.when {
        loop {
            let devices = work.while_held(app, Devices::of(app, &work.request)).await?;
            let zones = work.while_held(app, devices.time_zones()).await?;
            let Some(round) = local_time::next(wall, &zones, work.progress.served_until) else { break };
            let moment = Date::from_millis(round.moment);
            if moment > app.clock.now() {
                return Ok(End::GoOnLater(moment));
            }
            work.request.expire_after(moment);
            let devices = devices.only(round.devices);
            if let Some(end) = Sending::new(app, pushes, work, Some(round.offset)).run(&devices).await? {
                return Ok(end);
            }
            work.progress.served_until = Some(round.moment);
            work.progress.after.clear();
            if !work.save(app).await? {
                return Ok(End::Lost);
            }
        }
    } else {
        let devices = work.while_held(app, Devices::of(app, &work.request)).await?;
        if let Some(end) = Sending::new(app, pushes, work, None).run(&devices).await? {
            return Ok(end);
        }
    }
    status::change(app, work, status::succeeded(work)).await?;
    Ok(End::Finished)
}

/// What is known while batches are in flight.
struct Sending<'a> {
    app: &'a Arc<App>,
    pushes: &'a Pushes,
    work: &'a mut Work,
    /// Of the devices' clocks, for a push that goes by local time.
    offset: Option<String>,
    in_flight: JoinSet<Vec<Outcome>>,
    /// The number of the batch that a task sends.
    numbers: HashMap<Id, u64>,
    shown: Instant,
    saved: Instant,
    /// Whether something was counted since the counts were shown, and since they were saved.
    unshown: bool,
    unsaved: bool,
    /// Whether no further batch is taken.
    ending: bool,
    failure: Option<ParseError>,
}

/// A batch that is about to be sent, and its number.
type Batch = (u64, Vec<Device>);

impl<'a> Sending<'a> {
    fn new(app: &'a Arc<App>, pushes: &'a Pushes, work: &'a mut Work, offset: Option<String>) -> Self {
        Self {
            app,
            pushes,
            work,
            offset,
            in_flight: JoinSet::new(),
            numbers: HashMap::new(),
            shown: Instant::now(),
            saved: Instant::now(),
            unshown: false,
            unsaved: false,
            ending: false,
            failure: None,
        }
    }

    /// Sends to all devices that are left. Gives the end of the work, where that is not the end of these devices.
    async fn run(mut self, devices: &Devices) -> Result<Option<End>> {
        loop {
            let before = self.work.progress.clone();
            let batches = self.take(devices).await;
            let late = if self.unsaved { SHOWN_EVERY } else { HELD_FOR / 3 };
            let last = self.unsaved && self.in_flight.is_empty();
            let due = !batches.is_empty() || last || self.saved.elapsed() >= late;
            match if due { self.save().await } else { Ok(true) } {
                Ok(true) => batches.into_iter().for_each(|batch| self.start(batch)),
                Ok(false) => {
                    // What is in flight arrives all the same, but counts as lost for whoever holds the work now.
                    self.in_flight.detach_all();
                    return Ok(Some(End::Lost));
                }
                Err(error) => self.take_back(before, error),
            }
            if self.has_room() {
                continue;
            }
            if self.in_flight.is_empty() {
                break;
            }
            let pause = if self.unshown { SHOWN_EVERY.saturating_sub(self.shown.elapsed()) } else { HELD_FOR / 3 };
            tokio::select! {
                Some(done) = self.in_flight.join_next_with_id() => self.count(done),
                // Nothing came back for a while: what is known is shown, or the next round says that the work is still held.
                () = tokio::time::sleep(pause) => {}
            }
            while let Some(done) = self.in_flight.try_join_next_with_id() {
                self.count(done);
            }
            if self.unshown && self.shown.elapsed() >= SHOWN_EVERY && !self.show().await {
                self.ending = true;
            }
        }
        match self.failure {
            Some(error) => Err(error),
            None if self.pushes.stop.is_cancelled() => Ok(Some(End::GoOnLater(self.app.clock.now()))),
            None => Ok(None),
        }
    }

    /// Says how far the work got. Tells whether this server still holds it.
    async fn save(&mut self) -> Result<bool> {
        let held = self.work.save(self.app).await?;
        (self.saved, self.unsaved) = (Instant::now(), false);
        Ok(held)
    }

    /// Whether further batches are taken now.
    fn has_room(&self) -> bool {
        !self.ending && self.in_flight.len() + AT_ONCE <= IN_FLIGHT
    }

    /// Takes batches, if there is room for a few.
    async fn take(&mut self, devices: &Devices) -> Vec<Batch> {
        if !self.has_room() {
            return Vec::new();
        }
        let expired = self.work.request.expires_at().is_some_and(|moment| moment <= self.app.clock.now());
        if expired || self.pushes.stop.is_cancelled() {
            self.ending = true;
            return Vec::new();
        }
        let size = self.pushes.batch_size;
        let most = size.saturating_mul(AT_ONCE as u64);
        let whole = self.pushes.sender.needs_whole_rows();
        let found = devices.next(&self.work.progress.after, most, whole);
        let found = match self.work.while_held(self.app, found).await {
            Ok(found) => found,
            Err(error) => {
                self.ending = true;
                self.failure = Some(error);
                return Vec::new();
            }
        };
        let Some(last) = found.last().and_then(Device::id) else {
            self.ending = true;
            return Vec::new();
        };
        self.ending = u64::try_from(found.len()).is_ok_and(|found| found < most);
        let progress = &mut self.work.progress;
        last.clone_into(&mut progress.after);
        let mut batches = Vec::with_capacity(AT_ONCE);
        let mut found = found.into_iter().peekable();
        while found.peek().is_some() {
            let batch: Vec<Device> = found.by_ref().take(usize::try_from(size).unwrap_or(usize::MAX)).collect();
            progress.open.insert(progress.next, per_type(&batch));
            batches.push((progress.next, batch));
            progress.next += 1;
        }
        batches
    }

    /// Whether the batches were written down is unknown, so they are not sent now.
    fn take_back(&mut self, before: Progress, error: ParseError) {
        self.work.progress = before;
        self.ending = true;
        self.failure.get_or_insert(error);
    }

    fn start(&mut self, (number, devices): Batch) {
        let groups = payload::split(&self.work.request, devices);
        let dead = self.pushes.clears_dead_tokens.then(|| self.app.clone());
        let task = batch::send(self.pushes.sender.clone(), self.work.id.clone(), groups, dead);
        let id = self.in_flight.spawn(traces::carry(task)).id();
        self.numbers.insert(id, number);
    }

    fn count(&mut self, done: Result<(Id, Vec<Outcome>), JoinError>) {
        let (id, outcomes) = match done {
            Ok((id, outcomes)) => (id, Some(outcomes)),
            Err(error) => {
                tracing::error!(push = self.work.id, %error, "a batch of a push failed");
                (error.id(), None)
            }
        };
        let Some(number) = self.numbers.remove(&id) else { return };
        let progress = &mut self.work.progress;
        let devices = progress.open.remove(&number).unwrap_or_default();
        let sent = outcomes.iter().flatten().filter(|outcome| outcome.transmitted).count() as u64;
        let all = outcomes.as_ref().map_or_else(|| devices.values().sum(), |outcomes| outcomes.len() as u64);
        counter!(measures::PUSHED, "outcome" => "sent").increment(sent);
        counter!(measures::PUSHED, "outcome" => "failed").increment(all.saturating_sub(sent));
        match outcomes {
            Some(outcomes) => progress.tally.add(&outcomes, self.offset.as_deref()),
            None => progress.tally.add_lost(&devices),
        }
        progress.done += 1;
        progress.failures = 0;
        (self.unshown, self.unsaved) = (true, true);
    }

    /// Shows in the row how far the push got. Tells whether the push is still wanted.
    async fn show(&mut self) -> bool {
        (self.shown, self.unshown) = (Instant::now(), false);
        match status::change(self.app, self.work, status::running(self.work)).await {
            Ok(wanted) => wanted,
            Err(error) => {
                tracing::warn!(push = self.work.id, %error, "how far a push got cannot be shown for now");
                true
            }
        }
    }
}
