//! The commands for all data of an app.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::{fail, say};
use crate::adapters::backup::{self, BackupError};
use crate::adapters::files::FileStore;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{DataTask, DatabaseUri, Loaded, Options};
use crate::domain::upkeep::check::{self, Seen};
use crate::domain::upkeep::transfer::{Data, Step};
use crate::domain::upkeep::{export, import};
use crate::private_file;
use crate::random::SystemRandom;
use crate::server::{self, Whole, chain};
use crate::storage::sqlite::{self, EmbeddedError};

/// Does what was asked with all data, and says how it went. Fails when something is wrong.
pub async fn run(loaded: &Loaded, task: DataTask) -> ExitCode {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let options = &loaded.options;
    let outcome = match task {
        DataTask::Check { data } => check(options, data).await,
        DataTask::Compact => compact(options).await,
        DataTask::Backup { file } => back_up(options, file).await,
        DataTask::Restore { file } => restore(options, file).await,
        DataTask::Export { folder, files } => export(options, &folder, files).await,
        DataTask::Import { folder, files } => import(options, &folder, files).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&format!("error: {error}")),
    }
}

/// The configuration was read, or this would not run.
async fn check(options: &Options, data: bool) -> Result<bool, String> {
    server::rehearse(options).map_err(|error| error.to_string())?;
    say("the configuration is sound");
    if !data {
        return Ok(true);
    }
    let store = Whole::to_read(options).await.map_err(|error| error.to_string())?;
    let files = server::file_store(options).await;
    if let Err(error) = &files {
        eprintln!("warning: files are not checked: {error}");
    }
    let mut findings = 0_u64;
    let files = files.as_deref().ok();
    let mut tell = |finding: check::Finding| {
        findings += 1;
        say(&finding.to_string());
    };
    let seen = check::check(store.storage.as_ref(), files, &mut tell).await.map_err(|error| chain(error.as_ref()));
    store.storage.close().await;
    let Seen { classes, objects, pairs, files, unnamed_files } = seen?;
    let mut text = format!("{objects} objects of {classes} classes, {pairs} pairs in relations");
    if let Some(files) = files {
        let _ = write!(text, ", {files} files ({unnamed_files} that no object names)");
    }
    say(&format!("{text}: {}", if findings == 0 { "nothing wrong".to_owned() } else { format!("{findings} wrong") }));
    Ok(findings == 0)
}

/// The data directory of the embedded store.
fn data_directory(options: &Options, otherwise: &str) -> Result<PathBuf, String> {
    match &options.database.uri {
        DatabaseUri::Embedded { dir } => Ok(dir.clone()),
        DatabaseUri::Mongo { .. } => Err(format!("this is for the embedded store; for MongoDB {otherwise}")),
    }
}

/// Runs what blocks.
async fn blocking<T: Send + 'static, E: std::error::Error + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?.map_err(|error| chain(&error))
}

async fn compact(options: &Options) -> Result<bool, String> {
    let dir = data_directory(options, "there is its command compact")?;
    let (before, after) = blocking(move || sqlite::compact(&dir)).await?;
    say(&format!("{} before, {} now", HumanBytes(before), HumanBytes(after)));
    Ok(true)
}

async fn back_up(options: &Options, file: PathBuf) -> Result<bool, String> {
    let dir = data_directory(options, "there is mongodump")?;
    if file.exists() {
        return Err(format!("{} is there already", file.display()));
    }
    let copy = format!("copy-{}", std::process::id());
    let (parts, copied) =
        server::backup::parts(&dir, &copy, SystemClock.now()).await.map_err(|error| error.to_string())?;
    if options.files.files_adapter.is_some() {
        eprintln!("warning: files that an adapter keeps elsewhere are not in the backup");
    }
    let place = file.clone();
    let bytes = blocking(move || -> io::Result<u64> {
        let _until_written = copied;
        let bar = bytes_bar(parts.size()?);
        let draft = with_ending(&file, "unfinished");
        let out = private_file::options().write(true).create(true).truncate(true).open(&draft)?;
        let written = parts.write(BufWriter::with_capacity(1 << 20, &out), &mut |bytes| bar.inc(bytes));
        let kept = written.and_then(|()| out.sync_all()).and_then(|()| fs::rename(&draft, &file));
        if let Err(error) = kept {
            // What is said is why it failed.
            let _left = fs::remove_file(&draft);
            return Err(error);
        }
        bar.finish_and_clear();
        Ok(out.metadata()?.len())
    })
    .await?;
    say(&format!("{} written to {}", HumanBytes(bytes), place.display()));
    Ok(true)
}

