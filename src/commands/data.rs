//! The commands for all data of an app.

use std::process::ExitCode;

use indicatif::HumanBytes;

use super::{fail, say};
use crate::config::{DataTask, DatabaseUri, Loaded, Options};
use crate::domain::upkeep::check::{self, Seen};
use crate::server::{self, chain};
use crate::storage::sqlite;

/// Does what was asked with all data, and says how it went. Fails when something is wrong.
pub async fn run(loaded: &Loaded, task: DataTask) -> ExitCode {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let options = &loaded.options;
    let outcome = match task {
        DataTask::Check { data } => check(options, data).await,
        DataTask::Compact => compact(options).await,
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
    let store = server::whole_store(options).await.map_err(|error| error.to_string())?;
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
        text.push_str(&format!(", {files} files ({unnamed_files} that no object names)"));
    }
    say(&format!("{text}: {}", if findings == 0 { "nothing wrong".to_owned() } else { format!("{findings} wrong") }));
    Ok(findings == 0)
}

async fn compact(options: &Options) -> Result<bool, String> {
    let DatabaseUri::Embedded { dir } = &options.database.uri else {
        return Err("only the embedded store is compacted; MongoDB has a command compact".to_owned());
    };
    let dir = dir.clone();
    let compacted =
        tokio::task::spawn_blocking(move || sqlite::compact(&dir)).await.map_err(|error| error.to_string())?;
    let (before, after) = compacted.map_err(|error| chain(&error))?;
    say(&format!("{} before, {} now", HumanBytes(before), HumanBytes(after)));
    Ok(true)
}
