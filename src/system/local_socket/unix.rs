//! Unix sockets: files, with the permissions of files.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

pub(super) type Stream = UnixStream;
pub(super) type ReadHalf = OwnedReadHalf;
pub(super) type WriteHalf = OwnedWriteHalf;

#[derive(Debug)]
pub(super) struct Listener(UnixListener);

impl Listener {
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self(listener))
    }

    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }
}

pub(super) fn split(stream: Stream) -> (ReadHalf, WriteHalf) {
    stream.into_split()
}

pub(super) async fn connect(path: &Path) -> io::Result<(ReadHalf, WriteHalf)> {
    UnixStream::connect(path).await.map(split)
}

pub(super) fn path_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}

pub(super) fn remove(path: &Path) {
    // It may never have been made.
    let _gone = std::fs::remove_file(path);
}
