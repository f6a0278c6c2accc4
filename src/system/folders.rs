//! Folders: who may enter, and when their names are on disk.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes folders that only their owner may enter: mode 700 where the system has modes. On Windows a folder has the permissions
/// of the one that it is in.
#[must_use]
pub fn private() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is nothing to set"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Waits until the names in a folder are on disk. Blocks.
///
/// # Errors
/// When the folder cannot be opened, or the disk refuses.
#[cfg(unix)]
pub fn sync(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Windows has no such call for folders: NTFS writes changes of names to its log by itself.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