/// What goes wrong when a backup is restored.
#[derive(Debug, thiserror::Error)]
enum RestoreError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Store(#[from] EmbeddedError),
}

async fn restore(options: &Options, file: PathBuf) -> Result<bool, String> {
    let dir = data_directory(options, "there is mongorestore")?;
    let place = dir.clone();
    let about = blocking(move || -> Result<backup::About, RestoreError> {
        let length = fs::metadata(&file).map_err(BackupError::from)?.len();
        let bar = bytes_bar(length.saturating_mul(2));
        // Before anything is made or changed.
        backup::verify(&file, &mut |bytes| bar.inc(bytes))?;
        let about = sqlite::restore(&dir, |to| {
            backup::unpack(&file, to, &mut |bytes| bar.inc(bytes)).map_err(RestoreError::from)
        })?;
        bar.finish_and_clear();
        Ok(about)
    })
    .await?;
    say(&format!("the data of {} is in {}", about.made, place.display()));
    Ok(true)
}

/// The file store, if files are wanted.
async fn files_of(options: &Options, wanted: bool) -> Result<Option<Arc<dyn FileStore>>, String> {
    if !wanted {
        return Ok(None);
    }
    let store = server::file_store(options).await;
    store.map(Some).map_err(|error| format!("{error}; see --without-files"))
}

async fn export(options: &Options, folder: &Path, files: bool) -> Result<bool, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let contents = export::begin(folder, &SystemClock.now().to_iso()).await.map_err(|error| said(&error))?;
    if contents.complete {
        say(&format!("the export of {} is complete", contents.begun));
        return Ok(true);
    }
    let mut store = Whole::to_read_again(options, folder.join("copy")).await.map_err(|error| said(&error))?;
    let file_store = files_of(options, files).await?;
    let source = data(&store, file_store.as_deref(), options);
    let bar = lines_bar();
    let exported = export::export(&source, folder, contents, &mut teller(&bar)).await;
    store.storage.close().await;
    let (contents, failed) = exported.map_err(|error| said(&error))?;
    bar.finish_and_clear();
    if contents.complete {
        store.done();
    }
    let count = |prefix: &str| -> u64 {
        contents.parts.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, part)| part.lines).sum()
    };
    say(&format!(
        "{} objects, {} pairs in relations, {} files are in {}, {failed} failed",
        count("rows/"),
        count("relations/"),
        count("files"),
        folder.display()
    ));
    Ok(failed == 0)
}

async fn import(options: &Options, folder: &Path, files: bool) -> Result<bool, String> {
    let store = Whole::to_write(options).await.map_err(|error| error.to_string())?;
    let file_store = files_of(options, files).await?;
    let target = data(&store, file_store.as_deref(), options);
    let bar = lines_bar();
    let imported = import::import(&target, folder, &mut teller(&bar)).await;
    store.storage.close().await;
    let tally = imported.map_err(|error| error.to_string())?;
    bar.finish_and_clear();
    say(&format!(
        "{} objects made, {} were there already, {} pairs in relations, {} files, {} failed",
        tally.objects, tally.already, tally.pairs, tally.files, tally.failed
    ));
    Ok(tally.failed == 0)
}

/// All data of an open store.
fn data<'a>(store: &'a Whole, files: Option<&'a dyn FileStore>, options: &'a Options) -> Data<'a> {
    Data { storage: store.storage.as_ref(), files, options, random: Arc::new(SystemRandom) }
}

/// Shows each step at a bar, and what was left out above it.
fn teller(bar: &ProgressBar) -> impl FnMut(Step<'_>) + Send {
    move |step| match step {
        Step::Done(part, lines) => {
            bar.set_message(part.to_owned());
            bar.inc(lines);
        }
        Step::Trouble(trouble) => bar.suspend(|| eprintln!("{trouble}")),
    }
}

/// How far it is, by bytes; shown only to people.
fn bytes_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// How far it is, by lines; shown only to people.
fn lines_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let template = "{spinner} {msg} {pos} {per_sec}";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A path with one more ending.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
