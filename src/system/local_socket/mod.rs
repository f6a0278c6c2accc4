//! Sockets between processes of one machine and one user: Unix sockets, on Windows named pipes. Node's `net` opens both by
//! their path.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};

/// The end of a connection that was accepted.
pub type Stream = system::Stream;
/// What is read of it.
pub type ReadHalf = system::ReadHalf;
/// What is written to it.
pub type WriteHalf = system::WriteHalf;

/// Accepts connections.
#[derive(Debug)]
pub struct Listener(system::Listener);

impl Listener {
    /// Makes the socket, which only the user of this process may write to.
    ///
    /// # Errors
    /// When there is one with this path, or there may be none.
    pub fn bind(path: &Path) -> io::Result<Self> {
        system::Listener::bind(path).map(Self)
    }

    /// Waits for the next connection. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// For this connection only: the next call may have one.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        self.0.accept().await
    }
}

/// Cuts a connection into its directions.
#[must_use]
pub fn split(stream: Stream) -> (ReadHalf, WriteHalf) {
    system::split(stream)
}

/// Connects to a socket that another process has made.
///
/// # Errors
/// When there is none, or this user may not use it.
pub async fn connect(
    path: &Path,
) -> io::Result<(impl AsyncRead + Unpin + Send + use<>, impl AsyncWrite + Unpin + Send + use<>)> {
    system::connect(path).await
}

/// The path of a socket with this name that belongs to a private folder with a random name.
#[must_use]
pub fn path_in(folder: &Path, name: &str) -> PathBuf {
    system::path_in(folder, name)
}

/// Removes what a process that is gone has left of a socket.
pub fn remove(path: &Path) {
    system::remove(path);
}
