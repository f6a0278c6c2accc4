//! `reparse keys`: new keys for a data directory whose keys were generated.

use std::process::ExitCode;

use super::say;
use crate::config::NewKeys;

/// Says which keys hold from now on.
#[must_use]
pub fn tell(keys: &NewKeys) -> ExitCode {
    say(&format!(
        "  Master key (shown only once)  {}\n  Maintenance key (shown only once)  {}\n  Keys  {}\n\
         A running server takes them on SIGHUP, or at its next start; the master key at its next start if it has cloud code or the dashboard.",
        keys.master_key.expose(),
        keys.maintenance_key.expose(),
        keys.file.display()
    ));
    ExitCode::SUCCESS
}
