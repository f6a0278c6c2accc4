//! `reparse files`: copies all files, checks them, changes their key.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::{fail, say};
use crate::adapters::files::encryption::FileKey;
use crate::adapters::files::upkeep::{self, Outcome, Tally};
use crate::adapters::files::{FileInfo, FileStore};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{self, Command, Environment, FilesPlace, FilesTask, Loaded, Options};
use crate::model::date::Date;
use crate::random::SystemRandom;
use crate::server::{self, chain};

/// Does what was asked with all files, and says how it went. Fails when a file failed, or something is left over.
pub async fn run(loaded: &Loaded, task: FilesTask) -> ExitCode {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let outcome = match task {
        FilesTask::Copy { from, to } => Box::pin(copy(&loaded.options, from, to)).await,
        FilesTask::Check { remove, older_than } => check(&loaded.options, remove, older_than).await,
        FilesTask::RotateKey { old } => {
            let old = old.map(|key| FileKey::from_text(key.expose()));
            rotate_key(&loaded.options, old.as_ref()).await
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&format!("error: {error}")),
    }
}

/// The store at a place.
async fn store(options: &Options, place: FilesPlace) -> Result<Arc<dyn FileStore>, String> {
    let mut options = options.clone();
    match place {
        FilesPlace::Database => options.files.files_adapter = None,
        FilesPlace::Adapter(adapter) => options.files.files_adapter = Some(config::free::Free(adapter)),
        // Without the environment: its variables are those of one configuration, and there are two.
        FilesPlace::Configuration(path) => {
            let arguments = [OsString::from("files"), OsString::from("check"), path.into_os_string()];
            match config::load(arguments, &Environment::new(), &SystemRandom).map_err(|error| error.line())? {
                Command::Files { loaded, .. } => options = loaded.options,
                _ => return Err("the configuration cannot be read".to_owned()),
            }
        }
    }
    server::file_store(&options).await.map_err(|error| chain(&error))
}

async fn copy(options: &Options, from: FilesPlace, to: FilesPlace) -> Result<bool, String> {
    let (from, to) = (store(options, from).await?, store(options, to).await?);
    let bar = Bar::over(from.as_ref()).await?;
    let copied = upkeep::copy(from.as_ref(), to.as_ref(), &mut |info, outcome| bar.tell(info, outcome)).await;
    let tally = copied.map_err(|error| chain(&error))?;
    bar.end();
    say(&format!(
        "{} copied ({}), {} were there already, {} failed",
        files(tally.done),
        size(&tally),
        tally.already,
        tally.failed
    ));
    Ok(tally.failed == 0)
}

async fn check(options: &Options, remove: bool, older_than: Duration) -> Result<bool, String> {
    let store = server::file_store(options).await.map_err(|error| chain(&error))?;
    let bar = Bar::over(store.as_ref()).await?;
    let age = i64::try_from(older_than.as_millis()).unwrap_or(i64::MAX);
    let before = Date::from_millis(SystemClock.now().millis().saturating_sub(age));
    let checked = upkeep::check(store.as_ref(), before, remove, &mut |info, outcome| bar.tell(info, outcome)).await;
    let found = checked.map_err(|error| chain(&error))?;
    bar.end();
    for leftover in &found.leftovers {
        say(&format!("left over: {}", leftover.place));
    }
    let left = found.leftovers.len();
    let (tally, what) = (found.files, if remove { "removed" } else { "left over" });
    say(&format!("{} whole ({}), {} failed, {left} {what}", files(tally.done), size(&tally), tally.failed));
    Ok(tally.failed == 0 && (remove || left == 0))
}

async fn rotate_key(options: &Options, old: Option<&FileKey>) -> Result<bool, String> {
    let store = server::file_store(options).await.map_err(|error| chain(&error))?;
    let bar = Bar::over(store.as_ref()).await?;
    let rotated = upkeep::rotate_key(store.as_ref(), old, &mut |info, outcome| bar.tell(info, outcome)).await;
    let tally = rotated.map_err(|error| chain(&error))?;
    bar.end();
    say(&format!(
        "{} encrypted ({}), {} were already, {} failed",
        files(tally.done),
        size(&tally),
        tally.already,
        tally.failed
    ));
    Ok(tally.failed == 0)
}

fn files(count: u64) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn size(tally: &Tally) -> String {
    HumanBytes(tally.bytes).to_string()
}

/// How far it is, by bytes; shown only to people.
struct Bar(ProgressBar);

impl Bar {
    async fn over(store: &dyn FileStore) -> Result<Self, String> {
        let files = store.list().await.map_err(|error| chain(&error))?;
        let sum = files.try_fold(0_u64, async |sum, info| Ok(sum.saturating_add(weight(&info)))).await;
        let bar = ProgressBar::new(sum.map_err(|error| chain(&error))?);
        let template = "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Ok(Self(bar))
    }

    fn tell(&self, info: &FileInfo, outcome: &Outcome) {
        if let Outcome::Failed(error) = outcome {
            self.0.suspend(|| eprintln!("{}: {}", info.name, chain(error)));
        }
        self.0.inc(weight(info));
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Small files take time, too.
fn weight(info: &FileInfo) -> u64 {
    info.length.saturating_add(1024)
}
