//! Watches the source files of the app and tells when one has changed (`--cloud-reload`, for development).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

/// Time between two looks. Polling costs little for the few files of an app and works on every file system.
const INTERVAL: Duration = Duration::from_millis(500);
/// Most files that are looked at.
const MAX_FILES: usize = 5000;

type Times = HashMap<PathBuf, SystemTime>;

/// Calls `changed` whenever a source file below the folder is new, changed or gone, until `stop`.
pub(super) async fn watch(folder: PathBuf, stop: CancellationToken, changed: impl Fn() + Send) {
    let mut known: Option<Times> = None;
    loop {
        let root = folder.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || look(&root)).await else { return };
        if known.as_ref().is_some_and(|known| *known != now) {
            changed();
        }
        known = Some(now);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// The source files below a folder with the times of their last change. Dependencies and hidden folders are left out.
fn look(root: &Path) -> Times {
    let mut times = Times::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if name != "node_modules" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if times.len() < MAX_FILES
                && path.extension().and_then(|extension| extension.to_str()).is_some_and(is_source)
                && let Ok(time) = entry.metadata().and_then(|metadata| metadata.modified())
            {
                times.insert(path, time);
            }
        }
    }
    times
}

fn is_source(extension: &str) -> bool {
    matches!(extension, "js" | "cjs" | "mjs" | "json")
}
