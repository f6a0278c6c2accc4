//! `reparse audit verify`: checks that an audit log is as it was written.

use std::path::Path;
use std::process::ExitCode;

use super::{fail, say};
use crate::adapters::audit::verify::{Verified, verify};

/// Checks a file, or the files of a folder; succeeds if the chain is unbroken.
#[must_use]
pub fn check(path: &Path) -> ExitCode {
    match verify(path) {
        Ok(Verified { files, entries, head }) => {
            say(&format!("unbroken: files {files}, entries {entries}, last hash {head}"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("error: the audit log is broken: {error}")),
    }
}
