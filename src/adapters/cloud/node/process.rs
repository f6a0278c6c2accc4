//! The Node process: found, started, ended.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::host::{Host, LogLevel};
use super::output::{Output, relay};

/// Time in which a process that was asked to end may do so by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Finds Node: the configured one, else the first `node` of the search path.
///
/// # Errors
/// A text for the person who started the server.
pub fn find_node(configured: Option<&Path>, search_path: Option<&OsStr>) -> Result<PathBuf, String> {
    if let Some(node) = configured {
        return if node.is_file() {
            Ok(node.to_path_buf())
        } else {
            Err(format!("cloud code needs Node.js, and there is no file {} (REPARSE_NODE)", node.display()))
        };
    }
    std::env::split_paths(search_path.unwrap_or_default())
        .map(|folder| folder.join(format!("node{}", std::env::consts::EXE_SUFFIX)))
        .find(|node| node.is_file())
        .ok_or_else(|| {
            "cloud code needs Node.js 18 or later: install it, or set REPARSE_NODE to the path of the program"
                .to_owned()
        })
}

/// How to start a process.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub node: PathBuf,
    /// File that Node runs.
    pub script: PathBuf,
    /// Working directory; that of the server if there is none.
    pub folder: Option<PathBuf>,
    pub socket: PathBuf,
    pub token: String,
    pub nice: u8,
}

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts Node on the bootstrap. What it prints is logged.
    pub(super) fn start(launch: &Launch, host: &Arc<dyn Host>, output: &Arc<Output>) -> Result<Self, String> {
        let mut command = Command::new(&launch.node);
        command
            .arg(&launch.script)
            .env("REPARSE_CLOUD_SOCKET", &launch.socket)
            .env("REPARSE_CLOUD_TOKEN", &launch.token)
            .env("REPARSE_CLOUD_NICE", launch.nice.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(folder) = &launch.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(|error| format!("cannot start {}: {error}", launch.node.display()))?;
        if let Some(stdout) = child.stdout.take() {
            let (host, output) = (host.clone(), output.clone());
            tokio::spawn(async move { relay(stdout, LogLevel::Info, &*host, &output).await });
        }
        if let Some(stderr) = child.stderr.take() {
            let (host, output) = (host.clone(), output.clone());
            tokio::spawn(async move { relay(stderr, LogLevel::Error, &*host, &output).await });
        }
        Ok(Self { child })
    }

    /// Waits for the end of the process; tells how it ended.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("the process ended: {status}"),
            Err(error) => format!("the process is lost: {error}"),
        }
    }

    /// Process id while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits a little for the process, whose connection is closed already, then kills it.
    pub(super) async fn end(mut self) {
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    /// Kills the process at once.
    pub(super) async fn kill(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::debug!("cannot kill a cloud code process: {error}");
        }
    }
}
