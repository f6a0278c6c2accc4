//! What the system allows a process.

/// A write beyond the size that the system allows for a file fails like one on a full disk. Without a handler the signal
/// would end the process.
#[cfg(unix)]
pub fn survive_large_files() {
    use tokio::signal::unix::{SignalKind, signal};
    let beyond = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    if let Err(error) = signal(beyond) {
        tracing::warn!(%error, "cannot handle the signal for files that are too large");
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub fn survive_large_files() {}

/// Raises the limit of open files to the maximum that the system allows, because every connection needs one. The default
/// limit is too low for a server.
#[cfg(target_os = "linux")]
pub fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// Others have no limit, or a maximum that they do not let a process reach.
#[cfg(not(target_os = "linux"))]
pub fn raise_open_files() {}
