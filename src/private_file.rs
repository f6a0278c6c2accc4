//! Files that only their owner may read: keys, data, backups, audit logs.

use std::fs::OpenOptions;

/// Options for a file which, if it is made, only its owner may read and write: mode 600 where the system has modes.
#[must_use]
pub fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is nothing to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
