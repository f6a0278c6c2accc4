//! Lines that hold on to each other: `{"n":2,…,"previous":HASH,"hash":HASH}`. The hash is SHA-256 of the line up to the comma before
//! `"hash"`, in hexadecimal; `previous` is that of the line before.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use ring::digest;
use serde_json::{Map, Value as Json};

/// What the first line of all goes on from.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Maximum bytes of a line.
pub(super) const LINE: usize = 1 << 20;

/// Where a file is.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    number: u64,
    head: String,
}

impl Chain {
    /// A file that goes on from the line with this hash.
    pub(super) fn after(hash: Option<&str>) -> Self {
        Self { number: 0, head: hash.unwrap_or(NOTHING).to_owned() }
    }

    /// The hash of the last line.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// Adds a line to a text.
    pub(super) fn add(&mut self, entry: Map<String, Json>, text: &mut String) {
        self.number += 1;
        let mut line = Map::new();
        line.insert("n".to_owned(), self.number.into());
        line.extend(entry);
        line.insert("previous".to_owned(), self.head.as_str().into());
        let line = Json::Object(line).to_string();
        let hashed = line.strip_suffix('}').unwrap_or(&line);
        self.head = hash(hashed);
        text.push_str(hashed);
        text.push_str(",\"hash\":\"");
        text.push_str(&self.head);
        text.push_str("\"}\n");
    }
}

fn hash(text: &str) -> String {
    crate::random::hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// A line that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) previous: String,
    pub(super) hash: String,
}

impl Link {
    /// Reads a line without its end, and checks its hash. `None`: it is not as it was written.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (hashed, rest) = line.rsplit_once(",\"hash\":\"")?;
        let claimed = rest.strip_suffix("\"}")?;
        let right = hash(hashed);
        if right != claimed {
            return None;
        }
        let entry: Map<String, Json> = serde_json::from_str(line).ok()?;
        let previous = entry.get("previous")?.as_str()?.to_owned();
        Some(Self { number: entry.get("n")?.as_u64()?, previous, hash: right })
    }
}

/// The hash of the last whole line of a file that is one of an audit log.
pub(super) fn last_hash(path: &Path) -> std::io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LINE as u64)))?;
    let mut tail = Vec::new();
    file.take(LINE as u64).read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let whole = tail.rsplit_once('\n').map_or("", |(whole, _)| whole);
    Ok(whole.rsplit('\n').next().and_then(Link::read).map(|link| link.hash))
}
