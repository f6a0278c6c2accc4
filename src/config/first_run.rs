//! The keys of a server without a configuration. They are generated on the first run,
//! stored in the data directory and printed once.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::ConfigError;
use crate::private_file;
use crate::random::Random;
use crate::system::folders;

/// Name of the key file in the data directory.
const FILE: &str = "keys.json";

/// Application id and keys of a data directory.
#[derive(Clone)]
pub(super) struct Generated {
    pub app_id: String,
    pub master_key: String,
    pub maintenance_key: String,
    /// Whether they were generated just now.
    pub fresh: bool,
}

/// Reads the keys in `dir`, or generates them. If two servers start at once, both get the
/// keys of the first.
pub(super) fn keys(dir: &Path, random: &dyn Random) -> Result<Generated, ConfigError> {
    let file = dir.join(FILE);
    let fail =
        |error: io::Error| ConfigError::new(format!("cannot store the generated keys in {}: {error}", file.display()));
    if let Some(keys) = read(&file)? {
        return Ok(keys);
    }
    make_dir(dir).map_err(fail)?;
    let keys = generate(random.alphanumeric(24), random);
    let text = keys.text();
    let draft = dir.join(format!(".{FILE}.{}", random.hex(8)));
    write_private(&draft, &text).map_err(fail)?;
    // A hard link is created atomically and never replaces another file.
    let linked = fs::hard_link(&draft, &file);
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return read(&file)?.ok_or_else(|| fail(io::ErrorKind::NotFound.into()));
        }
        Err(_) => write_private(&file, &text).map_err(fail)?,
    }
    removed.map_err(fail)?;
    folders::sync(dir).map_err(fail)?;
    Ok(keys)
}

/// Replaces the keys in `dir` by new ones; the application id stays. Gives them with their file.
pub(super) fn renew(dir: &Path, random: &dyn Random) -> Result<(Generated, PathBuf), ConfigError> {
    let file = dir.join(FILE);
    let fail = |error: io::Error| ConfigError::new(format!("cannot store keys in {}: {error}", file.display()));
    let Some(old) = read(&file)? else {
        return Err(ConfigError::new(format!("there are no generated keys in {}", dir.display())));
    };
    let keys = generate(old.app_id, random);
    let draft = dir.join(format!(".{FILE}.{}", random.hex(8)));
    write_private(&draft, &keys.text()).and_then(|()| fs::rename(&draft, &file)).map_err(fail)?;
    folders::sync(dir).map_err(fail)?;
    Ok((keys, file))
}

fn generate(app_id: String, random: &dyn Random) -> Generated {
    Generated { app_id, master_key: random.alphanumeric(48), maintenance_key: random.alphanumeric(48), fresh: true }
}

impl Generated {
    /// The content of their file.
    fn text(&self) -> String {
        let text = serde_json::json!({
            "appId": self.app_id,
            "masterKey": self.master_key,
            "maintenanceKey": self.maintenance_key,
        });
        format!("{text:#}\n")
    }
}

/// Reads the keys in `file`; `None` if the file does not exist.
fn read(file: &Path) -> Result<Option<Generated>, ConfigError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ConfigError::new(format!("cannot read {}: {error}", file.display()))),
    };
    let map: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let key = |name: &str| map.get(name).and_then(Value::as_str).filter(|key| !key.is_empty()).map(str::to_owned);
    match (key("appId"), key("masterKey"), key("maintenanceKey")) {
        (Some(app_id), Some(master_key), Some(maintenance_key)) => {
            Ok(Some(Generated { app_id, master_key, maintenance_key, fresh: false }))
        }
        _ => Err(ConfigError::new(format!(
            "{} is damaged: it must hold appId, masterKey and maintenanceKey; restore it, or delete it to get new keys",
            file.display()
        ))),
    }
}

/// Creates the data directory, accessible by its owner only.
fn make_dir(dir: &Path) -> io::Result<()> {
    folders::private().recursive(true).create(dir)
}

/// Writes a new file that only its owner can read, and flushes it to disk.
fn write_private(file: &PathBuf, text: &str) -> io::Result<()> {
    let mut file = private_file::options().write(true).create_new(true).open(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
