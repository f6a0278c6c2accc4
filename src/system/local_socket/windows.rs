//! Named pipes. They are no files: all have one name space, and are gone with the process that made them. Others than the user
//! that made one, and administrators, may read from it at most, so they cannot send a request or a token.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

pub(super) type Stream = NamedPipeServer;
pub(super) type ReadHalf = tokio::io::ReadHalf<NamedPipeServer>;
pub(super) type WriteHalf = tokio::io::WriteHalf<NamedPipeServer>;

#[derive(Debug)]
pub(super) struct Listener {
    path: PathBuf,
    /// The instance that the next client gets: without one it would find no pipe.
    next: NamedPipeServer,
}

impl Listener {
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        // Nobody may have made a pipe of this name before, to be found in place of this one.
        let next = ServerOptions::new().first_pipe_instance(true).create(path)?;
        Ok(Self { path: path.to_owned(), next })
    }

    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        let connected = self.next.connect().await;
        let next = ServerOptions::new().create(&self.path)?;
        let stream = std::mem::replace(&mut self.next, next);
        connected.map(|()| stream)
    }
}

pub(super) fn split(stream: Stream) -> (ReadHalf, WriteHalf) {
    tokio::io::split(stream)
}

pub(super) async fn connect(
    path: &Path,
) -> io::Result<(tokio::io::ReadHalf<NamedPipeClient>, tokio::io::WriteHalf<NamedPipeClient>)> {
    ClientOptions::new().open(path).map(tokio::io::split)
}

pub(super) fn path_in(folder: &Path, name: &str) -> PathBuf {
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!(r"\\.\pipe\{folder}-{name}"))
}

pub(super) fn remove(_: &Path) {}
