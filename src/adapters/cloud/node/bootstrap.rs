//! The JavaScript that a process starts with, carried in the binary.

use std::io;
use std::path::{Path, PathBuf};

/// Name and text of every file. `start.js` is the one that Node runs; the carried SDK is used only by apps that have none.
const FILES: [(&str, &str); 22] = [
    ("start.js", include_str!("bootstrap/start.js")),
    ("frames.js", include_str!("bootstrap/frames.js")),
    ("channel.js", include_str!("bootstrap/channel.js")),
    ("course.js", include_str!("bootstrap/course.js")),
    ("logs.js", include_str!("bootstrap/logs.js")),
    ("errors.js", include_str!("bootstrap/errors.js")),
    ("load.js", include_str!("bootstrap/load.js")),
    ("sdk.js", include_str!("bootstrap/sdk.js")),
    ("rest.js", include_str!("bootstrap/rest.js")),
    ("registry.js", include_str!("bootstrap/registry.js")),
    ("cloud.js", include_str!("bootstrap/cloud.js")),
    ("validators.js", include_str!("bootstrap/validators.js")),
    ("values.js", include_str!("bootstrap/values.js")),
    ("requests.js", include_str!("bootstrap/requests.js")),
    ("objects.js", include_str!("bootstrap/objects.js")),
    ("files.js", include_str!("bootstrap/files.js")),
    ("functions.js", include_str!("bootstrap/functions.js")),
    ("triggers.js", include_str!("bootstrap/triggers.js")),
    ("modules.js", include_str!("bootstrap/modules.js")),
    ("parse/parse.min.js", include_str!("bootstrap/parse/parse.min.js")),
    ("parse/LICENSE", include_str!("bootstrap/parse/LICENSE")),
    ("parse/NOTICE", include_str!("bootstrap/parse/NOTICE")),
];

/// Writes the files into a folder; returns the path of the one to start.
pub(super) fn write(folder: &Path) -> io::Result<PathBuf> {
    // Without this a package.json above the folder could make the files ES modules.
    std::fs::write(folder.join("package.json"), r#"{"type":"commonjs"}"#)?;
    std::fs::create_dir(folder.join("parse"))?;
    for (name, text) in FILES {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(folder.join("start.js"))
}
