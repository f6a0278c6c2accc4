//! Checks that an audit log is as it was written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::chain::{LINE, Link, NOTHING};
use super::files;

/// What was checked, and found unbroken.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    /// Number of files.
    pub files: usize,
    /// Number of entries.
    pub entries: u64,
    /// The hash of the last entry of the last file. Kept elsewhere, it shows later that nothing after it was cut off.
    pub head: String,
}

/// Checks a file, or all files of a folder and that they go on from each other.
///
/// # Errors
/// What is wrong, and where.
pub fn verify(path: &Path) -> Result<Verified, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let whole_folder = path.is_dir();
    let paths = if whole_folder { files(path).map_err(fail)? } else { vec![path.to_owned()] };
    if paths.is_empty() {
        return Err(format!("{}: there is no audit log", path.display()));
    }
    let mut verified = Verified { files: paths.len(), entries: 0, head: String::new() };
    // What files go on from, until it is seen.
    let mut missing: HashMap<String, PathBuf> = HashMap::new();
    if whole_folder {
        for path in &paths {
            let first = read(path, |_, _| false)?;
            if let Some(first) = first.filter(|link| link.previous != NOTHING) {
                missing.insert(first.previous, path.clone());
            }
        }
    }
    for path in &paths {
        let last = read(path, |_, link| {
            verified.entries += 1;
            missing.remove(&link.hash);
            true
        })?;
        if let Some(last) = last {
            verified.head = last.hash;
        }
    }
    // The oldest file may go on from one that was put away.
    let oldest = paths.first();
    match missing.into_values().find(|path| Some(path) != oldest) {
        Some(path) => Err(format!("{}: the audit log that it goes on from is missing, or was cut", path.display())),
        None => Ok(verified),
    }
}

/// Reads a file line by line while `wanted` says so; returns the last link read.
fn read(path: &Path, mut wanted: impl FnMut(u64, &Link) -> bool) -> Result<Option<Link>, String> {
    let at = |number: u64, what: &str| format!("{}, line {number}: {what}", path.display());
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut reader = BufReader::new(File::open(path).map_err(fail)?);
    let mut last: Option<Link> = None;
    for number in 1.. {
        let mut bytes = Vec::new();
        (&mut reader).take(LINE as u64).read_until(b'\n', &mut bytes).map_err(fail)?;
        if bytes.is_empty() {
            return if last.is_some() { Ok(last) } else { Err(format!("{}: it is empty", path.display())) };
        }
        if bytes.pop() != Some(b'\n') {
            return Err(at(number, "it is incomplete"));
        }
        let link = std::str::from_utf8(&bytes).ok().and_then(Link::read);
        let link = link.ok_or_else(|| at(number, "it was changed"))?;
        let follows = last.as_ref().is_none_or(|last| link.previous == last.hash);
        if !follows || link.number != number {
            return Err(at(number, "it does not follow the line before"));
        }
        let goes_on = wanted(number, &link);
        last = Some(link);
        if !goes_on {
            break;
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::AuditLog;
    use super::*;
    use crate::clock::ManualClock;
    use crate::model::date::Date;
    use crate::random::SystemRandom;

    async fn written(folder: &Path, entries: usize, file_bytes: u64, clock: &ManualClock) {
        let log = AuditLog::open(folder, file_bytes, Arc::new(clock.clone()), &SystemRandom).unwrap();
        for at in 0..entries {
            let entry = json!({ "what": "test", "at": at, "text": "\",\"hash\":\"\n" });
            log.write(entry.as_object().unwrap().clone()).await;
        }
    }

    #[tokio::test]
    async fn every_changed_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), 5, 1 << 20, &ManualClock::new(Date::from_millis(0))).await;
        let path = files(folder.path()).unwrap().remove(0);
        let whole = std::fs::read(&path).unwrap();
        let verified = verify(&path).unwrap();
        assert_eq!((verified.files, verified.entries), (1, 6));
        assert_eq!(verify(folder.path()).unwrap(), verified);
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            std::fs::write(&path, &broken).unwrap();
            assert!(verify(&path).is_err(), "byte {at}");
        }
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        for (what, kept) in [
            ("a line is missing", vec![0, 1, 3, 4, 5]),
            ("the first is missing", vec![1, 2, 3, 4, 5]),
            ("two are exchanged", vec![0, 2, 1, 3, 4, 5]),
            ("one is there twice", vec![0, 1, 1, 2, 3, 4, 5]),
        ] {
            let broken: Vec<u8> = kept.into_iter().flat_map(|at| lines[at].to_vec()).collect();
            std::fs::write(&path, &broken).unwrap();
            assert!(verify(&path).is_err(), "{what}");
        }
        std::fs::write(&path, whole.strip_suffix(b"\n").unwrap()).unwrap();
        assert!(verify(&path).unwrap_err().ends_with("line 6: it is incomplete"));
    }

    #[tokio::test]
    async fn files_go_on_from_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Date::from_millis(0));
        for _ in 0..3 {
            clock.advance(1);
            written(folder.path(), 6, 600, &clock).await;
        }
        let paths = files(folder.path()).unwrap();
        assert!(paths.len() > 6, "{}", paths.len());
        let verified = verify(folder.path()).unwrap();
        assert_eq!(verified.files, paths.len());
        // The oldest may be put away, one in the middle may not.
        std::fs::remove_file(&paths[0]).unwrap();
        assert!(verify(folder.path()).is_ok());
        std::fs::remove_file(&paths[3]).unwrap();
        assert!(verify(folder.path()).unwrap_err().contains("is missing"));
        assert!(verify(&folder.path().join("none")).is_err());
    }
}
