//! The files of the audit log: lines of JSON, each of which has the hash of the one before, so that nothing can be changed or left out
//! without breaking the chain ([`verify`]).
//!
//! A thread of its own writes them. Each start begins a file, so that several servers and jobs can share a folder; its first line
//! goes on from the last line of the newest file that was there.

mod chain;
pub mod verify;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value as Json};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::private_file;
use crate::random::Random;
use chain::Chain;

/// How many entries wait for the disk. Writes wait for room; what was refused is counted as lost.
const QUEUE: usize = 4096;
/// How many entries are written at once.
const BATCH: usize = 512;

type Entry = Map<String, Json>;

/// The audit log of a server.
#[derive(Debug)]
pub struct AuditLog {
    queue: mpsc::Sender<Job>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Job {
    entry: Entry,
    written: Option<oneshot::Sender<()>>,
}

impl AuditLog {
    /// Begins a file in the folder, and makes the folder if there is none.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(folder: &Path, file_bytes: u64, clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Self, String> {
        let stamp = clock.now().to_iso().chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let name = format!("audit-{stamp}-{}", random.hex(4));
        let mut writer =
            Writer { folder: folder.to_owned(), file_bytes, clock, name, begun: 0, open: None, after: None };
        let fail = |error: std::io::Error| format!("option auditLog.folder: {}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(fail)?;
        writer.after = newest_hash(folder).map_err(fail)?;
        writer.begin().map_err(fail)?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = lost.clone();
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(jobs, &counted)).map_err(fail)?;
        Ok(Self { queue, lost })
    }

    /// Writes an entry; done once it is in the file.
    pub async fn write(&self, entry: Entry) {
        let (written, done) = oneshot::channel();
        if self.queue.send(Job { entry, written: Some(written) }).await.is_ok() {
            // It is dropped when the entry cannot be written, which the log says.
            let _ = done.await;
        }
    }

    /// Writes an entry soon; while too many wait, it is counted as lost.
    pub fn write_soon(&self, entry: Entry) {
        if self.queue.try_send(Job { entry, written: None }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What the thread has.
struct Writer {
    folder: PathBuf,
    file_bytes: u64,
    clock: Arc<dyn Clock>,
    /// What the names of its files begin with.
    name: String,
    /// How many files it has begun.
    begun: u32,
    open: Option<Open>,
    /// The hash that the next file goes on from.
    after: Option<String>,
}

struct Open {
    file: File,
    bytes: u64,
    chain: Chain,
}

impl Writer {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>, lost: &AtomicU64) {
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
            let entries: Vec<&Entry> = batch.iter().map(|job| &job.entry).collect();
            let missing = lost.swap(0, Ordering::Relaxed);
            match self.write(&entries, missing) {
                Ok(()) => batch.into_iter().filter_map(|job| job.written).for_each(|written| {
                    // Whoever waited may be gone.
                    let _ = written.send(());
                }),
                Err(error) => {
                    let count = missing + entries.len() as u64;
                    lost.fetch_add(count, Ordering::Relaxed);
                    tracing::error!(%error, count, "entries of the audit log could not be written");
                    // The file may end in the middle of a line: the next entries begin another one.
                    self.after = self.open.take().map(|open| open.chain.head().to_owned()).or(self.after.take());
                }
            }
        }
    }

    fn write(&mut self, entries: &[&Entry], missing: u64) -> std::io::Result<()> {
        if self.open.as_ref().is_none_or(|open| open.bytes >= self.file_bytes) {
            self.after = self.open.take().map(|open| open.chain.head().to_owned()).or(self.after.take());
            self.begin()?;
        }
        let time = self.clock.now().to_iso();
        let Some(open) = &mut self.open else { return Err(std::io::ErrorKind::NotFound.into()) };
        let mut chain = open.chain.clone();
        let mut text = String::new();
        if missing > 0 {
            let entry = [("time", Json::from(time)), ("what", "lost".into()), ("count", missing.into())];
            chain.add(entry.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), &mut text);
        }
        for entry in entries {
            chain.add((*entry).clone(), &mut text);
        }
        open.file.write_all(text.as_bytes())?;
        open.bytes += text.len() as u64;
        open.chain = chain;
        Ok(())
    }

    /// Begins a file, whose name sorts after those of older files of the process.
    fn begin(&mut self) -> std::io::Result<()> {
        let now = self.clock.now().to_iso();
        self.begun += 1;
        let path = self.folder.join(format!("{}-{:06}.jsonl", self.name, self.begun));
        let mut file = private_file::options().append(true).create_new(true).open(path)?;
        let mut chain = Chain::after(self.after.as_deref());
        let mut text = String::new();
        let version = env!("CARGO_PKG_VERSION");
        let entry = [("time", Json::from(now)), ("what", "begin".into()), ("version", version.into())];
        chain.add(entry.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), &mut text);
        file.write_all(text.as_bytes())?;
        tracing::debug!(head = chain.head(), "an audit log begins");
        self.open = Some(Open { file, bytes: text.len() as u64, chain });
        Ok(())
    }
}

/// Paths of the audit logs in a folder, the oldest first.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("audit-") && path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The hash of the last whole line of the newest file that has one.
fn newest_hash(folder: &Path) -> std::io::Result<Option<String>> {
    for path in files(folder)?.iter().rev() {
        if let Some(hash) = chain::last_hash(path)? {
            return Ok(Some(hash));
        }
    }
    Ok(None)
}
