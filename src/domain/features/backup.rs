//! Backups at times of the day, on the server that has the embedded store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;

use crate::adapters::backup::{Backups, Verifier};
use crate::adapters::files::{FileError, FileInfo, FileStore, NewFile};
use crate::config::Options;
use crate::config::backup::minute_of_day;
use crate::domain::kernel::app::App;
use crate::domain::kernel::feature::{Feature, Work};
use crate::domain::kernel::services::Services;
use crate::error::Result;
use crate::model::date::Date;

/// Backups begin at most so much late.
const EVERY: Duration = Duration::from_secs(10);
/// After a failure the next try waits for so long: a copy of the database takes room and time.
const PAUSE_MS: i64 = 10 * 60 * 1000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const PREFIX: &str = "reparse-";
const ENDING: &str = ".tar";

/// The feature: idle unless the options give times.
#[must_use]
pub fn feature(options: &Options, services: &Services) -> Feature {
    let feature = Feature::new("backup");
    let own = &options.own.backup;
    let times: Vec<i64> = own.schedule.0.iter().filter_map(|time| minute_of_day(time)).map(i64::from).collect();
    match &services.backups {
        Some(backups) if !times.is_empty() => {
            let keep = usize::try_from(own.keep).unwrap_or(usize::MAX);
            feature.work(Schedule { backups: backups.clone(), times, keep, state: Mutex::default() })
        }
        _ => feature,
    }
}

/// When the last one was made, as far as is known, and the last failure.
#[derive(Debug, Default, Clone, Copy)]
struct State {
    newest: Option<Date>,
    failed: Option<Date>,
}

/// The work.
#[derive(Debug)]
struct Schedule {
    backups: Backups,
    /// Minutes of the day, in UTC.
    times: Vec<i64>,
    keep: usize,
    state: Mutex<State>,
}

impl Schedule {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a backup if one is due, and removes those that are too many.
    async fn consider(&self, now: Date) -> std::result::Result<(), FileError> {
        let due = last_time(&self.times, now);
        let State { newest, failed } = *self.state();
        if newest.is_some_and(|newest| newest >= due)
            || failed.is_some_and(|failed| now.millis().saturating_sub(failed.millis()) < PAUSE_MS)
        {
            return Ok(());
        }
        let place = self.backups.place.as_ref();
        // A server that was down at the time makes up for it, one that was only restarted does not.
        let last = made(place).await?.into_iter().map(|(date, _)| date).max();
        if let Some(last) = last.filter(|last| *last >= due) {
            self.state().newest = Some(last);
            return Ok(());
        }
        let name = name_of(now);
        let bytes = self.backups.source.stream(now).await?;
        let length = place.create(NewFile::named(name.clone(), now), bytes).await?;
        if let Err(error) = verify(place, &name).await {
            place.delete(&name).await?;
            return Err(error);
        }
        tracing::info!(name = name.as_str(), bytes = length, "made a backup");
        self.state().newest = Some(now);
        let mut all = made(place).await?;
        while all.len() > self.keep {
            let (_, oldest) = all.remove(0);
            place.delete(&oldest).await?;
            tracing::info!(name = oldest.as_str(), "removed an old backup");
        }
        Ok(())
    }
}

impl Work for Schedule {
    fn kind(&self) -> &'static str {
        "backup"
    }

    fn every(&self) -> Duration {
        EVERY
    }

    fn round<'a>(&'a self, app: &'a Arc<App>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let now = app.clock.now();
            // Not tried again at once, as other work is.
            if let Err(error) = self.consider(now).await {
                self.state().failed = Some(now);
                tracing::error!(%error, "a backup failed; the next try is in ten minutes");
            }
            Ok(())
        })
    }
}

/// The backups in a place, oldest first.
async fn made(place: &dyn FileStore) -> std::result::Result<Vec<(Date, String)>, FileError> {
    let files: Vec<FileInfo> = place.list().await?.try_collect().await?;
    let mut made: Vec<(Date, String)> =
        files.into_iter().filter_map(|file| Some((date_of(&file.name)?, file.name))).collect();
    made.sort();
    Ok(made)
}

/// Reads a backup where it is now.
async fn verify(place: &dyn FileStore, name: &str) -> std::result::Result<(), FileError> {
    let file = place.open(name).await?;
    let length = file.info().length;
    let mut verifier = Verifier::of(length).map_err(FileError::store)?;
    let mut bytes = file.read(0..length).await?;
    while let Some(piece) = bytes.try_next().await? {
        verifier.update(&piece);
    }
    verifier.finish().map_err(FileError::store)
}

/// The last of these times that has come.
fn last_time(times: &[i64], now: Date) -> Date {
    let midnight = now.millis().div_euclid(DAY_MS) * DAY_MS;
    let at = |minutes: &i64| {
        let today = midnight + minutes * MINUTE_MS;
        if today <= now.millis() { today } else { today - DAY_MS }
    };
    Date::from_millis(times.iter().map(at).max().unwrap_or(i64::MAX))
}

/// `reparse-2026-11-29T03-00-00.000Z.tar`: in the order of names backups are in that of time.
fn name_of(date: Date) -> String {
    format!("{PREFIX}{}{ENDING}", date.to_iso().replace(':', "-"))
}

fn date_of(name: &str) -> Option<Date> {
    let (day, time) = name.strip_prefix(PREFIX)?.strip_suffix(ENDING)?.split_once('T')?;
    Date::parse(&format!("{day}T{}", time.replace('-', ":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(iso: &str) -> Date {
        Date::parse(iso).unwrap()
    }

    #[test]
    fn the_last_time_is_today_or_yesterday() {
        let times = [3 * 60, 15 * 60 + 30];
        for (now, last) in [
            ("2026-11-29T02:59:59.999Z", "2026-11-28T15:30:00.000Z"),
            ("2026-11-29T03:00:00.000Z", "2026-11-29T03:00:00.000Z"),
            ("2026-11-29T15:29:00.000Z", "2026-11-29T03:00:00.000Z"),
            ("2026-11-29T23:00:00.000Z", "2026-11-29T15:30:00.000Z"),
            ("2026-01-01T00:00:00.000Z", "2025-12-31T15:30:00.000Z"),
        ] {
            assert_eq!(last_time(&times, at(now)), at(last), "{now}");
        }
    }

    #[test]
    fn names_tell_the_moment() {
        let date = at("2026-11-29T03:00:00.120Z");
        assert_eq!(name_of(date), "reparse-2026-11-29T03-00-00.120Z.tar");
        assert_eq!(date_of(&name_of(date)), Some(date));
        for other in ["reparse-.tar", "other.tar", "reparse-2026-11-29.tar", "reparse-2026-11-29T03-00-00.120Z.tar.gz"]
        {
            assert_eq!(date_of(other), None, "{other}");
        }
    }
}
